"""`register`, `rotate`, `markCompromised`, `suspect`, `recover`, `cancel`: every guard, every event, every attack."""

from __future__ import annotations

import ape
import pytest
from support import NOBODY, WEEK, ZERO, commitment_to, sha256, sign

REGISTRATION, ROTATION, RECOVERY = range(3)


@pytest.fixture
def prepared(identities, creator, next_key, guardian):
    """The creator's identity with a commitment and a guardian."""
    return identities.register(commitment_to(next_key), guardian, sender=creator)


@pytest.fixture
def guarded(identities, creator, guardian):
    """The creator's identity with a guardian only."""
    return identities.register(ZERO, guardian, sender=creator)


def waiting(identities, name, change) -> int:
    return identities.waitingOf(name, change).readyAt


# Views


def test_a_key_that_never_took_part_is_its_own(identities, creator):
    assert identities.rootOf(creator) == identities.currentOf(creator) == creator
    assert identities.resolve(creator) == (creator, creator, 0)
    assert identities.keyOf(creator) == (NOBODY, 0, 0)
    assert identities.identityOf(creator) == (NOBODY, ZERO, NOBODY)
    assert identities.DELAY() == WEEK


# register


def test_the_first_registration_is_at_once(identities, creator, next_key, guardian, prepared):
    commitment = commitment_to(next_key)
    assert prepared.events == [
        identities.Registered(identity=creator, key=creator, commitment=commitment, guardian=guardian)
    ]
    assert identities.identityOf(creator) == (creator, commitment, guardian)
    assert identities.keyOf(creator) == (creator, 0, 0)


def test_an_empty_registration_prepares_nothing(identities, creator, guardian):
    identities.register(ZERO, NOBODY, sender=creator)
    identities.register(ZERO, guardian, sender=creator)
    assert identities.identityOf(creator).guardian == guardian


def test_the_second_registration_waits(identities, creator, thief, prepared, after):
    asked = identities.register(sha256("new"), thief, sender=creator)
    (event,) = asked.events
    ready = asked.timestamp + WEEK
    assert (event.identity, event.change, event.readyAt) == (creator, REGISTRATION, ready)
    assert waiting(identities, creator, REGISTRATION) == ready

    after(WEEK - 2)
    with ape.reverts(identities.TooEarly, readyAt=ready):
        identities.register(sha256("new"), thief, sender=creator)
    done = identities.register(sha256("new"), thief, sender=creator)
    assert done.timestamp == ready
    assert identities.identityOf(creator) == (creator, sha256("new"), thief)
    assert waiting(identities, creator, REGISTRATION) == 0


def test_other_arguments_start_the_wait_anew(identities, creator, thief, prepared, after):
    identities.register(sha256("new"), thief, sender=creator)
    after(WEEK)
    again = identities.register(sha256("newer"), thief, sender=creator)
    assert again.events[0].readyAt == again.timestamp + WEEK
    with ape.reverts(identities.TooEarly):
        identities.register(sha256("newer"), thief, sender=creator)
    asked = identities.register(sha256("new"), thief, sender=creator)
    assert asked.events[0].readyAt == asked.timestamp + WEEK


def test_no_key_guards_itself(identities, creator):
    with ape.reverts(identities.BadGuardian, guardian=creator):
        identities.register(ZERO, creator, sender=creator)


def test_a_replaced_or_marked_key_registers_nothing(identities, creator, next_key, thief, prepared, adopt):
    cutoff = identities.markCompromised(creator, sender=creator).timestamp
    with ape.reverts(identities.KeyCutOff, key=creator, cutoff=cutoff):
        identities.register(ZERO, thief, sender=creator)
    adopt(creator, next_key)
    with ape.reverts(identities.NotAllowed, caller=creator, expected=next_key):
        identities.register(ZERO, thief, sender=creator)


def test_a_registration_drops_what_waited_under_other_rules(identities, creator, next_key, thief, adopt, after):
    adopt(creator, thief)
    assert waiting(identities, creator, ROTATION)
    identities.register(commitment_to(next_key), NOBODY, sender=creator)
    assert not waiting(identities, creator, ROTATION)


