"""Every step of the read flow can fail, says so by its name, and nobody's certificate passes in another's name."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from world import (
    CONTENT,
    CONTRACTS,
    CREATOR,
    NOW,
    SERVICE,
    SUCCESSOR,
    THIEF,
    World,
    block_hash,
    draft,
    header,
    honest,
    sign,
)

from countersign import canonical
from countersign.certificate import Certificate, StateProof, read_header
from countersign.chain.codec import Event, Log
from countersign.chain.deployments import deal_contracts_on
from countersign.errors import ChainError
from countersign.records import Claim
from countersign.verify import Report, lookup, utc, verify

SEALED = NOW - 500


def check(c: Certificate, content: bytes | None = CONTENT, client: Any = None) -> Report:
    return verify(c, content, block_hash=None if client else block_hash(c), client=client)


def states(report: Report) -> dict[str, str]:
    return {step.name: step.state for step in report.steps}


def failing(report: Report) -> str | None:
    return report.failed.name if report.failed else None


def signed(c: Certificate, key: int = 0) -> Certificate:
    return replace(c, signature=sign(key, c.digest))


def test_an_honest_certificate_passes_every_step() -> None:
    report = check(honest(origin="digitalCapture"))
    assert set(states(report).values()) == {"pass"}
    assert report.outcome == "verified" and report.exit_code == 0 and report.failed is None
    assert [step.number for step in report.steps] == list(range(1, len(report.steps) + 1))
    assert report.facts["origin"] == "captured by a camera or microphone"
    assert json.dumps(report.facts)


def flipped(c: Certificate, where: str) -> Certificate:
    """The certificate with one bit of one hex field flipped."""
    document = json.loads(c.to_json())
    *parents, last = (int(part) if part.isdecimal() else part for part in where.split("."))
    holder = document
    for part in parents:
        holder = holder[part]
    data = bytearray.fromhex(holder[last][2:])
    data[len(data) // 2] ^= 1
    holder[last] = "0x" + data.hex()
    return Certificate.from_json(json.dumps(document))


@pytest.mark.parametrize(
    ("path", "step"),
    [
        ("work.content", "opening"),
        ("work.fingerprint", "opening"),
        ("work.model", "opening"),
        ("work.parents", "opening"),
        ("work.metadata", "opening"),
        ("creator", "opening"),
        ("salt", "opening"),
        ("contracts.registry", "contracts"),
        ("contracts.identities", "contracts"),
        ("contracts.models", "contracts"),
        ("path.hashes.0", "opening"),
        ("path.hashes.1", "opening"),
        ("sealer", "seal"),
        ("root", "opening"),
        ("signature", "signature"),
        ("proof.header", "block"),
        ("proof.accounts.0.address", "state proof"),
        ("proof.accounts.0.nodes.0", "state proof"),
        ("proof.accounts.0.slots.0.slot", "state proof or seal"),
        ("proof.accounts.0.slots.1.slot", "state proof or claim"),
        ("proof.accounts.0.slots.0.nodes.0", "state proof"),
        ("proof.accounts.1.slots.0.nodes.1", "state proof"),
    ],
)
def test_one_flipped_bit_in_any_field_fails_at_the_named_step(path: str, step: str) -> None:
    """A slot with another name may be proven to be empty, or not be proven: that lies with the trie's branches."""
    c = honest(origin="print")
    report = verify(flipped(c, path), None, block_hash=block_hash(c))
    assert report.outcome == "not verified" and report.exit_code == 1
    assert failing(report) in step.split(" or ")
    assert f"{failing(report)}:" in report.summary


@pytest.mark.parametrize(
    ("change", "step"),
    [
        ({"work": {"origin": "digitalCapture"}}, "opening"),
        ({"contracts": {"chainId": 1}}, "opening"),
        ({"path": {"index": 1}}, "opening"),
        ({"path": {"size": 9}}, "opening"),
        ({"path": {"size": 2**63}}, "opening"),
        ({"path": {"index": 2**64 - 1}}, "opening"),
        ({"path": {"hashes": []}}, "opening"),
    ],
)
def test_other_numbers_and_words_fail_at_the_opening(change: dict[str, Any], step: str) -> None:
    c = honest(origin="print")
    document = json.loads(c.to_json())
    for part, fields in change.items():
        document[part] |= fields
    assert failing(verify(Certificate.from_json(json.dumps(document)), None, block_hash=block_hash(c))) == step


