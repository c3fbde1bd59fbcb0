// The steps of docs/certificate.md, offline: the one thing trusted is a block hash.

import { address, hex, same } from "./bytes.mjs";
import * as chain from "./chain.mjs";
import { leafHash, rootOf } from "./merkle.mjs";
import { checkProof } from "./stateproof.mjs";

/**
 * Check a certificate (of readCertificate) in numbered steps.
 *
 * `content`: SHA-256 of the file, or null. `blockHash`: the one you trust, or null. `known`: the addresses of
 * Countersign's contracts, {registry, identities, models} in bytes. Gives {outcome, summary, steps}; each step has
 * number, name, state (pass, fail, unknown, warn, note) and detail.
 */
export function verify(certificate, { content, blockHash, known }) {
  const steps = [];
  for (const [name, state, detail] of answers(certificate, content, blockHash, known)) {
    steps.push({ number: steps.length + 1, name, state, detail });
  }
  return report(steps);
}

function report(steps) {
  const first = (state) => steps.find((step) => step.state === state);
  const [decisive, outcome] = first("fail")
    ? [first("fail"), "not verified"]
    : first("unknown")
      ? [first("unknown"), "could not check"]
      : [null, "verified"];
  const summary = decisive
    ? `Step ${decisive.number}, ${decisive.name}: ${decisive.detail}`
    : steps.find((step) => step.name === "seal").detail;
  return { outcome, summary, steps };
}

function* answers(c, content, blockHash, known) {
  yield contentStep(c, content);
  yield contractsStep(c, known);
  yield openingStep(c);
  if (!c.proof || !c.sealer) {
    yield ["state proof", "unknown", "This is a draft: it holds no proof of a seal yet."];
    return;
  }
  let state;
  try {
    state = checkProof(c.proof);
  } catch (error) {
    yield ["state proof", "fail", error.message];
    return;
  }
  yield ["state proof", "pass", `Every node hashes up to the state root of block ${state.block.number}.`];
  yield blockStep(c, state, blockHash);
  yield signatureStep(c, state);
  yield* chainSteps(c, state);
}

function contentStep(c, content) {
  const sealed = hex(c.work.content);
  if (!content) return ["content", "note", `No file given: this is about the bytes with SHA-256 ${sealed}.`];
  if (same(content, c.work.content)) return ["content", "pass", "The file's SHA-256 is the sealed one."];
  return ["content", "fail", "The file's bytes are not the sealed ones: its SHA-256 differs from the certificate's."];
}

function contractsStep({ contracts }, known) {
  if (Object.entries(known).every(([name, at]) => same(contracts[name], at))) {
    return ["contracts", "pass", `The registry is Countersign's, on chain ${contracts.chainId}.`];
  }
  return ["contracts", "fail", `${address(contracts.registry)} is not Countersign's registry.`];
}

function openingStep(c) {
  const root = rootOf(leafHash(chain.sealLeaf(c)), c.path);
  if (!root || !same(root, c.root)) {
    return ["opening", "fail", "Work, creator, salt and path do not lead to the sealed root."];
  }
  const of = c.path.size > 1n ? `, one of ${c.path.size} works` : "";
  return ["opening", "pass", `Work, creator, salt and path lead to the sealed root${of}.`];
}

function blockStep(c, { block }, blockHash) {
  const shown = hex(block.hash);
  if (!blockHash) {
    const how = `Compare block ${block.number}'s hash on chain ${c.contracts.chainId} with sources you trust: ${shown}.`;
    return ["block", "unknown", how];
  }
  if (same(blockHash, block.hash)) {
    return ["block", "pass", `The proof is for block ${block.number}, whose hash you trust.`];
  }
  return ["block", "fail", `The proof is for block ${block.number} ${shown}, not for the hash you trust.`];
}

function signatureStep(c, state) {
  const creator = address(c.creator);
  if (!c.signature) {
    return ["signature", "note", "The creator did not sign this certificate; the step 'consent' stands without."];
  }
  const signer = chain.recover(chain.claimDigest(c), c.signature);
  if (signer && same(signer, c.creator)) return ["signature", "pass", `Signed by the creator ${creator}.`];
  if (signer && sameIdentity(c, state, signer)) {
    return ["signature", "pass", `Signed by ${address(signer)}, a key of the creator's identity.`];
  }
  if (!state.isContract(c.creator)) return ["signature", "fail", `The signature is not by the creator ${creator}.`];
  const how = "its signatures are checked online only";
  return ["signature", "note", `The creator is the contract wallet ${creator}: ${how}.`];
}

