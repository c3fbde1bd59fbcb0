"""What is said of a node or an edge, in the same few words for text, DOT and SVG. Names come out harmless."""

from __future__ import annotations

from countersign.canonical import checksum
from countersign.names import one_line, shorten
from countersign.provenance.graph import Edge, Graph, Node
from countersign.times import utc

__all__ = ["bound_of", "edge_words", "marks", "short", "title"]

_TITLES = {"work": "a work without a name", "ingredient": "an ingredient without a name"}


def title(node: Node, width: int = 60) -> str:
    """The name of a node, on one line."""
    if node.kind == "untold":
        return "parents that are not told"
    if node.kind == "model":
        return f"model {short(node.id)}"
    return shorten(one_line(node.name), width) if node.name.strip() else f"{_TITLES[node.kind]}"


def short(identifier: str) -> str:
    """An id's hash, shortened for reading."""
    if identifier.startswith("c2pa:"):
        return "named by a manifest"
    digits = identifier[-64:]
    return f"0x{digits[:8]}…{digits[-6:]}"


def _who(address: bytes) -> str:
    """An address, shortened for reading."""
    text = checksum(address)
    return f"{text[:6]}…{text[-4:]}"


def marks(node: Node) -> list[tuple[str, str]]:
    """Sentences about a node, each with its state: pass, fail, warn, unknown or note."""
    if node.kind == "untold":
        return [("note", "a sealed root stands for them")]
    if node.kind == "ingredient":
        return [("note", "its SHA-256 is not told")]
    said = _model_marks(node) if node.kind == "model" else [*_record_marks(node), *_certificate_marks(node)]
    if not node.known:
        said.append(("unknown", "nothing is known of it here"))
    return said + ([("warn", f"{node.omitted:,} parents are left out")] if node.omitted else [])


def _model_marks(node: Node) -> list[tuple[str, str]]:
    m = node.model
    if m is None:
        return []
    said = [("pass", f"published {utc(m.published_at)}")]
    said += [("note", f"published by {_who(m.publisher)}")] if m.publisher else []
    said += [("warn", f"deprecated {utc(m.deprecated_at)}")] if m.deprecated_at else []
    return said + ([("fail", f"revoked {utc(m.revoked_at)}")] if m.revoked_at else [])


def _record_marks(node: Node) -> list[tuple[str, str]]:
    r = node.record
    if r is None:
        return []
    said = [("pass", f"sealed {utc(r.sealed_at)}"), ("pass", f"claimed by {_who(r.creator)}")]
    said += [("fail", "retracted by its creator")] if r.retracted else []
    return said + (
        [("warn", f"{r.objections} objection{'s' * (r.objections > 1)} against the claim")] if r.objections else []
    )


def _certificate_marks(node: Node) -> list[tuple[str, str]]:
    holder = node.record.creator if node.record else None
    said = []
    for s in node.statements:
        by = f"certificate {_who(s.creator)}: "
        if s.outcome != "verified":
            said.append(("fail" if s.outcome == "not verified" else "unknown", by + s.outcome))
        elif s.creator != holder:
            said += [("pass", f"sealed {utc(s.sealed_at)}"), ("note", f"{by}not claimed")]
    return said


def edge_words(edge: Edge) -> str:
    """How the child is tied to the parent, and by whose word."""
    by = one_line(edge.by)
    manifest = "of a trusted signer" if edge.proven else "whose signer is not trusted"
    doubt = "" if edge.proven else ", not verified"
    said = {
        "certificate": f"derives from, says the certificate of {by}{doubt}",
        "registry": f"derives from, says the claim of {by} on chain",
        "c2pa": f"derives from, says a manifest {manifest}: {by}",
        "model": f"made with, says {by}{doubt}",
    }[edge.source]
    return said + ("; this closes a circle, so one of these statements is false" if edge.closes_circle else "")


def bound_of(graph: Graph) -> str:
    """What the graph leaves out, in a sentence; "" when nothing."""
    if not graph.cut:
        return ""
    return f"Not all is shown: the parents of {graph.cut:,} node(s) were not followed, or not all of them."
