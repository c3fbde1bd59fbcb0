// The page: reads what is chosen or dropped, and shows what verify says of it.

import { sha256 } from "@noble/hashes/sha2.js";
import { address, bytesOf, hex } from "../src/bytes.mjs";
import { MAX_BYTES, readCertificate } from "../src/certificate.mjs";
import { checkProof } from "../src/stateproof.mjs";
import { KNOWN } from "../src/known.mjs";
import { verify } from "../src/verify.mjs";

const SUFFIX = ".countersign.json";
const MARKS = { pass: "✓", fail: "✗", unknown: "?", warn: "!", note: "·" };
const STATES = { pass: "passed", fail: "failed", unknown: "open", warn: "warning", note: "note" };
const OUTCOMES = {
  verified: ["good", "✓", "Verified"],
  "not verified": ["bad", "✗", "Not verified"],
  "could not check": ["warn", "?", "Not decided yet"],
};

const element = (id) => document.getElementById(id);
const given = { certificate: null, work: null, hash: null };
const newest = { certificate: 0, work: 0 }; // which file is being read: an older one must not answer for a newer

function say(id, text, bad = false) {
  const state = element(`${id}-state`);
  state.textContent = text;
  state.classList.toggle("bad", bad);
  element(id).setAttribute("aria-invalid", String(bad));
}

async function takeCertificate(file) {
  const mine = ++newest.certificate;
  given.certificate = null;
  say("certificate", "");
  element("hash-hint").textContent = "Choose a certificate first: it says which block to look up.";
  show();
  if (!file) return;
  try {
    const bytes = new Uint8Array(await file.slice(0, MAX_BYTES + 1).arrayBuffer());
    if (mine !== newest.certificate) return;
    given.certificate = readCertificate(bytes);
    say("certificate", `${file.name} is read.`);
    element("hash-hint").textContent = blockHint(given.certificate);
  } catch (error) {
    say("certificate", `${file.name}: ${error.message} Choose the .countersign.json file as you received it.`, true);
  }
  show();
}

function blockHint(certificate) {
  const chain = `chain ${certificate.contracts.chainId}`;
  try {
    const { block } = checkProof(certificate.proof);
    return `Look up the hash of block ${block.number} on ${chain}, in two or more places that you trust, and paste it here.`;
  } catch {
    return `This certificate proves nothing about a block of ${chain}.`;
  }
}

async function takeWork(file) {
  const mine = ++newest.work;
  given.work = null;
  say("work", "");
  show();
  if (!file) return;
  try {
    const digest = await digestOf(file, (part) => mine === newest.work && say("work", `Hashing ${file.name}: ${part} %`));
    if (mine !== newest.work) return;
    given.work = digest;
    say("work", `${file.name}: SHA-256 ${hex(digest)}`);
  } catch (error) {
    if (mine === newest.work) say("work", `${file.name} cannot be read: ${error.message}. Choose it again.`, true);
  }
  show();
}

async function digestOf(file, progress) {
  const hash = sha256.create();
  let done = 0;
  for (let at = 0; at < file.size; at += 1 << 22) {
    const part = new Uint8Array(await file.slice(at, at + (1 << 22)).arrayBuffer());
    hash.update(part);
    done += part.length;
    if (file.size > 1 << 24) progress(Math.floor((100 * done) / file.size));
  }
  return hash.digest();
}

function takeHash(text) {
  const trimmed = text.trim();
  given.hash = bytesOf(trimmed, 32);
  say("hash", trimmed && !given.hash ? "A block hash is 0x and 64 hex digits." : "", Boolean(trimmed && !given.hash));
  show();
}

function show() {
  const { certificate, work, hash } = given;
  element("result").hidden = !certificate;
  if (!certificate) return;
  const { outcome, summary, steps } = verify(certificate, { content: work, blockHash: hash, known: KNOWN });
  const [kind, mark, title] = OUTCOMES[outcome];
  element("banner").className = `banner ${kind}`;
  element("banner-mark").textContent = mark;
  element("banner-title").textContent = title + (work || outcome !== "verified" ? "" : ", but no file was compared");
  element("banner-text").textContent = summary;
  element("steps").replaceChildren(...steps.map(stepShown));
  element("facts").replaceChildren(...facts(certificate).flatMap(factShown));
}

function made(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

function stepShown({ number, name, state, detail }) {
  const mark = made("span", "mark", MARKS[state]);
  mark.setAttribute("aria-hidden", "true");
  const title = `${number}. ${name[0].toUpperCase()}${name.slice(1)}`;
  return made("li", state, mark, made("div", "", made("h3", "", title, made("span", "", STATES[state])), made("p", "", detail)));
}

function facts(c) {
  return [
    ["File name (not proven)", c.name, ""],
    ["SHA-256", hex(c.work.content), "hex"],
    ["Creator", address(c.creator), "hex"],
    ["Sealed by", c.sealer ? address(c.sealer) : "nobody yet", c.sealer ? "hex" : ""],
    ["Origin", c.work.origin || "not declared", ""],
    ["Model", c.work.model.some(Boolean) ? hex(c.work.model) : "not declared", c.work.model.some(Boolean) ? "hex" : ""],
    ["Parents", c.parents?.length ? c.parents.map(hex).join(" ") : "none told", c.parents?.length ? "hex" : ""],
    ["Chain", String(c.contracts.chainId), ""],
    ["Registry", address(c.contracts.registry), "hex"],
  ];
}

const factShown = ([name, value, className]) => [made("dt", "", name), made("dd", className, value)];

/** A certificate and a work that are dropped or chosen together find their places by their names. */
function takeFiles(files) {
  for (const file of files) {
    const [id, take] = file.name.endsWith(SUFFIX) ? ["certificate", takeCertificate] : ["work", takeWork];
    element(id).value = "";
    take(file);
  }
}

element("certificate").addEventListener("change", (event) => takeCertificate(event.target.files[0]));
element("work").addEventListener("change", (event) => takeWork(event.target.files[0]));
element("hash").addEventListener("input", (event) => takeHash(event.target.value));
element("inputs").addEventListener("submit", (event) => event.preventDefault());
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", (event) => event.relatedTarget ?? document.body.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  takeFiles(event.dataTransfer.files);
});
