#!/usr/bin/env node
// node cli.mjs FILE --certificate C --block-hash 0x… — exit code 0 verified, 1 not verified, 2 could not check.

import { createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { parseArgs } from "node:util";
import { bytesOf } from "./src/bytes.mjs";
import { MAX_BYTES, Refused, readCertificate } from "./src/certificate.mjs";
import { KNOWN } from "./src/known.mjs";
import { verify } from "./src/verify.mjs";

const USAGE = `Usage: node cli.mjs FILE [--certificate FILE.countersign.json] [--block-hash 0x…] [--json]
       node cli.mjs CERTIFICATE.countersign.json [--block-hash 0x…] [--json]

Checks a certificate without any network. The block hash is the one thing to trust: compare it across your own sources.`;
const SUFFIX = ".countersign.json";
const MARKS = { pass: "✓", fail: "✗", unknown: "?", warn: "!", note: "·" };
const EXIT = { verified: 0, "not verified": 1, "could not check": 2 };

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      certificate: { type: "string" },
      "block-hash": { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return say(USAGE, 0);
  if (positionals.length !== 1) throw new Refused(USAGE);
  const blockHash = values["block-hash"] === undefined ? null : bytesOf(values["block-hash"], 32);
  if (values["block-hash"] !== undefined && !blockHash) throw new Refused("A block hash is 0x and 64 hex digits.");
  const { file, certificate } = what(positionals[0], values.certificate);
  const read = readCertificate(limited(certificate));
  const report = verify(read, { content: file && (await sha256(file)), blockHash, known: KNOWN });
  return say(values.json ? JSON.stringify(report) : shown(report), EXIT[report.outcome]);
}

/** The file, if there is one, and its certificate. */
function what(given, certificate) {
  if (certificate || !given.endsWith(SUFFIX)) return { file: given, certificate: certificate ?? given + SUFFIX };
  const file = given.slice(0, -SUFFIX.length);
  return { file: existsSync(file) ? file : null, certificate: given };
}

/** A file's bytes, one more than a certificate may have at most. */
function limited(path) {
  const file = openSync(path, "r");
  try {
    if (!fstatSync(file).isFile()) throw new Refused(`${path} is not a regular file.`);
    const buffer = new Uint8Array(MAX_BYTES + 1);
    let size = 0;
    for (let read = 1; read > 0; size += read) read = readSync(file, buffer, size, buffer.length - size, null);
    return buffer.subarray(0, size);
  } finally {
    closeSync(file);
  }
}

async function sha256(path) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return new Uint8Array(hash.digest());
}

function shown({ steps, outcome, summary }) {
  const lines = steps.map(
    ({ number, name, state, detail }) => `${MARKS[state]} ${String(number).padStart(2)} ${name.padEnd(12)} ${detail}`,
  );
  return [...lines, `${outcome.toUpperCase()}: ${summary}`].join("\n");
}

function say(text, code) {
  console.log(printable(text));
  process.exitCode = code;
}

/** Without control characters: names of files and fields are not ours. */
const printable = (text) => text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "\ufffd");

main().catch((error) => {
  console.error(printable(`error: ${error.message}`));
  process.exitCode = 2;
});
