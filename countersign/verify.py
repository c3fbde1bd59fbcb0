"""The read flow: a numbered list of steps, each with its own answer.

Offline it needs the certificate, the file and one block hash, and imports neither web3 nor eth_account. With a client
it also asks what has happened since, and has the node prove it. A node is believed for three things only, which no
proof covers, and each step says so: which blocks are final, what a contract wallet thinks of a signature, and events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
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
from countersign.certificate.credentials import Brought, judged_alone
from countersign.chain.deployments import contracts_on
from countersign.errors import CertificateError, ChainError
from countersign.fingerprint.c2pa.reading import Credentials
from countersign.keys.ecdsa import recover
from countersign.records import ORIGINS, ZERO, Block, Claim, KeyRecord, Seal
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["EXPLANATIONS", "Report", "Step", "lookup", "verify", "with_credentials"]

State = Literal["pass", "fail", "unknown", "warn", "note"]
Outcome = Literal["verified", "not verified", "could not check"]

_EXIT: dict[Outcome, int] = {"verified": 0, "not verified": 1, "could not check": 2}


EXPLANATIONS = {
    "content": (
        "Compares the SHA-256 of the file at hand with the one in the certificate. To be wrong, somebody must "
        "have found two files with one SHA-256, which nobody has. It does not prove that similar files, crops or "
        "re-encodings are the same work."
    ),
    "contracts": (
        "Compares the certificate's contracts with the addresses that this version of Countersign knows. To be "
        "wrong, you must have been given a changed version of this program. It does not prove that there is code "
        "at these addresses on that chain; the address is derived from the code, so no other code can be there."
    ),
    "opening": (
        "Recomputes the seal from work, creator and salt, follows the path to the root, and compares that with "
        "the root in the certificate. To be wrong, SHA-256 or Keccak-256 must be broken. It does not prove that "
        "the root was ever sealed (see seal), nor that what is said of the work, such as its origin or model, is "
        "true."
    ),
    "state proof": (
        "Hashes every node of the proofs, from storage slots to accounts to the state root in the block header. "
        "To be wrong, Keccak-256 must be broken. It does not prove that the header belongs to the chain (see "
        "block)."
    ),
    "block": (
        "Compares the hash of the block header in the proof with the hash that you trust, or that nodes call "
        "final. This is the one thing believed: to be wrong, every source that you compared must lie, or the "
        "chain must have forgotten a final block. It does not prove anything that happened after that block."
    ),
    "newest state": (
        "Has the node prove seal, claim and keys anew against the newest final block, and recomputes that proof "
        "down to the block's hash. To be wrong, the node and all witnesses must name a false block, or an old "
        "one: look at the time that is shown. It does not cover what is not final yet."
    ),
    "signature": (
        "Recovers who signed the creator's statement about the work (EIP-712) and compares that with the creator "
        "or with a key of the creator's identity. To be wrong, somebody must have the creator's key, or secp256k1 "
        "must be broken; of a contract wallet's signature the node is believed. It does not prove when it was "
        "signed."
    ),
    "seal": (
        "Reads from the proven state when this root was sealed, and by whom. To be wrong, an earlier step must "
        "be. It proves that the work existed at that time, not that it was new then: it may be older, and "
        "somebody else's."
    ),
    "consent": (
        "Shows that the named creator wanted this: a key of the creator's identity sealed it, or signed, before "
        "that key was cut off. To be wrong, somebody must have used the key while its owner had not marked it as "
        "compromised. It does not prove who the person behind the key is."
    ),
    "claim": (
        "Reads from the proven state who claims the content, and whether the claim was retracted. To be wrong, an "
        "earlier step must be. It does not prove authorship: it shows who claims these bytes with the earliest "
        "seal in this registry, as of the block that is named."
    ),
    "objections": (
        "Asks the node for public objections to the claim. They are events, which no state proof covers: a node "
        "can leave them out. An objection is somebody's word: it warns, it does not decide."
    ),
    "disclosure": (
        "Compares the SHA-256 of the disclosure file with the one in the sealed work. To be wrong, SHA-256 must be "
        "broken. It proves what the creator declared, and when, not that the declaration is true."
    ),
    "manifest": (
        "Looks whether the file's Content Credentials are part of the sealed bytes, or name this seal's leaf. To be "
        "wrong, SHA-256 or the signer's algorithm must be broken, or the C2PA library. Anybody can name a seal: it "
        "does not prove that the manifest's signer is the seal's creator, nor, of a manifest that is not part of the "
        "sealed bytes, when it was made."
    ),
    "signer": (
        "Gives the C2PA library's verdict on who signed the Content Credentials, beside the chain's time. The "
        "authorities that you name with --trust-anchors are believed; revocation is not asked for anywhere. It does "
        "not prove that what the signer says is true."
    ),
    "record": (
        "Reads from the proven state who claims these bytes. Without the certificate it cannot be shown what else "
        "the creator said of the work."
    ),
}
"""For each step by its name: what is compared, what must be broken for it to be wrong, what it does not prove."""


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


_LAG = 1800
"""Seconds that honest nodes may be apart in what is final: Ethereum makes an epoch final each 384 seconds."""

_Answer = tuple[str, State, str]
"""Name, state and detail of a step that has no number yet."""


def verify(
    certificate: Certificate,
    content: bytes | None,
    *,
    block_hash: bytes | None = None,
    client: Client | None = None,
    witnesses: Sequence[Client] = (),
    brought: Brought | None = None,
) -> Report:
    """Check a certificate against a file's SHA-256 ``content`` (None: no file at hand) in numbered steps.

    The one thing trusted is the block: ``block_hash`` as you compared it yourself, else the client's word, which all
    ``witnesses``, other nodes of the same chain, must repeat. With neither, or with a client of another chain, the
    outcome is "could not check". ``brought`` is what came with the file; ``content`` may then be that of its bytes
    without their Content Credentials.
    """
    brought = brought or Brought()
    nodes = [client, *witnesses] if client and client.chain_id == certificate.contracts.chain_id else []
    answers = list(_answers(certificate, content, block_hash, nodes))
    if brought.stripped and answers[0][1] == "pass":
        answers[0] = "content", "pass", "The file's bytes without their Content Credentials are the sealed ones."
    answers += brought.findings(certificate, _sealed_at(certificate, answers))
    facts = {"credentials": brought.credentials.to_json()} if brought.credentials else {}
    return _report(_numbered(answers), _facts(certificate) | facts)


def _sealed_at(c: Certificate, answers: Sequence[_Answer]) -> int | None:
    """The seal's time, if these answers show it."""
    passed = {name for name, state, _ in answers if state == "pass"}
    if not {"content", "opening", "state proof", "block", "seal"} <= passed or c.proof is None or c.sealer is None:
        return None
    seal = unpack_seal(c.proof.check().value(c.contracts.registry, seal_slot(c.root, c.sealer)) or 0)
    return seal.time if seal else None


