// Bridge to the browser's wallets (EIP-6963), in the page itself: a wallet does not reach into iframes.
// State for Python: `wallet` {name, account, chainId} or null, and `answer` {id, ok, value | error, seq}.
// One object per page outlives reruns and remounts; each mount only draws it.

import { ask, ensureChain, errorOf, sameAddress, sameChain } from "./intent.js";
import { Journal } from "./journal.js";

const REMEMBERED = "countersign.wallet"; // which wallet to reconnect to, silently; no secret

class Bridge {
  constructor() {
    this.wallets = new Map(); // rdns → {info, provider}
    this.chosen = null;
    this.account = null;
    this.chainId = null;
    this.journal = new Journal(sessionStorage);
    this.views = new Set();
    addEventListener("eip6963:announceProvider", ({ detail }) => this.#announced(detail));
    dispatchEvent(new Event("eip6963:requestProvider"));
  }

  #announced(detail) {
    if (this.wallets.has(detail.info.rdns)) return;
    this.wallets.set(detail.info.rdns, { ...detail });
    if (detail.info.rdns === localStorage.getItem(REMEMBERED) && !this.chosen)
      this.connect(detail.info.rdns, { silently: true }).catch(() => {});
    this.draw();
  }

  async connect(rdns, { silently = false } = {}) {
    const wallet = this.wallets.get(rdns);
    const method = silently ? "eth_accounts" : "eth_requestAccounts";
    const [account] = await wallet.provider.request({ method });
    if (!account) return;
    this.#listen(wallet);
    this.chosen = wallet;
    this.account = account;
    this.chainId = await wallet.provider.request({ method: "eth_chainId" });
    localStorage.setItem(REMEMBERED, rdns);
    this.draw();
  }

  #listen(wallet) {
    if (wallet.listening) return;
    wallet.listening = true;
    wallet.provider.on?.("accountsChanged", ([account]) => this.#changed(wallet, { account: account ?? null }));
    wallet.provider.on?.("chainChanged", (chainId) => this.#changed(wallet, { chainId }));
  }

  #changed(wallet, change) {
    if (this.chosen !== wallet) return;
    Object.assign(this, change);
    if (!this.account) this.chosen = null;
    this.draw();
  }

  leave() {
    localStorage.removeItem(REMEMBERED);
    this.chosen = this.account = this.chainId = null;
    this.draw();
  }

  switchTo(chain) {
    return ensureChain(this.chosen.provider, chain);
  }

  /** Exactly one request per intent, however often it is clicked or redrawn. */
  async run(intent) {
    if (["asking", "done"].includes(this.journal.state(intent.id))) return;
    this.journal.begin(intent.id);
    this.draw();
    const answer = await ask(this.chosen.provider, intent).then(
      (value) => ({ ok: true, value }),
      (thrown) => ({ ok: false, error: errorOf(thrown) }),
    );
    this.journal.end(intent.id, answer);
    this.deliver(intent.id, answer);
    this.draw();
  }

  deliver(id, answer) {
    for (const view of this.views) view.answer({ id, ...answer });
  }

  draw() {
    for (const view of this.views) view.draw();
  }

  get state() {
    return this.account ? { name: this.chosen.info.name, account: this.account, chainId: this.chainId } : null;
  }
}