def test_another_file_fails_and_no_file_is_said() -> None:
    assert failing(check(honest(), content=bytes(32))) == "content"
    report = check(honest(), content=None)
    assert report.outcome == "verified" and states(report)["content"] == "note"


def test_without_a_trusted_block_nothing_is_verified() -> None:
    c = honest()
    report = verify(c, CONTENT)
    assert report.outcome == "could not check" and report.exit_code == 2
    assert block_hash(c).hex() in report.summary and "chain 31337" in report.summary
    assert failing(verify(c, CONTENT, block_hash=bytes(32))) == "block"


def test_a_draft_could_not_be_checked_but_a_wrong_one_fails() -> None:
    assert verify(draft(), CONTENT).outcome == "could not check"
    assert failing(verify(replace(draft(), salt=bytes(32)), CONTENT)) == "opening"


# Who consents


def test_a_seal_by_somebody_else_needs_the_creators_signature() -> None:
    c = draft()
    world = World().sealed(c, SERVICE)
    assert check(world.prove(signed(c), SERVICE)).outcome == "verified"
    report = check(world.prove(c, SERVICE))
    assert report.outcome == "could not check" and states(report)["consent"] == "unknown"


@pytest.mark.parametrize("sealed_at", [SEALED - 100, SEALED])
def test_a_claim_on_the_same_bytes_does_not_lend_its_name_to_a_forged_work(sealed_at: int) -> None:
    """The thief seals other words about the creator's claimed content, in the creator's name."""
    forged = draft(origin="trainedAlgorithmicMedia", model=bytes([7]) * 32)
    world = World().sealed(forged, THIEF).claimed(CREATOR, sealed_at, sealed_at)
    assert check(world.prove(forged, THIEF)).outcome == "could not check"
    assert failing(check(world.prove(signed(forged, 1), THIEF))) == "signature"


def test_a_key_cut_off_before_it_sealed_is_refused_though_the_creator_claims_the_content() -> None:
    c = signed(draft())
    world = World().sealed(c, CREATOR).key(CREATOR, CREATOR, cutoff=SEALED).claimed(CREATOR, SEALED - 9, SEALED - 9)
    assert failing(check(world.prove(c, CREATOR))) == "consent"
    later = World().sealed(c, CREATOR).key(CREATOR, CREATOR, cutoff=SEALED + 1)
    assert check(later.prove(c, CREATOR)).outcome == "verified"


def test_a_cut_off_signature_counts_only_as_far_as_the_claim_shows_its_time() -> None:
    c = signed(draft())
    world = World().sealed(c, SERVICE).key(CREATOR, CREATOR, cutoff=SEALED + 50)
    assert failing(check(world.prove(c, SERVICE))) == "consent"
    assert check(world.claimed(CREATOR, SEALED, SEALED + 40).prove(c, SERVICE)).outcome == "verified"
    assert failing(check(world.claimed(CREATOR, SEALED, SEALED + 50).prove(c, SERVICE))) == "consent"
    assert failing(check(world.claimed(CREATOR, SEALED - 1, SEALED - 1).prove(c, SERVICE))) == "consent"


def test_a_successor_speaks_for_the_identity_and_a_stranger_does_not() -> None:
    c = replace(draft(), signature=None)
    world = World().key(CREATOR, CREATOR, cutoff=SEALED - 10).key(SUCCESSOR, CREATOR)
    by_successor = world.sealed(c, SUCCESSOR).prove(signed(c, 3), SUCCESSOR)
    assert check(by_successor).outcome == "verified"
    signed_only = world.sealed(c, SERVICE).prove(signed(c, 3), SERVICE, SUCCESSOR)
    assert check(signed_only).outcome == "verified"
    foreign = World().key(CREATOR, CREATOR).key(SUCCESSOR, SUCCESSOR).sealed(c, SUCCESSOR)
    assert states(check(foreign.prove(c, SUCCESSOR)))["consent"] == "unknown"
    assert failing(check(foreign.prove(signed(c, 3), SUCCESSOR))) == "signature"


