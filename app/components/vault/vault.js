// The shelf of drafts and certificates in this browser (IndexedDB). A draft holds the salt: it must be stored before a
// wallet is asked to seal, and nothing here leaves the browser until the person opens it.
// State for Python: `saved` {stamp} or {stamp, error} for `data.save`, `downloaded` {stamp}, `opened` {id, text, by, seq},
// and `found` {content, unproved} for the content `data.find`.

const DATABASE = "countersign";
const STORE = "drafts";

function promise(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function open() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
  return promise(request);
}

/** Run `action` on the store; resolves only when the browser has committed to disk. */
async function within(mode, action) {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode, { durability: "strict" });
    const committed = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    const result = await promise(action(transaction.objectStore(STORE)));
    await committed;
    return result;
  } finally {
    database.close();
  }
}

const put = (entry) => within("readwrite", (store) => store.put(entry));
const drop = (id) => within("readwrite", (store) => store.delete(id));
const get = (id) => within("readonly", (store) => store.get(id));
const all = () => within("readonly", (store) => store.getAll());

/** Whether `content` lies on the shelf with its seal not proved yet: until then nobody may see it. */
async function unproved(content) {
  const documents = (await all()).map(({ text }) => JSON.parse(text)).filter(({ work }) => work.content === content);
  return documents.length > 0 && documents.every(({ proof }) => !proof);
}

const words = (error) => `This browser does not store data (${error?.message ?? error}).`;

class Vault {
  constructor(root) {
    this.root = root;
    this.stored = null;
    this.asked = null;
    this.sought = null;
    this.$(".download").onclick = () => this.download();
  }

  $(selector) {
    return this.root.querySelector(selector);
  }

  async update({ data, setStateValue }) {
    this.send = setStateValue;
    this.data = data;
    if (data.save && data.save.stamp !== this.stored) await this.store(data.save, data.saved);
    if (data.open && data.open !== this.asked) {
      this.asked = data.open;
      await this.open(data.open, { silently: true });
    }
    if (data.find && data.find !== this.sought) await this.find(data.find);
    await this.draw();
  }

  async find(content) {
    this.sought = content;
    const draft = await unproved(content).catch(() => false); // no storage, no drafts
    this.send("found", { content, unproved: draft });
  }

  download() {
    const { name, text, stamp } = this.data.save;
    const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href, download: `${name}.countersign.json` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
    this.send("downloaded", { stamp });
  }

  async store({ stamp, ...entry }, alreadyTold) {
    this.stored = stamp;
    try {
      navigator.storage?.persist?.().catch(() => {});
      await put({ ...entry, at: Date.now() });
      if (alreadyTold !== stamp) this.send("saved", { stamp });
    } catch (error) {
      this.stored = null;
      if (alreadyTold !== stamp) this.send("saved", { stamp, error: words(error) });
    }
  }

  async open(id, { silently = false } = {}) {
    try {
      const entry = await get(id);
      if (entry) this.send("opened", { id, text: entry.text, by: entry.by, seq: Date.now() });
      else if (!silently) await this.draw();
    } catch (error) {
      this.say(words(error));
    }
  }

  async forget(entry) {
    const lost = entry.state === "certificate" ? "" : " Without its salt the work can never be claimed with this seal.";
    if (!confirm(`Remove ${entry.name} from this browser?${lost}`)) return;
    await drop(entry.id);
    await this.draw();
  }

  say(text) {
    this.$(".problem").textContent = text;
    this.$(".problem").hidden = !text;
  }

  async draw() {
    const { save, saved } = this.data;
    this.$(".kept").hidden = !save;
    if (save) {
      this.$(".stored").textContent = this.stored === save.stamp || saved === save.stamp ? save.kept : "Saving it in this browser…";
      this.$(".download").textContent = save.label;
    }
    if (!this.data.list) return this.#fill([]);
    try {
      const entries = await all();
      this.#fill(entries.sort((a, b) => b.at - a.at));
    } catch {
      this.#fill([]); // no storage, so nothing to list; saving will say so
    }
  }

  #fill(entries) {
    this.$(".shelf").hidden = entries.length === 0;
    this.$("ul").replaceChildren(...entries.map((entry) => this.#row(entry)));
  }

  #row(entry) {
    const row = document.createElement("li");
    const label = document.createElement("span");
    const name = document.createElement("b");
    const note = document.createElement("span");
    label.className = "grow";
    name.textContent = entry.name;
    name.className = "name";
    note.className = "muted";
    note.textContent = ` ${entry.note}, ${new Date(entry.at).toLocaleString()}`;
    label.append(name, note);
    row.append(label, this.#button("Open", () => this.open(entry.id)), this.#button("Remove", () => this.forget(entry), "quiet"));
    return row;
  }

  #button(text, onclick, className = "") {
    return Object.assign(document.createElement("button"), { type: "button", textContent: text, onclick, className });
  }
}

export default function mount(component) {
  const element = component.parentElement.querySelector(".cs");
  element.vault ??= new Vault(element);
  element.vault.update(component);
}
