"""Every 64-bit code within a Hamming distance of a given one: exact, also where codes are alike. Needs numpy (extra
``media``).

Multi-index hashing (Norouzi, Punjani, Fleet, CVPR 2012): codes are cut into parts, each part has a table. Radii
r of the parts with sum(r + 1) > distance miss nothing, by the pigeonhole principle; which radii are cheapest for the
code at hand is told by the sizes of the buckets (Qin et al., "GPH", ICDE 2018), so that a crowded part is avoided.
Equal codes are kept once. New codes gather in a tail that is scanned, then join segments that at least double.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

from countersign.errors import MissingExtra

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Codes = npt.NDArray[np.uint64]
    Positions = npt.NDArray[np.int64]
    Distances = npt.NDArray[np.uint8]

__all__ = ["NearIndex", "code_array", "scan"]

_TAIL = 1 << 15
"""Codes that are scanned before they get tables."""
_LARGE = 1 << 21
_PARTS = ((16, 16, 16, 16), (21, 21, 22))
"""Bits of each part, in segments below and from ``_LARGE`` codes: a bucket should hold few codes."""
_BLOCK = 1 << 14
"""Codes counted at once: they stay in the processor's cache."""
_BUCKET = 2
"""What looking into a bucket costs, in codes compared."""
_SCANNED = 6
"""How many codes a scan compares while one that is picked from a bucket is."""


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        raise MissingExtra("media", "Looking for similar works") from error
    return numpy


class NearIndex:
    """Codes by their Hamming distance. Positions count from 0 in the order of adding. Takes about 30 bytes a code,
    and 80 while a segment is made. Not for several threads that add."""

    def __init__(self, codes: Codes | None = None) -> None:
        """``codes`` is a uint64 array."""
        self._segments: list[_Segment] = []
        self._tail: Codes = _numpy().empty(0, dtype="u8")
        if codes is not None:
            self.add(codes)

    def __len__(self) -> int:
        return sum(len(segment) for segment in self._segments) + len(self._tail)

    def add(self, codes: Codes) -> None:
        """Append codes; each is moved a logarithmic number of times in all."""
        np = _numpy()
        self._tail = np.concatenate([self._tail, np.asarray(codes, dtype="u8")])
        if len(self._tail) < _TAIL:
            return
        joined, self._tail = self._tail, self._tail[:0]
        while self._segments and len(self._segments[-1]) < 2 * len(joined):
            joined = np.concatenate([self._segments.pop().codes(), joined])
        self._segments.append(_Segment(joined))

    def query(self, code: int, distance: int) -> tuple[Positions, Distances]:
        """Positions, ascending, of all codes that differ from ``code`` in at most ``distance`` bits, and in how many
        each differs. Exact for every distance from 0 to 64."""
        np = _numpy()
        found, start = [], 0
        for segment in self._segments:
            positions, distances = segment.query(code, distance)
            found.append((positions + start, distances))
            start += len(segment)
        positions, distances = scan(self._tail, code, distance)
        found.append((positions + start, distances))
        return np.concatenate([part for part, _ in found]), np.concatenate([part for _, part in found])


def code_array(codes: Iterable[int]) -> Codes:
    """The codes as an array, uint64."""
    array: Codes = _numpy().fromiter(codes, dtype="u8")
    return array


def scan(codes: Codes, code: int, distance: int) -> tuple[Positions, Distances]:
    """The same by comparing with every code."""
    np = _numpy()
    wanted, found = np.uint64(code), []
    for start in range(0, len(codes), _BLOCK):
        bits = _count(codes[start : start + _BLOCK] ^ wanted)
        near = np.flatnonzero(bits <= distance)
        if len(near):
            found.append((near + start, bits[near]))
    if not found:
        return np.empty(0, dtype="i8"), np.empty(0, dtype="u1")
    return np.concatenate([part for part, _ in found]), np.concatenate([part for _, part in found])


def _count(words: Codes) -> Distances:
    """Set bits of each word, which is overwritten. numpy 1 has no function for it: bits are summed side by side."""
    np = _numpy()
    if hasattr(np, "bitwise_count"):
        counted: Distances = np.bitwise_count(words)
        return counted
    ones, pairs, fours, bytes_ = (np.uint64(n) for n in _MASKS)
    half = words >> np.uint64(1)
    half &= ones
    words -= half
    half = words >> np.uint64(2)
    half &= pairs
    words &= pairs
    words += half
    words += words >> np.uint64(4)
    words &= fours
    words *= bytes_
    words >>= np.uint64(56)
    summed: Distances = words.astype("u1")
    return summed


_MASKS = (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F, 0x0101010101010101)


