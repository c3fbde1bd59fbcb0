// Reading a certificate: docs/certificate.md, "The file". Whatever is not exactly as described there is refused.

import { bytesOf, same } from "./bytes.mjs";
import { parse } from "./json.mjs";
import { listRoot } from "./merkle.mjs";

const FORMAT = "countersign-certificate/1";
const MAX_DEPTH = 16;

/** Certificates are smaller than this many bytes. */
export const MAX_BYTES = 4 * 1024 * 1024;

/** What is not a certificate. */
export class Refused extends Error {}

const refuse = (why) => {
  throw new Refused(`This is not a valid certificate: ${why}.`);
};

/** A certificate's fields, hashes and addresses as bytes, numbers as BigInt. Throws Refused. */
export function readCertificate(bytes) {
  if (bytes.length > MAX_BYTES) refuse("it is larger than any certificate");
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    refuse("it is not UTF-8 text");
  }
  let document;
  try {
    document = parse(text, MAX_DEPTH);
  } catch (error) {
    refuse(`it is not JSON: ${error.message}`);
  }
  if (!(document instanceof Map) || document.get("format") !== FORMAT) refuse(`its format is not ${FORMAT}`);
  return certificate(fields(document, ""));
}

function certificate(fields) {
  const { format, ...read } = fields.all({
    format: text,
    name: text,
    work: record({
      content: hash,
      fingerprint: hash,
      origin: text,
      model: hash,
      parents: hash,
      metadata: hash,
    }),
    creator: account,
    salt: hash,
    contracts: record({ chainId: number, registry: account, identities: account, models: account }),
    path: record({ index: number, size: number, hashes: list(hash) }),
    root: hash,
    parents: optional(list(hash)),
    sealer: optional(account),
    signature: optional(some),
    proof: optional(
      record({
        header: some0,
        accounts: list(
          record({ address: account, nodes: list(some0), slots: list(record({ slot: hash, nodes: list(some0) })) }),
        ),
      }),
    ),
  });
  if (read.parents?.length && !same(listRoot(read.parents), read.work.parents)) {
    refuse("'parents' are not those that 'work.parents' is the root of");
  }
  return read;
}

// Each reader takes a value and where it stands, and gives what it means or refuses.

function fields(value, where) {
  if (!(value instanceof Map)) refuse(`'${where}' is not an object`);
  return {
    all(readers) {
      for (const name of value.keys()) {
        if (!Object.hasOwn(readers, name)) refuse(`'${where}${name.slice(0, 80)}' is no field of a certificate`);
      }
      const entries = Object.entries(readers);
      return Object.fromEntries(entries.map(([name, read]) => [name, read(value.get(name), where + name)]));
    },
  };
}

const record = (readers) => (value, where) => fields(value, `${where}.`).all(readers);

const list = (read) => (value, where) =>
  Array.isArray(value) ? value.map((item, i) => read(item, `${where}[${i}]`)) : refuse(`'${where}' is not a list`);

const optional = (read) => (value, where) => (value === undefined || value === null ? null : read(value, where));

function text(value, where) {
  if (typeof value !== "string") refuse(`'${where}' is not a text`);
  if (/\p{Surrogate}/u.test(value)) refuse(`'${where}' is not Unicode text`);
  return value;
}

function number(value, where) {
  if (typeof value !== "bigint" || value < 0n || value >= 1n << 64n) refuse(`'${where}' is no number of 64 bits`);
  return value;
}

const sized = (size) => (value, where) => bytesOf(value, size) ?? refuse(`'${where}' is not ${size} bytes of 0x-hex`);
const hash = sized(32);
const account = sized(20);
const some0 = (value, where) => bytesOf(value) ?? refuse(`'${where}' is not 0x-hex`);

function some(value, where) {
  const bytes = some0(value, where);
  return bytes.length ? bytes : refuse(`'${where}' is empty`);
}
