// RLP (Ethereum Yellow Paper, appendix B). An item is a Uint8Array or an array of items.

const MAX_DEPTH = 8;
const malformed = () => new Error("A proof in the certificate is not valid RLP.");

/** The one item that `data` encodes; throws for anything but its canonical encoding. */
export function decode(data) {
  const [item, end] = read(data, 0, data.length, 0);
  if (end !== data.length) throw malformed();
  return item;
}

function read(data, at, limit, depth) {
  if (at >= limit) throw malformed();
  const first = data[at];
  if (first < 0x80) return [data.subarray(at, at + 1), at + 1];
  const isList = first >= 0xc0;
  const [start, length] = extent(data, at, first - (isList ? 0xc0 : 0x80), limit);
  const end = start + length;
  if (end > limit) throw malformed();
  if (!isList) {
    if (length === 1 && data[start] < 0x80) throw malformed(); // it would stand for itself
    return [data.subarray(start, end), end];
  }
  if (depth === MAX_DEPTH) throw malformed();
  const items = [];
  for (let next = start; next < end; ) {
    const [item, after] = read(data, next, end, depth + 1);
    items.push(item);
    next = after;
  }
  return [items, end];
}

/** Where a payload starts, and how long it is: short forms tell it in the first byte, long ones in the next. */
function extent(data, at, code, limit) {
  if (code <= 55) return [at + 1, code];
  const start = at + 1 + code - 55;
  if (start > limit || data[at + 1] === 0) throw malformed();
  let length = 0;
  for (let i = at + 1; i < start; i++) length = length * 256 + data[i];
  if (length <= 55 || length > limit) throw malformed();
  return [start, length];
}
