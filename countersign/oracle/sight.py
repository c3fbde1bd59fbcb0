"""What a node sees of the chain: an index of its own, followed as any other, so that it catches up after downtime."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.canonical import load_terms
from countersign.chain.client import Client
from countersign.errors import InputError
from countersign.index.query import Query
from countersign.index.store import Store
from countersign.index.sync import catch_up
from countersign.oracle.decide import Asked
from countersign.records import Policy, Request, Seat, Terms

__all__ = ["Delivery", "Notice", "Sight"]

_SEAT = 52


@dataclass(frozen=True)
class Delivery:
    """What a request is about: SHA-256 and URI of the content, the deal's terms and where its brief is."""

    content: bytes
    uri: str
    terms: Terms
    brief_uri: str


@dataclass(frozen=True)
class Notice:
    """An objection as the chain holds it: against which content, by whom, SHA-256 and URI of its evidence."""

    content: bytes
    objector: bytes
    evidence: bytes
    uri: str


class Sight:
    """One chain through one index. Every method blocks; :meth:`look` and :meth:`close` belong to one thread."""

    def __init__(self, client: Client, path: Path) -> None:
        self._client = client
        self._store = Store(path, client.contracts)
        self._query = Query(path)
        self._policies: dict[bytes, Policy] = {}
        self._head = (-1, 0, 0.0)

    def close(self) -> None:
        """Close the index."""
        self._query.close()
        self._store.close()

    def look(self) -> list[Asked]:
        """Catch up with the chain; the open requests, lapsed ones left out. Raises ChainError."""
        progress = catch_up(self._client, self._store)
        if progress.block != self._head[0]:
            self._head = (progress.block, self._store.blocks()[0].time, time.monotonic())
        now = self.now()
        asked = [self._asked(row) for row in self._query.open_requests()]
        return [one for one in asked if one is not None and one.deadline >= now]

    @property
    def block(self) -> int:
        """The last block seen."""
        return self._head[0]

    def now(self) -> float:
        """The chain's time. Its last block may be old on a quiet chain, and ahead of the clock on a test chain."""
        return max(self._head[1] + time.monotonic() - self._head[2], time.time())

    def delivery(self, subject: bytes) -> Delivery:
        """What a subject stands for. Raises InputError when no delivery of a deal is known by it."""
        row = self._query.delivery(subject)
        if row is None:
            raise InputError("The subject is no delivery of a deal on this chain.", "Deliver first, then request.")
        return Delivery(row["delivery"], row["uri"], load_terms(json.loads(row["terms"])), row["brief_uri"])

    def objection(self, subject: bytes) -> Notice:
        """The objection of that id. Raises InputError when there is none."""
        row = self._query.objection(subject)
        if row is None:
            raise InputError("The subject is no objection on this chain.", "Object first, then request.")
        return Notice(row["content"], row["objector"], row["evidence"], row["uri"])

    def model(self, model_id: bytes) -> dict[str, Any] | None:
        """A published model version, as :meth:`Query.model` gives it."""
        return self._query.model(model_id)

    def _asked(self, row: dict[str, Any]) -> Asked | None:
        if row["policy"] not in self._policies:
            self._policies |= {each["policy"]: _policy(each) for each in self._query.policies()}
        policy = self._policies.get(row["policy"])
        request = Request(row["subject"], row["policy"], row["round"])
        return Asked(request, row["requested_at"], row["suspended"], policy) if policy else None


def _policy(row: dict[str, Any]) -> Policy:
    packed: bytes = row["seats"]
    seats = (packed[at : at + _SEAT] for at in range(0, len(packed), _SEAT))
    return Policy(
        check=row["check_hash"],
        arbiter=row["arbiter"],
        seats=tuple(Seat(seat[:20], seat[20:]) for seat in seats),
        **{name: int(row[name]) for name in ("fee", "bond", "slash")},
        **{name: row[name] for name in ("submit_time", "challenge_time", "ruling_time", "k", "pass_score")},
    )
