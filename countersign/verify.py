"""The read flow: a numbered list of steps, each with its own answer.

Offline it needs the certificate, the file and one block hash, and imports neither web3 nor eth_account. With a client
it also asks the chain whether that block is final and what has happened since; the client is believed only for that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from countersign.canonical import (
    checksum,
    claim_slot,
    key_slot,
    seal_slot,
    to_hex,
    unpack_claim,
    unpack_key,
    unpack_seal,
)
from countersign.certificate import Certificate, ProvenState
from countersign.chain.deployments import contracts_on
from countersign.errors import CertificateError, ChainError
from countersign.keys.ecdsa import recover
from countersign.records import ORIGINS, ZERO, Claim, KeyRecord, Seal
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["Report", "Step", "lookup", "verify"]

State = Literal["pass", "fail", "unknown", "warn", "note"]
Outcome = Literal["verified", "not verified", "could not check"]

_EXIT: dict[Outcome, int] = {"verified": 0, "not verified": 1, "could not check": 2}


@dataclass(frozen=True)
class Step:
    """One check: ``state`` says how it went, ``detail`` why, in a sentence."""

    number: int
    name: str
    state: State
    detail: str


@dataclass(frozen=True)
class Report:
    """All steps, the outcome and what was learnt. ``facts`` is JSON-ready."""

    steps: tuple[Step, ...]
    outcome: Outcome
    summary: str
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 verified, 1 not verified, 2 could not check."""
        return _EXIT[self.outcome]

    @property
    def failed(self) -> Step | None:
        """The first step that failed, or None."""
        return next((step for step in self.steps if step.state == "fail"), None)


_Answer = tuple[str, State, str]
"""Name, state and detail of a step that has no number yet."""


def verify(
    certificate: Certificate,
    content: bytes | None,
    *,
    block_hash: bytes | None = None,
    client: Client | None = None,
) -> Report:
    """Check a certificate against a file's SHA-256 ``content`` (None: no file at hand) in numbered steps.

    The one thing trusted is the block: ``block_hash`` as you compared it yourself, else the client's word; with
    neither, or with a client of another chain, the outcome is "could not check".
    """
    if client and client.chain_id != certificate.contracts.chain_id:
        client = None  # it can say nothing about this certificate
    answers = list(_answers(certificate, content, block_hash, client))
    steps = tuple(Step(i, *answer) for i, answer in enumerate(answers, 1))
    return _report(steps, _facts(certificate))


def _answers(
    c: Certificate, content: bytes | None, block_hash: bytes | None, client: Client | None
) -> Iterator[_Answer]:
    yield _content(c, content)
    yield _contracts(c)
    yield _opening(c)
    if c.proof is None or c.sealer is None:
        yield "state proof", "unknown", _unproved(c, client)
        return
    try:
        state = c.proof.check()
    except CertificateError as error:
        yield "state proof", "fail", error.message
        return
    yield "state proof", "pass", f"Every node hashes up to the state root of block {state.block.number}."
    yield _block(c.contracts.chain_id, state, block_hash, client)
    yield _signature(c, state, client)
    yield from _chain_facts(c, state, c.sealer, client)


def _content(c: Certificate, content: bytes | None) -> _Answer:
    if content is None:
        return "content", "note", f"No file given: this is about the bytes with SHA-256 {to_hex(c.work.content)}."
    if content != c.work.content:
        return (
            "content",
            "fail",
            "The file's bytes are not the sealed ones: its SHA-256 differs from the certificate's.",
        )
    return "content", "pass", "The file's SHA-256 is the sealed one."


def _contracts(c: Certificate) -> _Answer:
    if c.contracts != contracts_on(c.contracts.chain_id):
        return "contracts", "fail", f"{checksum(c.contracts.registry)} is not Countersign's registry."
    return "contracts", "pass", f"The registry is Countersign's, on chain {c.contracts.chain_id}."


def _opening(c: Certificate) -> _Answer:
    if c.proven_root != c.root:
        return "opening", "fail", "Work, creator, salt and path do not lead to the sealed root."
    of = f", one of {c.path.size} works" if c.path.size > 1 else ""
    return "opening", "pass", f"Work, creator, salt and path lead to the sealed root{of}."


def _unproved(c: Certificate, client: Client | None) -> str:
    """How far a draft is: the chain may hold its seal already."""
    seal = client.seal_of(c.root, c.sealer or c.creator) if client else None
    if client is None or seal is None:
        return "This is a draft: it holds no proof of a seal yet."
    if seal.block > client.finalized().number:
        return f"This is a draft: its seal in block {seal.block} is not final yet, the chain may still take it back."
    return f"This is a draft: its seal in block {seal.block} is final, but its proof is not attached: seal --resume."