def test_a_new_guardian_does_not_finish_the_old_ones_recovery(
    identities, creator, next_key, guardian, thief, guarded, adopt, after
):
    identities.register(ZERO, thief, sender=creator)
    adopt(creator, next_key, guardian, "recover")
    after(WEEK)
    identities.register(ZERO, thief, sender=creator)
    (event,) = adopt(creator, next_key, thief, "recover").events
    assert event.event_name == "Scheduled"


# rotate


def test_the_committed_key_takes_over_at_once(identities, creator, next_key, guardian, thief, prepared, adopt):
    receipt = adopt(creator, next_key, thief, commitment=sha256("third"), guardian=guardian)
    assert receipt.events == [
        identities.Adopted(
            identity=creator, key=next_key, previous=creator, commitment=sha256("third"), guardian=guardian
        )
    ]
    assert identities.resolve(creator) == (creator, next_key, receipt.timestamp)
    assert identities.resolve(next_key) == (creator, next_key, 0)
    assert identities.identityOf(creator) == (next_key, sha256("third"), guardian)


def test_the_committed_key_takes_over_after_a_mark_and_voids_all_that_waits(
    identities, creator, next_key, guardian, thief, people, prepared, adopt
):
    identities.register(ZERO, thief, sender=creator)
    adopt(creator, people[7], guardian, "recover")
    cutoff = identities.markCompromised(creator, sender=guardian).timestamp
    assert waiting(identities, creator, RECOVERY) and not waiting(identities, creator, REGISTRATION)

    adopt(creator, next_key, thief)
    assert not waiting(identities, creator, RECOVERY)
    assert identities.keyOf(creator).cutoff == cutoff


def test_no_other_key_takes_over(identities, creator, thief, prepared, adopt):
    with ape.reverts(identities.NotCommittedKey, key=thief):
        adopt(creator, thief)


def test_without_a_commitment_rotation_waits(identities, creator, next_key, guardian, thief, guarded, adopt, after):
    with ape.reverts(identities.NotAllowed, caller=next_key, expected=creator):
        adopt(creator, next_key, next_key)
    asked = adopt(creator, next_key, guardian=guardian)
    ready = asked.timestamp + WEEK
    assert (asked.events[0].change, asked.events[0].readyAt) == (ROTATION, ready)
    after(WEEK - 2)
    with ape.reverts(identities.TooEarly, readyAt=ready):
        adopt(creator, next_key, guardian=guardian)
    adopt(creator, next_key, guardian=guardian)
    assert identities.currentOf(creator) == next_key


def test_a_mark_voids_a_waiting_rotation(identities, creator, guardian, thief, guarded, adopt, after):
    adopt(creator, thief)
    cutoff = identities.markCompromised(creator, sender=guardian).timestamp
    assert not waiting(identities, creator, ROTATION)
    after(WEEK)
    with ape.reverts(identities.KeyCutOff, key=creator, cutoff=cutoff):
        adopt(creator, thief)


def test_a_new_key_must_be_unused(identities, creator, next_key, guardian, thief, people, prepared, adopt):
    with ape.reverts(identities.KeyUsed, key=creator, identity=creator):
        adopt(creator, creator)
    with ape.reverts(identities.KeyUsed, key=thief, identity=thief):
        adopt(thief, thief)
    adopt(creator, next_key)
    for key in (creator, next_key):
        with ape.reverts(identities.KeyUsed, key=key, identity=creator):
            adopt(people[7], key)
    identities.markCompromised(thief, sender=thief)
    with ape.reverts(identities.KeyUsed, key=thief, identity=thief):
        adopt(people[7], thief)


def test_only_an_identity_is_handed_over(identities, creator, next_key, thief, prepared, adopt):
    adopt(creator, next_key)
    with ape.reverts(identities.NotIdentity, key=next_key, identity=creator):
        adopt(next_key, thief)


def test_an_adopted_key_does_not_guard_itself(identities, creator, next_key, prepared, adopt):
    with ape.reverts(identities.BadGuardian, guardian=next_key):
        adopt(creator, next_key, guardian=next_key)


