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

async function digestInChunks(file, chunk) {
  const hasher = await engine();
  let read = 0;
  let told = 0;
  while (read < file.size) {
    const bytes = new Uint8Array(await file.slice(read, read + chunk).arrayBuffer());
    if (bytes.length === 0) throw failure("ChangedError");
    hasher.update(bytes);
    read += bytes.length;
    if (performance.now() - told > 150) {
      told = performance.now();
      postMessage({ read });
    }
  }
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
