"""Works and what they derive from. Pure: what is known is asked of :class:`Facts`.

Every edge says whose word it is. ``certificate``: the work's id commits to its parents (RFC 6962 root), so whoever
sealed the work said so at that time; ``c2pa``: a signed manifest names an ingredient; ``registry``: the claim on chain
commits to its parents; ``model``: the work names the model that made it. None of them proves that the parent was used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from countersign.canonical import checksum, to_hex
from countersign.records import ZERO

__all__ = [
    "MAX_DEPTH", "MAX_NODES", "Edge", "Facts", "Graph", "Ingredient", "ModelFacts", "Node", "Record", "Statement",
    "trace",
]  # fmt: skip

Kind = Literal["work", "ingredient", "model", "untold"]
Source = Literal["certificate", "registry", "c2pa", "model"]

MAX_NODES = 1000
"""A graph stops growing there and says so: a certificate may name tens of thousands of parents."""
MAX_DEPTH = 32
"""Generations that are followed unless the caller asks for fewer."""


@dataclass(frozen=True)
class Record:
    """What the registry holds of a content: the claim that stands, as the index knows it."""

    creator: bytes
    sealed_at: int
    retracted: bool
    objections: int
    origin: str
    model: bytes
    parents: bytes


@dataclass(frozen=True)
class Statement:
    """What one certificate says of a content, and whether it was believed.

    ``outcome`` is that of :func:`countersign.verify.verify`; ``sealed_at`` is proven (0: not). ``parents`` is what
    ``root`` stands for, empty when it is not told.
    """

    name: str
    creator: bytes
    origin: str
    model: bytes
    root: bytes
    parents: tuple[bytes, ...]
    outcome: str
    sealed_at: int = 0


@dataclass(frozen=True)
class Ingredient:
    """A parent that a Content Credentials manifest names; ``content`` is its SHA-256 where the manifest tells it."""

    title: str
    signer: str
    trusted: bool
    content: bytes | None = None


@dataclass(frozen=True)
class ModelFacts:
    """What ModelRegistry holds of a model version; times are 0 for what did not happen, ``publisher`` is empty when
    only the node was asked."""

    publisher: bytes
    published_at: int
    deprecated_at: int
    revoked_at: int


class Facts(Protocol):
    """What is known, by content (32 bytes) or model id. ``opened`` names the one parent behind a root, where the parent
    is known: {root: parent}."""

    def statements(self, content: bytes) -> Sequence[Statement]: ...
    def record(self, content: bytes) -> Record | None: ...
    def ingredients(self, content: bytes) -> Sequence[Ingredient]: ...
    def model(self, model_id: bytes) -> ModelFacts | None: ...
    def opened(self, roots: frozenset[bytes]) -> Mapping[bytes, bytes]: ...


@dataclass(frozen=True)
class Node:
    """A box of the graph. ``id`` is 0x-hex of a content, or a prefixed id of anything else; ``name`` is as its source
    gave it: hostile. ``generation`` 0 is the work that was asked about; ``omitted`` counts parents left out."""

    id: str
    kind: Kind
    name: str = ""
    statements: tuple[Statement, ...] = ()
    record: Record | None = None
    model: ModelFacts | None = None
    generation: int = 0
    omitted: int = 0

    @property
    def known(self) -> bool:
        """Whether anything but a mention is known of it."""
        return bool(self.statements or self.record or self.model)

    @property
    def best(self) -> Statement | None:
        """The statement to show: a verified one first, the claim holder's before others', the earliest seal."""
        holder = self.record.creator if self.record else b""
        return min(self.statements, key=lambda s: _rank(s, holder), default=None)


def _rank(s: Statement, holder: bytes) -> tuple[bool, bool, int]:
    return s.outcome != "verified", s.creator != holder, s.sealed_at or 1 << 64


@dataclass(frozen=True)
class Edge:
    """``child`` derives from ``parent``, or was made with it.

    ``by`` is whose word that is: an address, or a signer's name; ``proven`` that they said so, by a verified
    certificate, the registry or a manifest whose signer is trusted. ``closes_circle``: followed upwards it leads back
    to the child, so one of the statements on the way is false.
    """

    child: str
    parent: str
    source: Source
    by: str
    proven: bool = False
    closes_circle: bool = False


@dataclass(frozen=True)
class Graph:
    """All that was found, the work that was asked about first. ``cut`` counts contents whose parents were not followed,
    because of depth or size."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    cut: int = 0

    @property
    def circular(self) -> bool:
        """Whether some statements contradict each other."""
        return any(edge.closes_circle for edge in self.edges)

    def document(self) -> dict[str, Any]:
        """JSON-ready."""
        nodes = [_node_document(node) for node in self.nodes]
        edges = [
            {"child": e.child, "parent": e.parent, "source": e.source, "by": e.by, "proven": e.proven}
            | ({"closesCircle": True} if e.closes_circle else {})
            for e in self.edges
        ]
        return {"nodes": nodes, "edges": edges, "cut": self.cut, "circular": self.circular}


