"""Objections without a chain: what their documents say, who answers whom, and that strangers cannot hide those that
matter."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from test_index import CONTENT, HEIR, HERE, OWNER, THIEF, ask, claimed, event, put

from countersign.canonical import objection_id, text_hash
from countersign.chain.codec import Event
from countersign.cli.credentials import described
from countersign.cli.text import one_line
from countersign.errors import InputError
from countersign.fingerprint.c2pa.reading import Credentials
from countersign.index.store import Store
from countersign.objections import indexed, ruling_words, summary
from countersign.records import ZERO, Outcome, Policy, Seat, Stage, Verdict
from countersign.seal.objection import (
    KINDS,
    Answer,
    Exhibit,
    Grounds,
    dump_evidence,
    evidence_digest,
    inline_uri,
    load_evidence,
)

STRANGER = b"\xa9" * 20
REGISTRY = bytes(20)
"""Address of the logs in test_index."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "index.sqlite", HERE)


# Documents

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
digests = st.binary(min_size=32, max_size=32)
exhibits = st.builds(Exhibit, digests, st.lists(texts, max_size=8).map(tuple))
documents = st.one_of(
    st.builds(Answer, digests, texts, digests, texts),
    st.builds(Grounds, st.sampled_from(KINDS), exhibits, st.none() | exhibits, digests, texts, texts),
)


@given(documents)
def test_a_document_comes_back_as_it_was_said(said: Answer | Grounds) -> None:
    document = dump_evidence(said)
    assert load_evidence(document) == said
    assert evidence_digest(document) == sha256(document).digest()
    assert dump_evidence(load_evidence(document)) == document


GOOD = json.loads(dump_evidence(Grounds("similar work", Exhibit(CONTENT), Exhibit(ZERO))))


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.none() | st.integers() | st.text() | st.lists(st.text())))
def test_a_changed_document_is_read_or_refused_in_words(changes: dict[str, Any]) -> None:
    try:
        load_evidence(json.dumps(GOOD | changes).encode())
    except InputError as refused:
        assert "no objection that can be read" in refused.message or "is not 32 bytes of hex" in refused.message


@pytest.mark.parametrize(
    "document",
    [b"", b"null", b"[" * 99_999, b"\xff", json.dumps(GOOD | {"statement": "\ud800"}).encode(), b" " * 20_000,
     json.dumps(GOOD | {"disputed": {"content": "0x" + "00" * 32, "copies": ["x"] * 9}}).encode()],
)  # fmt: skip
def test_what_is_none_is_refused(document: bytes) -> None:
    with pytest.raises(InputError):
        load_evidence(document)


def test_the_id_binds_chain_registry_content_objector_and_evidence() -> None:
    kind = keccak(b"Objection(uint256 chainId,address registry,bytes32 content,address objector,bytes32 evidence)")
    words = [kind, 31337, "0x" + HERE.registry.hex(), CONTENT, "0x" + THIEF.hex(), ZERO]
    packed = encode(["bytes32", "uint256", "address", "bytes32", "address", "bytes32"], words)
    assert objection_id(31337, HERE.registry, CONTENT, THIEF, ZERO) == keccak(packed)


def test_a_strangers_words_stay_on_one_line() -> None:
    assert one_line("a\nb\x1b[31m\u202ec") == "a b\ufffd[31m\ufffdc"


def test_what_a_manifest_says_stays_on_its_line() -> None:
    said = Credentials("untrusted", "Eve\nstate        valid, signer trusted", generator="x\x1b[2J")
    assert [line.split()[0] for line in described(said, None)] == ["state", "signer", "made"]
    assert "\x1b" not in "".join(described(said, None))
    assert one_line("é" * 9, 4) == "éééé…"


# Who answers whom


def objected(by: bytes, document: bytes = b"", uri: str = "") -> Event:
    said = evidence_digest(document) if document else ZERO
    return event("Objected", content=CONTENT, objector=by, evidence=said, uri=uri)


def answered(to: bytes, by: bytes = OWNER) -> Event:
    document = dump_evidence(Answer(to, "I have a licence."))
    return objected(by, document, inline_uri(document))