def with_credentials(report: Report, said: Credentials) -> Report:
    """A report about bytes that no certificate is known of, and C2PA's verdict beside it."""
    steps = (*report.steps, Step(len(report.steps) + 1, *judged_alone(said)))
    return replace(report, steps=steps, facts=report.facts | {"credentials": said.to_json()})


def _numbered(answers: Sequence[_Answer]) -> tuple[Step, ...]:
    return tuple(Step(i, *answer) for i, answer in enumerate(answers, 1))


def _answers(
    c: Certificate, content: bytes | None, block_hash: bytes | None, nodes: Sequence[Client]
) -> Iterator[_Answer]:
    client = nodes[0] if nodes else None  # one of another chain can say nothing about this certificate
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
    yield _block(c.contracts.chain_id, state.block, block_hash, nodes)
    now = state
    if nodes:
        answer, now = _newest(c, state, c.sealer, nodes)
        yield answer
    yield _signature(c, now, client)
    yield from _chain_facts(c, state, now, c.sealer, client)


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
        return name, "pass", f"The creator's contract wallet {creator} accepts the signature, says {client.host}."
    return name, "fail", f"The creator's contract wallet {creator} refuses the signature, says {client.host}."


def _block(chain_id: int, block: Block, block_hash: bytes | None, nodes: Sequence[Client]) -> _Answer:
    if block_hash is not None and block_hash != block.hash:
        shown = to_hex(block.hash)
        return "block", "fail", f"The proof is for block {block.number} {shown}, not for the hash you trust."
    if block_hash is not None:
        return "block", "pass", f"The proof is for block {block.number}, whose hash you trust."
    if not nodes:
        shown = f"block {block.number}'s hash with sources you trust: {to_hex(block.hash)}"
        return "block", "unknown", f"Ask a node of chain {chain_id}, or compare {shown}."
    doubts = [doubt for node in nodes if (doubt := _doubted(block, node))]
    return min(doubts, default=("block", "pass", f"Block {block.number} is final, {_say(nodes)}."), key=_gravity)