def _node_document(node: Node) -> dict[str, Any]:
    said = [
        {"name": s.name, "creator": checksum(s.creator), "origin": s.origin, "outcome": s.outcome,
         "sealedAt": s.sealed_at or None, "parentsRoot": _or_none(s.root), "parentsTold": bool(s.parents)}
        for s in node.statements
    ]  # fmt: skip
    made: dict[str, Any] = {"id": node.id, "kind": node.kind, "name": node.name, "generation": node.generation}
    made |= {"certificates": said, "record": _record_document(node.record), "omittedParents": node.omitted}
    return made | ({"model": _model_document(node.model)} if node.kind == "model" else {})


def _record_document(r: Record | None) -> dict[str, Any] | None:
    if r is None:
        return None
    return {
        "creator": checksum(r.creator), "sealedAt": r.sealed_at, "retracted": r.retracted, "objections": r.objections,
        "origin": r.origin, "model": _or_none(r.model), "parentsRoot": _or_none(r.parents),
    }  # fmt: skip


def _model_document(m: ModelFacts | None) -> dict[str, Any] | None:
    if m is None:
        return None
    times = {"publishedAt": m.published_at, "deprecatedAt": m.deprecated_at or None, "revokedAt": m.revoked_at or None}
    return {"publisher": checksum(m.publisher) if m.publisher else None, **times}


def _or_none(word: bytes) -> str | None:
    return None if word == ZERO else to_hex(word)


def trace(content: bytes, facts: Facts, *, depth: int = MAX_DEPTH, limit: int = MAX_NODES, name: str = "") -> Graph:
    """The graph of what ``content`` derives from: at most ``depth`` generations and ``limit`` nodes, then cut."""
    tracing = _Tracing(facts, limit)
    tracing.meet(Node(to_hex(content), "work", name))
    front = [content]
    for _ in range(depth):
        if not front:
            break
        front = tracing.step(front)
    return _generations(tracing.graph(front))