def test_suspicion_warns_and_does_not_refuse() -> None:
    c = signed(draft())
    world = World().sealed(c, CREATOR).key(CREATOR, CREATOR, cutoff=NOW - 10, suspect_from=SEALED)
    report = check(world.prove(c, CREATOR))
    assert report.outcome == "verified" and states(report)["consent"] == "warn"
    before = World().sealed(c, CREATOR).key(CREATOR, CREATOR, cutoff=NOW - 10, suspect_from=SEALED + 1)
    assert states(check(before.prove(c, CREATOR)))["consent"] == "pass"


# What a proof leaves out proves nothing


@pytest.mark.parametrize(
    ("slot", "outcome", "step", "state"),
    [
        (lambda c: canonical.seal_slot(c.root, CREATOR), "not verified", "seal", "fail"),
        (lambda c: canonical.claim_slot(CONTENT), "not verified", "claim", "fail"),
        (lambda c: canonical.key_slot(CREATOR), "could not check", "consent", "unknown"),
    ],
)
def test_a_left_out_slot_never_verifies(slot: Any, outcome: str, step: str, state: str) -> None:
    c = draft()
    report = check(World().sealed(c, CREATOR).prove(c, CREATOR, without=(slot(c),)))
    assert report.outcome == outcome and states(report)[step] == state


def test_a_left_out_cut_off_of_the_sealing_successor_never_verifies() -> None:
    c = draft()
    world = World().key(CREATOR, CREATOR, cutoff=5).key(SUCCESSOR, CREATOR, cutoff=SEALED - 1).sealed(c, SUCCESSOR)
    assert failing(check(world.prove(c, SUCCESSOR))) == "consent"
    hidden = world.prove(c, SUCCESSOR, without=(canonical.key_slot(SUCCESSOR),))
    assert check(hidden).outcome == "could not check"


def test_the_seal_of_another_root_another_registry_or_another_block_is_no_seal() -> None:
    c, other = signed(draft()), draft(origin="print")
    assert failing(check(World().sealed(other, CREATOR).prove(c, CREATOR))) == "seal"
    later = World().sealed(c, CREATOR, block=101).prove(c, CREATOR)
    assert failing(check(later)) == "seal"
    elsewhere = World({(CONTRACTS.identities, canonical.seal_slot(c.root, CREATOR)): SEALED | 5 << 64})
    assert failing(check(elsewhere.prove(c, CREATOR))) == "seal"


def test_a_header_of_another_chain_is_not_the_trusted_block() -> None:
    c = honest()
    assert c.proof
    foreign = replace(c, proof=replace(c.proof, header=header(bytes(32))))
    assert failing(verify(foreign, CONTENT, block_hash=block_hash(c))) == "state proof"


# Claims


@pytest.mark.parametrize(
    ("holder", "sealed_at", "flags", "state"),
    [
        (CREATOR, SEALED, 0, "pass"),
        (CREATOR, SEALED, 1, "fail"),
        (THIEF, SEALED - 1, 0, "fail"),
        (THIEF, SEALED, 0, "fail"),
        (THIEF, SEALED + 1, 0, "warn"),
    ],
)
def test_the_claim_says_who_stands_first(holder: bytes, sealed_at: int, flags: int, state: str) -> None:
    c = signed(draft())
    world = World().sealed(c, CREATOR).claimed(holder, sealed_at, sealed_at, flags)
    report = check(world.prove(c, CREATOR, THIEF))
    assert states(report)["claim"] == state
    assert report.outcome == ("not verified" if state == "fail" else "verified")


def test_an_unclaimed_content_is_only_noted() -> None:
    c = signed(draft())
    report = check(World().sealed(c, CREATOR).prove(c, CREATOR))
    assert report.outcome == "verified" and states(report)["claim"] == "note"


# With a node


