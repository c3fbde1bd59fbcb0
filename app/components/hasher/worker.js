// SHA-256 of a File, off the page's thread. Small files by WebCrypto, large ones chunk by chunk in WebAssembly, so that
// memory stays constant. Message in: {file, atOnce, chunk}; messages out: {read}, then {sha256} or {error}.

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const failure = (name, message = name) => Object.assign(new Error(message), { name });

async function digestAtOnce(file) {
  const bytes = await file.arrayBuffer();
  if (bytes.byteLength !== file.size) throw failure("ChangedError");
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

async function engine() {
  try {
    importScripts("./sha256.js");
    return (await self.hashwasm.createSHA256()).init();
  } catch (error) {
    throw failure("EngineError", String(error));
  }
}

/** Calls `take` with all bytes of the file, a part at a time. One buffer serves all parts where the browser can fill it:
 * a new one for each stays in memory until it is collected. */
async function inParts(file, size, take) {
  const reader = byteReader(file);
  if (!reader) {
    for (let at = 0; at < file.size; at += size) take(new Uint8Array(await file.slice(at, at + size).arrayBuffer()));
    return;
  }
  let buffer = new ArrayBuffer(size);
  for (;;) {
    const { value, done } = await reader.read(new Uint8Array(buffer));
    if (done) return;
    take(value);
    buffer = value.buffer;
  }
}

function byteReader(file) {
  try {
    return file.stream().getReader({ mode: "byob" });
  } catch {
    return null;
  }
}

async function digestInChunks(file, chunk) {
  const hasher = await engine();
  let read = 0;
  let told = 0;
  await inParts(file, chunk, (bytes) => {
    hasher.update(bytes);
    read += bytes.length;
    if (performance.now() - told > 150) {
      told = performance.now();
      postMessage({ read });
    }
  });
  if (read !== file.size) throw failure("ChangedError");
  return hasher.digest("hex");
}

onmessage = async ({ data: { file, atOnce, chunk } }) => {
  try {
    const small = file.size <= atOnce && self.crypto?.subtle; // no WebCrypto on plain http outside localhost
    postMessage({ sha256: await (small ? digestAtOnce(file) : digestInChunks(file, chunk)) });
  } catch (error) {
    postMessage({ error: { name: error?.name ?? "Error", message: String(error?.message ?? error) } });
  }
};