@dataclass
class _Tracing:
    facts: Facts
    limit: int
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: dict[tuple[str, str, str, str], Edge] = field(default_factory=dict)

    def graph(self, front: list[bytes]) -> Graph:
        """What was met; the contents in ``front`` were not asked about yet, and their parents are not followed."""
        self.nodes |= {to_hex(content): self._ask(self.nodes[to_hex(content)]) for content in front}
        cut = sum(node.omitted > 0 for node in self.nodes.values()) + sum(map(self._derives, front))
        return Graph(tuple(self.nodes.values()), tuple(self.edges.values()), cut)

    def _derives(self, content: bytes) -> bool:
        node = self.nodes[to_hex(content)]
        said = [*((s.root, s.model) for s in node.statements), *([(r.parents, r.model)] if (r := node.record) else [])]
        return any(pair != (ZERO, ZERO) for pair in said) or bool(self.facts.ingredients(content))

    def _ask(self, node: Node) -> Node:
        """What is known of it; a parent's own certificate names it before anybody's manifest does."""
        content = bytes.fromhex(node.id[2:])
        said = tuple(self.facts.statements(content))
        asked = replace(node, statements=said, record=self.facts.record(content))
        given = node.name if node.id == next(iter(self.nodes)) else ""
        return replace(asked, name=given or (asked.best.name if asked.best else "") or node.name)

    def meet(self, node: Node) -> bool:
        """Whether the node is in the graph: it is taken in unless that is full."""
        known = self.nodes.get(node.id)
        if known is None and len(self.nodes) >= self.limit:
            return False
        if known is None or (node.name and not known.name):
            self.nodes[node.id] = node if known is None else replace(known, name=node.name)
        return True

    def step(self, front: list[bytes]) -> list[bytes]:
        """Ask about these contents; the ones that are met for the first time come back."""
        before = set(self.nodes)
        untold: list[tuple[str, bytes, Edge]] = []
        for content in front:
            node = self.nodes[to_hex(content)] = self._ask(self.nodes[to_hex(content)])
            self._from_manifest(node.id, self.facts.ingredients(content))
            untold += self._from_words(node)
        self._open_ends(untold)
        return [bytes.fromhex(n.id[2:]) for n in self.nodes.values() if n.kind == "work" and n.id not in before]

    def _from_words(self, node: Node) -> list[tuple[str, bytes, Edge]]:
        """Edges that statements and record make; what they commit to without telling it comes back."""
        untold = []
        told = {s.root for s in node.statements if s.parents}
        for s in node.statements:
            claimed = node.record is not None and node.record.parents == s.root
            edge = Edge(node.id, "", "certificate", checksum(s.creator), s.outcome == "verified" or claimed)
            self._made_with(edge, s.model)
            self._join((Node(to_hex(parent), "work") for parent in s.parents), edge)
            if s.root not in told | {ZERO}:
                untold.append((node.id, s.root, edge))
        if r := node.record:
            edge = Edge(node.id, "", "registry", checksum(r.creator), proven=True)
            self._made_with(edge, r.model)
            if r.parents not in told | {s.root for s in node.statements} | {ZERO}:
                untold.append((node.id, r.parents, edge))
        return untold

    def _from_manifest(self, child: str, ingredients: Iterable[Ingredient]) -> None:
        for at, i in enumerate(ingredients):
            identifier = to_hex(i.content) if i.content else f"c2pa:{child}:{at}"
            parent = Node(identifier, "work" if i.content else "ingredient", i.title)
            self._join([parent], Edge(child, "", "c2pa", i.signer, proven=i.trusted))

    def _made_with(self, edge: Edge, model: bytes) -> None:
        if model != ZERO:
            node = Node(f"model:{to_hex(model)}", "model", model=self.facts.model(model))
            self._join([node], replace(edge, source="model"))

    def _open_ends(self, untold: list[tuple[str, bytes, Edge]]) -> None:
        opened = self.facts.opened(frozenset(root for _, root, _ in untold)) if untold else {}
        for _, root, edge in untold:
            parent = opened.get(root)
            end = Node(to_hex(parent), "work") if parent else Node(f"untold:{to_hex(root)}", "untold")
            self._join([end], edge)

    def _join(self, parents: Iterable[Node], edge: Edge) -> None:
        omitted = 0
        for parent in parents:
            if not self.meet(parent):
                omitted += 1
                continue
            self._draw(replace(edge, parent=parent.id))
        if omitted:
            child = self.nodes[edge.child]
            self.nodes[edge.child] = replace(child, omitted=child.omitted + omitted)

    def _draw(self, edge: Edge) -> None:
        """One edge for one word; a proven one stands for an unproven one of the same kind."""
        key = (edge.child, edge.parent, edge.source, "" if edge.source == "model" else edge.by)
        if key not in self.edges or (edge.proven and not self.edges[key].proven):
            self.edges[key] = edge


def _generations(graph: Graph) -> Graph:
    """Each node below all its children: its longest way from the first, with edges that close a circle left out."""
    above: dict[str, list[Edge]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        above[edge.child].append(edge)
    order, circular = _finished(graph.nodes[0].id, above)
    level = dict.fromkeys(above, 0)
    for child in reversed(order):
        for edge in above[child]:
            if edge not in circular:
                level[edge.parent] = max(level[edge.parent], level[child] + 1)
    nodes = tuple(replace(node, generation=level[node.id]) for node in graph.nodes)
    edges = tuple(replace(edge, closes_circle=edge in circular) for edge in graph.edges)
    return replace(graph, nodes=nodes, edges=edges)


def _finished(first: str, above: Mapping[str, list[Edge]]) -> tuple[list[str], set[Edge]]:
    """Depth-first search: nodes in the order in which they are done, and the edges back to one that is not."""
    order: list[str] = []
    circular: set[Edge] = set()
    open_, done = {first}, set[str]()
    stack = [(first, iter(above[first]))]
    while stack:
        at, edges = stack[-1]
        edge = next(edges, None)
        if edge is None:
            stack.pop()
            open_.discard(at)
            done.add(at)
            order.append(at)
        elif edge.parent in open_:
            circular.add(edge)
        elif edge.parent not in done:
            open_.add(edge.parent)
            stack.append((edge.parent, iter(above[edge.parent])))
    return order, circular