def test_only_the_new_key_signs_its_adoption(identities, registry, creator, next_key, thief, prepared):
    words = (creator.address, next_key.address, ZERO, NOBODY)
    message = dict(zip(("identity", "key", "commitment", "guardian"), words, strict=True))
    bad = [
        sign(creator, identities, "Adoption", message),
        sign(next_key, identities, "Adoption", message | {"guardian": thief.address}),
        sign(next_key, identities, "Adoption", message | {"commitment": sha256("x")}),
        sign(next_key, identities, "Adoption", message | {"identity": thief.address}),
        sign(next_key, identities, "Adoption", message, chainId=1),
        sign(next_key, identities, "Adoption", message, verifyingContract=registry.address),
        b"",
    ]
    for signature in bad:
        with ape.reverts(identities.BadAdoptionSignature, key=next_key):
            identities.rotate(words, signature, sender=creator)


def test_a_smart_wallet_is_adopted(identities, creator, next_key, wallet_type):
    wallet = next_key.deploy(wallet_type, next_key)
    identities.register(commitment_to(wallet.address), NOBODY, sender=creator)
    words = (creator.address, wallet.address, ZERO, NOBODY)
    message = dict(zip(("identity", "key", "commitment", "guardian"), words, strict=True))
    identities.rotate(words, sign(next_key, identities, "Adoption", message), sender=creator)
    assert identities.currentOf(creator) == wallet


# markCompromised, suspect


def test_key_or_guardian_marks_once(identities, creator, guardian, thief, prepared):
    with ape.reverts(identities.NotAllowed, caller=thief, expected=guardian):
        identities.markCompromised(creator, sender=thief)
    marked = identities.markCompromised(creator, sender=guardian)
    assert marked.events == [identities.Compromised(identity=creator, key=creator, by=guardian)]
    assert identities.keyOf(creator) == (creator, marked.timestamp, 0)
    for sender in (creator, guardian):
        with ape.reverts(identities.KeyCutOff, key=creator, cutoff=marked.timestamp):
            identities.markCompromised(creator, sender=sender)


def test_a_key_without_an_identity_marks_itself(identities, creator, thief):
    with ape.reverts(identities.NotAllowed, caller=thief, expected=NOBODY):
        identities.markCompromised(creator, sender=thief)
    marked = identities.markCompromised(creator, sender=creator)
    assert identities.resolve(creator) == (creator, creator, marked.timestamp)


def test_commitment_and_guardian_survive_a_mark(identities, creator, next_key, guardian, prepared):
    before = identities.identityOf(creator)
    identities.markCompromised(creator, sender=creator)
    assert identities.identityOf(creator) == before


def test_the_guardian_suspects_an_ended_key_ever_earlier(identities, creator, guardian, thief, prepared):
    with ape.reverts(identities.BadSuspicion, **{"from": 1}):
        identities.suspect(creator, 1, sender=guardian)
    cutoff = identities.markCompromised(creator, sender=creator).timestamp
    for sender in (creator, thief):
        with ape.reverts(identities.NotAllowed, caller=sender, expected=guardian):
            identities.suspect(creator, 1, sender=sender)
    for bad in (0, cutoff, cutoff + 1):
        with ape.reverts(identities.BadSuspicion, **{"from": bad}):
            identities.suspect(creator, bad, sender=guardian)
    noted = identities.suspect(creator, cutoff - 10, sender=guardian)
    assert [(e.identity, e.key, e["from"]) for e in noted.events] == [(creator, creator, cutoff - 10)]
    with ape.reverts(identities.BadSuspicion, **{"from": cutoff - 10}):
        identities.suspect(creator, cutoff - 10, sender=guardian)
    identities.suspect(creator, cutoff - 11, sender=guardian)
    assert identities.keyOf(creator) == (creator, cutoff, cutoff - 11)


# recover, cancel


