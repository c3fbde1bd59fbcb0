"""Claims on works like a given one. The index only finds, and a likeness proves nothing: the chain and people decide.

Two works are alike when their Content-Codes of one kind, or else their Data-Codes, differ in few of 64 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from countersign.fingerprint.iscc import KINDS, Fingerprint, unpack_fingerprint
from countersign.index.query import Query

if TYPE_CHECKING:
    from countersign.fingerprint.near import NearIndex

__all__ = ["DISTANCE", "MOST", "Likeness", "Similar", "is_telling", "likeness"]

DISTANCE = 8
"""Bits of 64 in which the codes of similar works differ at most, unless asked otherwise (docs/similarity.md)."""
MOST = 24
"""The largest distance that may be asked for: unrelated works lie 32 apart on average."""

Unit = Literal["content", "data"]


@dataclass(frozen=True)
class Likeness:
    """A claim (a row of ``current_claims``) whose ``unit`` differs in ``distance`` of 64 bits."""

    claim: dict[str, Any]
    unit: Unit
    distance: int


def likeness(one: Fingerprint, other: Fingerprint, distance: int = DISTANCE) -> tuple[Unit, int] | None:
    """By which unit two fingerprints are alike within ``distance``, and how many bits apart; None when they are not."""
    units: tuple[tuple[Unit, str, bytes, bytes], ...] = (("data", "data", one.data, other.data),)
    if one.kind == other.kind:
        units = ("content", one.kind, one.content, other.content), *units
    for unit, kind, mine, theirs in units:
        apart = (int.from_bytes(mine) ^ int.from_bytes(theirs)).bit_count()
        if is_telling(kind, mine) and is_telling(kind, theirs) and apart <= distance:
            return unit, apart
    return None


class Similar:
    """Finds similar claims in an index as it is now. Codes are read once; they are read anew when the index moves."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self._cursor: object = None
        self._contents: list[bytes] = []
        self._by_unit: dict[str, tuple[NearIndex, list[int]]] = {}

    def find(self, fingerprint: Fingerprint, distance: int = DISTANCE) -> list[Likeness]:
        """Claims on works that are alike, earliest seal first; a claim on the same bytes is among them."""
        self._refresh()
        nearest: dict[int, tuple[int, Unit]] = {}
        units: tuple[tuple[str, Unit, bytes], ...] = (
            (fingerprint.kind, "content", fingerprint.content),
            ("data", "data", fingerprint.data),
        )
        for name, unit, code in units:
            if is_telling(name, code):
                for claim, apart in self._near(name, code, distance):
                    nearest.setdefault(claim, (apart, unit))
        return sorted(self._likenesses(nearest), key=lambda one: (one.claim["sealed_at"], one.distance))

    def _near(self, name: str, code: bytes, distance: int) -> list[tuple[int, int]]:
        index, claims = self._by_unit[name]
        positions, distances = index.query(int.from_bytes(code), distance)
        return [(claims[at], int(apart)) for at, apart in zip(positions.tolist(), distances, strict=True)]

    def _likenesses(self, nearest: dict[int, tuple[int, Unit]]) -> list[Likeness]:
        rows = ((self._query.claim(self._contents[at]), *how) for at, how in nearest.items())
        return [Likeness(row, unit, apart) for row, apart, unit in rows if row is not None]

    def _refresh(self) -> None:
        cursor = self._query.cursor()
        if cursor == self._cursor:
            return
        self._contents, self._by_unit = [], {}
        codes: dict[str, list[int]] = {name: [] for name in (*KINDS, "data")}
        claims: dict[str, list[int]] = {name: [] for name in codes}
        for content, packed in self._query.fingerprints():
            parts = unpack_fingerprint(packed)
            if parts is None:
                continue
            for name, code in ((parts.kind, parts.content), ("data", parts.data)):
                if is_telling(name, code):
                    codes[name].append(int.from_bytes(code))
                    claims[name].append(len(self._contents))
            self._contents.append(content)
        self._by_unit = {name: (_index_of(codes[name]), claims[name]) for name in codes}
        self._cursor = cursor


def _index_of(codes: list[int]) -> NearIndex:
    from countersign.fingerprint.near import NearIndex, code_array

    return NearIndex(code_array(codes))


def is_telling(kind: str, code: bytes) -> bool:
    """Whether a code says something: there is one, and it is not that of an image of one colour, which all share."""
    bits = int.from_bytes(code).bit_count()
    return bits > 1 if kind == "image" else bits > 0