def _doubted(block: Block, node: Client) -> _Answer | None:
    """What keeps ``node`` from calling that block final, or None."""
    on_chain = node.block(block.number)
    if on_chain is not None and on_chain.hash != block.hash:
        return "block", "fail", f"The chain has no block {block.number} {to_hex(block.hash)}, says {node.host}."
    if on_chain is None or block.number > node.finalized().number:
        return "block", "unknown", f"Block {block.number} is not final yet, says {node.host}."
    return None


def _gravity(answer: _Answer) -> int:
    return ("fail", "unknown", "warn", "note", "pass").index(answer[1])


def _say(nodes: Sequence[Client]) -> str:
    hosts = [node.host for node in nodes]
    return f"says {hosts[0]}" if len(hosts) == 1 else f"say {', '.join(hosts[:-1])} and {hosts[-1]}"


def _newest(c: Certificate, state: ProvenState, sealer: bytes, nodes: Sequence[Client]) -> tuple[_Answer, ProvenState]:
    """What has happened since the certificate's proof, proven anew; what the proof said already, where it is not."""
    name = "newest state"
    try:
        number = _newest_final(nodes)
        if number < state.block.number:
            raise ChainError(f"The newest final block, {_say(nodes)}, is {number}.", "")
        now = _proven(nodes[0], c, sealer, number)
    except ChainError as error:
        held = f"What follows is as of the certificate's block {state.block.number}."
        return (name, "unknown", f"{error.message} {held}"), state
    doubts = [doubt for node in nodes if (doubt := _doubted(now.block, node))]
    if doubts:
        _, gravest, detail = min(doubts, key=_gravity)
        return (name, gravest, detail), state
    shown = f"block {number} of {utc(now.block.time)}, {to_hex(now.block.hash)}, which is final, {_say(nodes)}"
    merged = replace(now, values=state.values | now.values, contracts=state.contracts | now.contracts)
    return (name, "pass", f"Seal, claim and keys are proven anew as of {shown}."), merged


def _newest_final(nodes: Sequence[Client]) -> int:
    """The newest block that all of them call final. Raises ChainError where one shows the others' past only."""
    finals = [(node.finalized(), node.host) for node in nodes]
    oldest, host = min(finals, key=lambda final: final[0].number)
    if max(block.time for block, _ in finals) - oldest.time > _LAG:
        raise ChainError(
            f"The newest final block of {host} is of {utc(oldest.time)}; others know much newer ones.",
            "It has fallen behind, or it hides what came later: use another node.",
        )
    return oldest.number


def _proven(client: Client, c: Certificate, sealer: bytes, number: int) -> ProvenState:
    from countersign.chain.status import prove_status

    return prove_status(client, c, sealer, number).check()


def _chain_facts(
    c: Certificate, state: ProvenState, now: ProvenState, sealer: bytes, client: Client | None
) -> Iterator[_Answer]:
    """``state`` is what the certificate proves, ``now`` the same or newer."""
    registry = c.contracts.registry
    at = registry, seal_slot(c.root, sealer)
    seal = unpack_seal(state.value(*at) or 0)
    if seal is None or seal.block > state.block.number:
        yield "seal", "fail", f"The proof shows no seal of this root by {checksum(sealer)}."
        return
    if state.value(*at) != now.value(*at):
        yield "seal", "fail", f"Block {now.block.number} does not hold the seal that the certificate proves."
        return
    yield "seal", "pass", f"Sealed on {utc(seal.time)} in block {seal.block} by {checksum(sealer)}."
    claim_word = now.value(registry, claim_slot(c.work.content))
    if claim_word is None:
        yield "claim", "fail", "The proof leaves out whether the content is claimed."
        return
    claim = unpack_claim(claim_word)
    ours = claim is not None and _same_identity(now, c, claim.creator)
    yield _consent(c, now, sealer, seal, claim if ours else None, client)
    said = _claim(seal, claim, ours, f"as of block {now.block.number}")
    yield _changing(c, now, seal, said, client) if client else said
    if claim and client:
        yield _objections(c.work.content, claim, client, seal.block)


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
    key = _key(state, c, signer)
    recorded = own is not None and own.sealed_at == seal.time
    if key and key.cutoff and not (own and recorded and own.consent_at < key.cutoff):
        return "consent", "fail", f"The signing key was cut off on {utc(key.cutoff)}; nothing shows it signed before."
    doubt = _doubt(key, own.consent_at) if own and recorded else None
    return doubt or ("consent", "pass", "Somebody else sealed it; the creator's key consents by signature.")