class _Segment:
    """Codes that do not change: each once, in ascending order, with its positions; a table for each part."""

    def __init__(self, codes: Codes) -> None:
        np = _numpy()
        order = np.argsort(codes, kind="stable")
        ascending = codes[order]
        self._order = order.astype("u4")
        del order
        fresh = np.flatnonzero(np.concatenate([[True], ascending[1:] != ascending[:-1]]))
        self._first = np.append(fresh, len(codes)).astype("u4")
        self._unique = ascending[fresh]
        self._tables = list(self._make_tables())

    def __len__(self) -> int:
        return len(self._order)

    def codes(self) -> Codes:
        """All codes in the order in which they were added."""
        np = _numpy()
        codes: Codes = np.empty(len(self._order), dtype="u8")
        codes[self._order] = np.repeat(self._unique, np.diff(self._first))
        return codes

    def _make_tables(self) -> Iterator[_Table]:
        shift = 0
        for width in _PARTS[len(self._unique) >= _LARGE]:
            yield _Table(self._unique, shift, width)
            shift += width

    def query(self, code: int, distance: int) -> tuple[Positions, Distances]:
        """As :meth:`NearIndex.query`, within this segment."""
        np = _numpy()
        candidates = self._candidates(code, distance)
        if candidates is None:
            near, bits = scan(self._unique, code, distance)
        else:
            bits = _count(self._unique[candidates] ^ np.uint64(code))
            hits = bits <= distance
            near, once = np.unique(candidates[hits], return_index=True)  # a code may be found by several parts
            bits = bits[hits][once]
        return self._spread(near, bits)

    def _candidates(self, code: int, distance: int) -> npt.NDArray[np.uint32] | None:
        """Where every code within ``distance`` is among, or None when comparing with all is cheaper.

        Greedily: the next ring of buckets is looked into for the part where that costs least."""
        affordable = len(self._unique) / _SCANNED
        rings = [_Rings(table, code) for table in self._tables]
        for _ in range(distance + 1):
            cheapest = min(rings, key=lambda ring: ring.next_cost(affordable))
            affordable -= cheapest.next_cost(affordable)
            if affordable < 0:
                return None
            cheapest.take()
        buckets = [ring.members() for ring in rings]
        return _numpy().concatenate(buckets)  # type: ignore[no-any-return]

    def _spread(self, near: Any, bits: Any) -> tuple[Positions, Distances]:
        """From codes to the positions of all that are equal."""
        np = _numpy()
        starts = self._first[near].astype("i8")
        counts = self._first[near + 1].astype("i8") - starts
        positions = self._order[_ranges(starts, counts)].astype("i8")
        order = np.argsort(positions)
        return positions[order], np.repeat(bits, counts)[order]


class _Table:
    """Codes by the value of one part: where those with value v are lies between ``starts[v]`` and ``starts[v + 1]``."""

    def __init__(self, codes: Codes, shift: int, width: int) -> None:
        np = _numpy()
        self.shift, self.width = shift, width
        part = (codes >> np.uint64(shift)) & np.uint64((1 << width) - 1)
        part = part.astype("u2" if width <= 16 else "u4")  # 16 bits are sorted by counting
        self.members = np.argsort(part, kind="stable").astype("u4")
        self.starts = np.concatenate([[0], np.cumsum(np.bincount(part, minlength=1 << width))]).astype("u4")


class _Rings:
    """The buckets of one table around a code's part: ring r holds the values that differ from it in r bits."""

    def __init__(self, table: _Table, code: int) -> None:
        self._table = table
        self._part = code >> table.shift & (1 << table.width) - 1
        self._taken: list[Any] = []
        self._next: tuple[Any, Any, float] | None = None

    def next_cost(self, affordable: float) -> float:
        """What the next ring costs, in codes compared; infinite when there is none or it is beyond ``affordable``."""
        if self._next is None:
            self._next = self._look(affordable)
        return self._next[2]

    def _look(self, affordable: float) -> tuple[Any, Any, float]:
        radius = len(self._taken)
        buckets = comb(self._table.width, radius)
        if not 0 < buckets * _BUCKET <= affordable:
            return None, None, float("inf")
        values = _ring(self._table.width, radius) ^ self._part
        starts = self._table.starts[values].astype("i8")
        sizes = self._table.starts[values + 1].astype("i8") - starts
        return starts, sizes, float(sizes.sum()) + buckets * _BUCKET

    def take(self) -> None:
        """The next ring is looked into."""
        assert self._next is not None
        self._taken.append(self._next[:2])
        self._next = None

    def members(self) -> Any:
        """Where the codes in the rings taken are."""
        np = _numpy()
        if not self._taken:
            return self._table.members[:0]
        starts, sizes = (np.concatenate(column) for column in zip(*self._taken, strict=True))
        return self._table.members[_ranges(starts, sizes)]


@cache
def _ring(width: int, radius: int) -> Any:
    """Every value of ``width`` bits with ``radius`` bits set."""
    values = [sum(1 << bit for bit in bits) for bits in combinations(range(width), radius)]
    return _numpy().array(values, dtype="i8")


def _ranges(starts: Any, sizes: Any) -> Any:
    """The numbers ``start`` … ``start + size - 1`` of each pair, one after the other."""
    np = _numpy()
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - sizes), sizes)
