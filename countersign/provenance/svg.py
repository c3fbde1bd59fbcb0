"""A graph as one SVG file: no script, nothing loaded from elsewhere, readable on light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from countersign.names import one_line, shorten
from countersign.provenance.graph import Edge, Graph, Node
from countersign.provenance.layout import BOX, Layout, Place, arrange
from countersign.provenance.words import bound_of, edge_words, marks, short, title

__all__ = ["as_svg"]

_SHAPE = """
svg{font-family:system-ui,sans-serif}text{font-size:12px}.h{font-size:16px;font-weight:600}
.n{font-size:13px;font-weight:600}.id{font-family:ui-monospace,monospace;font-size:11px}.l{font-size:11px}
.e{fill:none;stroke-width:1.6}.c2pa{stroke-dasharray:7 4}.model{stroke-dasharray:2 4}
.first,.bad,.circle{stroke-width:2}.open{stroke-dasharray:5 4}
"""
_PAINT = (
    ("svg", "background", "#fff", "#0d1117"), ("text", "fill", "#1b1f24", "#e6edf3"),
    (".id,.l,.unknown,.note", "fill", "#57606a", "#9da7b1"), (".box", "fill", "#f6f8fa", "#161b22"),
    (".box,.e", "stroke", "#8c959f", "#6e7681"), (".arrow", "fill", "#8c959f", "#6e7681"),
    (".open", "fill", "none", "none"), (".first", "stroke", "#1b1f24", "#e6edf3"),
    (".doubt", "stroke", "#8a5a00", "#e3b341"), (".bad,.circle", "stroke", "#b3261e", "#ff7b72"),
    (".pass", "fill", "#1a7f37", "#56d364"), (".fail", "fill", "#b3261e", "#ff7b72"),
    (".warn", "fill", "#8a5a00", "#e3b341"),
)  # fmt: skip
"""Selector, property, its value on light and on dark pages. No CSS variables: many programs that read SVG lack them."""


def _style() -> str:
    light, dark = ("".join(f"{rule[0]}{{{rule[1]}:{rule[at]}}}" for rule in _PAINT) for at in (2, 3))
    return f"{_SHAPE}{light}\n@media(prefers-color-scheme:dark){{{dark}}}"


_MARKS = {"pass": "✓", "fail": "✗", "unknown": "?", "warn": "!", "note": "·"}
_ORDER = ("fail", "warn", "pass", "unknown", "note")
_LINES = 4
_COLUMNS = 41
"""Characters of 11 pixels that fit a box."""
_LEGEND = (
    ("", "said under a seal or a claim"),
    ("doubt", "not verified, not trusted"),
    ("c2pa", "said by a manifest (C2PA)"),
    ("model", "made with this model"),
)


def as_svg(graph: Graph) -> str:
    """A picture with a lane per generation; all that is shortened in it is in the titles (tooltips) in full."""
    layout = arrange(graph)
    width, height = max(layout.width, 700), layout.height + 36
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="t d" width="{width:.0f}"'
        f' height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f'<title id="t">{_text("Where " + title(graph.nodes[0]) + " comes from")}</title>',
        f'<desc id="d">{_text(_description(graph))}</desc>',
        f"<style>{_style()}</style>",
        f'<text class="h" x="28" y="34">{_text(title(graph.nodes[0], 70))}: what it derives from</text>',
        *_lanes(layout),
        *(_edge(edge, points) for edge, points in layout.routes),
        *(_box(node, layout.places[node.id]) for node in graph.nodes),
        *_legend(graph, layout.height - 40),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _text(text: str) -> str:
    """Text for XML: one_line leaves no character that XML forbids but those outside its planes' use."""
    kept = "".join("\ufffd" if ord(c) & 0xFFFE == 0xFFFE else c for c in one_line(text))
    return escape(kept, {'"': "&quot;"})


def _description(graph: Graph) -> str:
    works = sum(node.kind in ("work", "ingredient") for node in graph.nodes)
    names = {node.id: title(node, 40) for node in graph.nodes}
    said = [f"{names[edge.child]} {edge_words(edge)}: {names[edge.parent]}." for edge in graph.edges[:40]]
    return " ".join([f"{works} work(s), {len(graph.edges)} relation(s).", *said, bound_of(graph)]).strip()


