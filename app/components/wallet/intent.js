// One intent, put to an EIP-1193 provider: the right chain first, then one question. Tested with `node --test`.

/** Code and message of whatever a wallet throws (EIP-1193, EIP-1474, or its own idea of an error). */
export function errorOf(thrown) {
  const code = thrown?.code ?? thrown?.data?.originalError?.code ?? thrown?.cause?.code;
  const message = thrown?.data?.originalError?.message ?? thrown?.message ?? String(thrown);
  const data = thrown?.data?.originalError?.data ?? thrown?.data?.data ?? thrown?.data;
  return {
    code: Number.isInteger(code) ? code : -1,
    message: String(message).slice(0, 300),
    data: typeof data === "string" ? data.slice(0, 2000) : null,
  };
}

export const sameChain = (a, b) => Boolean(a && b) && BigInt(a) === BigInt(b);
export const sameAddress = (a, b) => Boolean(a && b) && a.toLowerCase() === b.toLowerCase();

/** Bring the wallet to `chain` ({chainId, chainName, nativeCurrency, rpcUrls?}, EIP-3326/EIP-3085). */
export async function ensureChain(provider, chain) {
  if (sameChain(await provider.request({ method: "eth_chainId" }), chain.chainId)) return;
  const goThere = () => provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: chain.chainId }] });
  try {
    await goThere();
  } catch (thrown) {
    if (errorOf(thrown).code !== 4902 || !chain.rpcUrls) throw thrown;
    await provider.request({ method: "wallet_addEthereumChain", params: [chain] });
    await goThere();
  }
  const now = await provider.request({ method: "eth_chainId" });
  if (!sameChain(now, chain.chainId)) throw { code: 4901, message: `The wallet stayed on chain ${BigInt(now)}.` };
}

/** Ask the wallet: {kind: "sign", typed} → signature, {kind: "send", call} → transaction hash. */
export async function ask(provider, intent) {
  await ensureChain(provider, intent.chain);
  const [account] = await provider.request({ method: "eth_accounts" });
  if (!sameAddress(account, intent.from))
    throw { code: 4100, message: `The wallet shows ${account ?? "no account"}; this needs ${intent.from}.` };
  if (intent.kind === "sign")
    return provider.request({ method: "eth_signTypedData_v4", params: [account, JSON.stringify(intent.typed)] });
  return provider.request({ method: "eth_sendTransaction", params: [{ from: account, ...intent.call }] });
}
