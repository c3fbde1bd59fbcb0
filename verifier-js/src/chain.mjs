// What Countersign's contracts hash, store and sign: EIP-712 structs, storage slots, packed words.

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { concat, keccak, numberOf, utf8, word } from "./bytes.mjs";

const WORK = "Work(bytes32 content,bytes32 fingerprint,string origin,bytes32 model,bytes32 parents,bytes32 metadata)";
const CLAIM = `Claim(address creator,Work work)${WORK}`;
const SEAL = "Seal(uint256 chainId,address registry,address creator,bytes32 workId,bytes32 salt)";
const DOMAIN = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const SEALS = 2n; // storage slots of the mappings: in ContentRegistry …
const CLAIMS = 3n;
const KEYS = 2n; // … and in Identities

const textHash = (text) => keccak(utf8(text));
const struct = (type, ...words) => keccak(concat(textHash(type), ...words.map(word)));

export function workId({ content, fingerprint, origin, model, parents, metadata }) {
  return struct(WORK, content, fingerprint, textHash(origin), model, parents, metadata);
}

export function sealLeaf({ contracts, creator, work, salt }) {
  return struct(SEAL, contracts.chainId, contracts.registry, creator, workId(work), salt);
}

/** What the creator signs. */
export function claimDigest({ contracts, creator, work }) {
  const domain = struct(DOMAIN, textHash("Countersign"), textHash("1"), contracts.chainId, contracts.registry);
  return keccak(concat(Uint8Array.of(0x19, 0x01), domain, struct(CLAIM, creator, workId(work))));
}

const mapping = (key, slot) => keccak(concat(word(key), word(slot)));
export const sealSlot = (root, sealer) => mapping(sealer, mapping(root, SEALS));
export const claimSlot = (content) => mapping(content, CLAIMS);
export const keySlot = (key) => mapping(key, KEYS);

const bits = (value, offset, width) => (value >> BigInt(offset)) & ((1n << BigInt(width)) - 1n);
const accountIn = (value) => word(bits(value, 0, 160)).subarray(12);

/** {time, block}, or null for an empty word. */
export const unpackSeal = (value) => (value ? { time: bits(value, 0, 64), block: bits(value, 64, 64) } : null);

/** {creator, sealedAt, consentAt, retracted}, or null for an empty word. */
export function unpackClaim(value) {
  if (!value) return null;
  const [sealedAt, consentAt, flags] = [bits(value, 160, 40), bits(value, 200, 40), bits(value, 240, 16)];
  return { creator: accountIn(value), sealedAt, consentAt, retracted: (flags & 1n) === 1n };
}

/** {root, cutoff, suspectFrom}; all zero for a key that never took part. */
export function unpackKey(value) {
  return { root: accountIn(value), cutoff: bits(value, 160, 40), suspectFrom: bits(value, 200, 40) };
}

/** Who signed a digest: 65 bytes r, s, v with low s (EIP-2) and v 27 or 28; else null. */
export function recover(digest, signature) {
  if (signature.length !== 65 || (signature[64] !== 27 && signature[64] !== 28)) return null;
  if (numberOf(signature.subarray(32, 64)) > secp256k1.Point.Fn.ORDER / 2n) return null;
  try {
    const parts = secp256k1.Signature.fromBytes(signature.subarray(0, 64), "compact");
    const key = parts.addRecoveryBit(signature[64] - 27).recoverPublicKey(digest);
    return keccak(key.toBytes(false).subarray(1)).subarray(12);
  } catch {
    return null; // no point of the curve
  }
}
