"""`seal`, `claim`, `claimFor`: every guard, every event."""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest
from support import NOBODY, ZERO, Opening, Work, hash_leaf, hash_node, sha256

WORK = Work()


def test_seal_is_written_once(registry, creator, thief, after):
    root = sha256("root")
    first = registry.seal(root, sender=creator)
    assert first.events == [registry.Sealed(root=root, sealer=creator)]
    assert registry.sealOf(root, creator) == (first.timestamp, first.block_number)

    after(100)
    assert registry.seal(root, sender=creator).events == []
    copy = registry.seal(root, sender=thief)
    assert registry.sealOf(root, creator) == (first.timestamp, first.block_number)
    assert registry.sealOf(root, thief) == (copy.timestamp, copy.block_number)
    assert registry.sealOf(sha256("other"), creator) == (0, 0)


def test_claim_by_the_creator(registry, creator, seal):
    opening = seal(WORK, creator)
    sealed_at = registry.sealOf(root_of(registry, WORK, opening), creator).time
    (event,) = registry.claim(WORK.words, opening.words, sender=creator).events
    assert (event.content, event.creator, event.sealer) == (WORK.content, creator, creator)
    assert (event.root, event.sealedAt, event.consentAt) == (root_of(registry, WORK, opening), sealed_at, sealed_at)
    assert tuple(event.work) == WORK.words
    assert registry.claimOf(WORK.content) == (creator, sealed_at, sealed_at, 0)


def root_of(registry, work: Work, opening: Opening) -> bytes:
    return hash_leaf(registry.leafOf(opening.creator, registry.workIdOf(work.words), opening.salt))


def test_claim_out_of_a_service_batch_consents_now(registry, creator, service):
    opening = Opening(creator.address, service.address)
    others = [hash_leaf(sha256(f"other {n}")) for n in range(2)]
    registry.seal(hash_node(hash_node(others[0], root_of(registry, WORK, opening)), others[1]), sender=service)

    opening = replace(opening, index=1, size=3, path=tuple(others))
    claim = registry.claim(WORK.words, opening.words, sender=creator)
    held = registry.claimOf(WORK.content)
    assert held.sealedAt < held.consentAt == claim.timestamp


@pytest.mark.parametrize(
    "fields",
    [
        {"index": 1},
        {"size": 0},
        {"size": 2},
        {"size": 2**64 - 1},
        {"index": 2**64 - 1, "size": 2**64 - 1},
        {"path": (ZERO,)},
        {"size": 2, "path": (ZERO, ZERO)},
    ],
    ids=str,
)
def test_a_path_that_fits_no_tree(registry, project, creator, seal, fields):
    opening = replace(seal(WORK, creator), **fields)
    with ape.reverts(registry.InvalidPath, index=opening.index, size=opening.size, length=len(opening.path)):
        registry.claim(WORK.words, opening.words, sender=creator)


def test_a_sealed_zero_opens_nothing(registry, thief, after):
    registry.seal(ZERO, sender=thief)
    after(1)
    for fields in ({"index": 1}, {"size": 0}, {"size": 2}, {"path": (ZERO,)}):
        with ape.reverts(registry.InvalidPath):
            registry.claim(WORK.words, replace(Opening(thief.address, thief.address), **fields).words, sender=thief)


def test_no_such_seal(registry, creator, service, seal):
    opening = seal(WORK, creator)
    for work, other in (
        (replace(WORK, metadata=sha256("more")), opening),
        (WORK, replace(opening, salt=sha256("other salt"))),
        (WORK, replace(opening, sealer=service.address)),
        (WORK, replace(opening, size=2, path=(ZERO,))),
    ):
        leaf = root_of(registry, work, other)
        root = hash_node(leaf, ZERO) if other.path else leaf
        with ape.reverts(registry.NoSeal, root=root, sealer=other.sealer):
            registry.claim(work.words, other.words, sender=creator)


def test_no_claim_in_the_second_of_the_seal(registry, chain, creator, seal, same_second):
    opening = seal(WORK, creator)
    with same_second(), ape.reverts(registry.SealTooYoung, sealedAt=chain.blocks.head.timestamp):
        registry.claim(WORK.words, opening.words, sender=creator)
    registry.claim(WORK.words, opening.words, sender=creator)


def test_only_the_current_key_claims(registry, creator, thief, seal):
    opening = seal(WORK, creator)
    with ape.reverts(registry.NotCurrentKey, caller=thief, current=creator):
        registry.claim(WORK.words, opening.words, sender=thief)
    with ape.reverts(registry.NotCurrentKey, caller=thief, current=NOBODY):
        registry.claim(WORK.words, replace(opening, creator=NOBODY).words, sender=thief)