def _signature(c: Certificate, state: ProvenState, client: Client | None) -> _Answer:
    name, creator = "signature", checksum(c.creator)
    if c.signature is None:
        return name, "note", "The creator did not sign this certificate; the step 'consent' stands without."
    signer = recover(c.digest, c.signature)
    if signer == c.creator:
        return name, "pass", f"Signed by the creator {creator}."
    if signer and _same_identity(state, c, signer):
        return name, "pass", f"Signed by {checksum(signer)}, a key of the creator's identity."
    if c.creator not in state.contracts:
        return name, "fail", f"The signature is not by the creator {creator}."
    if client is None:
        return name, "note", f"The creator is the contract wallet {creator}: its signatures are checked online only."
    if client.is_valid_signature(c.creator, c.digest, c.signature):
        return name, "pass", f"The creator's contract wallet {creator} accepts the signature."
    return name, "fail", f"The creator's contract wallet {creator} refuses the signature."


def _block(chain_id: int, state: ProvenState, block_hash: bytes | None, client: Client | None) -> _Answer:
    number, shown = state.block.number, to_hex(state.block.hash)
    if block_hash is not None:
        if block_hash != state.block.hash:
            return "block", "fail", f"The proof is for block {number} {shown}, not for the hash you trust."
        return "block", "pass", f"The proof is for block {number}, whose hash you trust."
    if client is None:
        how = f"Ask a node of chain {chain_id}, or compare block {number}'s hash with sources you trust: {shown}."
        return "block", "unknown", how
    on_chain = client.block(number)
    if on_chain is None or on_chain.hash != state.block.hash:
        return "block", "fail", f"The chain has no block {number} with hash {shown}."
    if number > client.finalized().number:
        return "block", "unknown", f"Block {number} is not final yet."
    return "block", "pass", f"Block {number} is final, says {client.host}."


def _chain_facts(c: Certificate, state: ProvenState, sealer: bytes, client: Client | None) -> Iterator[_Answer]:
    registry = c.contracts.registry
    seal_word = state.value(registry, seal_slot(c.root, sealer))
    claim_word = state.value(registry, claim_slot(c.work.content))
    seal = unpack_seal(seal_word or 0)
    if seal is None or seal.block > state.block.number:
        yield "seal", "fail", f"The proof shows no seal of this root by {checksum(sealer)}."
        return
    yield "seal", "pass", f"Sealed on {utc(seal.time)} in block {seal.block} by {checksum(sealer)}."
    if claim_word is None:
        yield "claim", "fail", "The proof leaves out whether the content is claimed."
        return
    claim, when = _claim_now(c, unpack_claim(claim_word), state, client)
    ours = claim is not None and _holds(c, state, claim, client)
    yield _consent(c, state, sealer, seal, claim if ours else None, client)
    yield _claim(seal, claim, ours, when)
    if claim and client:
        yield _objections(c, seal, claim, client)


def _claim_now(
    c: Certificate, proven: Claim | None, state: ProvenState, client: Client | None
) -> tuple[Claim | None, str]:
    """The claim as newly as it can be known, and as of when."""
    if client is None:
        return proven, f"as of block {state.block.number}"
    return client.claim_of(c.work.content), "now"


def _holds(c: Certificate, state: ProvenState, claim: Claim, client: Client | None) -> bool:
    """Whether the claim is the creator identity's: as proven, else as the chain says now."""
    return _same_identity(state, c, claim.creator) or (
        client is not None and client.root_of(claim.creator) == client.root_of(c.creator)
    )


def _consent(
    c: Certificate, state: ProvenState, sealer: bytes, seal: Seal, own: Claim | None, client: Client | None
) -> _Answer:
    """DESIGN §3: the sealer's, if it belongs to the creator's identity, else a good key's signature.

    The registry records of a claim its time, not which work was opened: the creator's claim on the same content says
    nothing of the other fields in a certificate that somebody else sealed.
    """
    if not _same_identity(state, c, sealer):
        return _signed_consent(c, state, seal, own, client)
    key = _key(state, c, sealer)
    if key and key.cutoff and seal.time >= key.cutoff:
        return "consent", "fail", f"The sealing key was cut off on {utc(key.cutoff)}, before it sealed."
    return _doubt(key, seal.time) or ("consent", "pass", "A key of the creator's identity sealed it.")


def _signed_consent(
    c: Certificate, state: ProvenState, seal: Seal, own: Claim | None, client: Client | None
) -> _Answer:
    signer = recover(c.digest, c.signature) if c.signature else None
    if not signer or not _same_identity(state, c, signer):
        return _wallet_consent(c, state, client)
    # A proof may be older than the cut-off, the signature younger: ask the chain where there is one.
    key = client.key_of(signer) if client else _key(state, c, signer)
    recorded = own is not None and own.sealed_at == seal.time
    if key and key.cutoff and not (own and recorded and own.consent_at < key.cutoff):
        return "consent", "fail", f"The signing key was cut off on {utc(key.cutoff)}; nothing shows it signed before."
    doubt = _doubt(key, own.consent_at) if own and recorded else None
    return doubt or ("consent", "pass", "Somebody else sealed it; the creator's key consents by signature.")


