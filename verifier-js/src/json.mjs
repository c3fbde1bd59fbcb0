// JSON (RFC 8259), strictly: JSON.parse keeps the last of two fields with one name, and rounds long numbers.
// Objects become Maps, whole numbers BigInts, other numbers the symbol FRACTION; all else is as usual.

export const FRACTION = Symbol("a number with a fraction or an exponent");

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const WORDS = { t: ["true", true], f: ["false", false], n: ["null", null] };
const LONGEST_NUMBER = 4300;

/** Parse `text`. Throws SyntaxError for anything that is not JSON, nests deeper than `depth`, or names a field twice. */
export function parse(text, depth) {
  const parser = new Parser(text);
  const value = parser.value(depth);
  parser.take(SPACE);
  if (parser.at !== text.length) parser.fail("something follows it");
  return value;
}

class Parser {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(why) {
    throw new SyntaxError(`${why} (at character ${this.at})`);
  }

  take(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found) this.at = pattern.lastIndex;
    return found?.[0];
  }

  skips(character) {
    this.take(SPACE);
    const there = this.text[this.at] === character;
    if (there) this.at += 1;
    return there;
  }

  needs(character) {
    if (!this.skips(character)) this.fail(`${character} is missing`);
  }

  value(depth) {
    this.take(SPACE);
    const first = this.text[this.at];
    if (first === '"') return this.string();
    if (first === "{" || first === "[") {
      if (depth === 0) this.fail("it is nested deeper than any certificate");
      return first === "{" ? this.object(depth - 1) : this.list(depth - 1);
    }
    return first in WORDS ? this.word(...WORDS[first]) : this.number();
  }

  word(name, value) {
    if (!this.text.startsWith(name, this.at)) this.fail("that is no value");
    this.at += name.length;
    return value;
  }

  number() {
    const found = this.take(NUMBER);
    if (!found) this.fail("that is no value");
    if (/[.eE]/.test(found)) return FRACTION;
    if (found.length > LONGEST_NUMBER) this.fail("a number has too many digits");
    return BigInt(found);
  }

  string() {
    this.at += 1;
    let text = "";
    for (;;) {
      text += this.take(PLAIN);
      const next = this.text[this.at];
      this.at += 1;
      if (next === '"') return text;
      if (next !== "\\") this.fail("a string does not end, or holds a control character");
      text += this.escape();
    }
  }

  escape() {
    const kind = this.text[this.at];
    this.at += 1;
    if (Object.hasOwn(ESCAPES, kind)) return ESCAPES[kind];
    const code = this.text.slice(this.at, this.at + 4);
    if (kind !== "u" || !/^[0-9a-fA-F]{4}$/.test(code)) this.fail("a string holds an unknown escape");
    this.at += 4;
    return String.fromCharCode(parseInt(code, 16));
  }

  list(depth) {
    const items = [];
    this.at += 1;
    if (this.skips("]")) return items;
    do items.push(this.value(depth));
    while (this.skips(","));
    this.needs("]");
    return items;
  }

  object(depth) {
    const fields = new Map();
    this.at += 1;
    if (this.skips("}")) return fields;
    do {
      this.take(SPACE);
      if (this.text[this.at] !== '"') this.fail("a field has no name");
      const name = this.string();
      if (fields.has(name)) this.fail("a field stands in it twice");
      this.needs(":");
      fields.set(name, this.value(depth));
    } while (this.skips(","));
    this.needs("}");
    return fields;
  }
}
