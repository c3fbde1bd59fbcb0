// Decides what to do with a file, before and after reading it. Pure: tested with `node --test`.

export const DIGEST_AT_ONCE = 64 * 1024 * 1024; // above it, WebCrypto would need the whole file in memory
export const CHUNK = 4 * 1024 * 1024;
const LARGEST_DOCUMENT = 4 * 1024 * 1024;

/** A certificate or draft (or what else ends in `suffix`) is read as text; everything else is a work, only hashed. */
export function isDocument(file, suffix = ".countersign.json") {
  return file.name.toLowerCase().endsWith(suffix) && file.size <= LARGEST_DOCUMENT;
}

/** A sentence and a next step when the file cannot be a work, else null. */
export function refusal(file) {
  return file.size === 0 ? `${file.name} is empty. An empty file has nothing to seal; choose another file.` : null;
}

/** What a failed reading means, in words. */
export function explain(error, name) {
  switch (error?.name) {
    case "NotReadableError":
    case "InvalidStateError":
      return `${name} cannot be read, or changed while it was read. Check that you may open it and that no program writes to it, then choose it again.`;
    case "NotFoundError":
      return `${name} is not there any more, or it is a folder. Choose a file.`;
    case "ChangedError":
      return `${name} changed while it was read. Wait until no program writes to it, then choose it again.`;
    case "EngineError":
      return "The hashing engine did not load. Reload the page; if that does not help, the server's set-up is incomplete (make setup).";
    default:
      return `${name} could not be hashed (${error?.message ?? error}). Reload the page and choose it again.`;
  }
}

/** 1536 → "1.5 kB", in decimal units as file managers show them. */
export function formatSize(bytes) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let power = 0;
  let value = bytes;
  while (value >= 1000 && power < units.length - 1) {
    value /= 1000;
    power += 1;
  }
  if (value === 1 && power === 0) return "1 byte";
  return power === 0 ? `${value} bytes` : `${value.toFixed(1)} ${units[power]}`;
}