def test_the_guardian_recovers_after_a_week(identities, creator, guardian, people, guarded, adopt, after):
    new = people[7]
    cutoff = identities.markCompromised(creator, sender=guardian).timestamp
    asked = adopt(creator, new, guardian, "recover", guardian=guardian)
    assert (asked.events[0].change, asked.events[0].readyAt) == (RECOVERY, asked.timestamp + WEEK)
    with ape.reverts(identities.TooEarly, readyAt=asked.timestamp + WEEK):
        adopt(creator, new, guardian, "recover", guardian=guardian)
    with ape.reverts(identities.KeyCutOff, key=creator, cutoff=cutoff):
        identities.cancel(creator, sender=creator)
    after(WEEK)
    done = adopt(creator, new, guardian, "recover", guardian=guardian)
    assert [e.event_name for e in done.events] == ["Adopted"]
    assert identities.resolve(creator) == (creator, new, cutoff)


def test_nobody_else_recovers(identities, creator, guardian, thief, people, guarded, adopt):
    for sender in (creator, thief):
        with ape.reverts(identities.NotAllowed, caller=sender, expected=guardian):
            adopt(creator, people[7], sender, "recover")
    with ape.reverts(identities.NotAllowed, caller=thief, expected=NOBODY):
        adopt(people[8], people[7], thief, "recover")


def test_a_good_key_or_the_guardian_cancels_all(identities, creator, guardian, thief, people, guarded, adopt):
    with ape.reverts(identities.NothingWaits, identity=creator):
        identities.cancel(creator, sender=creator)
    for sender in (creator, guardian):
        adopt(creator, people[7])
        identities.register(sha256("new"), NOBODY, sender=creator)
        adopt(creator, people[7], guardian, "recover")
        with ape.reverts(identities.NotAllowed, caller=thief, expected=creator):
            identities.cancel(creator, sender=thief)
        receipt = identities.cancel(creator, sender=sender)
        assert receipt.events == [identities.Cancelled(identity=creator, by=sender)]
        assert not any(waiting(identities, creator, change) for change in range(3))


# Attacks of DESIGN §3


def test_a_thief_of_a_prepared_key_never_takes_the_name(
    identities, creator, next_key, guardian, thief, prepared, adopt, after
):
    """The thief holds the creator's key: all he schedules is void when the committed key answers within the week."""
    identities.register(commitment_to(thief), thief, sender=creator)
    with ape.reverts(identities.NotCommittedKey):
        adopt(creator, thief)
    after(WEEK - 60)
    adopt(creator, next_key, commitment=sha256("third"), guardian=guardian)
    after(WEEK)
    with ape.reverts(identities.NotAllowed, caller=creator, expected=next_key):
        identities.register(commitment_to(thief), thief, sender=creator)
    with ape.reverts(identities.NotCommittedKey):
        adopt(creator, thief)
    assert identities.currentOf(creator) == next_key


def test_a_thief_who_marks_first_ends_the_key_only(identities, creator, next_key, guardian, prepared, adopt):
    identities.markCompromised(creator, sender=creator)
    adopt(creator, next_key)
    assert identities.currentOf(creator) == next_key


def test_a_guardian_vetoes_a_thiefs_registration(identities, creator, guardian, thief, prepared, after):
    identities.register(commitment_to(thief), thief, sender=creator)
    identities.cancel(creator, sender=guardian)
    after(WEEK)
    again = identities.register(commitment_to(thief), thief, sender=creator)
    assert again.events[0].readyAt == again.timestamp + WEEK


def test_a_bad_guardian_loses_to_the_committed_key(
    identities, creator, next_key, guardian, thief, prepared, adopt, after
):
    adopt(creator, thief, guardian, "recover")
    identities.markCompromised(creator, sender=guardian)
    after(WEEK - 60)
    adopt(creator, next_key, commitment=sha256("third"))
    with ape.reverts(identities.NotAllowed, caller=guardian, expected=NOBODY):
        adopt(creator, thief, guardian, "recover")


def test_a_copied_adoption_serves_only_its_key(identities, creator, next_key, thief, prepared, adopt):
    """A front-runner sends the owner's adoption first: the owner's wish happens all the same, once."""
    adopt(creator, next_key, thief)
    with ape.reverts(identities.KeyUsed, key=next_key, identity=creator):
        adopt(creator, next_key)
