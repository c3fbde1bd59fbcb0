// RFC 6962 trees (RFC 9162, section 2.1): SHA-256, leaf prefix 0x00, node prefix 0x01.

import { sha256 } from "@noble/hashes/sha2.js";
import { concat } from "./bytes.mjs";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

export const leafHash = (data) => sha256(concat(LEAF, data));
const nodeHash = (left, right) => sha256(concat(NODE, left, right));

/** The root that an inclusion path proves for a leaf hash (RFC 9162, 2.1.3.2), or null when it fits no tree. */
export function rootOf(leaf, { index, size, hashes }) {
  if (index >= size) return null;
  let [position, last, root] = [index, size - 1n, leaf];
  for (const sibling of hashes) {
    if (last === 0n) return null;
    if (position % 2n === 1n || position === last) {
      root = nodeHash(sibling, root);
      while (position !== 0n && position % 2n === 0n) {
        position /= 2n;
        last /= 2n;
      }
    } else {
      root = nodeHash(root, sibling);
    }
    position /= 2n;
    last /= 2n;
  }
  return last === 0n ? root : null;
}

/** The root over a list of data (RFC 9162, 2.1.1). */
export function listRoot(items) {
  let level = items.map(leafHash);
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i < level.length; i += 2) {
      above.push(i + 1 < level.length ? nodeHash(level[i], level[i + 1]) : level[i]);
    }
    level = above;
  }
  return level[0];
}