def test_the_incumbent_keeps_a_tie_and_loses_to_the_earlier(registry, chain, creator, thief, seal, after, same_second):
    early = seal(WORK, creator)
    sealed_at = chain.blocks.head.timestamp
    with same_second():
        tie = seal(WORK, thief)
    after(10)
    late = seal(WORK, thief, salt=sha256("late"))

    registry.claim(WORK.words, late.words, sender=thief)
    claim = registry.claim(WORK.words, early.words, sender=creator)
    assert claim.events[0] == registry.Superseded(content=WORK.content, previous=thief, creator=creator)
    assert claim.events[1].creator == creator
    for opening in (tie, late):
        with ape.reverts(registry.AlreadyClaimed, content=WORK.content, creator=creator, sealedAt=sealed_at):
            registry.claim(WORK.words, opening.words, sender=thief)
    with ape.reverts(registry.AlreadyClaimed, content=WORK.content, creator=creator, sealedAt=sealed_at):
        registry.claim(WORK.words, early.words, sender=creator)


def test_claim_for_by_anyone(registry, creator, thief, seal, sign_claim):
    opening = seal(WORK, creator)
    signature = sign_claim(creator, creator.address, WORK)
    claim = registry.claimFor(WORK.words, opening.words, signature, sender=thief)
    assert claim.events[0].creator == creator
    with ape.reverts(registry.AlreadyClaimed):
        registry.claimFor(WORK.words, opening.words, signature, sender=thief)


def high_s(signature: bytes) -> bytes:
    """The other signature of the same key and digest, which EIP-2 forbids."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    s = order - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


def test_signatures_that_do_not_count(registry, identities, creator, thief, seal, sign_claim):
    opening = seal(WORK, creator)
    good = sign_claim(creator, creator.address, WORK)
    bad = [
        sign_claim(thief, creator.address, WORK),
        sign_claim(creator, thief.address, WORK),
        sign_claim(creator, creator.address, replace(WORK, origin="digitalCapture")),
        sign_claim(creator, creator.address, WORK, chainId=1),
        sign_claim(creator, creator.address, WORK, verifyingContract=identities.address),
        sign_claim(creator, creator.address, WORK, version="2"),
        sign_claim(creator, creator.address, WORK, name="countersign"),
        high_s(good),
        good[:64],
        good + b"\x00",
        b"",
        bytes(65),
    ]
    for signature in bad:
        with ape.reverts(registry.BadSignature, expected=creator):
            registry.claimFor(WORK.words, opening.words, signature, sender=thief)
    with ape.reverts(registry.BadSignature, expected=NOBODY):
        registry.claimFor(WORK.words, replace(opening, creator=NOBODY).words, bytes(65), sender=thief)
    registry.claimFor(WORK.words, opening.words, good, sender=thief)


def test_a_smart_wallet_claims(registry, wallet, creator, thief, seal, sign_claim):
    opening = seal(WORK, creator, wallet.address)
    signature = sign_claim(creator, wallet.address, WORK)
    for mode in (1, 2, 3, 4, 5):
        wallet.set(mode, sender=creator)
        with ape.reverts(registry.BadSignature, expected=wallet):
            registry.claimFor(WORK.words, opening.words, signature, sender=thief, gas=2_000_000)
    wallet.set(0, sender=creator)
    with ape.reverts(registry.BadSignature, expected=wallet):
        registry.claimFor(WORK.words, opening.words, sign_claim(thief, wallet.address, WORK), sender=thief)
    registry.claimFor(WORK.words, opening.words, signature, sender=thief)
    assert registry.claimOf(WORK.content).creator == wallet


def test_a_smart_wallet_sends(registry, wallet, creator):
    opening = Opening(wallet.address, wallet.address)
    wallet.execute(registry, registry.seal.encode_input(root_of(registry, WORK, opening)), sender=creator)
    wallet.execute(registry, registry.claim.encode_input(WORK.words, opening.words), sender=creator)
    assert registry.claimOf(WORK.content).creator == wallet


def test_addresses_with_dirty_bits_are_refused(registry, creator, seal):
    opening = seal(WORK, creator)
    data = bytes(registry.claim.encode_input(WORK.words, opening.words))
    clean, key = bytes(12), bytes.fromhex(creator.address[2:])
    assert data.count(clean + key) == 2
    dirty = data.replace(clean + key, b"\x01" * 12 + key, 1)
    with ape.reverts():
        creator.transfer(registry, 0, data=dirty)
