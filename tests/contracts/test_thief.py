"""The thief of issue 2 and of DESIGN §3 and §7: whatever he tries, the creator's claim stands."""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest
from support import NOBODY, ZERO, Opening, Work, commitment_to, hash_leaf, sha256

WORK = Work()


@pytest.fixture
def prepared(identities, creator, next_key, guardian):
    return identities.register(commitment_to(next_key), guardian, sender=creator)


def holder(registry) -> str:
    return registry.claimOf(WORK.content).creator


# (a) to (e) of issue 2


def test_a_he_claims_the_same_bytes(registry, creator, thief, seal):
    """First in time on the claim, not on the seal: the creator displaces him."""
    opening, late = seal(WORK, creator), seal(WORK, thief)
    registry.claim(WORK.words, late.words, sender=thief)
    registry.claim(WORK.words, opening.words, sender=creator)
    assert holder(registry) == creator
    with ape.reverts(registry.AlreadyClaimed):
        registry.claim(WORK.words, late.words, sender=thief)


def test_b_he_copies_the_pending_seal(registry, creator, thief, seal):
    """His copy is even earlier; it opens for the creator only."""
    opening = Opening(creator.address, creator.address)
    root = hash_leaf(registry.leafOf(creator, registry.workIdOf(WORK.words), opening.salt))
    registry.seal(root, sender=thief)
    seal(WORK, creator)
    mine = replace(opening, creator=thief.address, sealer=thief.address)
    own = hash_leaf(registry.leafOf(thief, registry.workIdOf(WORK.words), opening.salt))
    with ape.reverts(registry.NoSeal, root=own, sealer=thief):
        registry.claim(WORK.words, mine.words, sender=thief)
    with ape.reverts(registry.NotCurrentKey):
        registry.claim(WORK.words, replace(opening, sealer=thief.address).words, sender=thief)
    registry.claim(WORK.words, opening.words, sender=creator)
    assert holder(registry) == creator


def test_c_he_copies_the_pending_claim_with_other_metadata(registry, creator, thief, seal, sign_claim):
    opening = seal(WORK, creator)
    signature = sign_claim(creator, creator.address, WORK)
    forged = replace(WORK, metadata=sha256("by the thief"))
    with ape.reverts(registry.NotCurrentKey):
        registry.claim(forged.words, opening.words, sender=thief)
    with ape.reverts(registry.NoSeal):
        registry.claim(forged.words, replace(opening, creator=thief.address).words, sender=thief)
    with ape.reverts(registry.BadSignature):
        registry.claimFor(forged.words, opening.words, signature, sender=thief)
    registry.claim(WORK.words, opening.words, sender=creator)


def test_d_he_seals_after_seeing_the_claim(registry, creator, thief, seal, same_second):
    opening = seal(WORK, creator)
    with same_second():
        late = seal(replace(WORK, metadata=sha256("by the thief")), thief)
    registry.claim(WORK.words, opening.words, sender=creator)
    with ape.reverts(registry.AlreadyClaimed):
        registry.claim(replace(WORK, metadata=sha256("by the thief")).words, late.words, sender=thief)


def test_e_he_replays_the_signature(registry, project, identities, creator, thief, seal, sign_claim):
    """Sent twice, to another registry, for himself, after a retraction: nothing changes."""
    opening = seal(WORK, creator)
    signature = sign_claim(creator, creator.address, WORK)
    registry.claimFor(WORK.words, opening.words, signature, sender=thief)
    registry.retract(WORK.content, True, sender=creator)
    with ape.reverts(registry.AlreadyClaimed):
        registry.claimFor(WORK.words, opening.words, signature, sender=thief)
    with ape.reverts(registry.BadSignature, expected=thief):
        registry.claimFor(WORK.words, replace(opening, creator=thief.address).words, signature, sender=thief)
    other = thief.deploy(project.ContentRegistry, identities)
    with ape.reverts(other.BadSignature, expected=creator):
        other.claimFor(WORK.words, opening.words, signature, sender=thief)
    assert registry.claimOf(WORK.content).flags == 1


def test_he_relays_the_signature_with_his_copy_of_the_seal(registry, creator, thief, seal, sign_claim):
    """It is the creator's claim all the same, and the creator's own, earlier seal can still replace it."""
    opening = seal(WORK, creator)
    root = hash_leaf(registry.leafOf(creator, registry.workIdOf(WORK.words), opening.salt))
    registry.seal(root, sender=thief)
    signature = sign_claim(creator, creator.address, WORK)
    registry.claimFor(WORK.words, replace(opening, sealer=thief.address).words, signature, sender=thief)
    assert holder(registry) == creator
    registry.claim(WORK.words, opening.words, sender=creator)
    held = registry.claimOf(WORK.content)
    assert held.sealedAt == held.consentAt == registry.sealOf(root, creator).time


def test_he_sealed_zero_long_ago(registry, creator, thief, seal, after):
    """A path that fits no tree must not open the sealed word 0 (found in review: it backdated any claim)."""
    registry.seal(ZERO, sender=thief)
    after(1000)
    registry.claim(WORK.words, seal(WORK, creator).words, sender=creator)
    with ape.reverts(registry.InvalidPath):
        registry.claim(WORK.words, Opening(thief.address, thief.address, index=1).words, sender=thief)
    assert holder(registry) == creator


