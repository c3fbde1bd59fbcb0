"""What a node gathers about an objection: both works by their digests, and an order that only the chain may tell."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

import pytest

from countersign.errors import CountersignError, InputError
from countersign.oracle.config import NodeConfig
from countersign.oracle.decide import OBJECTION, QUESTION
from countersign.oracle.material import Source
from countersign.oracle.sight import Notice
from countersign.records import Claim
from countersign.seal.objection import Answer, Exhibit, Grounds, dump_evidence, evidence_digest, inline_uri

MINE, THEIRS = b"my work", b"their work"
OBJECTOR, CLAIMANT, HEIR = (bytes([n]) * 20 for n in (1, 2, 3))


def digest(work: bytes) -> bytes:
    return sha256(work).digest()


def exhibit(work: bytes, *copies: str) -> Exhibit:
    uri = "data:;base64," + base64.b64encode(work).decode()
    return Exhibit(digest(work), copies or (uri,))


class Chain:
    """Claims by content; HEIR is a later key of OBJECTOR's identity."""

    chain_id = 31337

    def __init__(self, mine: Claim | None, theirs: Claim | None = Claim(CLAIMANT, 20, 20, 0)) -> None:  # noqa: B008
        self._claims = {digest(MINE): mine, digest(THEIRS): theirs}

    def claim_of(self, content: bytes) -> Claim | None:
        return self._claims.get(content)

    def root_of(self, key: bytes) -> bytes:
        return OBJECTOR if key == HEIR else key


class Sight:
    def __init__(self, said: Grounds | Answer, by: bytes, uri: str | None) -> None:
        document = dump_evidence(said)
        self._notice = Notice(digest(THEIRS), by, evidence_digest(document), uri or inline_uri(document))

    def objection(self, _: bytes) -> Notice:
        return self._notice


def gathered(chain: Chain, said: Grounds | Answer | None = None, by: bytes = OBJECTOR, uri: str | None = None) -> Any:
    grounds = said or Grounds("similar work", exhibit(THEIRS), exhibit(MINE))
    sight: Any = Sight(grounds, by, uri)
    client: Any = chain
    return Source(sight, client, OBJECTION, None, 1.0).material(bytes(32))


@pytest.mark.parametrize("by", [OBJECTOR, HEIR])
def test_both_works_and_their_order(by: bytes) -> None:
    found = gathered(Chain(Claim(OBJECTOR, 10, 10, 0)), by=by)
    assert (found.content, found.reference) == (THEIRS, MINE)
    assert (found.precedence.own, found.precedence.disputed) == (10, 20) and found.precedence.earlier


@pytest.mark.parametrize(
    "mine",
    [None, Claim(CLAIMANT, 10, 10, 0), Claim(OBJECTOR, 10, 10, 1), Claim(OBJECTOR, 20, 20, 0)],
    ids=["unclaimed", "another's", "retracted", "not earlier"],
)
def test_without_an_earlier_claim_of_ones_own_no_copy_is_even_fetched(mine: Claim | None) -> None:
    unreachable = Grounds("similar work", exhibit(THEIRS, "ftp://no"), exhibit(MINE, "ftp://no"))
    found = gathered(Chain(mine), unreachable)
    assert not found.precedence.earlier and found.reference is None


@pytest.mark.parametrize(
    "said",
    [
        Answer(bytes(32), "No."),
        Grounds("other", exhibit(THEIRS), statement="I dislike it."),
        Grounds("similar work", exhibit(b"a third work"), exhibit(MINE)),
        Grounds("similar work", exhibit(THEIRS), exhibit(MINE, "data:,another%20work")),
        Grounds("similar work", Exhibit(digest(THEIRS)), exhibit(MINE)),
    ],
    ids=["an answer", "no work", "about another content", "other bytes", "no copy"],
)
def test_what_cannot_be_compared_is_not_judged(said: Grounds | Answer) -> None:
    with pytest.raises(CountersignError):
        gathered(Chain(Claim(OBJECTOR, 10, 10, 0)), said)


def test_the_claimants_own_notice_is_no_objection() -> None:
    with pytest.raises(InputError, match="the claimant's own"):
        gathered(Chain(Claim(CLAIMANT, 10, 10, 0)), by=CLAIMANT)


def test_evidence_with_another_digest_is_refused() -> None:
    with pytest.raises(InputError, match="serves other bytes"):
        gathered(Chain(Claim(OBJECTOR, 10, 10, 0)), uri="data:,%7B%7D")


def test_the_second_copy_serves_where_the_first_does_not() -> None:
    own = Exhibit(digest(MINE), ("ftp://no", *exhibit(MINE).copies))
    assert gathered(Chain(Claim(OBJECTOR, 10, 10, 0)), Grounds("similar work", exhibit(THEIRS), own)).reference == MINE


def test_the_check_decides_which_question_a_node_answers() -> None:
    questions = {check: NodeConfig(check, "test:1").allowed.question for check in ("prior-work", "file-type")}
    assert questions == {"prior-work": OBJECTION, "file-type": QUESTION}