class Node:
    """A node whose chain is a :class:`World`, as :class:`countersign.chain.client.Client` passes its answers on.

    ``lies`` is another world, whose state it proves instead.
    """

    chain_id, contracts, deals = 31337, CONTRACTS, deal_contracts_on(31337)

    def __init__(self, world: World, final: int = 100, accepts: bool = False, host: str = "http://node") -> None:
        self.world, self.final, self.accepts, self.host = world, final, accepts, host
        self.lies: World | None = None
        self.newest = world
        self.pruned, self.against = False, list[Event]()

    def block(self, number: int) -> Any:
        time = NOW + number - 100
        return read_header(self.world.state_proof({}, number, time).header)[0] if number <= self.final + 9 else None

    def finalized(self) -> Any:
        return self.block(self.final)

    def prove(self, slots: dict[bytes, tuple[bytes, ...]], number: int, header: bytes | None = None) -> StateProof:
        if self.pruned:
            raise ChainError("The node proves nothing.", "Ask another.")
        return (self.lies or self.world).state_proof(slots, number, NOW + number - 100)

    def claim_of(self, content: bytes) -> Claim | None:
        return canonical.unpack_claim(self.newest.words.get((CONTRACTS.registry, canonical.claim_slot(content)), 0))

    def has_code(self, address: bytes) -> bool:
        return address in self.world.wallets

    def is_valid_signature(self, signer: bytes, digest: bytes, signature: bytes) -> bool:
        return self.accepts

    def events(self, contract: bytes, name: str, *_: Any, first: int = 0, **__: Any) -> list[Any]:
        return [one for one in self.against if one.log.block >= first] if name == "Objected" else []

    def head(self) -> Any:
        return self.block(self.final + 9)

    def root_of(self, key: bytes) -> bytes:
        return key


def known(c: Certificate) -> World:
    """The world in which ``c`` is sealed and claimed by its creator."""
    return World().sealed(c, CREATOR).claimed(CREATOR, SEALED, SEALED)


def test_a_node_proves_what_is_final_and_what_happened_since() -> None:
    c = honest()
    report = check(c, client=Node(known(c)))
    assert report.outcome == "verified" and set(states(report).values()) == {"pass"}
    assert check(c, client=Node(known(c), final=99)).outcome == "could not check"
    assert check(c, client=Node(known(c), final=80)).outcome == "could not check"
    stranger = Node(World().sealed(c, CREATOR))
    assert failing(check(c, client=stranger)) == "block"


@pytest.mark.parametrize(("holder", "flags"), [(CREATOR, 1), (THIEF, 0)])
def test_what_happened_since_counts_and_is_proven(holder: bytes, flags: int) -> None:
    """The user trusts the certificate's block; the chain has gone on."""
    c = honest()
    since = Node(World().sealed(c, CREATOR).claimed(holder, SEALED, SEALED, flags), final=200)
    report = verify(c, CONTENT, block_hash=block_hash(c), client=since)  # type: ignore[arg-type]
    assert failing(report) == "claim" and "block 200" in report.summary
    hushed = Node(since.world, final=200)
    hushed.lies = known(c)
    report = verify(c, CONTENT, block_hash=block_hash(c), client=hushed)  # type: ignore[arg-type]
    assert report.outcome == "not verified" and failing(report) == "newest state"


@pytest.mark.parametrize(("holder", "flags"), [(CREATOR, 1), (THIEF, 0)])
def test_what_is_about_to_happen_leaves_the_claim_open(holder: bytes, flags: int) -> None:
    c = honest()
    node = Node(known(c))
    node.newest = World().claimed(holder, SEALED, SEALED, flags)
    report = check(c, client=node)
    assert report.outcome == "could not check" and "not final yet" in report.summary
    node.newest = World().claimed(CREATOR, SEALED, SEALED)
    assert check(c, client=node).outcome == "verified"


def test_a_node_that_proves_nothing_leaves_the_step_open() -> None:
    c = honest()
    for node in (Node(known(c), final=200), Node(known(c), final=99)):
        node.pruned = True
        report = verify(c, CONTENT, block_hash=block_hash(c), client=node)  # type: ignore[arg-type]
        assert report.outcome == "could not check" and states(report)["newest state"] == "unknown"
        assert "as of the certificate's block 100" in report.summary


def test_a_chain_that_lost_the_seal_refutes_the_certificate() -> None:
    c = honest()
    report = verify(c, CONTENT, block_hash=block_hash(c), client=Node(World(), final=200))  # type: ignore[arg-type]
    assert failing(report) == "seal"