def test_an_answer_names_its_objection_any_key_of_the_identity_gives_it(store: Store) -> None:
    first, second = (objection_id(31337, REGISTRY, CONTENT, who, ZERO) for who in (THIEF, STRANGER))
    adopted = event("Adopted", identity=OWNER, key=HEIR, previous=OWNER)
    put(store, claimed(OWNER, 9), objected(THIEF), objected(STRANGER), adopted, answered(first, HEIR))
    by_id = {one.notice.id: one for one in indexed(ask(store), None, CONTENT)}
    assert [reply.statement for reply in by_id[first].replies] == ["I have a licence."]
    assert not by_id[second].answered
    words = summary(list(by_id.values()), 0, str)
    assert words.startswith("Objected to: 2 objections against the claim, 1 unanswered.")


def test_an_answer_that_would_have_to_be_fetched_counts_for_what_was_said_before_it(store: Store) -> None:
    reply = objected(OWNER, b"some letter", "https://owner.example/letter")
    put(store, claimed(OWNER, 9), objected(THIEF), reply, objected(STRANGER))
    answered_ones = {one.notice.objector: one.answered for one in indexed(ask(store), None, CONTENT)}
    assert answered_ones == {THIEF: True, STRANGER: False}


def test_said_again_it_is_the_same_one_at_its_newest_address(store: Store) -> None:
    put(store, claimed(OWNER, 9), objected(THIEF, b"x"), objected(STRANGER), objected(THIEF, b"x", "https://t.example"))
    first, _ = indexed(ask(store), None, CONTENT)
    assert (first.notice.objector, first.notice.uri, first.notice.place) == (THIEF, "https://t.example", (2, 0))
    row = ask(store).objection(first.notice.id)
    assert row and row["uri"] == "https://t.example"
    assert ask(store).objection(ZERO) is None and indexed(ask(store), None, ZERO) == []


def test_forged_inline_evidence_is_not_shown(store: Store) -> None:
    shown, other = (dump_evidence(Grounds("other", Exhibit(CONTENT), statement=text)) for text in ("a", "b"))
    put(store, claimed(OWNER, 9), objected(THIEF, shown, inline_uri(other)))
    assert indexed(ask(store), None, CONTENT)[0].notice.said is None


# Which come first


class Chain:
    """What a client says of policies and verdicts."""

    def __init__(self, **policies: tuple[Policy, Outcome]) -> None:
        self._policies = {bytes.fromhex(name[1:]) * 20: found for name, found in policies.items()}

    def policy_of(self, policy: bytes) -> Policy:
        return self._policies[policy][0]

    def verdict(self, subject: bytes, policy: bytes) -> Verdict:
        return Verdict(1, 5, 0, 0, 0, 0, 0, 0, self._policies[policy][1], Stage.UNCHALLENGED)

    def verdict_of(self, subject: bytes, policy: bytes) -> tuple[Outcome, int, int]:
        return self._policies[policy][1], 5, 7


def policy(slash: int, question: str = "objection/1") -> Policy:
    return Policy(text_hash(question), tuple(Seat(bytes([n]) * 20, ZERO) for n in range(3)), 2, 50, 60, slash=slash)


def asked(who: bytes, of: bytes) -> Event:
    subject = objection_id(31337, REGISTRY, CONTENT, who, ZERO)
    return event("Requested", subject=subject, policy=of, requester=who, round=0, requestedAt=1, suspended=0)


def test_strangers_cannot_hide_what_was_upheld_nor_an_earlier_sealer(store: Store) -> None:
    crowd = [objected(bytes([1, n]) * 10) for n in range(100)]
    sealed = event("Sealed", root=ZERO, sealer=HEIR)
    verdicts = [asked(THIEF, b"\x01" * 20), asked(STRANGER, b"\x02" * 20), asked(bytes([1, 0]) * 10, b"\x03" * 20)]
    put(store, sealed, claimed(OWNER, 1050), *crowd, objected(HEIR), objected(THIEF), objected(STRANGER), *verdicts)
    chain: Any = Chain(
        p01=(policy(10**17), Outcome.PASS), p02=(policy(0), Outcome.PASS), p03=(policy(5, "delivery/1"), Outcome.PASS)
    )
    found = indexed(ask(store), chain, CONTENT)
    assert len(found) == 103
    assert [one.notice.objector for one in found[:3]] == [THIEF, STRANGER, HEIR]  # a cheap committee comes second
    assert found[3].rulings == ()  # another question was asked
    words = ruling_words(found[0].rulings[0], 6, str)
    assert f"a committee of 3 (policy 0x{'01' * 20}, {10**17} at stake each) upheld it on" in words
    assert "that may change until" in words and "may change" not in ruling_words(found[0].rulings[0], 8, str)
    assert "And 100 more" in summary(found, 8, str)
