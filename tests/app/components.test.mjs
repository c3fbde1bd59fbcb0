// The components' pure parts, without a browser: node --test tests/app
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

/** Browser modules end in .js and belong to no npm package: Node takes them as data URLs. */
async function load(path) {
  const source = await readFile(new URL(`../../app/components/${path}`, import.meta.url));
  return import(`data:text/javascript;base64,${source.toString("base64")}`);
}

const { ask, ensureChain, errorOf, sameAddress } = await load("wallet/intent.js");
const { Journal } = await load("wallet/journal.js");
const { explain, formatSize, isDocument, refusal } = await load("hasher/reading.js");

const LOCAL = { chainId: "0x7a69", chainName: "Local", rpcUrls: ["http://127.0.0.1:8545"] };
const ME = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/** An EIP-1193 provider that knows `known` chains and answers every signature and transaction with 0x01. */
function wallet({ chain = "0x1", known = ["0x1"], account = ME, stubborn = false } = {}) {
  const asked = [];
  const answers = {
    eth_chainId: () => chain,
    eth_accounts: () => [account],
    wallet_addEthereumChain: ([{ chainId }]) => void known.push(chainId),
    wallet_switchEthereumChain: ([{ chainId }]) => {
      if (!known.includes(chainId)) throw { code: 4902, message: "Unrecognized chain" };
      if (!stubborn) chain = chainId;
      return null;
    },
  };
  return {
    asked,
    request: async ({ method, params }) => {
      asked.push(method);
      return method in answers ? answers[method](params) : "0x01";
    },
  };
}

function memory() {
  const items = new Map();
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => items.set(key, value), removeItem: (key) => items.delete(key) };
}

test("the right chain is left alone", async () => {
  const fox = wallet({ chain: "0x7A69" });
  await ensureChain(fox, LOCAL);
  assert.deepEqual(fox.asked, ["eth_chainId"]);
});

test("an unknown chain is added, then chosen", async () => {
  const fox = wallet();
  await ensureChain(fox, LOCAL);
  assert.ok(fox.asked.includes("wallet_addEthereumChain"));
});

test("without a public node URL an unknown chain is the person's to add", async () => {
  await assert.rejects(ensureChain(wallet(), { ...LOCAL, rpcUrls: undefined }), { code: 4902 });
});

test("a wallet that stays on its chain is not asked to send", async () => {
  const fox = wallet({ known: ["0x1", "0x7a69"], stubborn: true });
  await assert.rejects(ask(fox, { kind: "send", chain: LOCAL, from: ME, call: {} }), { code: 4901 });
  assert.ok(!fox.asked.includes("eth_sendTransaction"));
});

test("another account is not asked to send", async () => {
  const fox = wallet({ chain: "0x7a69", account: "0x" + "11".repeat(20) });
  await assert.rejects(ask(fox, { kind: "send", chain: LOCAL, from: ME, call: {} }), { code: 4100 });
  assert.ok(!fox.asked.includes("eth_sendTransaction"));
});

test("signing and sending are one request each", async () => {
  for (const [kind, method] of [["sign", "eth_signTypedData_v4"], ["send", "eth_sendTransaction"]]) {
    const fox = wallet({ chain: "0x7a69" });
    assert.equal(await ask(fox, { kind, chain: LOCAL, from: ME.toLowerCase(), typed: {}, call: {} }), "0x01");
    assert.equal(fox.asked.filter((name) => name === method).length, 1);
  }
});

test("errors of all shapes have code and message", () => {
  assert.deepEqual(errorOf({ code: 4001, message: "no" }), { code: 4001, message: "no", data: null });
  assert.equal(errorOf({ data: { originalError: { code: 3, message: "reverted", data: "0x08" } } }).code, 3);
  assert.equal(errorOf("boom").message, "boom");
  assert.equal(errorOf(undefined).code, -1);
  assert.ok(sameAddress(ME, ME.toLowerCase()) && !sameAddress(null, ME));
});

test("the journal keeps answers over a reload and forgets refusals", () => {
  const storage = memory();
  const before = new Journal(storage);
  assert.equal(before.state("a"), "idle");
  before.begin("a");
  before.begin("b");
  assert.equal(before.state("a"), "asking");
  assert.equal(new Journal(storage).state("a"), "unsure");
  before.end("a", { ok: true, value: "0x01" });
  before.end("b", { ok: false, error: { code: 4001 } });
  const after = new Journal(storage);
  assert.equal(after.state("a"), "done");
  assert.deepEqual(after.answer("a"), { ok: true, value: "0x01" });
  assert.equal(after.state("b"), "idle");
});

test("a damaged or forbidden storage is survived", () => {
  const forbidden = () => {
    throw new Error("SecurityError");
  };
  const journal = new Journal({ getItem: () => "{", setItem: forbidden, removeItem: forbidden });
  journal.begin("a");
  assert.equal(journal.state("a"), "asking");
  journal.end("a", { ok: false });
  assert.equal(journal.state("a"), "idle");
});

test("certificates are read, works are hashed, empty files refused", () => {
  assert.ok(isDocument({ name: "a.jpg.Countersign.JSON", size: 9 }));
  assert.ok(!isDocument({ name: "a.jpg.countersign.json", size: 5 << 20 }));
  assert.ok(!isDocument({ name: "a.json", size: 9 }));
  assert.ok(isDocument({ name: "mill.terms.json", size: 9 }, ".terms.json"));
  assert.ok(!isDocument({ name: "mill.terms.json", size: 9 }));
  assert.match(refusal({ name: "a", size: 0 }), /is empty/);
  assert.equal(refusal({ name: "a", size: 1 }), null);
});

test("reading errors become sentences with a next step", () => {
  for (const name of ["NotReadableError", "NotFoundError", "ChangedError", "EngineError", "Strange"])
    assert.match(explain({ name, message: "x" }, "photo.jpg"), /(choose|Choose|Reload|reload).*\.$|\)\.$/);
});

test("sizes", () => {
  assert.deepEqual([1, 999, 1500, 5e9].map(formatSize), ["1 byte", "999 bytes", "1.5 kB", "5.0 GB"]);
});
