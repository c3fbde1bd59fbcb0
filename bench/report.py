"""The page of results: what was measured, on what, beside whom, and what misses its bar; with plots."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from bench.figures import Figure, machine, shown
from countersign.durable import write_durably

__all__ = ["write"]

Results = dict[str, list[Figure]]

_TITLES = {
    "gas": "Gas",
    "hash": "Hashing files",
    "merkle": "Merkle trees",
    "overhead": "Sealing with Content Credentials",
    "near": "Similar works",
    "verify": "Verifying a certificate offline",
    "index": "Indexing",
    "oracle": "Checks and verdicts",
}
_NOTES = {
    "gas": "Exact, on a fresh chain with hardfork Osaka. The floor is what a transaction for the job needs at least.",
    "hash": "Per second of processor time, one thread; the file lies in the page cache.",
    "merkle": "RFC 6962 with SHA-256; seconds of processor time.",
    "overhead": "One process, one picture; the best of several runs in turn; wall-clock time.",
    "near": "Ten million codes of 64 bits in memory, one thread, wall-clock time; images in processor time.",
    "verify": "Cold is a fresh process of the command line, warm a call in a running one.",
    "index": "A fresh index of a local chain full of seals, claims and deals; wall-clock time.",
    "oracle": "The checks on one core; the verdicts by five node processes on a chain with a block each second.",
}
_OURS, _THEIRS, _INK = "#0f8a7e", "#8a8f98", "#7a808a"
"""Each of at least 3:1 on white and on GitHub's dark page."""


def write(results: Results, page: Path, command: str, when: str) -> None:
    """Write ``page`` and its plots into ``images/`` beside it. Each file is replaced whole or not at all."""
    images = page.parent / "images"
    images.mkdir(parents=True, exist_ok=True)
    for group, figures in results.items():
        if _compared(figures):
            write_durably(images / f"bench-{group}.svg", plot(figures))
    write_durably(page, _page(results, command, when).encode())


def _page(results: Results, command: str, when: str) -> str:
    facts = machine()
    parts = [
        "# Benchmarks",
        f"Written by `{command}` on {when}; `make bench` writes it anew. The machine: {facts['cpu']}, "
        f"{facts['cpus']} processors, {facts['platform']}, Python {facts['python']}, {facts['openssl']}. "
        "Times depend on the machine: read the ratios. CI asserts ratios and gas only.",
        _missed(results),
        *(_section(group, figures) for group, figures in results.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _missed(results: Results) -> str:
    missed = [f"- {group}: `{f.name}` is {shown(f.value)} {f.unit} {f.bar.removeprefix('MISSED ')}"
              for group, figures in results.items() for f in figures if not f.met]  # fmt: skip
    judged = sum(bool(f.bar) for figures in results.values() for f in figures)
    if not missed:
        return f"All {judged} bars are met."
    return f"{judged - len(missed)} of {judged} bars are met. Missed:\n\n" + "\n".join(missed)


def _section(group: str, figures: list[Figure]) -> str:
    parts = [f"## {_TITLES[group]}", f"{_NOTES[group]} Again: `python -m bench {group}`."]
    if _compared(figures):
        parts.append(f"![{_TITLES[group]}, ours beside others'](images/bench-{group}.svg)")
    return "\n\n".join([*parts, _table(figures)])


def _table(figures: list[Figure]) -> str:
    lines = ["| Figure | Value | Floor | Ratio | Bar |", "|---|---:|---:|---:|---|"]
    for f in figures:
        floor, ratio = (shown(f.floor) if f.floor else ""), (f"{f.ratio:.3f}" if f.ratio else "")
        lines.append(_row(f"`{f.name}`", f"**{shown(f.value)} {f.unit}**", floor, ratio, f.bar))
        lines += [_row(peer, f"{shown(value)} {f.unit}", "", "", "") for peer, value in f.peers.items()]
    notes = [f"`{f.name}`: {f.note}" for f in figures if f.note]
    return "\n\n".join(["\n".join(lines), *notes])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


# Plots


def _compared(figures: list[Figure]) -> list[Figure]:
    return [figure for figure in figures if figure.peers]


def plot(figures: list[Figure]) -> bytes:
    """Bars of every figure that has peers, in a panel of its own, as SVG: the same bytes for the same figures."""
    import matplotlib as mpl
    from matplotlib.figure import Figure as Canvas

    compared = _compared(figures)
    rows = [1 + len(figure.peers) for figure in compared]
    style: Any = {"svg.hashsalt": "countersign", "svg.fonttype": "path", "font.size": 9, "font.family": "DejaVu Sans"}
    with mpl.rc_context(style):
        canvas = Canvas(figsize=(8, 0.3 * sum(rows) + 0.5 * len(rows)), layout="constrained")
        panels = canvas.subplots(len(compared), squeeze=False, height_ratios=rows)[:, 0]
        for panel, figure in zip(panels, compared, strict=True):
            _bars(panel, figure)
        file = io.BytesIO()
        canvas.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _bars(panel: Any, figure: Figure) -> None:
    names, values = ["Countersign", *figure.peers], [figure.value, *figure.peers.values()]
    bars = panel.barh(names, values, color=[_OURS, *[_THEIRS] * len(figure.peers)], height=0.62)
    panel.bar_label(bars, labels=[f"{shown(value)} {figure.unit}" for value in values], padding=4, color=_INK)
    panel.set_title(figure.name, loc="left", fontsize=9, fontweight="bold", color=_INK)
    panel.invert_yaxis()
    panel.margins(x=0.2)
    panel.tick_params(length=0, colors=_INK, labelbottom=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