class View {
  constructor(root, bridge) {
    this.root = root;
    this.bridge = bridge;
    this.$(".leave").onclick = () => bridge.leave();
    this.$(".switch").onclick = () => this.attempt(() => bridge.switchTo(this.chain));
    this.$(".go").onclick = () => this.go();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  update({ data, setStateValue }) {
    this.send = setStateValue;
    this.intent = data.intent;
    this.chain = data.chain;
    this.known = JSON.stringify(data.known ?? null);
    this.bridge.views.add(this);
    this.draw();
    const recorded = this.intent && this.bridge.journal.answer(this.intent.id);
    if (recorded && data.answered !== this.intent.id) this.answer({ id: this.intent.id, ...recorded });
  }

  go() {
    if (this.answered) this.send("answer", null); // an earlier refusal is no longer the latest word
    this.answered = false;
    if (this.intent) this.bridge.run(this.intent);
  }

  answer(answer) {
    this.answered = true;
    if (answer.id === this.intent?.id) this.send("answer", { ...answer, seq: Date.now() });
  }

  async attempt(action) {
    this.say("");
    try {
      await action();
    } catch (thrown) {
      this.say(this.words(errorOf(thrown)));
    }
  }

  words({ code, message }) {
    if (code === 4001) return "You declined in the wallet. Try again when you are ready.";
    if (code === -32002) return "Your wallet already shows an open request. Open the wallet and answer it.";
    if (code === 4902) return `Your wallet does not know ${this.chain.chainName}. Add that network in the wallet, then try again.`;
    return `The wallet says: ${message}`;
  }

  say(words) {
    this.$(".problem").textContent = words;
    this.$(".problem").hidden = !words;
  }

  draw() {
    const { state } = this.bridge;
    if (JSON.stringify(state) !== this.known) {
      this.known = JSON.stringify(state);
      this.send("wallet", state);
    }
    this.#drawWallets(state);
    this.#drawAccount(state);
    this.#drawIntent(state);
  }

  #drawWallets(state) {
    const wallets = state ? [] : [...this.bridge.wallets.values()];
    this.$(".wallets").replaceChildren(...wallets.map((wallet) => this.#connectButton(wallet)));
    this.$(".none").hidden = Boolean(state) || wallets.length > 0;
  }

  #connectButton({ info }) {
    const button = document.createElement("button");
    const icon = document.createElement("img");
    icon.alt = "";
    if (info.icon?.startsWith("data:image/")) button.append(Object.assign(icon, { src: info.icon }));
    button.append(`Connect ${info.name}`);
    button.type = "button";
    button.onclick = () => this.attempt(() => this.bridge.connect(info.rdns));
    return button;
  }

  #drawAccount(state) {
    this.$(".account").hidden = !state;
    const right = !state || sameChain(state.chainId, this.chain.chainId);
    this.$(".wrong").hidden = right;
    if (!state) return;
    this.$(".who").textContent = state.name;
    this.$(".address").textContent = state.account;
    this.$(".chain").textContent = `Your wallet is on chain ${BigInt(state.chainId)}. This needs ${this.chain.chainName}.`;
    this.$(".switch").textContent = `Switch to ${this.chain.chainName}`;
  }

  #drawIntent(state) {
    const { intent } = this;
    this.$(".intent").hidden = !intent;
    if (!intent) return;
    const journal = this.bridge.journal.state(intent.id);
    const other = state && !sameAddress(state.account, intent.from);
    const button = this.$(".go");
    button.dataset.state = journal;
    button.disabled = !state || other || journal === "asking" || journal === "done";
    button.textContent = this.#label(journal, intent, state);
    this.$(".advice").textContent = this.#advice(journal, state, other, intent);
  }

  #label(journal, intent, state) {
    if (journal === "asking") return `Check ${state?.name ?? "your wallet"}…`;
    if (journal === "done") return "Answered";
    return journal === "unsure" ? "Ask the wallet again" : intent.label;
  }

  #advice(journal, state, other, intent) {
    if (!state) return "Connect your wallet to go on.";
    if (other) return `This needs the account ${intent.from}. Choose it in ${state.name}.`;
    if (journal === "asking") return `${state.name} asks you to confirm. Nothing is sent until you do.`;
    if (journal === "unsure") return "A request from before the reload may still be open: look into your wallet first.";
    return "";
  }
}

export default function mount(component) {
  const bridge = (globalThis.__countersignWallet ??= new Bridge());
  const element = component.parentElement.querySelector(".cs");
  element.view ??= new View(element, bridge);
  element.view.update(component);
  return () => bridge.views.delete(element.view);
}
