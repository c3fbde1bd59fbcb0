"""Objections to a claim, with answers and verdicts beside them, those first that matter. For whoever shows them.

Anybody may object, and anybody may found a committee: what is listed here decides nothing. Found through the index, or
by asking a node where there is none; what a committee says now is asked of the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from countersign.canonical import checksum, objection_id, text_hash, to_hex
from countersign.chain.client import Client
from countersign.chain.codec import Event
from countersign.deal.fetch import fetch
from countersign.deal.flow import judged_on, policy_or_none
from countersign.errors import CountersignError
from countersign.index.query import Query
from countersign.oracle.decide import OBJECTION
from countersign.records import Claim, Outcome, Policy
from countersign.seal.objection import MAX_BYTES, Answer, Grounds, load_evidence
from countersign.times import utc

__all__ = ["Notice", "Objection", "Reply", "Ruling", "facts_of", "indexed", "on_chain", "ruling_words", "summary"]

_SHOWN = 3
"""Objections that one sentence tells of."""
_MOST_ASKED = 64
"""Verdicts that are looked up for one content: strangers can found committees without end."""
_AT_ONCE = 200
"""Values of one topic in one search for logs."""


@dataclass(frozen=True)
class Notice:
    """One ``Objected`` event. ``time`` is 0 where the node does not say it; ``place`` orders events."""

    id: bytes
    objector: bytes
    evidence: bytes
    uri: str
    time: int
    place: tuple[int, int]

    @property
    def said(self) -> Grounds | Answer | None:
        """What the evidence says, where it travels in its own URI; nothing is fetched."""
        if self.uri[:5].lower() != "data:" or len(self.uri) > 4 * MAX_BYTES:
            return None
        with suppress(CountersignError):
            return load_evidence(fetch(self.uri, self.evidence, limit=MAX_BYTES))
        return None


@dataclass(frozen=True)
class Ruling:
    """What a committee says of an objection, or that it was asked. ``time`` is finalAt; before ``effective_at`` an
    outcome may change."""

    address: bytes
    policy: Policy
    outcome: Outcome
    time: int
    effective_at: int

    @property
    def at_stake(self) -> int:
        """Wei that its nodes can lose together."""
        return self.policy.slash * len(self.policy.seats)


@dataclass(frozen=True)
class Reply:
    """A notice by the claimant's own identity. ``to`` is the objection that it answers, None when its evidence would
    have to be fetched to tell."""

    notice: Notice
    to: bytes | None
    statement: str


@dataclass(frozen=True)
class Objection:
    """A notice by anybody else. ``earlier``: its sender had sealed something before the disputed seal."""

    notice: Notice
    earlier: bool = False
    replies: tuple[Reply, ...] = ()
    rulings: tuple[Ruling, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the claimant answered this one, or may have: a reply whose target is not known counts."""
        return bool(self.replies)

    @property
    def upheld(self) -> Ruling | None:
        """The verdict for it with most at stake, or None."""
        passed = [ruling for ruling in self.rulings if ruling.outcome == Outcome.PASS]
        return max(passed, key=lambda ruling: ruling.at_stake, default=None)


@dataclass(frozen=True)
class _Found:
    """Raw material of a list: all notices, the claimant's keys, who sealed early, what was asked of whom."""

    notices: list[Notice]
    own: Collection[bytes]
    earlier: Collection[bytes]
    asked: list[tuple[bytes, bytes]] = field(default_factory=list)


# Where they are found


def indexed(query: Query, client: Client | None, content: bytes) -> list[Objection]:
    """Objections to the claim on a content by the index, those that matter first. Without a client, or where it does
    not answer, verdicts are left out."""
    claim = query.claim(content)
    if claim is None:
        return []
    notices = [_notice_of(row) for row in query.objections(content)]
    asked = [(row["subject"], row["policy"]) for row in query.requests_about_objections(content)]
    own, earlier = query.keys_of(claim["identity"]), query.earlier_objectors(content, claim["sealed_at"])
    return _listed(_Found(notices, own | {claim["creator"]}, earlier, asked), client)


def _notice_of(row: dict[str, Any]) -> Notice:
    said = (row["subject"], row["objector"], row["evidence"], row["uri"], row["time"])
    return Notice(*said, (row["block"], row["log_index"]))


def on_chain(client: Client, claim: Claim, content: bytes, first: int) -> list[Objection]:
    """The same by a node alone, from block ``first`` on. Raises ChainError where it does not search that far back."""
    logs = client.events(client.contracts.registry, "Objected", [content], first=first)
    if not logs:
        return []
    notices = [_notice(client, event) for event in logs]
    identity = client.root_of(claim.creator)
    adopted = client.events(client.contracts.identities, "Adopted", [identity])
    own = {claim.creator, identity, *(event.arguments["key"] for event in adopted)}
    objectors = list(dict.fromkeys(one.objector for one in notices if one.objector not in own))
    earlier = {
        event.arguments["sealer"]
        for some in _parts(objectors)
        for event in client.events(client.contracts.registry, "Sealed", None, some, last=max(first - 1, 0))
    }
    ids = list(dict.fromkeys(one.id for one in notices if one.objector not in own))
    asked = [
        (event.arguments["subject"], event.arguments["policy"])
        for some in _parts(ids)
        for event in client.events(client.deals.oracle, "Requested", some, first=first)
    ]
    return _listed(_Found(notices, own, earlier, list(dict.fromkeys(asked))), client)


def _notice(client: Client, event: Event) -> Notice:
    said = tuple(event.arguments[name] for name in ("content", "objector", "evidence"))
    named = objection_id(client.chain_id, client.contracts.registry, *said)
    log = event.log
    return Notice(named, said[1], said[2], event.arguments["uri"], log.time or 0, (log.block, log.index))


