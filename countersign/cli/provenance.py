"""``graph``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.cli.credentials import ANCHORS
from countersign.cli.shell import Shell, command, content_of
from countersign.cli.text import printable
from countersign.durable import write_durably
from countersign.errors import IndexStoreError, Unreachable
from countersign.fingerprint.c2pa.container import original_digest
from countersign.provenance.draw import as_dot, as_text
from countersign.provenance.graph import MAX_DEPTH, Graph, trace
from countersign.provenance.sources import Sources
from countersign.provenance.svg import as_svg

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.index.query import Query

__all__ = ["graph_command"]

_DRAWN = {"text": as_text, "dot": as_dot, "svg": as_svg}


@command(
    "graph",
    """
countersign graph collage.png                               a tree: what it derives from, sealed when, claimed by whom
countersign graph collage.png --in originals/ --in ~/sealed  more folders with certificates
countersign graph collage.png --format svg --out family.svg
countersign graph 0x… --format dot | dot -Tpdf -o family.pdf
countersign graph collage.png --offline --json
""",
)
@click.argument("target", metavar="FILE|0x…")
@click.option("--in", "folders", multiple=True, metavar="DIR", type=click.Path(path_type=Path),
              help="A folder with certificates of works it may derive from; repeatable.")  # fmt: skip
@click.option("--format", "kind", type=click.Choice(sorted(_DRAWN)), default="text", help="Default: text.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it there instead of printing it.")
@click.option("--depth", type=click.IntRange(1, MAX_DEPTH), default=MAX_DEPTH, help="Generations. Default: all, to 32.")
@ANCHORS
@click.option("--offline", is_flag=True, help="Ask no node: only files and the index as it is.")
def graph_command(shell: Shell, target: str, folders: tuple[Path, ...], kind: str, out: Path | None, depth: int,
                  trust_anchors: Path | None, offline: bool) -> None:  # fmt: skip
    """What a work derives from, over generations: certificates beside it and in the folders, claims on chain, Content
    Credentials. Each edge names whose word it is; a parent in it is a statement, never proof that it was used."""
    given = content_of(shell, target)
    client, query = _chain(shell, offline)
    file = None if target.startswith("0x") else Path(target)
    sources = Sources([*([file.parent] if file else []), *folders], query, client, trust_anchors)
    content = _sealed(sources, given, file)
    if file:
        sources.add_file(content, file)
    graph = trace(content, sources, depth=depth, name=_name(file))
    notes = [*_unasked(client, query), *sources.notes]
    _hand_over(shell, graph, _DRAWN[kind](graph), notes, out)


def _sealed(sources: Sources, content: bytes, file: Path | None) -> bytes:
    """The content that is meant: a picture with Content Credentials embedded stands for the one that was sealed
    without, unless it is known itself."""
    without = original_digest(file) if file else None
    if without is None or sources.statements(content) or sources.record(content):
        return content
    return without


def _name(file: Path | None) -> str:
    if file is None:
        return ""
    return file.name.removesuffix(".countersign.json").encode(errors="replace").decode()


def _chain(shell: Shell, offline: bool) -> tuple[Client | None, Query | None]:
    """The node, if it answers, and the index, brought up to date if so; without a node the index as it is."""
    from countersign.cli.index import bring_up_to_date
    from countersign.index.query import Query

    try:
        client = None if offline else shell.client()
    except Unreachable:
        client = None
    try:
        return client, bring_up_to_date(shell) if client else Query(shell.settings.index_path)
    except IndexStoreError:
        if client or shell.settings.index_path.exists():
            raise
        return None, None


def _unasked(client: Any, query: Any) -> list[str]:
    if client:
        return []
    known = f"the index is as of block {query.status().block}" if query else "nothing is known of the chain"
    return [f"No node was asked: no certificate counts as verified, and {known}."]


def _hand_over(shell: Shell, graph: Graph, drawn: str, notes: list[str], out: Path | None) -> None:
    if out:
        write_durably(out, drawn.encode(), replace=False)
    shown = f"written to {out}: {len(graph.nodes)} nodes, {len(graph.edges)} edges" if out else drawn.rstrip("\n")
    for note in [] if shell.as_json else notes:
        click.echo(printable(f"note: {note}"), err=True)
    shell.answer(graph.document() | {"notes": notes} | ({"file": str(out)} if out else {}), shown)
