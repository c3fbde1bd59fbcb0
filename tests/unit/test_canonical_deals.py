"""Policies, attestations, verdicts and deals as bytes: against the shared vectors, and there and back again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import astuple, fields
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from countersign import canonical
from countersign.canonical.deals import ATTESTATION_SIZE
from countersign.errors import InputError
from countersign.keys.ecdsa import recover
from countersign.records import (
    Attestation,
    DealContracts,
    Milestone,
    Outcome,
    Policy,
    Request,
    Seat,
    Stage,
    Terms,
    Verdict,
)

Case = dict[str, Any]


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def record_of(fields: Case) -> Case:
    """Fields of a vector under the names of our records, as bytes."""
    snake = {"".join("_" + c.lower() if c.isupper() else c for c in name): value for name, value in fields.items()}
    return {name: raw(value) if str(value).startswith("0x") else value for name, value in snake.items()}


def policy_of(case: Case) -> Policy:
    plain = record_of(case["policy"]) | {name: int(case["policy"][name]) for name in ("fee", "bond", "slash")}
    return Policy(**plain | {"seats": tuple(Seat(**record_of(seat)) for seat in case["policy"]["seats"])})


def request_of(case: Case) -> Request:
    return Request(**record_of(case["request"]))


@pytest.fixture(scope="module")
def deals(vectors: Callable[[str], Any]) -> Any:
    return vectors("deals")


@pytest.fixture(scope="module")
def contracts(deals: Any) -> DealContracts:
    return DealContracts(deals["chainId"], *(raw(deals[name]) for name in ("nodes", "oracle", "escrow")))


# The vectors


def test_policies_are_the_vectors(deals: Any, contracts: DealContracts) -> None:
    assert [len(case["policy"]["seats"]) for case in deals["policies"]] == [1, 5, 32]
    for case in deals["policies"]:
        assert canonical.policy_address(contracts, policy_of(case)) == raw(case["address"])


def test_requests_are_the_vectors(deals: Any) -> None:
    assert deals["requests"]
    for case in deals["requests"]:
        request = request_of(case)
        assert canonical.request_hash(request) == raw(case["structHash"])
        assert canonical.verdict_key(request.subject, request.policy) == raw(case["verdictKey"])


def test_attestations_are_the_vectors(deals: Any, contracts: DealContracts) -> None:
    for case in deals["attestations"]:
        said, signature = case["attestation"], raw(case["signature"])
        score, evidence = said["score"], raw(said["evidence"])
        digest = canonical.attestation_digest(
            contracts, Attestation(request_of(said), score, evidence, said["issuedAt"])
        )
        assert digest == raw(case["digest"])
        assert recover(digest, signature) == raw(case["node"])
        assert canonical.pack_attestation(score, evidence, signature) == raw(case["packed"])
        assert canonical.unpack_attestation(raw(case["packed"])) == (score, evidence, signature)
    assert {case["signature"][-2:] for case in deals["attestations"]} == {"1b", "1c"}, "both parities must occur"


def test_verdicts_are_the_vectors(deals: Any) -> None:
    assert {case["verdict"]["outcome"] for case in deals["verdicts"]} == set(Outcome)
    for case in deals["verdicts"]:
        assert canonical.unpack_verdict(int(case["word"], 16)) == Verdict(**record_of(case["verdict"]))


def test_terms_are_the_vectors(deals: Any, contracts: DealContracts) -> None:
    assert [len(case["terms"]["milestones"]) for case in deals["terms"]] == [0, 1, 3]
    for case in deals["terms"]:
        terms = canonical.load_terms(case["terms"])
        assert canonical.deal_id(contracts, terms) == raw(case["dealId"])
        assert json.dumps(canonical.dump_terms(terms)) == json.dumps(case["terms"]), "names in the order of EIP-712"


def test_subjects_are_the_vectors(deals: Any) -> None:
    assert len({case["subject"] for case in deals["subjects"]}) == len(deals["subjects"]) - 1
    for case in deals["subjects"]:
        deal, delivery = raw(case["dealId"]), raw(case["delivery"])
        assert canonical.subject_of(deal, case["milestone"], delivery) == raw(case["subject"])


def test_amendments_are_the_vectors(deals: Any, contracts: DealContracts) -> None:
    assert deals["amendments"]
    for case in deals["amendments"]:
        both = raw(case["amendment"]["dealId"]), raw(case["amendment"]["newDealId"])
        digest = canonical.amendment_digest(contracts, *both)
        assert digest == raw(case["amend"]["digest"])
        assert recover(digest, raw(case["amend"]["signature"])) == raw(case["payer"])
        shown = encode_typed_data(full_message=canonical.amendment_typed_data(contracts, *both))
        assert keccak(b"\x19\x01" + shown.header + shown.body) == digest, "a wallet shows what is hashed"


# There and back


def uint(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, (1 << bits) - 1)


words, addresses, times = st.binary(min_size=32, max_size=32), st.binary(min_size=20, max_size=20), uint(40)
milestones = st.builds(Milestone, uint(256), times, times)
terms_of_any_kind = st.builds(
    Terms, addresses, addresses, uint(256), times, times, token=addresses, policy=addresses, brief=words,
    dispute_time=times, ruling_time=times, reveal_time=times, arbiter=addresses, silence_share=uint(16),
    milestones=st.lists(milestones, max_size=4).map(tuple), buyer_key=words, salt=words,
)  # fmt: skip


@given(terms_of_any_kind)
def test_terms_survive_their_json(terms: Terms) -> None:
    assert canonical.load_terms(json.loads(json.dumps(canonical.dump_terms(terms)))) == terms


@given(terms_of_any_kind, terms_of_any_kind)
def test_other_terms_are_another_deal(first: Terms, second: Terms) -> None:
    here = DealContracts(31337, b"\1" * 20, b"\2" * 20, b"\3" * 20)
    there = DealContracts(1, *astuple(here)[1:])
    assert (canonical.deal_id(here, first) == canonical.deal_id(here, second)) == (first == second)
    assert canonical.deal_id(here, first) != canonical.deal_id(there, first)


@given(uint(8), words, words, uint(255), st.sampled_from([27, 28]))
def test_attestations_survive_packing(score: int, evidence: bytes, r: bytes, s: int, v: int) -> None:
    signature = r + s.to_bytes(32, "big") + bytes([v])
    packed = canonical.pack_attestation(score, evidence, signature)
    assert len(packed) == ATTESTATION_SIZE
    assert canonical.unpack_attestation(packed) == (score, evidence, signature)


@given(st.binary(min_size=ATTESTATION_SIZE, max_size=ATTESTATION_SIZE))
def test_any_97_bytes_survive_unpacking(packed: bytes) -> None:
    assert canonical.pack_attestation(*canonical.unpack_attestation(packed)) == packed


WIDTHS = (40, 40, 40, 32, 32, 32, 8, 8, 8, 8)


@given(st.tuples(*map(uint, WIDTHS[:8])), st.sampled_from(Outcome), st.sampled_from(Stage))
def test_verdict_words_unpack(numbers: tuple[int, ...], outcome: Outcome, stage: Stage) -> None:
    requested, final, ruled, signers, suspended, paid, bound, number = numbers
    verdict = Verdict(requested, final, ruled, signers, suspended, paid, bound, number, outcome, stage)
    word = 0
    for field, width in reversed(list(zip(fields(Verdict), WIDTHS, strict=True))):
        word = word << width | getattr(verdict, field.name)
    assert canonical.unpack_verdict(word) == verdict


# Bad documents


def document() -> Case:
    party, other = b"\xab" * 20, b"\2" * 20
    terms = Terms(party, other, 5, 6, 7, milestones=(Milestone(1, 2, 3),), brief=b"\xcd" * 32)
    return canonical.dump_terms(terms)


def refused(broken: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        canonical.load_terms(broken)
    assert caught.value.message.endswith(".") and caught.value.next_step.endswith(".")
    assert len(str(caught.value)) < 600
    return caught.value


@pytest.mark.parametrize("broken", [None, [], "terms", 5, {}, {"terms": {}}], ids=str)
def test_what_is_no_terms_is_refused(broken: Any) -> None:
    refused(broken)


@pytest.mark.parametrize("name", document())
def test_a_missing_or_unknown_field_is_refused(name: str) -> None:
    whole = document()
    value = whole.pop(name)
    assert name in refused(whole).next_step
    refused({**whole, name.upper(): value})
    refused({**whole, name: value, "extra": 1})


_NO_ADDRESS: tuple[Any, ...] = ("", "0x", "0x12", "0x" + "g" * 40, "0x" + "Ab" * 20, "0x" + "ab" * 32, 5, None)
_NO_WORD: tuple[Any, ...] = ("", "0x12", "z" * 64, "0x" + "ab" * 20, 5, None, [])
_NO_TIME: tuple[Any, ...] = (-1, 1 << 40, 1.5, 6.0, True, None, "", "-1", "0x10", "1e3", "٣")
_NO_AMOUNT: tuple[Any, ...] = (-1, 1 << 256, str(1 << 256), 1.0, False, "1.5", " 1", "1_0", "9" * 10_000)
_NO_SHARE: tuple[Any, ...] = (-1, 1 << 16, "half", {}, [])
_NO_MILESTONES: tuple[Any, ...] = (None, {}, "none", 5, [None], [5], [{}], [[1, 2, 3]])
_WRONG = {
    **dict.fromkeys(("payer", "payee", "token", "policy", "arbiter"), _NO_ADDRESS),
    **dict.fromkeys(("brief", "buyerKey", "salt"), _NO_WORD),
    **dict.fromkeys(("deliverBy", "verdictBy", "disputeTime", "rulingTime", "revealTime"), _NO_TIME),
    "amount": _NO_AMOUNT,
    "silenceShare": _NO_SHARE,
    "milestones": _NO_MILESTONES,
}


def test_every_field_has_wrong_values() -> None:
    assert _WRONG.keys() == document().keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in _WRONG.items() for value in values],
    ids=lambda value: str(value)[:12],
)
def test_a_wrong_value_is_refused(name: str, value: Any) -> None:
    refused(document() | {name: value})


@pytest.mark.parametrize("name", ["amount", "deliverTime", "verdictTime"])
@pytest.mark.parametrize("value", [-1, 1 << 256, None, True, "x", 0.5])
def test_a_wrong_value_in_a_milestone_is_refused(name: str, value: Any) -> None:
    (milestone,) = document()["milestones"]
    error = refused(document() | {"milestones": [milestone | {name: value}]})
    assert name in error.message
    refused(document() | {"milestones": [milestone | {"extra": 1}]})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.data(), json_values)
def test_any_value_anywhere_is_terms_or_a_sentence(data: st.DataObject, value: Any) -> None:
    """Never another error: a terms file comes from a stranger."""
    broken = document()
    broken[data.draw(st.sampled_from(sorted(broken)))] = value
    try:
        terms = canonical.load_terms(broken)
    except InputError:
        return
    assert canonical.load_terms(canonical.dump_terms(terms)) == terms
