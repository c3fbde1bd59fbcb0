"""One event to one row. Pure: no chain, no database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from countersign.canonical import text_hash, work_id
from countersign.chain.codec import Event
from countersign.records import ORIGINS, ZERO, Work

__all__ = ["Row", "fold"]

Row = tuple[str, tuple[Any, ...]]
"""Table name and the values of its columns in :data:`~countersign.index.schema.EVENT_TABLES` order, place excluded."""

_ORIGIN_OF_HASH = {text_hash(term): term for term in ORIGINS}


def fold(event: Event) -> Row | None:
    """The row an event adds, or None for events that only repeat what another one says."""
    handler = _HANDLERS.get(event.name)
    return handler(event.arguments) if handler else None


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
    fields = (m[name] for name in ("weights", "root", "card", "data", "licence", "parents", "metrics"))
    return "models", (a["modelId"], a["publisher"], *fields)


def _ended(kind: str) -> Callable[[dict[str, Any]], Row]:
    return lambda a: ("model_endings", (a["modelId"], kind))


def _key_event(kind: str, detail: str) -> Callable[[dict[str, Any]], Row]:
    return lambda a: ("key_events", (a["identity"], a.get("key", a["identity"]), kind, a[detail]))


_HANDLERS: dict[str, Callable[[dict[str, Any]], Row]] = {
    "Sealed": _sealed,
    "Claimed": _claimed,
    "Retracted": lambda a: ("retractions", (a["content"], int(a["retracted"]))),
    "Objected": lambda a: ("objections", (a["content"], a["objector"], a["evidence"])),
    "Published": _published,
    "Deprecated": _ended("deprecated"),
    "Revoked": _ended("revoked"),
    "Registered": _key_event("registered", "guardian"),
    "Adopted": _key_event("adopted", "previous"),
    "Compromised": _key_event("compromised", "by"),
    "Suspected": _key_event("suspected", "from"),
    "Scheduled": _key_event("scheduled", "readyAt"),
    "Cancelled": _key_event("cancelled", "by"),
}
