// Two wallets announced by EIP-6963. What a real wallet does in its extension, walletRpc (from the test) does outside the
// page, so that the page's own security policy stays as it is. `fakeWallet` is the test's remote control.
(() => {
  const control = (window.fakeWallet = { chain: "0x1", known: ["0x1"], delay: 0, decline: false, asked: [], account: 1 });
  const PROMPTS = ["eth_requestAccounts", "eth_signTypedData_v4", "eth_sendTransaction", "wallet_switchEthereumChain", "wallet_addEthereumChain"];

  function provider() {
    const listeners = {};
    const emit = (name, value) => (listeners[name] ?? []).forEach((listener) => listener(value));
    const accounts = async () => [(await window.walletRpc("eth_accounts", []))[control.account]];
    const answers = {
      eth_requestAccounts: async () => {
        localStorage.setItem("fakeWallet.connected", "yes");
        return accounts();
      },
      eth_accounts: async () => (localStorage.getItem("fakeWallet.connected") ? accounts() : []),
      eth_chainId: async () => control.chain,
      wallet_addEthereumChain: async ([{ chainId }]) => void control.known.push(chainId),
      wallet_switchEthereumChain: async ([{ chainId }]) => {
        if (!control.known.includes(chainId)) throw { code: 4902, message: "Unrecognized chain" };
        control.chain = chainId;
        emit("chainChanged", chainId);
        return null;
      },
    };
    return {
      emit,
      on: (name, listener) => (listeners[name] ??= []).push(listener),
      removeListener: () => {},
      request: async ({ method, params = [] }) => {
        control.asked.push(method);
        if (PROMPTS.includes(method)) {
          await new Promise((resolve) => setTimeout(resolve, control.delay));
          if (control.decline) throw { code: 4001, message: "User rejected the request." };
        }
        return method in answers ? answers[method](params) : window.walletRpc(method, params);
      },
    };
  }

  const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' fill='orange'/%3E%3C/svg%3E";
  const wallets = ["Fox Wallet", "Other Wallet"].map((name) => ({
    info: Object.freeze({ uuid: crypto.randomUUID(), name, icon, rdns: `test.${name.split(" ")[0].toLowerCase()}` }),
    provider: provider(),
  }));
  control.emit = (name, value) => wallets[0].provider.emit(name, value);
  const announce = () =>
    wallets.forEach((detail) => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze(detail) })));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