def test_witnesses_must_name_the_same_block() -> None:
    c = honest()
    node, same = Node(known(c)), Node(known(c), host="http://second")
    report = verify(c, CONTENT, client=node, witnesses=[same])  # type: ignore[arg-type, list-item]
    assert report.outcome == "verified" and "say http://node and http://second" in report.steps[4].detail
    behind = Node(known(c), final=99, host="http://third")
    report = verify(c, CONTENT, client=node, witnesses=[same, behind])  # type: ignore[arg-type, list-item]
    assert report.outcome == "could not check" and "says http://third" in report.summary
    other = Node(World(), host="http://other")
    report = verify(c, CONTENT, client=node, witnesses=[behind, other])  # type: ignore[arg-type, list-item]
    assert failing(report) == "block" and "says http://other" in report.summary
    past = verify(c, CONTENT, client=node, witnesses=[Node(known(c), final=2_000, host="http://now")])  # type: ignore[arg-type, list-item]
    assert past.outcome == "could not check" and "http://node is of" in past.summary
    with pytest.raises(ChainError, match="fallen behind"):
        lookup(node, CONTENT, [Node(known(c), final=2_000, host="http://now")])  # type: ignore[arg-type, list-item]
    trusted = verify(c, CONTENT, block_hash=block_hash(c), client=node, witnesses=[other])  # type: ignore[arg-type, list-item]
    assert failing(trusted) == "newest state"


def test_objections_warn_and_decide_nothing() -> None:
    c = honest()
    node = Node(known(c))
    assert states(check(c, client=node))["objections"] == "pass"
    evidence = [bytes([number]) * 32 for number in range(5)]
    node.against = [objected(THIEF, evidence[0], place) for place in (60, 61)]  # said twice, it is one
    report = check(c, client=node)
    assert report.outcome == "verified" and states(report)["objections"] == "warn"
    assert "Objected to: 1 objection against the claim, 1 unanswered" in detail(report)
    node.against += [objected(SERVICE, said, 62) for said in evidence[1:]] + [objected(CREATOR, bytes(32), 63)]
    assert "Objected to: 5 objections against the claim, 0 unanswered" in detail(check(c, client=node))
    assert "And 2 more" in detail(check(c, client=node))
    node.against = [objected(CREATOR, bytes(32), 63)]
    assert states(check(c, client=node))["objections"] == "pass"  # the claimant alone has nobody to answer


def test_sealing_anew_leaves_no_objection_behind() -> None:
    """The claim's own seal is older than the certificate's: what was said since the claim counts."""
    c = draft()
    world = World().sealed(c, CREATOR, time=SEALED, block=70).claimed(CREATOR, SEALED - 90, SEALED - 90)
    node = Node(world)
    node.against = [objected(THIEF, bytes(32), 60)]
    report = check(world.prove(c, CREATOR), client=node)
    assert states(report)["objections"] == "warn" and "1 objection against the claim" in detail(report)


def test_who_has_no_certificate_is_told_of_objections_too() -> None:
    node = Node(known(honest()))
    assert states(lookup(node, CONTENT))["objections"] == "pass"  # type: ignore[arg-type]
    node.against = [objected(THIEF, bytes(32), 60)]
    report = lookup(node, CONTENT)  # type: ignore[arg-type]
    assert report.outcome == "verified" and "1 objection against the claim" in detail(report)


def objected(objector: bytes, evidence: bytes, block: int) -> Event:
    log = Log(CONTRACTS.registry, (), b"", block, 0, bytes(32), SEALED + block)
    return Event("Objected", {"content": CONTENT, "objector": objector, "evidence": evidence, "uri": ""}, log)


def detail(report: Report) -> str:
    return next(step.detail for step in report.steps if step.name == "objections")


def test_a_node_of_another_chain_refutes_nothing() -> None:
    c = honest()
    foreign = Node(World())
    foreign.chain_id = 1
    assert check(c, client=foreign).outcome == "could not check"


def test_a_node_proves_a_cut_off_that_an_old_proof_hides() -> None:
    c = signed(draft())
    world = World().sealed(c, SERVICE)
    c = world.prove(c, SERVICE)
    assert check(c, client=Node(world)).outcome == "verified"
    marked = Node(World(dict(world.words)).key(CREATOR, CREATOR, cutoff=NOW + 50), final=200)
    report = verify(c, CONTENT, block_hash=block_hash(c), client=marked)  # type: ignore[arg-type]
    assert failing(report) == "consent"


