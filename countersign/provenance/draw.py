"""A graph as a tree of text, and in Graphviz's DOT language."""

from __future__ import annotations

from collections.abc import Iterator

from countersign.names import one_line
from countersign.provenance.graph import Edge, Graph, Node
from countersign.provenance.words import bound_of, edge_words, marks, short, title

__all__ = ["as_dot", "as_text"]

_MARKS = {"pass": "✓", "fail": "✗", "unknown": "?", "warn": "!", "note": "·"}
_STYLES = {"certificate": "solid", "registry": "solid", "c2pa": "dashed", "model": "dotted"}
_SHAPES = {"work": "box", "ingredient": "box", "model": "component", "untold": "box"}


def as_text(graph: Graph) -> str:
    """A tree from the work down to what it derives from; a node met again is only named."""
    lines = list(_tree(graph))
    bound = bound_of(graph)
    return "\n".join([*lines, bound] if bound else lines)


def _tree(graph: Graph) -> Iterator[str]:
    nodes = {node.id: node for node in graph.nodes}
    below: dict[str, list[Edge]] = {}
    for one in graph.edges:
        below.setdefault(one.child, []).append(one)
    shown: set[str] = set()
    stack: list[tuple[Edge | None, str, bool]] = [(None, "", True)]
    while stack:
        edge, indent, last = stack.pop()
        node = nodes[edge.parent] if edge else graph.nodes[0]
        deeper = "" if edge is None else indent + ("   " if last else "│  ")
        again = node.id in shown
        children = [] if again else below.get(node.id, [])
        shown.add(node.id)
        yield f"{indent}{_branch(edge, last)}{_named(node)}{'  (shown above)' if again else ''}"
        yield from (f"{deeper}{'│' if children else ' '} {said}" for said in _said(node, edge, again))
        stack += [(each, deeper, each is children[-1]) for each in reversed(children)]


def _branch(edge: Edge | None, last: bool) -> str:
    return "" if edge is None else "└─ " if last else "├─ "


def _named(node: Node) -> str:
    return title(node) if node.kind == "model" else f"{title(node)}  {short(node.id)}"


def _said(node: Node, edge: Edge | None, again: bool) -> Iterator[str]:
    if edge:
        yield f"{'↻' if edge.closes_circle else '↑'} {edge_words(edge)}"
    if not again:
        yield from (f"{_MARKS[state]} {text}" for state, text in marks(node))


def as_dot(graph: Graph) -> str:
    """Graphviz's DOT (https://graphviz.org/doc/info/lang.html); children above their parents."""
    number = {node.id: f"n{at}" for at, node in enumerate(graph.nodes)}
    lines = [
        "digraph provenance {",
        f"  label={_quoted(bound_of(graph))}; rankdir=TB; node [fontname=sans]; edge [fontname=sans];",
    ]
    lines += [f"  {number[node.id]} [{_node(node)}];" for node in graph.nodes]
    lines += [f"  {number[edge.child]} -> {number[edge.parent]} [{_edge(edge)}];" for edge in graph.edges]
    return "\n".join([*lines, "}", ""])


def _node(node: Node) -> str:
    said = [_named(node), *(f"{_MARKS[state]} {text}" for state, text in marks(node))]
    style = "dashed" if node.kind in ("untold", "ingredient") else "solid"
    return f"label={_quoted(*said)}, tooltip={_quoted(node.id)}, shape={_SHAPES[node.kind]}, style={style}"


def _edge(edge: Edge) -> str:
    colour = ", color=red, constraint=false" if edge.closes_circle else ""
    return f"tooltip={_quoted(edge_words(edge))}, style={_STYLES[edge.source]}{colour}"


def _quoted(*lines: str) -> str:
    """A string whose lines are shown as they are: quotes, escape sequences and HTML entities mean nothing in it."""
    kept = (one_line(line).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(kept) + '"'