function* chainSteps(c, state) {
  const { registry } = c.contracts;
  const seal = chain.unpackSeal(state.value(registry, chain.sealSlot(c.root, c.sealer)));
  if (!seal || seal.block > state.block.number) {
    yield ["seal", "fail", `The proof shows no seal of this root by ${address(c.sealer)}.`];
    return;
  }
  yield ["seal", "pass", `Sealed on ${utc(seal.time)} in block ${seal.block} by ${address(c.sealer)}.`];
  const claimWord = state.value(registry, chain.claimSlot(c.work.content));
  if (claimWord === undefined) {
    yield ["claim", "fail", "The proof leaves out whether the content is claimed."];
    return;
  }
  const claim = chain.unpackClaim(claimWord);
  const ours = claim !== null && sameIdentity(c, state, claim.creator);
  yield consentStep(c, state, seal, ours ? claim : null);
  yield claimStep(seal, claim, ours, `as of block ${state.block.number}`);
}

function consentStep(c, state, seal, own) {
  if (!sameIdentity(c, state, c.sealer)) return signedConsentStep(c, state, seal, own);
  const key = keyOf(c, state, c.sealer);
  if (key.cutoff && seal.time >= key.cutoff) {
    return ["consent", "fail", `The sealing key was cut off on ${utc(key.cutoff)}, before it sealed.`];
  }
  return doubt(key, seal.time) ?? ["consent", "pass", "A key of the creator's identity sealed it."];
}

/** Somebody else sealed it: a key of the creator must have signed, before its cut-off as far as a claim shows. */
function signedConsentStep(c, state, seal, own) {
  const signer = c.signature && chain.recover(chain.claimDigest(c), c.signature);
  if (!signer || !sameIdentity(c, state, signer)) {
    return ["consent", "unknown", "Somebody else sealed it, and no key of the creator is shown to have consented."];
  }
  const key = keyOf(c, state, signer);
  const recorded = own !== null && own.sealedAt === seal.time;
  if (key.cutoff && !(recorded && own.consentAt < key.cutoff)) {
    return ["consent", "fail", `The signing key was cut off on ${utc(key.cutoff)}; nothing shows it signed before.`];
  }
  const passed = ["consent", "pass", "Somebody else sealed it; the creator's key consents by signature."];
  return (recorded && doubt(key, own.consentAt)) || passed;
}

function doubt(key, consented) {
  if (!key.suspectFrom || consented < key.suspectFrom) return null;
  return ["consent", "warn", `The creator's guardian doubts what this key did from ${utc(key.suspectFrom)} on.`];
}

function claimStep(seal, claim, ours, when) {
  if (!claim) return ["claim", "note", `The content is not claimed by anybody ${when}; the seal stands on its own.`];
  const holder = address(claim.creator);
  if (!ours && claim.sealedAt <= seal.time) {
    return ["claim", "fail", `${holder} claims this content with a seal of ${utc(claim.sealedAt)}, not later (${when}).`];
  }
  if (!ours) {
    return ["claim", "warn", `${holder} claims this content with a later seal (${when}); claim it to take it back.`];
  }
  if (claim.retracted) return ["claim", "fail", `The creator retracted the claim (${when}).`];
  return ["claim", "pass", `Claimed by the creator ${when}, sealed ${utc(claim.sealedAt)}.`];
}

function keyOf(c, state, key) {
  const value = state.value(c.contracts.identities, chain.keySlot(key));
  return value === undefined ? null : chain.unpackKey(value);
}

/** Whether the proof shows that a key belongs to the creator's identity; one it does not cover is not shown to. */
function sameIdentity(c, state, key) {
  const [mine, theirs] = [keyOf(c, state, c.creator), keyOf(c, state, key)];
  if (!mine || !theirs) return false;
  const root = (record, own) => (record.root.some(Boolean) ? record.root : own);
  return same(root(mine, c.creator), root(theirs, key));
}

/** A Unix time to the second; a bare number when no calendar reaches it. */
export function utc(seconds) {
  if (seconds > 253402300799n) return `second ${seconds}`;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