# With a stolen key


def test_after_the_mark_he_seals_and_claims_nothing(registry, identities, creator, service, thief, seal):
    """An unprepared key, marked, without successor: neither its later seals nor its later consent count."""
    cutoff = identities.markCompromised(creator, sender=creator).timestamp
    by_key = seal(WORK, creator)
    by_service = seal(WORK, service, creator)
    with ape.reverts(registry.ConsentAfterCutoff, key=creator, consentAt=cutoff + 1, cutoff=cutoff):
        registry.claim(WORK.words, by_key.words, sender=creator)
    with ape.reverts(registry.ConsentAfterCutoff, key=creator, cutoff=cutoff):
        registry.claim(WORK.words, by_service.words, sender=creator)


def test_a_marked_key_without_successor_claims_what_it_sealed_before(
    registry, identities, creator, thief, seal, sign_claim
):
    first, second = WORK, replace(WORK, content=sha256("second"))
    openings = [seal(work, creator) for work in (first, second)]
    identities.markCompromised(creator, sender=creator)
    registry.claim(first.words, openings[0].words, sender=creator)
    signature = sign_claim(creator, creator.address, second)
    registry.claimFor(second.words, openings[1].words, signature, sender=thief)


def test_a_seal_in_the_second_of_the_mark_came_too_late(registry, identities, creator, seal, same_second):
    cutoff = identities.markCompromised(creator, sender=creator).timestamp
    with same_second():
        opening = seal(WORK, creator)
    with ape.reverts(registry.ConsentAfterCutoff, key=creator, consentAt=cutoff, cutoff=cutoff):
        registry.claim(WORK.words, opening.words, sender=creator)


def test_a_claim_in_the_second_of_the_mark(registry, identities, creator, service, seal, same_second):
    opening = seal(WORK, service, creator)
    cutoff = identities.markCompromised(creator, sender=creator).timestamp
    with same_second(), ape.reverts(registry.ConsentAfterCutoff, key=creator, consentAt=cutoff, cutoff=cutoff):
        registry.claim(WORK.words, opening.words, sender=creator)


def test_the_successor_claims_what_was_sealed_before(
    registry, identities, creator, next_key, thief, service, seal, prepared, adopt, sign_claim
):
    """Whoever marks, the past stays: the thief's mark does not void the creator's seals."""
    others = [replace(WORK, content=sha256(str(n))) for n in range(2)]
    openings = [seal(others[0], creator), seal(others[1], service, creator)]
    identities.markCompromised(creator, sender=creator)
    adopt(creator, next_key, thief)
    with ape.reverts(registry.NotCurrentKey, caller=creator, current=next_key):
        registry.claim(others[0].words, openings[0].words, sender=creator)
    with ape.reverts(registry.BadSignature, expected=next_key):
        signature = sign_claim(creator, creator.address, others[0])
        registry.claimFor(others[0].words, openings[0].words, signature, sender=thief)
    for work, opening in zip(others, openings, strict=True):
        registry.claim(work.words, opening.words, sender=next_key)
        assert registry.claimOf(work.content).creator == creator


def test_keys_of_one_identity_seal_for_each_other(registry, identities, creator, next_key, seal, prepared, adopt):
    """The new key may open the old key's seals, and seal in the old key's name: consent is the seal's time."""
    adopt(creator, next_key)
    opening = seal(WORK, next_key, creator)
    registry.claim(WORK.words, opening.words, sender=next_key)
    held = registry.claimOf(WORK.content)
    assert held.creator == creator and held.sealedAt == held.consentAt


def test_a_replaced_key_seals_too_late(registry, identities, creator, next_key, seal, prepared, adopt):
    cutoff = adopt(creator, next_key).timestamp
    for name in (creator, next_key):
        opening = seal(WORK, creator, name)
        with ape.reverts(registry.ConsentAfterCutoff, key=creator, cutoff=cutoff):
            registry.claim(WORK.words, opening.words, sender=next_key)


def test_a_recorded_claim_is_never_judged_again(registry, identities, creator, next_key, thief, seal, prepared, adopt):
    registry.claim(WORK.words, seal(WORK, creator).words, sender=creator)
    before = registry.claimOf(WORK.content)
    identities.markCompromised(creator, sender=creator)
    adopt(creator, next_key)
    assert registry.claimOf(WORK.content) == before
    with ape.reverts(registry.AlreadyClaimed):
        registry.claim(WORK.words, seal(WORK, thief).words, sender=thief)


def test_a_guardian_takes_no_past(registry, identities, creator, guardian, people, seal, after, adopt):
    """A guardian who recovers the name may claim what the old key sealed, in the old key's name only."""
    identities.register(ZERO, guardian, sender=creator)
    opening = seal(WORK, creator)
    identities.markCompromised(creator, sender=guardian)
    adopt(creator, people[7], guardian, "recover")
    after(7 * 86_400)
    adopt(creator, people[7], guardian, "recover")
    registry.claim(WORK.words, opening.words, sender=people[7])
    assert holder(registry) == creator and identities.currentOf(creator) == people[7]
    with ape.reverts(identities.NotAllowed, caller=guardian, expected=NOBODY):
        identities.suspect(creator, 1, sender=guardian)
