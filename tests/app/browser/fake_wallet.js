// Two wallets announced by EIP-6963. What a real wallet does in its extension, walletRpc (from the test) does outside the
// page, so that the page's own security policy stays as it is. `fakeWallet` is the test's remote control. As a real one,
// a wallet keeps its chain, its accounts and its open dialog when the page is reloaded; `holds` leaves dialogs open.
(() => {
  if (!location.protocol.startsWith("http")) return; // about:blank, where a context begins, has no storage
  const KEY = "fakeWallet";
  const START = { chain: "0x7a69", known: ["0x1", "0x7a69"], account: 1, connected: false, locked: false, holds: false, declines: false, asked: [], dialog: null };
  const PROMPTS = ["eth_signTypedData_v4", "eth_sendTransaction", "wallet_switchEthereumChain", "wallet_addEthereumChain"];
  const REFUSED = { code: 4001, message: "User rejected the request." };
  const state = { ...START, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  let answerDialog = null;

  const change = (values) => localStorage.setItem(KEY, JSON.stringify(Object.assign(state, values)));
  const account = async () => [(await window.walletRpc("eth_accounts", []))[state.account]];
  const accounts = async () => (state.connected && !state.locked ? account() : []);

  async function dialog(method, params) {
    if (state.declines) throw REFUSED;
    if (!state.holds) return;
    change({ dialog: { method, params } });
    const confirmed = await new Promise((resolve) => (answerDialog = resolve));
    change({ dialog: null });
    if (!confirmed) throw REFUSED;
  }

  function provider() {
    const listeners = {};
    const emit = (name, value) => (listeners[name] ?? []).forEach((listener) => listener(value));
    const answers = {
      eth_requestAccounts: async () => {
        if (state.locked || state.declines) throw REFUSED; // the person closes the dialog that asks for the password
        change({ connected: true });
        return accounts();
      },
      eth_accounts: accounts,
      eth_chainId: async () => state.chain,
      wallet_addEthereumChain: async ([{ chainId }]) => change({ known: [...state.known, chainId] }),
      wallet_switchEthereumChain: async ([{ chainId }]) => {
        if (!state.known.includes(chainId)) throw { code: 4902, message: "Unrecognized chain" };
        change({ chain: chainId });
        emit("chainChanged", chainId);
        return null;
      },
    };
    return {
      emit,
      on: (name, listener) => (listeners[name] ??= []).push(listener),
      removeListener: () => {},
      request: async ({ method, params = [] }) => {
        change({ asked: [...state.asked, method] });
        if (PROMPTS.includes(method)) await dialog(method, params);
        return method in answers ? answers[method](params) : window.walletRpc(method, params);
      },
    };
  }

  const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E%3Crect width='8' height='8' fill='orange'/%3E%3C/svg%3E";
  const wallets = ["Fox Wallet", "Other Wallet"].map((name) => ({
    info: Object.freeze({ uuid: crypto.randomUUID(), name, icon, rdns: `test.${name.split(" ")[0].toLowerCase()}` }),
    provider: provider(),
  }));
  const announce = () =>
    wallets.forEach((detail) => dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail: Object.freeze(detail) })));

  window.fakeWallet = {
    state,
    /** Something changes in the wallet, and it tells the page what a wallet tells. */
    async set(values) {
      const before = JSON.stringify([state.account, state.locked, state.connected]);
      const chain = state.chain;
      change(values);
      if (state.chain !== chain) wallets[0].provider.emit("chainChanged", state.chain);
      if (JSON.stringify([state.account, state.locked, state.connected]) !== before)
        wallets[0].provider.emit("accountsChanged", await accounts());
    },
    /** The person answers the dialog that is open. */
    answer: (confirmed) => answerDialog(confirmed),
  };
  addEventListener("eip6963:requestProvider", announce);
  announce();
})();