def _wallet_consent(c: Certificate, state: ProvenState, client: Client | None) -> _Answer:
    is_wallet = c.signature and c.creator in state.contracts
    if client and c.signature and is_wallet and client.is_valid_signature(c.creator, c.digest, c.signature):
        return (
            "consent",
            "pass",
            f"Somebody else sealed it; the creator's contract wallet consents by signature, says {client.host}.",
        )
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
        return (
            "claim",
            "fail",
            f"{holder} claims this content with a seal of {utc(claim.sealed_at)}, not later ({when}).",
        )
    if not ours:
        return "claim", "warn", f"{holder} claims this content with a later seal ({when}); claim it to take it back."
    if claim.retracted:
        return "claim", "fail", f"The creator retracted the claim ({when})."
    return "claim", "pass", f"Claimed by the creator {when}, sealed {utc(claim.sealed_at)}."


def _changing(c: Certificate, now: ProvenState, seal: Seal, said: _Answer, client: Client) -> _Answer:
    """The answer, unless the newest block, which is not final and therefore the node's word, is about to end the claim:
    who verifies in the minutes before a retraction is final should not be told that all is well."""
    head = client.claim_of(c.work.content)
    ours = head is not None and _same_identity(now, c, head.creator)
    name, state, detail = _claim(seal, head, ours, "in a block that is not final yet")
    if state != "fail" or said[1] == "fail":
        return said
    return name, "unknown", f"{detail} So says {client.host}: verify again in some minutes."


def _objections(content: bytes, claim: Claim, client: Client, first: int = 0) -> _Answer:
    """Anybody may object, so an objection warns and decides nothing, whatever a committee says of it. Objections are
    events: the node's word."""
    from countersign import objections  # what offline needs stays light
    from countersign.deal.words import COIN

    try:
        found = objections.on_chain(client, claim, content, first)
        if not found:
            return "objections", "pass", f"Nobody objects to the claim, says {client.host}."
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


def lookup(client: Client, content: bytes, witnesses: Sequence[Client] = ()) -> Report:
    """Who claims these bytes when there is no certificate, proven against the newest final block.

    Raises ChainError where the node proves nothing.
    """
    nodes = [client, *witnesses]
    at = client.contracts.registry, claim_slot(content)
    now = client.prove({at[0]: (at[1],)}, _newest_final(nodes)).check()
    claim = unpack_claim(now.value(*at) or 0)
    facts: dict[str, Any] = {"content": to_hex(content), "chainId": client.chain_id, "record": None}
    answers = [_block(client.chain_id, now.block, None, nodes)]
    if claim is None:
        detail = f"Nobody claims these bytes as of block {now.block.number}: that says nothing of where they come from."
        steps = _numbered([*answers, ("record", "note", detail)])
        return Report(steps, "not verified", detail, facts) if answers[0][1] == "pass" else _report(steps, facts)
    facts["record"] = {
        "creator": checksum(claim.creator),
        "sealedAt": claim.sealed_at,
        "consentAt": claim.consent_at,
        "retracted": claim.retracted,
    }
    answers += [
        ("record", "pass", f"Claimed by {checksum(claim.creator)}, proven as of block {now.block.number}."),
        _standing(claim),
        ("seal", "pass", f"Sealed on {utc(claim.sealed_at)}."),
        _objections(content, claim, client),
    ]
    return _report(_numbered(answers), facts)


def _standing(claim: Claim) -> _Answer:
    if claim.retracted:
        return "claim", "fail", "The creator retracted the claim."
    return "claim", "pass", "The claim stands."