def _lanes(layout: Layout) -> Iterator[str]:
    for generation, y in layout.lanes.items():
        words = "the work" if generation == 0 else f"generation {generation}"
        yield f'<text class="l" x="28" y="{y - 10:.0f}">{words}</text>'


def _edge(edge: Edge, points: tuple[tuple[float, float], ...]) -> str:
    classes = ["e", edge.source, *([] if edge.proven else ["doubt"])]
    if edge.closes_circle:
        classes.append("circle")
    tip = "" if edge.closes_circle else _arrow(*points[-1])
    path = _loop(points) if edge.closes_circle else _curve(points)
    return f'<g><title>{_text(edge_words(edge))}</title><path class="{" ".join(classes)}" d="{path}"/>{tip}</g>'


def _curve(points: tuple[tuple[float, float], ...]) -> str:
    path, (x, y) = f"M{points[0][0]:.0f} {points[0][1]:.0f}", points[0]
    for x2, y2 in points[1:]:
        middle = (y + y2) / 2
        path += f" C{x:.0f} {middle:.0f} {x2:.0f} {middle:.0f} {x2:.0f} {y2:.0f}"
        x, y = x2, y2
    return path


def _loop(points: tuple[tuple[float, float], ...]) -> str:
    (x, y), (x2, y2) = points[0], points[-1]
    out = max(x, x2) + 22
    return f"M{x:.0f} {y:.0f} C{out:.0f} {y:.0f} {out:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"


def _arrow(x: float, y: float) -> str:
    return f'<path class="arrow" d="M{x - 5:.0f} {y - 8:.0f} L{x + 5:.0f} {y - 8:.0f} L{x:.0f} {y:.0f}Z"/>'


def _box(node: Node, place: Place) -> str:
    said = sorted(marks(node), key=lambda mark: _ORDER.index(mark[0]))
    shown = said if len(said) <= _LINES else [*said[: _LINES - 1], ("note", f"and {len(said) - _LINES + 1} more")]
    full = "\n".join([title(node, 400), one_line(node.id), *(text for _, text in said)])
    x, y = place.x, place.y
    identifier = "AI model" if node.kind == "model" else short(node.id)
    lines = [f'<text class="n" x="12" y="20">{_text(title(node, 34))}</text>']
    lines += [f'<text class="id" x="12" y="36">{_text(identifier)}</text>']
    lines += [
        f'<text class="{state}" x="12" y="{53 + 15 * at}" style="font-size:11px">'
        f"{_MARKS[state]} {_text(shorten(text, _COLUMNS))}</text>"
        for at, (state, text) in enumerate(shown)
    ]
    return (
        f'<g transform="translate({x:.0f} {y:.0f})"><title>{_titled(full)}</title>'
        f'<rect class="{_classes(node)}" width="{BOX[0]}" height="{BOX[1]}" rx="{20 if node.kind == "model" else 6}"/>'
        + "".join(lines)
        + "</g>"
    )


def _titled(lines: str) -> str:
    return "\n".join(map(_text, lines.split("\n")))


def _classes(node: Node) -> str:
    classes = ["box", *(["first"] if node.generation == 0 else [])]
    classes += ["open"] if node.kind in ("untold", "ingredient") or not node.known else []
    return " ".join([*classes, *(["bad"] if any(state == "fail" for state, _ in marks(node)) else [])])


def _legend(graph: Graph, y: float) -> Iterator[str]:
    x = 28
    for name, words in _LEGEND:
        yield f'<path class="e {name}" d="M{x} {y:.0f} h30"/>'
        yield f'<text class="l" x="{x + 36}" y="{y + 4:.0f}">{words}</text>'
        x += 36 + 7 * len(words) + 16
    if bound := bound_of(graph):
        yield f'<text class="warn" x="28" y="{y + 26:.0f}">{_text(bound)}</text>'