def _parts(values: list[bytes]) -> Iterable[list[bytes]]:
    return (values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE))


# Who answers whom, who judged what


def _listed(found: _Found, client: Client | None) -> list[Objection]:
    rulings = _rulings(found.asked[:_MOST_ASKED], client) if client else {}
    replies = [_reply(one) for one in found.notices if one.objector in found.own]
    others = _once([one for one in found.notices if one.objector not in found.own])
    listed = [
        Objection(
            one,
            one.objector in found.earlier,
            tuple(reply for reply in replies if _answers(reply, one)),
            tuple(rulings.get(one.id, ())),
        )
        for one in others
    ]
    return sorted(listed, key=_rank)


def _once(notices: list[Notice]) -> list[Notice]:
    """Said again, an objection stays where it was; only where its evidence is may be news."""
    first: dict[bytes, Notice] = {}
    for one in notices:
        held = first.get(one.id, one)
        first[one.id] = Notice(one.id, one.objector, one.evidence, one.uri, held.time, held.place)
    return list(first.values())


def _reply(notice: Notice) -> Reply:
    said = notice.said
    return Reply(notice, said.objection, said.statement) if isinstance(said, Answer) else Reply(notice, None, "")


def _answers(reply: Reply, objection: Notice) -> bool:
    return reply.to == objection.id if reply.to else reply.notice.place > objection.place


def _rank(one: Objection) -> tuple[int, bool, tuple[int, int]]:
    """Upheld ones first, most at stake first: a committee that costs nothing must not push others aside. Then those by
    people who had sealed before, then the oldest."""
    return -(one.upheld.at_stake + 1 if one.upheld else 0), not one.earlier, one.notice.place


def _rulings(asked: list[tuple[bytes, bytes]], client: Client) -> dict[bytes, list[Ruling]]:
    """What each committee says that was asked this question; none where the chain does not answer."""
    rulings: dict[bytes, list[Ruling]] = {}
    policies: dict[bytes, Policy | None] = {}
    for subject, address in asked:
        if address not in policies:
            policies[address] = policy_or_none(client, address)
        policy = policies[address]
        if policy and policy.check == text_hash(OBJECTION):
            said = judged_on(client, subject, address)
            ruling = Ruling(address, policy, said.outcome, said.final_at, said.effective_at)
            rulings.setdefault(subject, []).append(ruling)
    return rulings


# In words


_OUTCOMES = {Outcome.PASS: "upheld it", Outcome.FAIL: "did not uphold it"}


def ruling_words(ruling: Ruling, now: int, coin: Callable[[int], str]) -> str:
    """Who said what when, and what they can lose: "a committee of 3 (…) upheld it on …"."""
    who = f"a committee of {len(ruling.policy.seats)} (policy {checksum(ruling.address)}, "
    who += f"{coin(ruling.policy.slash)} at stake each)"
    if ruling.outcome not in _OUTCOMES:
        return f"{who} was asked and has not said"
    changes = f"; that may change until {utc(ruling.effective_at)}" if ruling.effective_at > now else ""
    return f"{who} {_OUTCOMES[ruling.outcome]} on {utc(ruling.time)}{changes}"


def summary(objections: list[Objection], now: int, coin: Callable[[int], str]) -> str:
    """One sentence for each of the first few, after the numbers."""
    unanswered = sum(not one.answered for one in objections)
    many = f"{len(objections)} objection{'s' * (len(objections) > 1)}"
    lines = [f"Objected to: {many} against the claim, {unanswered} unanswered."]
    lines += [_sentence(one, now, coin) for one in objections[:_SHOWN]]
    left = len(objections) - _SHOWN
    return " ".join(lines + ([f"And {left} more: countersign objections."] if left > 0 else []))


def _sentence(one: Objection, now: int, coin: Callable[[int], str]) -> str:
    when = f" on {utc(one.notice.time)}" if one.notice.time else ""
    first = f"By {checksum(one.notice.objector)}{when}, {'answered' if one.answered else 'unanswered'}"
    return "; ".join([first, *(ruling_words(ruling, now, coin) for ruling in one.rulings)]) + "."


def facts_of(one: Objection) -> dict[str, Any]:
    """JSON-ready."""
    said = one.notice.said
    return {
        **_notice_facts(one.notice),
        "id": to_hex(one.notice.id),
        "objector": checksum(one.notice.objector),
        "sealedEarlier": one.earlier,
        "kind": said.kind if isinstance(said, Grounds) else None,
        "statement": said.statement if isinstance(said, Grounds) else None,
        "ownWork": to_hex(said.own.content) if isinstance(said, Grounds) and said.own else None,
        "answers": [_reply_facts(reply) for reply in one.replies],
        "verdicts": [_ruling_facts(ruling) for ruling in one.rulings],
    }


def _notice_facts(notice: Notice) -> dict[str, Any]:
    return {"evidence": to_hex(notice.evidence), "uri": notice.uri, "time": notice.time}


def _reply_facts(reply: Reply) -> dict[str, Any]:
    target = to_hex(reply.to) if reply.to else None
    return {**_notice_facts(reply.notice), "to": target, "statement": reply.statement or None}


def _ruling_facts(ruling: Ruling) -> dict[str, Any]:
    return {
        "policy": checksum(ruling.address),
        "committee": len(ruling.policy.seats),
        "needed": ruling.policy.k,
        "atStakeEach": str(ruling.policy.slash),
        "outcome": {Outcome.PASS: "upheld", Outcome.FAIL: "not upheld"}.get(ruling.outcome, "none yet"),
        "time": ruling.time,
        "effectiveAt": ruling.effective_at,
    }
