"""Places for the boxes of a graph: one lane per generation, few crossings. Pure geometry, in pixels.

The layered method of Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11, 1981): a lane per generation, edges that pass a
lane run through places of their own in it, places are ordered by the mean of their neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from countersign.provenance.graph import Edge, Graph

__all__ = ["BOX", "Layout", "Place", "arrange"]

BOX = (286, 108)
"""Width and height of a box."""
_GAP, _LANE, _MARGIN, _HEAD, _WIRE = 28, 74, 28, 78, 14
_ROW = 8
"""Boxes side by side: a wider generation is broken into rows."""
_SWEEPS = 6


@dataclass(frozen=True)
class Place:
    """Top left corner and width of a box, or of the room for an edge that passes."""

    x: float
    y: float
    width: float

    @property
    def middle(self) -> float:
        return self.x + self.width / 2


@dataclass(frozen=True)
class Layout:
    """Size of the picture, where each node is, the points of each edge from child to parent, and the y of the first row
    of each generation."""

    width: float
    height: float
    places: Mapping[str, Place]
    routes: tuple[tuple[Edge, tuple[tuple[float, float], ...]], ...]
    lanes: Mapping[int, float]


_Key = tuple[str, str, int]
"""A place in a row: node id, "" or the kind of the edges that pass, row."""


def arrange(graph: Graph) -> Layout:
    """Lay the graph out, the work that was asked about at the top."""
    row_of, lane_rows = _rows(graph)
    forward = [edge for edge in graph.edges if row_of[edge.child] < row_of[edge.parent]]
    chains = {edge: _chain(edge, row_of) for edge in forward}
    links = _links(chains.values())
    rows = _ordered(row_of, chains.values(), links)
    places = _placed(rows, links)
    left = min(place.x for place in places.values()) - _MARGIN
    places = {key: Place(p.x - left, p.y, p.width) for key, p in places.items()}
    boxes = {key[0]: place for key, place in places.items() if key[1] == ""}
    routes = [(edge, _points([places[key] for key in chain])) for edge, chain in chains.items()]
    routes += [(edge, _back(boxes, edge)) for edge in graph.edges if edge not in chains]
    width = max(place.x + place.width for place in places.values()) + _MARGIN
    lanes = {generation: _top(row) for generation, row in lane_rows.items()}
    return Layout(max(width, 420), _top(len(rows)), boxes, tuple(routes), lanes)


def _rows(graph: Graph) -> tuple[dict[str, int], dict[int, int]]:
    """Row of each node, and the first row of each generation."""
    generations: dict[int, list[str]] = {}
    for node in graph.nodes:
        generations.setdefault(node.generation, []).append(node.id)
    row_of: dict[str, int] = {}
    first: dict[int, int] = {}
    row = 0
    for generation, ids in sorted(generations.items()):
        first[generation] = row
        row_of |= {identifier: row + at // _ROW for at, identifier in enumerate(ids)}
        row += -(-len(ids) // _ROW)
    return row_of, first


def _chain(edge: Edge, row_of: Mapping[str, int]) -> list[_Key]:
    """An edge's way: edges of one kind from one child share a wire, so a wide fan stays a few lines."""
    first, last = row_of[edge.child], row_of[edge.parent]
    passing: list[_Key] = [(edge.child, edge.source, row) for row in range(first + 1, last)]
    return [(edge.child, "", first), *passing, (edge.parent, "", last)]


def _links(chains: Iterable[list[_Key]]) -> dict[_Key, list[_Key]]:
    links: dict[_Key, dict[_Key, None]] = {}
    for chain in chains:
        for upper, lower in pairwise(chain):
            links.setdefault(upper, {})[lower] = None
            links.setdefault(lower, {})[upper] = None
    return {key: list(others) for key, others in links.items()}


def _ordered(
    row_of: Mapping[str, int], chains: Iterable[list[_Key]], links: Mapping[_Key, list[_Key]]
) -> list[list[_Key]]:
    """The places of each row from left to right, after some sweeps down and up."""
    keys = dict.fromkeys([(identifier, "", row) for identifier, row in row_of.items()])
    keys |= dict.fromkeys(key for chain in chains for key in chain)
    rows: list[list[_Key]] = [[] for _ in range(max(row_of.values()) + 1)]
    for key in keys:
        rows[key[2]].append(key)
    rank = {key: float(at) for row in rows for at, key in enumerate(row)}
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            row.sort(key=lambda key: _mean(key, links, rank, -1 if down else 1))
            rank |= {key: float(at) for at, key in enumerate(row)}
    return rows


def _mean(key: _Key, links: Mapping[_Key, list[_Key]], rank: Mapping[_Key, float], step: int) -> float:
    beside = [rank[other] for other in links.get(key, ()) if other[2] == key[2] + step]
    return sum(beside) / len(beside) if beside else rank[key]


def _placed(rows: list[list[_Key]], links: Mapping[_Key, list[_Key]]) -> dict[_Key, Place]:
    """Each place as near to the middle of what it hangs from as its neighbours in the row let it be."""
    places: dict[_Key, Place] = {}
    for number, row in enumerate(rows):
        wanted = [_wanted(key, links, places) for key in row]
        edge = 0.0
        xs: list[float] = []
        for key, want in zip(row, wanted, strict=True):
            x = want - _width(key) / 2 if not xs else max(edge, want - _width(key) / 2)
            xs.append(x)
            edge = x + _width(key) + _GAP
        off = [x + _width(key) / 2 - want for x, key, want in zip(xs, row, wanted, strict=True)]
        shift = sum(off) / len(off)
        places |= {key: Place(x - shift, _top(number), _width(key)) for x, key in zip(xs, row, strict=True)}
    return places


def _wanted(key: _Key, links: Mapping[_Key, list[_Key]], places: Mapping[_Key, Place]) -> float:
    above = [places[other].middle for other in links.get(key, ()) if other in places and other[2] == key[2] - 1]
    return sum(above) / len(above) if above else 0.0


def _width(key: _Key) -> float:
    return _WIRE if key[1] else BOX[0]


def _top(row: int) -> float:
    return _HEAD + row * (BOX[1] + _LANE)


def _points(chain: list[Place]) -> tuple[tuple[float, float], ...]:
    """From the child's lower side, straight through the room in each row between, to the parent's upper side."""
    points = [(chain[0].middle, chain[0].y + BOX[1])]
    for place in chain[1:-1]:
        points += [(place.middle, place.y), (place.middle, place.y + BOX[1])]
    return (*points, (chain[-1].middle, chain[-1].y))


def _back(boxes: Mapping[str, Place], edge: Edge) -> tuple[tuple[float, float], ...]:
    """An edge that closes a circle: from the child's right side back up to the parent's."""
    child, parent = boxes[edge.child], boxes[edge.parent]
    return (
        (child.x + child.width, child.y + BOX[1] / 2),
        (parent.x + parent.width, parent.y + BOX[1] / 3),
    )
