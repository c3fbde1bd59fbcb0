// State proofs (eth_getProof, EIP-1186) against a block header: every hash is computed, none believed.

import { concat, hex, keccak, numberOf } from "./bytes.mjs";
import { decode } from "./rlp.mjs";

const EMPTY_ROOT = hex(keccak(Uint8Array.of(0x80)));
const NO_CODE = hex(keccak(new Uint8Array()));

const broken = (what) => new Error(`The state proof is broken: ${what}.`);
const isBytes = (item) => item instanceof Uint8Array;

/** What a proof shows: `block` {number, hash, time}, the value of covered slots, which accounts hold code. */
export function checkProof({ header, accounts }) {
  const { stateRoot, ...block } = readHeader(header);
  const values = new Map();
  const contracts = new Set();
  for (const { address, nodes, slots } of accounts) {
    const { storageRoot, codeHash } = readAccount(stateRoot, address, nodes);
    if (codeHash !== NO_CODE) contracts.add(hex(address));
    for (const { slot, nodes } of slots) {
      values.set(hex(concat(address, slot)), readWord(lookup(storageRoot, slot, nodes)));
    }
  }
  return {
    block,
    isContract: (address) => contracts.has(hex(address)),
    value: (address, slot) => values.get(hex(concat(address, slot))), // undefined: not covered
  };
}

function readHeader(header) {
  const fields = decode(header);
  if (!Array.isArray(fields) || fields.length < 15 || !fields.every(isBytes)) {
    throw broken("the header is not a block header");
  }
  const [stateRoot, number, time] = [fields[3], fields[8], fields[11]];
  if (stateRoot.length !== 32 || number.length > 8 || time.length > 8) throw broken("the header is not a block header");
  return { stateRoot, hash: keccak(header), number: numberOf(number), time: numberOf(time) };
}

function readAccount(stateRoot, address, nodes) {
  const found = lookup(stateRoot, address, nodes);
  const fields = found && decode(found);
  if (!Array.isArray(fields) || fields.length !== 4 || !isBytes(fields[2]) || !isBytes(fields[3])) {
    throw broken(`there is no account ${hex(address)} in that block`);
  }
  return { storageRoot: fields[2], codeHash: hex(fields[3]) };
}

function readWord(found) {
  if (!found) return 0n;
  const value = decode(found);
  if (!isBytes(value) || value.length > 32) throw broken("a slot is not a 32-byte word");
  return numberOf(value);
}

/** The value under `key` in a secure Merkle-Patricia trie (Yellow Paper, appendix D), or null: proven to be absent. */
function lookup(root, key, nodes) {
  if (hex(root) === EMPTY_ROOT) return null;
  const known = new Map(nodes.map((node) => [hex(keccak(node)), node]));
  let path = hex(keccak(key)).slice(2);
  let reference = root;
  for (;;) {
    const node = resolve(reference, known);
    if (node.length === 17) {
      if (!path) return leafValue(node[16]);
      reference = node[parseInt(path[0], 16)];
      path = path.slice(1);
    } else {
      const { nibbles, isLeaf } = compact(node[0]);
      if (isLeaf ? path !== nibbles : !path.startsWith(nibbles)) return null;
      if (isLeaf) return leafValue(node[1]);
      reference = node[1];
      path = path.slice(nibbles.length);
    }
    if (isBytes(reference) && reference.length === 0) return null;
  }
}

/** The node a reference names: itself when it stands inline, else the one with that hash. */
function resolve(reference, known) {
  let node = reference;
  if (isBytes(reference)) {
    const encoded = known.get(hex(reference));
    if (!encoded) throw broken("a node is missing or was changed");
    node = decode(encoded);
  }
  if (!Array.isArray(node) || (node.length !== 2 && node.length !== 17)) {
    throw broken("a node is neither branch nor leaf");
  }
  return node;
}

/** Hex-prefix decoding (Yellow Paper, appendix C). */
function compact(item) {
  if (!isBytes(item) || item.length === 0 || item[0] >> 4 > 3) throw broken("a node has no path");
  const flag = item[0] >> 4;
  return { nibbles: hex(item).slice(flag & 1 ? 3 : 4), isLeaf: (flag & 2) !== 0 };
}

function leafValue(item) {
  if (!isBytes(item)) throw broken("a leaf holds no value");
  return item.length ? item : null;
}
