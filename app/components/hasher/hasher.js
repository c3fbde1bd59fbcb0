// Drop or choose files: a work is hashed here and never leaves the browser; a certificate or draft is read as text.
// State for Python: `file` {name, size, type, sha256, seq} and `document` {name, text, seq}; `data`: see __init__.py.

import { CHUNK, DIGEST_AT_ONCE, explain, formatSize, isDocument, refusal } from "./reading.js";

const previews = (globalThis.__countersignPreviews ??= new Map()); // sha256 → object URL, for as long as the page lives
const LARGEST_PREVIEW = 50 * 1024 * 1024;

function hash(file, onProgress) {
  const worker = new Worker(new URL("./worker.js", import.meta.url));
  const done = new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => {
      if (data.read !== undefined) onProgress(data.read / file.size);
      else if (data.error) reject(data.error);
      else resolve(data.sha256);
    };
    worker.onerror = () => reject({ name: "EngineError" });
    worker.postMessage({ file, atOnce: DIGEST_AT_ONCE, chunk: CHUNK });
  });
  return { done: done.finally(() => worker.terminate()), stop: () => worker.terminate() };
}

class Hasher {
  constructor(root) {
    this.root = root;
    this.running = null;
    const drop = this.$(".drop");
    this.$("input").onchange = () => this.takeChosen();
    drop.ondragover = (event) => this.#hover(event, true);
    drop.ondragleave = (event) => this.#hover(event, false);
    drop.ondrop = (event) => {
      this.#hover(event, false);
      this.take([...event.dataTransfer.files]);
    };
    this.$(".again").onclick = () => this.$("input").click();
    this.$(".stop").onclick = () => this.cancel();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  update({ data, setStateValue }) {
    this.send = setStateValue;
    this.$(".prompt").textContent = data?.prompt ?? "Drop a file here";
    this.$(".hint").textContent = data?.hint ?? "";
    this.shown = data?.file ?? null;
    this.documents = data?.documents;
    this.draw();
    this.takeChosen(); // whoever chose a file before this code had loaded
  }

  takeChosen() {
    const input = this.$("input");
    const files = [...input.files]; // resetting the input empties its list
    input.value = "";
    if (files.length) this.take(files);
  }

  async take(files) {
    this.say("");
    const read = (file) => isDocument(file, this.documents);
    for (const file of files.filter(read)) await this.read(file);
    const works = files.filter((file) => !read(file));
    if (works.length > 1) this.say("One work at a time, please. The first one was taken.");
    if (works.length) await this.digest(works[0]);
  }

  async read(file) {
    try {
      this.send("document", { name: file.name, text: await file.text(), seq: Date.now() });
    } catch (error) {
      this.say(explain(error, file.name));
    }
  }

  async digest(file) {
    const refused = refusal(file);
    if (refused) return this.say(refused);
    this.cancel();
    const run = hash(file, (part) => this.progress(part));
    this.running = { file, stop: run.stop };
    this.progress(0);
    this.draw();
    try {
      const sha256 = await run.done;
      this.remember(file, sha256);
      this.send("file", { name: file.name, size: file.size, type: file.type, sha256, seq: Date.now() });
      this.shown = { name: file.name, size: file.size, sha256 };
    } catch (error) {
      this.say(explain(error, file.name));
    }
    if (this.running?.file === file) this.running = null;
    this.draw();
  }

  cancel() {
    this.running?.stop();
    this.running = null;
    this.draw();
  }

  remember(file, sha256) {
    if (file.type.startsWith("image/") && file.size <= LARGEST_PREVIEW && !previews.has(sha256))
      previews.set(sha256, URL.createObjectURL(file));
  }

  progress(part) {
    this.$("progress").value = part;
    this.$(".percent").textContent = `Hashing ${this.running?.file.name ?? ""} on this computer: ${Math.floor(part * 100)} %`;
  }

  say(words) {
    this.$(".problem").textContent = words;
    this.$(".problem").hidden = !words;
  }

  draw() {
    const file = this.running ? null : this.shown;
    this.$(".drop").hidden = Boolean(this.running || file);
    this.$(".progress").hidden = !this.running;
    this.$(".file").hidden = !file;
    if (!file) return;
    this.$(".name").textContent = file.name || "A file";
    this.$(".size").textContent = file.size ? formatSize(file.size) : "";
    this.$(".sha").textContent = file.sha256;
    const preview = previews.get(file.sha256);
    this.$("img").hidden = !preview;
    if (preview) this.$("img").src = preview;
  }

  #hover(event, over) {
    event.preventDefault();
    this.$(".drop").classList.toggle("over", over);
  }
}

export default function mount(component) {
  const element = component.parentElement.querySelector(".cs");
  element.hasher ??= new Hasher(element);
  element.hasher.update(component);
}
