"""What a work derives from: whose word each edge is, where the graph ends, and that no name breaks a drawing."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from test_names import HOSTILE
from world import CONTENT, CREATOR, THIEF, World, draft, signed_by_creator

from countersign.canonical import checksum, to_hex
from countersign.certificate import path_beside
from countersign.errors import InputError
from countersign.merkle import hash_leaf, list_root
from countersign.provenance import sources as provenance_sources
from countersign.provenance.draw import as_dot, as_text
from countersign.provenance.graph import Edge, Graph, Ingredient, ModelFacts, Node, Record, Statement, trace
from countersign.provenance.layout import BOX, arrange
from countersign.provenance.sources import Sources
from countersign.provenance.svg import as_svg
from countersign.records import ZERO

SVG = "{http://www.w3.org/2000/svg}"
SEALED = 1_790_000_000


def content(name: str) -> bytes:
    return sha256(name.encode()).digest()


def said(name: str, *parents: str, told: bool = True, outcome: str = "verified", **more: Any) -> Statement:
    made = tuple(map(content, parents))
    s = Statement(name, CREATOR, "", ZERO, list_root(made), made if told else (), outcome)
    return replace(s, sealed_at=SEALED if outcome == "verified" else 0, **more)


@dataclass
class Known:
    """Facts made up by hand."""

    words: dict[bytes, list[Statement]] = field(default_factory=dict)
    records: dict[bytes, Record] = field(default_factory=dict)
    manifests: dict[bytes, list[Ingredient]] = field(default_factory=dict)
    models: dict[bytes, ModelFacts] = field(default_factory=dict)
    one_parent: dict[bytes, bytes] = field(default_factory=dict)

    def statements(self, content: bytes) -> Sequence[Statement]:
        return self.words.get(content, [])

    def record(self, content: bytes) -> Record | None:
        return self.records.get(content)

    def ingredients(self, content: bytes) -> Sequence[Ingredient]:
        return self.manifests.get(content, [])

    def model(self, model_id: bytes) -> ModelFacts | None:
        return self.models.get(model_id)

    def opened(self, roots: frozenset[bytes]) -> Mapping[bytes, bytes]:
        return {root: parent for root, parent in self.one_parent.items() if root in roots}


def family(*statements: Statement) -> Known:
    known = Known()
    for s in statements:
        known.words.setdefault(content(s.name), []).append(s)
    return known


def edges(graph: Graph) -> set[tuple[str, str, str]]:
    names = {node.id: node.name or node.id for node in graph.nodes}
    return {(names[e.child], names[e.parent], e.source) for e in graph.edges}


def test_a_parent_stands_below_all_its_children() -> None:
    graph = trace(content("c"), family(said("c", "b", "a"), said("b", "a"), said("a")))
    assert {(n.name, n.generation) for n in graph.nodes} == {("c", 0), ("b", 1), ("a", 2)}
    assert edges(graph) == {("c", "b", "certificate"), ("c", "a", "certificate"), ("b", "a", "certificate")}
    assert all(edge.proven for edge in graph.edges) and graph.cut == 0 and not graph.circular


def test_an_unverified_certificate_proves_no_edge_unless_the_registry_holds_its_root() -> None:
    known = family(said("c", "a", outcome="not verified"))
    (edge,) = trace(content("c"), known).edges
    assert not edge.proven and edge.by == checksum(CREATOR)
    known.records[content("c")] = Record(THIEF, SEALED, False, 0, "", ZERO, list_root([content("a")]))
    (edge,) = trace(content("c"), known).edges
    assert edge.proven


def test_what_is_committed_but_not_told_is_an_open_end() -> None:
    graph = trace(content("c"), family(said("c", "a", "b", told=False)))
    assert [node.kind for node in graph.nodes] == ["work", "untold"]
    assert "parents that are not told" in as_text(graph)
    known = Known(records={content("c"): Record(CREATOR, SEALED, False, 0, "", ZERO, hash_leaf(content("a")))})
    known.one_parent = {hash_leaf(content("a")): content("a")}
    (edge,) = trace(content("c"), known).edges
    assert (edge.parent, edge.source, edge.proven) == (to_hex(content("a")), "registry", True)


def test_another_certificate_of_the_work_tells_what_the_first_leaves_out() -> None:
    graph = trace(content("c"), family(said("c", "a", told=False), said("c", "a")))
    assert [node.kind for node in graph.nodes] == ["work", "work"]


def test_ingredients_are_their_signers_word_and_may_go_in_circles() -> None:
    known = family(said("c", "b"), said("b"))
    known.manifests[content("b")] = [
        Ingredient("old.psd", "Studio", False),
        Ingredient("c", "Studio", True, content("c")),
    ]
    graph = trace(content("c"), known)
    assert graph.circular and edges(graph) >= {("b", "c", "c2pa"), ("b", "old.psd", "c2pa")}
    assert "closes a circle" in as_text(graph)
    assert [e.by for e in graph.edges if e.closes_circle] == ["Studio"]
    assert max(node.generation for node in graph.nodes) == 2
    ElementTree.fromstring(as_svg(graph))
    itself = Known(manifests={content("c"): [Ingredient("c", "Studio", True, content("c"))]})
    assert trace(content("c"), itself).circular


def test_a_manifest_does_not_rename_a_work_that_has_a_certificate() -> None:
    known = family(said("c"), said("b"))
    known.manifests[content("c")] = [Ingredient("forged", "Studio", False, content("b"))]
    assert [node.name for node in trace(content("c"), known, name="mine.png").nodes] == ["mine.png", "b"]


def test_a_model_is_shown_with_its_end() -> None:
    model = content("model")
    known = family(said("c", model=model))
    known.models[model] = ModelFacts(THIEF, SEALED, 0, SEALED + 60)
    graph = trace(content("c"), known)
    assert [(e.source, e.parent) for e in graph.edges] == [("model", f"model:{to_hex(model)}")]
    assert "✗ revoked 2026-09-21" in as_text(graph)
    assert graph.document()["nodes"][1]["model"]["publisher"] == checksum(THIEF)
    assert json.dumps(graph.document())


def test_depth_and_size_are_bounded_and_it_is_said() -> None:
    long = family(*(said(str(n), str(n + 1)) for n in range(100)))
    graph = trace(content("0"), long, depth=5)
    assert len(graph.nodes) == 6 and graph.cut == 1 and "Not all is shown" in as_text(graph)
    assert trace(content("98"), long).cut == 0
    wide = trace(content("w"), family(said("w", *map(str, range(5000)))))
    assert len(wide.nodes) == 1000 and wide.nodes[0].omitted == 4001
    assert "4,001 parents are left out" in as_text(wide)
    began = time.process_time()
    for drawn in (as_text(wide), as_dot(wide), as_svg(wide)):
        assert "Not all is shown" in drawn
    assert time.process_time() - began < 20


def test_deep_chains_do_not_recurse() -> None:
    nodes = tuple(Node(to_hex(content(str(n))), "work", str(n), generation=n) for n in range(1000))
    graph = Graph(nodes, tuple(Edge(a.id, b.id, "certificate", "") for a, b in pairwise(nodes)))
    assert as_text(graph).count("└─") == 999 and as_svg(graph).count("<rect") == 1000


def test_boxes_do_not_overlap_and_edges_end_at_them() -> None:
    known = family(said("c", "a", "b", "e"), said("b", "a", "d"), said("a", *(f"x{n}" for n in range(19))))
    graph = trace(content("c"), known)
    layout = arrange(graph)
    places = list(layout.places.values())
    for at, one in enumerate(places):
        assert one.x >= 0 and one.x + one.width <= layout.width and one.y + BOX[1] <= layout.height
        for other in places[at + 1 :]:
            assert abs(one.x - other.x) >= BOX[0] or abs(one.y - other.y) >= BOX[1]
    for edge, points in layout.routes:
        assert points[0] == (layout.places[edge.child].middle, layout.places[edge.child].y + BOX[1])
        assert points[-1] == (layout.places[edge.parent].middle, layout.places[edge.parent].y)


# Hostile names


def hostile(name: str, other: str) -> Graph:
    known = family(said("c", "a"))
    known.words[content("c")] = [replace(said("c", "a"), name=name)]
    known.manifests[content("c")] = [Ingredient(name, other, False)]
    return trace(content("c"), known)


@given(HOSTILE, HOSTILE)
def test_no_name_breaks_the_svg(name: str, other: str) -> None:
    root = ElementTree.fromstring(as_svg(hostile(name, other)))
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "text", "path", "rect", "g",
    }  # fmt: skip
    assert len(root.findall(f".//{SVG}rect")) == 3
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on") or "href" in key]


@given(HOSTILE, HOSTILE)
def test_no_name_breaks_the_dot_or_the_tree(name: str, other: str) -> None:
    graph = hostile(name, other)
    dot = as_dot(graph)
    assert len(dot.splitlines()) == 3 + len(graph.nodes) + len(graph.edges)
    for line in dot.splitlines()[2:-1]:
        assert outside_strings(line).count("[") == 1 and outside_strings(line).endswith("];")
    lines = as_text(graph).splitlines()
    assert sum(line.startswith(("├─", "└─")) for line in lines) == 2


def outside_strings(line: str) -> str:
    """What is left of a line of DOT without its quoted strings."""
    kept, inside, skip = "", False, False
    for character in line:
        if skip:
            skip = False
        elif inside and character == "\\":
            skip = True
        elif character == '"':
            inside = not inside
        elif not inside:
            kept += character
    assert not inside
    return kept


def test_a_name_is_shown_as_it_is() -> None:
    name = '<b>"a\\n" & c</b>'
    graph = hostile(name, "]; evil [")
    assert f"{name}  0x" in as_text(graph)
    titles = [element.text for element in ElementTree.fromstring(as_svg(graph)).iter(f"{SVG}text")]
    assert f"{name}: what it derives from" in titles
    assert '<b>\\"a\\\\n\\" &amp; c</b>' in as_dot(graph)


# Where it is found


def certified(folder: Path, name: str, *parents: bytes, **said: Any) -> bytes:
    """A file with its certificate, proven in a chain made up in memory; its content comes back."""
    file = folder / name
    file.write_bytes(name.encode())
    c = draft(content=content(name), parents=list_root(parents), **said)
    c = signed_by_creator(replace(c, name=name, parents=parents))
    World().sealed(c, CREATOR).prove(c, CREATOR).save(path_beside(file))
    return content(name)


def test_certificates_in_folders_are_found_and_bad_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    parent = certified(tmp_path / "more", "parent.jpg")
    child = certified(tmp_path, "child.jpg", parent)
    (tmp_path / "bad.countersign.json").write_text("{}")
    os.mkfifo(tmp_path / "pipe.countersign.json")
    found = Sources([tmp_path, tmp_path / "more", tmp_path])
    graph = trace(child, found)
    assert edges(graph) == {("child.jpg", "parent.jpg", "certificate")}
    assert {s.outcome for node in graph.nodes for s in node.statements} == {"could not check"}
    assert len(found.notes) == 2 and all("was left out" in note for note in found.notes)
    with pytest.raises(InputError, match="cannot be read"):
        Sources([tmp_path / "none"])


def test_more_certificates_than_are_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance_sources, "MAX_CERTIFICATES", 1)
    certified(tmp_path, "a")
    certified(tmp_path, "b")
    assert Sources([tmp_path]).notes == ["Only 1 of 2 certificates were read."]


def test_a_root_over_one_known_parent_is_opened(tmp_path: Path) -> None:
    parent = certified(tmp_path, "parent.jpg")
    c = draft(content=CONTENT, parents=hash_leaf(parent))
    c.save(tmp_path / "child.countersign.json")
    graph = trace(CONTENT, Sources([tmp_path]))
    assert edges(graph) == {("photo.jpg", "parent.jpg", "certificate")}


def test_graphviz_reads_the_dot(tmp_path: Path) -> None:
    """Where Graphviz is there; the grammar itself is checked above."""
    graph = hostile('a"b\\', "<x>&amp;")
    try:
        run = subprocess.run(["dot", "-Tplain"], input=as_dot(graph), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("Graphviz is not installed")
    assert run.returncode == 0 and not run.stderr
    assert sum(line.startswith("node ") for line in run.stdout.splitlines()) == len(graph.nodes)
