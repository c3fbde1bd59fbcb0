"""One event to one row. Pure: no chain, no database."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from countersign.canonical import dump_terms, objection_id, subject_of, text_hash, unpack_verdict, work_id
from countersign.chain.codec import Event
from countersign.records import ORIGINS, ZERO, Milestone, Terms, Work

__all__ = ["Row", "fold"]

Row = tuple[str, tuple[Any, ...]]
"""Table name and the values of its columns in :data:`~countersign.index.schema.EVENT_TABLES` order, place excluded."""

_ORIGIN_OF_HASH = {text_hash(term): term for term in ORIGINS}


def fold(event: Event, chain_id: int) -> Row | None:
    """The row an event on chain ``chain_id`` adds, or None for events that only repeat what another one says."""
    if event.name == "Objected":
        return _objected(event, chain_id)
    handler = _HANDLERS.get(event.name)
    return handler(event.arguments) if handler else None


def _objected(event: Event, chain_id: int) -> Row:
    said = tuple(event.arguments[name] for name in ("content", "objector", "evidence"))
    return "objections", (*said, event.arguments["uri"], objection_id(chain_id, event.log.address, *said))


def _sealed(a: dict[str, Any]) -> Row:
    return "seals", (a["root"], a["sealer"])


def _claimed(a: dict[str, Any]) -> Row:
    w = a["work"]
    # A term outside the vocabulary is kept as the hash that is on chain.
    origin = _ORIGIN_OF_HASH.get(w["origin"], "0x" + w["origin"].hex())
    return "claims", (
        a["content"], a["creator"], a["sealer"], a["root"], a["sealedAt"], a["consentAt"], _work_id(w),
        w["fingerprint"], origin, w["model"], w["parents"], w["metadata"],
    )  # fmt: skip


def _work_id(w: dict[str, Any]) -> bytes:
    term = _ORIGIN_OF_HASH.get(w["origin"])
    if term is None:
        return ZERO
    return work_id(Work(w["content"], w["fingerprint"], term, w["model"], w["parents"], w["metadata"]))


def _published(a: dict[str, Any]) -> Row:
    m = a["model"]
    said = (m[name] for name in ("weights", "root", "card", "data", "licence", "parents", "metrics"))
    return "models", (a["modelId"], a["publisher"], *said)


def _ended(kind: str) -> Callable[[dict[str, Any]], Row]:
    return lambda a: ("model_endings", (a["modelId"], kind))


def _key_event(kind: str, detail: str) -> Callable[[dict[str, Any]], Row]:
    return lambda a: ("key_events", (a["identity"], a.get("key", a["identity"]), kind, a[detail]))


def _node_event(kind: str, amount: str, detail: str) -> Callable[[dict[str, Any]], Row]:
    return lambda a: ("node_events", (a.get("node", a.get("account")), kind, str(a.get(amount, 0)), a.get(detail, "")))


def _policy(a: dict[str, Any]) -> Row:
    t = a["terms"]
    money = (str(t[name]) for name in ("fee", "bond", "slash"))
    numbers = (t[name] for name in ("submitTime", "challengeTime", "rulingTime", "k", "passScore"))
    seats = b"".join(seat["node"] + seat["model"] for seat in t["seats"])
    return "policies", (a["policy"], a["check"], t["arbiter"], *money, *numbers, seats)


def _plain(table: str, *names: str) -> Callable[[dict[str, Any]], Row]:
    """A row with the event's arguments; numbers that may be large as text."""
    return lambda a: (table, tuple(str(a[name]) if name in _LARGE else a[name] for name in names))


def _submitted(a: dict[str, Any]) -> Row:
    v = unpack_verdict(a["verdict"])
    return "verdicts", (a["subject"], a["policy"], int(v.outcome), v.bound, v.signers, v.final_at)


_LARGE = {"amount", "taken", "disputeId", "toPayee", "toPayer"}


def _opened(a: dict[str, Any]) -> Row:
    t = dict(a["terms"])
    later = tuple(Milestone(*m.values()) for m in t.pop("milestones"))
    terms = Terms(milestones=later, **{_FIELD_OF[name]: value for name, value in t.items()})
    document = json.dumps(dump_terms(terms))
    money = (terms.token, str(terms.amount), terms.policy)
    return "deals", (a["dealId"], terms.payer, terms.payee, *money, document, a["briefUri"])


_FIELD_OF = {
    "".join(word.capitalize() if n else word for n, word in enumerate(f.name.split("_"))): f.name for f in fields(Terms)
}
"""Name of a field of Terms in Solidity → here."""


def _delivered(a: dict[str, Any]) -> Row:
    subject = subject_of(a["dealId"], a["milestone"], a["delivery"])
    return "deliveries", (a["dealId"], a["milestone"], a["delivery"], subject, a["uri"])


_HANDLERS: dict[str, Callable[[dict[str, Any]], Row]] = {
    "Sealed": _sealed,
    "Claimed": _claimed,
    "Retracted": lambda a: ("retractions", (a["content"], int(a["retracted"]))),
    "Published": _published,
    "Deprecated": _ended("deprecated"),
    "Revoked": _ended("revoked"),
    "Registered": _key_event("registered", "guardian"),
    "Adopted": _key_event("adopted", "previous"),
    "Compromised": _key_event("compromised", "by"),
    "Suspected": _key_event("suspected", "from"),
    "Scheduled": _key_event("scheduled", "readyAt"),
    "Cancelled": _key_event("cancelled", "by"),
    "Joined": _node_event("joined", "stake", "encryptionKey"),
    "Left": _node_event("left", "none", "withdrawableAt"),
    "Slashed": _node_event("slashed", "taken", "beneficiary"),
    "StakeWithdrawn": _node_event("withdrawn", "amount", "none"),
    "PolicyCreated": _policy,
    "SeatSuspended": _plain("seat_suspensions", "policy", "seat", "by"),
    "Requested": _plain("requests", "subject", "policy", "requester", "round", "requestedAt", "suspended"),
    "Submitted": _submitted,
    "Challenged": _plain("challenges", "subject", "policy", "challenger", "disputeId", "rulingBy", "reason"),
    "VerdictRuled": _plain("verdict_rulings", "key", "stage", "outcome"),
    "EquivocationSlashed": _plain("equivocations", "subject", "policy", "node", "round", "taken"),
    "FeePaid": _plain("fee_payments", "subject", "policy", "account", "round", "amount"),
    "Opened": _opened,
    "Delivered": _delivered,
    "Disputed": _plain("deal_disputes", "dealId", "by", "disputeId", "rulingBy", "reason"),
    "DealRuled": _plain("deal_rulings", "dealId", "state"),
    "Paid": _plain("deal_payments", "dealId", "milestone", "cause", "toPayee", "toPayer"),
    "Credited": _plain("credits", "token", "account", "amount"),
    "Withdrawn": lambda a: ("credits", (a["token"], a["account"], str(-a["amount"]))),
}
