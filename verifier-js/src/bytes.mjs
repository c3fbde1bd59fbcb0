// Bytes, hex and the hashes of Ethereum.

import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";

export const keccak = keccak_256;
export const concat = concatBytes;

/** Lower-case hex with 0x. */
export const hex = (bytes) => "0x" + bytesToHex(bytes);

/** Bytes of 0x-hex, or null. `size` in bytes, where it is fixed. */
export function bytesOf(text, size) {
  if (typeof text !== "string" || !/^0x(?:[0-9a-fA-F]{2})*$/.test(text)) return null;
  if (size !== undefined && text.length !== 2 + 2 * size) return null;
  return hexToBytes(text.slice(2));
}

export const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);

/** Unsigned big-endian number. */
export const numberOf = (bytes) => (bytes.length ? BigInt(hex(bytes)) : 0n);

/** A 32-byte word of the ABI: a number, or bytes padded on the left. */
export function word(value) {
  if (typeof value === "bigint") return hexToBytes(value.toString(16).padStart(64, "0"));
  const padded = new Uint8Array(32);
  padded.set(value, 32 - value.length);
  return padded;
}

export const utf8 = (text) => new TextEncoder().encode(text);

/** EIP-55: the capitals of an address are its checksum. */
export function address(bytes) {
  const digits = bytesToHex(bytes);
  const nibbles = bytesToHex(keccak(utf8(digits)));
  return "0x" + [...digits].map((c, i) => (parseInt(nibbles[i], 16) >= 8 ? c.toUpperCase() : c)).join("");
}
