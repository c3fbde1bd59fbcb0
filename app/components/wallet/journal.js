// The journal of intents: which request was shown to the wallet, and what came of it. It lives in sessionStorage, so it
// outlasts a reload but not the tab. Pure but for the storage it is given: tested with `node --test`.

const PREFIX = "countersign.intent.";

export class Journal {
  constructor(storage) {
    this.storage = storage;
    this.open = new Set(); // asked by this very page; the answer will come to it
  }

  /** "idle", "asking" (this page waits), "unsure" (asked before a reload), or "done". */
  state(id) {
    if (this.open.has(id)) return "asking";
    const entry = this.#read(id);
    if (!entry) return "idle";
    return entry.answer ? "done" : "unsure";
  }

  /** The recorded answer, or null. */
  answer(id) {
    return this.#read(id)?.answer ?? null;
  }

  begin(id) {
    this.open.add(id);
    this.#write(id, { at: Date.now() });
  }

  /** A good answer is kept for reloads; after a refusal the same intent may be tried again. */
  end(id, answer) {
    this.open.delete(id);
    if (answer.ok) this.#write(id, { answer });
    else this.#remove(id);
  }

  #read(id) {
    try {
      return JSON.parse(this.storage.getItem(PREFIX + id));
    } catch {
      return null;
    }
  }

  #write(id, entry) {
    try {
      this.storage.setItem(PREFIX + id, JSON.stringify(entry));
    } catch {
      // A full or forbidden storage costs reload safety only; the page itself still waits for its answer.
    }
  }

  #remove(id) {
    try {
      this.storage.removeItem(PREFIX + id);
    } catch {
      // as above
    }
  }
}
