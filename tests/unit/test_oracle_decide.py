"""What a node does next: the rules of contracts/Oracle.sol, whose turn it is, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.canonical import attestation_digest, keccak, pack_attestation, text_hash
from countersign.chain.deployments import deal_contracts_on
from countersign.keys import ecdsa
from countersign.oracle.decide import (
    GRACE,
    OBJECTION,
    QUESTION,
    Allowed,
    Asked,
    Check,
    Ignore,
    Publish,
    SignedAttestation,
    Step,
    Submit,
    Wait,
    certified,
    next_step,
    turn_of,
)
from countersign.records import ZERO, Attestation, Outcome, Policy, Request, Seat

CONTRACTS = deal_contracts_on(31337)
KEYS = sorted((keccak(b"node %d" % n) for n in range(7)), key=ecdsa.address_of)
ADDRESSES = [ecdsa.address_of(key) for key in KEYS]
POLICY = bytes(19) + b"\x07"
ISSUED, PASS = 1_800_000_000, 50


def asked_of(seats: int = 5, k: int = 3, suspended: int = 0, **changes: object) -> Asked:
    policy = Policy(text_hash(QUESTION), tuple(Seat(a, ZERO) for a in ADDRESSES[:seats]), k, PASS, 100)
    return Asked(Request(keccak(b"subject"), POLICY, 0), ISSUED, suspended, replace(policy, **changes))  # type: ignore[arg-type]


def says(asked: Asked, seat: int, score: int, **changes: object) -> SignedAttestation:
    attestation = replace(Attestation(asked.request, score, ZERO, asked.issued_at), **changes)  # type: ignore[arg-type]
    return SignedAttestation(attestation, ecdsa.sign(KEYS[seat], attestation_digest(CONTRACTS, attestation)))


Known = dict[int, list[SignedAttestation]]


def unsigned(asked: Asked, scores: dict[int, Sequence[int]]) -> Known:
    """Without real signatures, where nobody looks at them."""
    blank = bytes(64) + b"\x1b"
    return {
        seat: [SignedAttestation(Attestation(asked.request, score, ZERO, ISSUED), blank) for score in both]
        for seat, both in scores.items()
    }


def step(asked: Asked, seat: int = 0, now: float = ISSUED + 1, known: Known | None = None, mine: int | None = None,
         since: float | None = None, allowed: Allowed | None = None) -> Step:  # fmt: skip
    mark = unsigned(asked, {seat: [mine]})[seat][0] if mine is not None else None
    on_list = allowed or Allowed(frozenset([POLICY]))
    return next_step(asked, ADDRESSES[seat], on_list, now, mark, known or {}, since, 2.0)


def test_a_life() -> None:
    asked = asked_of()
    assert step(asked) == Check()
    assert step(asked, mine=90) == Publish()
    known = unsigned(asked, {0: [90], 3: [80]})
    assert step(asked, mine=90, known=known) == Wait(asked.deadline)
    known |= unsigned(asked, {4: [70]})
    assert isinstance(step(asked, mine=90, known=known, since=ISSUED + 1), Wait)  # others may know less yet
    steps = [step(asked, seat, known=known, since=ISSUED) for seat in range(5)]
    assert sum(isinstance(each, Submit) for each in steps) == 1
    assert sorted(each.until for each in steps if isinstance(each, Wait)) == [
        ISSUED + 2 * (n + GRACE) for n in (1, 2, 3, 4)
    ]


def test_a_node_answers_one_question_only() -> None:
    on_list = {question: Allowed(frozenset([POLICY]), question=question) for question in (QUESTION, OBJECTION)}
    for asked_for in on_list:
        asked = asked_of(check=text_hash(asked_for))
        steps = {question: step(asked, allowed=allowed) for question, allowed in on_list.items()}
        assert steps.pop(asked_for) == Check()
        assert [isinstance(each, Ignore) and "another question" in each.reason for each in steps.values()] == [True]


def test_the_list_holds_policies_or_arbiters() -> None:
    arbiter = bytes(19) + b"\x09"
    asked = asked_of(arbiter=arbiter)
    assert isinstance(step(asked, allowed=Allowed(frozenset([arbiter]))), Ignore)
    assert step(asked, allowed=Allowed(arbiters=frozenset([arbiter]))) == Check()
    assert isinstance(step(asked_of(), allowed=Allowed(arbiters=frozenset([arbiter]))), Ignore)


@pytest.mark.parametrize(
    ("asked", "seat", "now", "reason"),
    [
        (asked_of(), 6, ISSUED, "no seat"),
        (asked_of(suspended=1), 0, ISSUED, "suspended"),
        (asked_of(check=text_hash("something/1")), 0, ISSUED, "another question"),
        (asked_of(), 0, ISSUED + 101, "is over"),
    ],
)
def test_what_is_ignored(asked: Asked, seat: int, now: float, reason: str) -> None:
    ignored = step(asked, seat, now)
    assert isinstance(ignored, Ignore) and reason in ignored.reason
    assert step(asked_of(), 0, ISSUED + 100) == Check()


scores = st.dictionaries(st.integers(0, 6), st.lists(st.integers(0, 100), min_size=1, max_size=2))


@given(scores, st.integers(1, 7), st.integers(0, 127), st.data())
def test_a_side_is_certified_as_the_contract_does(
    said: dict[int, list[int]], seats: int, suspended: int, data: st.DataObject
) -> None:
    """Against counting every subset, as one who may submit any of them could."""
    k = data.draw(st.integers(seats // 2 + 1, seats))
    asked = asked_of(seats, k, suspended)
    said = {seat: scores for seat, scores in said.items() if seat < seats}
    able = [seat for seat in said if not suspended >> seat & 1]
    for outcome, needed, fits in (
        (Outcome.PASS, k, lambda score: score >= PASS),
        (Outcome.FAIL, seats - k + 1, lambda score: score < PASS),
    ):
        possible = [c for c in combinations(sorted(able), needed) if all(any(map(fits, said[s])) for s in c)]
        side = certified(asked, unsigned(asked, said), outcome)
        assert bool(possible) == (side is not None and side.outcome == outcome)
        if possible and side:
            assert side.signers in {sum(1 << seat for seat in those) for those in possible}
            packed = [side.attestations[at : at + 97] for at in range(0, len(side.attestations), 97)]
            assert len(packed) == needed and all(fits(one[0]) for one in packed)
            assert sorted(turn_of(asked, side, seat) for seat in range(seats)) == list(range(seats))


def test_of_more_attestations_than_needed_each_is_paid_in_some_request() -> None:
    signers = set[int]()
    for number in range(60):
        asked = replace(asked_of(), request=Request(keccak(b"subject %d" % number), POLICY, 0))
        side = certified(asked, unsigned(asked, {seat: [90] for seat in range(5)}), Outcome.PASS)
        assert side and side.signers.bit_count() == 3
        signers |= {seat for seat in range(5) if side.signers >> seat & 1}
    assert signers == set(range(5))


@given(scores.filter(lambda said: all(len(both) == 1 for both in said.values())), st.integers(1, 7), st.data())
def test_without_equivocation_only_one_side_can_exist(
    said: dict[int, list[int]], seats: int, data: st.DataObject
) -> None:
    asked = asked_of(seats, data.draw(st.integers(seats // 2 + 1, seats)))
    known = unsigned(asked, {seat: scores for seat, scores in said.items() if seat < seats})
    assert certified(asked, known, Outcome.PASS) == certified(asked, known, Outcome.FAIL)


def test_one_down_and_two_lying_make_no_fail() -> None:
    asked = asked_of()
    assert certified(asked, unsigned(asked, {0: [0], 1: [0], 3: [90], 4: [90]}), Outcome.FAIL) is None


def test_signers_submit_first_and_another_begins_each_time() -> None:
    first = set()
    for subject in range(20):
        asked = replace(asked_of(), request=Request(keccak(b"%d" % subject), POLICY, 0))
        side = certified(asked, unsigned(asked, {1: [90], 2: [90], 4: [90]}), Outcome.PASS)
        assert side and {turn_of(asked, side, seat) for seat in (1, 2, 4)} == {0, 1, 2}
        first |= {seat for seat in range(5) if turn_of(asked, side, seat) == 0}
    assert first == {1, 2, 4}


def test_only_a_seat_may_speak_and_only_to_this_request() -> None:
    asked = asked_of(suspended=0b100)
    good = says(asked, 1, 90)
    assert asked.signer_of(good, CONTRACTS) == 1
    assert good.packed == pack_attestation(90, ZERO, good.signature)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    high = (order - int.from_bytes(good.signature[32:64], "big")).to_bytes(32, "big")
    refused = [
        says(asked, 2, 90),
        says(asked, 6, 90),
        says(asked, 1, 101),
        says(asked, 1, 90, issued_at=ISSUED + 1),
        says(asked, 1, 90, request=replace(asked.request, round=1)),
        says(asked, 1, 90, request=replace(asked.request, policy=bytes(20))),
        replace(good, attestation=replace(good.attestation, score=80)),
        replace(good, signature=good.signature[:32] + high + bytes([55 - good.signature[64]])),
        replace(good, signature=bytes(65)),
    ]
    assert [asked.signer_of(one, CONTRACTS) for one in refused] == [None] * len(refused)
    assert asked.signer_of(good, deal_contracts_on(1)) is None
    assert asked.signer_of(good, replace(CONTRACTS, oracle=bytes(20))) is None
