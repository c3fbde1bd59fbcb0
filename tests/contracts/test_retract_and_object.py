"""`retract`, `object`: every guard, every event."""

from __future__ import annotations

import ape
import pytest
from support import NOBODY, Opening, Work, commitment_to, hash_leaf, sha256

WORK = Work()


@pytest.fixture
def claimed(registry, creator, seal) -> Opening:
    opening = seal(WORK, creator)
    registry.claim(WORK.words, opening.words, sender=creator)
    return opening


def test_the_creator_retracts_and_takes_it_back(registry, creator, claimed):
    before = registry.claimOf(WORK.content)
    for retracted in (True, True, False):
        receipt = registry.retract(WORK.content, retracted, sender=creator)
        assert receipt.events == [registry.Retracted(content=WORK.content, retracted=retracted)]
        assert registry.claimOf(WORK.content) == (before.creator, before.sealedAt, before.consentAt, int(retracted))


def test_nothing_to_retract_or_object_to(registry, creator):
    with ape.reverts(registry.NoClaim, content=WORK.content):
        registry.retract(WORK.content, True, sender=creator)
    with ape.reverts(registry.NoClaim, content=WORK.content):
        registry.object(WORK.content, sha256("evidence"), "", sender=creator)


def test_no_stranger_retracts(registry, creator, thief, claimed):
    with ape.reverts(registry.NotCurrentKey, caller=thief, current=creator):
        registry.retract(WORK.content, True, sender=thief)


def test_a_marked_key_does_not_retract_its_successor_does(registry, identities, creator, next_key, claimed, adopt):
    identities.register(commitment_to(next_key), NOBODY, sender=creator)
    cutoff = identities.markCompromised(creator, sender=creator).timestamp
    with ape.reverts(registry.ConsentAfterCutoff, key=creator, consentAt=cutoff + 1, cutoff=cutoff):
        registry.retract(WORK.content, True, sender=creator)
    adopt(creator, next_key)
    with ape.reverts(registry.NotCurrentKey, caller=creator, current=next_key):
        registry.retract(WORK.content, True, sender=creator)
    registry.retract(WORK.content, True, sender=next_key)
    assert registry.claimOf(WORK.content).flags == 1


def test_retraction_frees_nothing(registry, creator, thief, claimed, seal, sign_claim):
    registry.retract(WORK.content, True, sender=creator)
    later = seal(WORK, thief)
    with ape.reverts(registry.AlreadyClaimed):
        registry.claim(WORK.words, later.words, sender=thief)


def test_an_own_earlier_seal_keeps_the_bit(registry, creator, thief, seal, sign_claim):
    early, late = seal(WORK, creator), seal(WORK, creator, salt=sha256("late"))
    signature = sign_claim(creator, creator.address, WORK)
    registry.claimFor(WORK.words, late.words, signature, sender=thief)
    registry.retract(WORK.content, True, sender=creator)

    registry.claimFor(WORK.words, early.words, signature, sender=thief)
    assert registry.claimOf(WORK.content).flags == 1


def test_anothers_earlier_seal_starts_unretracted(registry, creator, thief, seal):
    early, late = seal(WORK, creator), seal(WORK, thief)
    registry.claim(WORK.words, late.words, sender=thief)
    registry.retract(WORK.content, True, sender=thief)
    registry.claim(WORK.words, early.words, sender=creator)
    held = registry.claimOf(WORK.content)
    assert (held.creator, held.flags) == (creator, 0)


@pytest.mark.parametrize("uri", ["", "https://thief.example/évidence.json"])
def test_anybody_objects_and_says_where_the_evidence_is(registry, creator, thief, claimed, uri):
    before, evidence = registry.claimOf(WORK.content), sha256("evidence")
    for objector in (thief, creator):  # the claimant's is an answer
        receipt = registry.object(WORK.content, evidence, uri, sender=objector)
        told = registry.Objected(content=WORK.content, objector=objector, evidence=evidence, uri=uri)
        assert receipt.events == [told]
    assert registry.claimOf(WORK.content) == before


def test_leaf_of_binds_chain_registry_creator_work_and_salt(registry, project, identities, creator, thief):
    other = creator.deploy(project.ContentRegistry, identities)
    words = [
        (creator, sha256("w"), sha256("s")),
        (thief, sha256("w"), sha256("s")),
        (creator, sha256("x"), sha256("s")),
    ]
    leaves = {registry.leafOf(*word) for word in [*words, (creator, sha256("w"), sha256("t"))]}
    assert len(leaves | {other.leafOf(*words[0]), hash_leaf(sha256("w"))}) == 6