def _wallet_consent(c: Certificate, state: ProvenState, client: Client | None) -> _Answer:
    is_wallet = c.signature and c.creator in state.contracts
    if client and c.signature and is_wallet and client.is_valid_signature(c.creator, c.digest, c.signature):
        return "consent", "pass", "Somebody else sealed it; the creator's contract wallet consents by signature."
    return "consent", "unknown", "Somebody else sealed it, and no key of the creator is shown to have consented."


def _doubt(key: KeyRecord | None, consented: int) -> _Answer | None:
    if key is None or not key.suspect_from or consented < key.suspect_from:
        return None
    return "consent", "warn", f"The creator's guardian doubts what this key did from {utc(key.suspect_from)} on."


def _key(state: ProvenState, c: Certificate, address: bytes) -> KeyRecord | None:
    word = state.value(c.contracts.identities, key_slot(address))
    return None if word is None else unpack_key(word)


def _same_identity(state: ProvenState, c: Certificate, address: bytes) -> bool:
    mine, theirs = _key(state, c, c.creator), _key(state, c, address)
    if mine is None or theirs is None:
        return False  # the proof does not cover this key: nothing is shown
    return (mine.root if any(mine.root) else c.creator) == (theirs.root if any(theirs.root) else address)


def _claim(seal: Seal, claim: Claim | None, ours: bool, when: str) -> _Answer:
    if claim is None:
        return "claim", "note", f"The content is not claimed by anybody {when}; the seal stands on its own."
    holder = checksum(claim.creator)
    if not ours and claim.sealed_at <= seal.time:
        return "claim", "fail", f"{holder} claims this content with a seal of {utc(claim.sealed_at)}, not later."
    if not ours:
        return "claim", "warn", f"{holder} claims this content with a later seal; claim it to take it back."
    if claim.retracted:
        return "claim", "fail", f"The creator retracted the claim ({when})."
    return "claim", "pass", f"Claimed by the creator {when}, sealed {utc(claim.sealed_at)}."


def _objections(c: Certificate, seal: Seal, claim: Claim, client: Client) -> _Answer:
    """Anybody may object, so an objection warns and decides nothing, whatever a committee says of it."""
    from countersign import objections  # what offline needs stays light
    from countersign.deal.words import COIN

    try:
        found = objections.on_chain(client, claim, c.work.content, seal.block)
        if not found:
            return "objections", "pass", "Nobody objects to the claim."
        return "objections", "warn", objections.summary(found, client.head().time, COIN.show)
    except ChainError:
        return "objections", "note", "The node does not search that far back: ask the index (countersign objections)."


def _report(steps: tuple[Step, ...], facts: dict[str, Any]) -> Report:
    failed = next((step for step in steps if step.state == "fail"), None)
    unknown = next((step for step in steps if step.state == "unknown"), None)
    if failed:
        return Report(steps, "not verified", f"Step {failed.number}, {failed.name}: {failed.detail}", facts)
    if unknown:
        return Report(steps, "could not check", f"Step {unknown.number}, {unknown.name}: {unknown.detail}", facts)
    sealed = next(step for step in steps if step.name == "seal")
    return Report(steps, "verified", sealed.detail, facts)


def _facts(c: Certificate) -> dict[str, Any]:
    return {
        "name": c.name,
        "content": to_hex(c.work.content),
        "creator": checksum(c.creator),
        "sealer": checksum(c.sealer) if c.sealer else None,
        "origin": ORIGINS.get(c.work.origin, c.work.origin),
        "model": to_hex(c.work.model) if c.work.model != ZERO else None,
        "chainId": c.contracts.chain_id,
        "registry": checksum(c.contracts.registry),
    }


def lookup(client: Client, content: bytes) -> Report:
    """What the chain knows of these bytes when there is no certificate: the node's word, not a proof."""
    claim = client.claim_of(content)
    facts: dict[str, Any] = {"content": to_hex(content), "chainId": client.chain_id, "record": None}
    if claim is None:
        detail = "Nobody claims these bytes here. That says nothing about where they come from."
        return Report((Step(1, "record", "note", detail),), "not verified", detail, facts)
    facts["record"] = {
        "creator": checksum(claim.creator),
        "sealedAt": claim.sealed_at,
        "consentAt": claim.consent_at,
        "retracted": claim.retracted,
    }
    found = Step(1, "record", "pass", f"Claimed by {checksum(claim.creator)}, says {client.host}.")
    steps = (found, _standing(2, claim), Step(3, "seal", "pass", f"Sealed on {utc(claim.sealed_at)}."))
    return _report(steps, facts)


def _standing(number: int, claim: Claim) -> Step:
    if claim.retracted:
        return Step(number, "claim", "fail", "The creator retracted the claim.")
    return Step(number, "claim", "pass", "The claim stands.")