@pytest.mark.parametrize("sealer", [CREATOR, SERVICE])
def test_a_contract_wallets_signature_is_asked_of_the_wallet(sealer: bytes) -> None:
    c = replace(draft(), signature=b"wallet's own kind")
    world = World(wallets=[CREATOR]).sealed(c, sealer)
    c = world.prove(c, sealer)
    report = check(c, client=Node(world, accepts=True))
    assert report.outcome == "verified" and "says http://node" in report.steps[6].detail
    assert failing(check(c, client=Node(world))) == "signature"
    assert states(check(c))["signature"] == "note"
    assert check(c).outcome == ("verified" if sealer == CREATOR else "could not check")


def test_a_wallet_that_was_cut_off_consents_to_nothing_new() -> None:
    """Whoever took it over makes it accept what they like, sealed by a key of their own."""
    c = replace(draft(), signature=b"made by the thief")
    world = World(wallets=[CREATOR]).sealed(c, THIEF).key(CREATOR, CREATOR, cutoff=SEALED - 10)
    c = world.prove(c, THIEF)
    assert failing(check(c, client=Node(world, accepts=True))) == "consent"
    before = World(dict(world.words), [CREATOR]).key(CREATOR, CREATOR, cutoff=SEALED + 20)
    claimed = World(dict(before.words), [CREATOR]).claimed(CREATOR, SEALED, SEALED + 10)
    assert failing(check(before.prove(c, THIEF), client=Node(before, accepts=True))) == "consent"
    assert check(claimed.prove(c, THIEF), client=Node(claimed, accepts=True)).outcome == "verified"


def test_lookup_tells_of_objections_too() -> None:
    node = Node(known(honest()))
    assert states(lookup(node, CONTENT))["objections"] == "pass"  # type: ignore[arg-type]
    node.against = [objected(THIEF, bytes(32), 60)]
    report = lookup(node, CONTENT)  # type: ignore[arg-type]
    assert report.outcome == "verified" and states(report)["objections"] == "warn"


def test_lookup_proves_a_record_or_that_there_is_none() -> None:
    c = honest()
    nobody = lookup(Node(World().sealed(c, CREATOR)), CONTENT)  # type: ignore[arg-type]
    assert nobody.exit_code == 1 and nobody.facts["record"] is None
    assert lookup(Node(known(c)), CONTENT).outcome == "verified"  # type: ignore[arg-type]
    retracted = World().claimed(CREATOR, SEALED, SEALED, flags=1)
    assert failing(lookup(Node(retracted), CONTENT)) == "claim"  # type: ignore[arg-type]
    for lie, truth in ((known(c), World()), (World(), known(c))):
        liar = Node(truth)
        liar.lies = lie
        assert failing(lookup(liar, CONTENT)) == "block"  # type: ignore[arg-type]
        other = Node(lie, host="http://other")
        assert failing(lookup(Node(truth), CONTENT, [other])) == "block"  # type: ignore[arg-type, list-item]


# Hostile certificates


def test_times_no_calendar_reaches_do_not_crash() -> None:
    c = signed(draft())
    world = World().sealed(c, CREATOR, time=2**64 - 1).key(CREATOR, CREATOR, 2**40 - 1, 2**40 - 1)
    report = check(world.claimed(THIEF, 2**40 - 1, 2**40 - 1).prove(c, CREATOR, THIEF))
    assert report.outcome == "not verified"
    assert utc(0) == "1970-01-01 00:00:00 UTC" and utc(2**64 - 1) == f"second {2**64 - 1}"


def test_offline_verification_imports_neither_web3_nor_eth_account() -> None:
    code = (
        "import sys, countersign.verify, countersign.cli, countersign.cli.reading\n"
        "heavy = {'web3', 'eth_account', 'eth_abi', 'requests', 'aiohttp'} & sys.modules.keys()\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_a_recorded_certificate_of_a_real_chain_verifies(vectors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = vectors("state_proof")
    c = Certificate.from_json(json.dumps(recorded["certificate"]))
    monkeypatch.setattr("countersign.verify.contracts_on", lambda _: c.contracts)  # addresses change with the code
    trusted = bytes.fromhex(recorded["block"]["hash"][2:])
    assert set(states(verify(c, c.work.content, block_hash=trusted)).values()) == {"pass"}
    assert failing(verify(replace(c, salt=bytes(32)), c.work.content, block_hash=trusted)) == "opening"
