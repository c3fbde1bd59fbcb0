"""Where a work comes from, and evidence of it, on a real chain: the graph, and the ZIP that is checked as it says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from commandline import Cli, Outcome
from PIL import Image

from tools.devnet import Devnet
from tools.ports import free_port


def done(outcome: Outcome, code: int = 0) -> Outcome:
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


def refused(outcome: Outcome, *words: str, code: int = 2) -> Outcome:
    done(outcome, code)
    assert outcome.err.startswith("error: ") and len(outcome.err.strip().splitlines()) >= 2, outcome
    for word in words:
        assert word in outcome.err
    return outcome


def picture(path: Path) -> Path:
    Image.frombytes("RGB", (64, 64), os.urandom(64 * 64 * 3)).save(path)
    return path


@pytest.fixture(scope="module")
def sealed(chain: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """scan → print → collage; the collage also derives from a work that nobody here knows. ``old`` holds the scan."""
    folder = tmp_path_factory.mktemp("family")
    cli = Cli(chain.url, folder / "home")
    (folder / "old").mkdir()
    scan, print_, collage = folder / "old" / "scan.png", folder / "print.png", folder / "collage.png"
    for path in (scan, print_, collage):
        picture(path)
    done(cli("seal", scan, key="test:8"))
    done(cli("claim", scan, key="test:8"))
    done(cli("seal", print_, "--parent", scan, "--origin", "print", key="test:8"))
    done(cli("claim", print_, key="test:8"))
    model = done(cli("model", "publish", scan, "--licence", "MIT", "--json", key="test:8")).json["modelId"]
    parents = ("--parent", print_, "--parent", "0x" + os.urandom(32).hex(), "--model", model)
    done(cli("seal", collage, *parents, "--origin", "trainedAlgorithmicMedia", key="test:9"))
    done(cli("retract", scan, key="test:8"))
    return folder


@pytest.fixture
def family(sealed: Path, tmp_path: Path) -> dict[str, Path]:
    """Files of :func:`sealed` for one test alone."""
    shutil.copytree(sealed, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("home"))
    return {path.stem: path for path in (*tmp_path.glob("*.png"), *tmp_path.glob("old/*.png"))}


def test_three_generations_one_retracted_one_unknown(cli: Cli, family: dict[str, Path], tmp_path: Path) -> None:
    graph = done(cli("graph", family["collage"], "--in", tmp_path / "old", "--json")).json
    nodes = {node["name"] or node["kind"]: node for node in graph["nodes"]}
    assert {name: node["generation"] for name, node in nodes.items()} == {
        "collage.png": 0, "model": 1, "print.png": 1, "work": 1, "scan.png": 2,
    }  # fmt: skip
    assert all(edge["proven"] for edge in graph["edges"]) and len(graph["edges"]) == 4
    assert nodes["scan.png"]["record"]["retracted"] and not nodes["print.png"]["record"]["retracted"]
    assert nodes["collage.png"]["record"] is None and nodes["model"]["model"]["publishedAt"] > 0
    assert {c["outcome"] for name in ("collage.png", "print.png") for c in nodes[name]["certificates"]} == {"verified"}

    tree = done(cli("graph", family["collage"], "--in", tmp_path / "old")).out
    assert "✗ retracted by its creator" in tree and "? nothing is known of it here" in tree
    svg = tmp_path / "family.svg"
    done(cli("graph", family["collage"], "--in", tmp_path / "old", "--format", "svg", "--out", svg))
    assert len(ElementTree.parse(svg).findall(".//{http://www.w3.org/2000/svg}rect")) == 5
    assert done(cli("graph", family["collage"], "--format", "dot")).out.startswith("digraph")


def test_the_chain_alone_tells_a_single_parent(cli: Cli, family: dict[str, Path], tmp_path: Path) -> None:
    """Nobody has the certificates: the claim's root is the one claimed work whose leaf it is."""
    content = done(cli("show", family["print"], "--json")).json["content"]
    graph = done(cli("graph", content, "--json")).json
    (edge,) = graph["edges"]
    assert (
        edge["source"] == "registry" and edge["parent"] == done(cli("show", family["scan"], "--json")).json["content"]
    )
    assert done(cli("graph", family["collage"], "--depth", "1", "--json")).json["cut"] == 1


def test_without_a_node_nothing_counts_as_verified_and_it_is_said(cli: Cli, family: dict[str, Path]) -> None:
    offline = done(cli("graph", family["collage"], "--offline"))
    assert "could not check" in offline.out and "note: No node was asked" in offline.err
    cli.url, cli.home = f"http://127.0.0.1:{free_port()}", cli.home / "other"
    assert "nothing is known of the chain" in done(cli("graph", family["collage"])).err
    refused(cli("graph", family["collage"], "--in", family["collage"] / "none"), "cannot be read")
    refused(cli("graph", family["collage"].with_name("none")), "does not exist")
    refused(cli("graph", "0x12"), "32 bytes")
    refused(cli("graph", family["collage"], "--out", family["collage"] / "x"), "cannot be written")


def test_ingredients_of_a_manifest_are_edges(cli: Cli, family: dict[str, Path]) -> None:
    done(cli("c2pa", "sign", family["print"]))
    for file in (family["print"], family["print"].with_name("print.c2pa.png")):
        edges = done(cli("graph", file, "--json")).json["edges"]
        assert {edge["source"] for edge in edges} == {"certificate", "c2pa"}
        assert [edge["proven"] for edge in edges if edge["source"] == "c2pa"] == [False]
        assert len({edge["parent"] for edge in edges}) == 1


def unpacked(archive: Path, into: Path) -> Path:
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(into)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=into, check=True)
    return into


def test_evidence_is_checked_as_its_readme_says(
    cli: Cli, family: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = family["print"]
    done(cli("c2pa", "sign", work))
    made = done(cli("export-evidence", work, "--json")).json
    assert made["outcome"] == "verified" and {"c2pa/print.c2pa.png", "c2pa/manifest.json"} <= set(made["files"])
    assert not any("salt" in warning for warning in made["warnings"])
    into = unpacked(Path(made["file"]), tmp_path / "court")
    readme = (into / "README.txt").read_text()
    (line,) = re.findall(r"^ +countersign (verify .*)$", readme, re.MULTILINE)
    monkeypatch.chdir(into)
    cli.url = f"http://127.0.0.1:{free_port()}"
    assert "VERIFIED" in done(cli(*shlex.split(line))).out
    wrong = re.sub("0x[0-9a-f]{64}", "0x" + "00" * 32, line)
    done(cli(*shlex.split(wrong)), 1)
    header = json.loads((into / "proof" / "header.json").read_text())
    assert (
        header["hash"] in readme and json.loads((into / "report.json").read_text())["block"]["hash"] == header["hash"]
    )
    refused(cli("export-evidence", work), "could not be checked", "--anyway")
    offline = ("export-evidence", work, "--offline", "--block-hash", header["hash"])
    refused(cli(*offline), "exists already")
    packed = [tmp_path / "1.zip", tmp_path / "2.zip"]
    for out in packed:
        done(cli(*offline, "--out", out))
    assert packed[0].read_bytes() == packed[1].read_bytes()


def test_evidence_judges_what_lies_beside_the_work(cli: Cli, family: dict[str, Path], tmp_path: Path) -> None:
    """A disclosure and a published copy go into the ZIP as the work's own: they are held to the seal as verify does."""
    work = picture(tmp_path / "poster.png")
    seal = ("--origin", "trainedAlgorithmicMedia", "--c2pa", "--disclosure")
    done(cli("seal", work, *seal, key="test:8"))
    disclosure, copy = tmp_path / "poster.png.disclosure.json", tmp_path / "poster.c2pa.png"
    steps = {step["name"]: step["state"] for step in evidence_of(cli, work, tmp_path / "good")["steps"]}
    assert steps["disclosure"] == steps["manifest"] == "pass" and steps["signer"] == "warn"
    assert done(cli("verify", tmp_path / "good" / "work" / "poster.png", "--json")).json["steps"][-1]["state"] == "pass"
    told = disclosure.read_text()
    disclosure.write_text(told.replace("trainedAlgorithmicMedia", "digitalCapture"))
    refused(cli("export-evidence", work, "--out", tmp_path / "x.zip"), "disclosure", code=1)
    failed = evidence_of(cli, work, tmp_path / "bad", "--anyway")
    assert failed["outcome"] == "not verified"
    assert cli("verify", tmp_path / "bad" / "work" / "poster.png").code == 1, "whoever unpacks it sees it too"
    (tmp_path / "bad" / "work" / "poster.png").unlink()
    assert cli("verify", tmp_path / "bad" / "work" / "poster.png.countersign.json").code == 1
    disclosure.write_text(told)
    shutil.copy(family["print"], tmp_path / "other.png")
    done(cli("seal", tmp_path / "other.png", *seal[:3], key="test:9"))
    shutil.copy(tmp_path / "other.c2pa.png", copy)
    made = done(cli("export-evidence", work, "--out", tmp_path / "y.zip", "--json")).json
    assert "poster.c2pa.png was left out" in made["warnings"][0]
    assert not any(name.startswith("c2pa/") for name in made["files"])


def evidence_of(cli: Cli, work: Path, into: Path, *options: str) -> Any:
    done(cli("export-evidence", work, "--out", into.with_suffix(".zip"), *options))
    return json.loads((unpacked(into.with_suffix(".zip"), into) / "report.json").read_text())


def test_evidence_of_the_published_copy_holds_manifest_and_disclosure(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = ("--origin", "trainedAlgorithmicMedia", "--c2pa", "--disclosure")
    done(cli("seal", picture(tmp_path / "art.png"), *marks, key="test:9"))
    copy = tmp_path / "art.c2pa.png"
    made = done(cli("export-evidence", copy, "--json")).json
    assert {"c2pa/manifest.json", "work/art.c2pa.png", "work/art.png.disclosure.json"} <= set(made["files"])
    into = unpacked(Path(made["file"]), tmp_path / "court")
    steps = {step["name"]: step["state"] for step in json.loads((into / "report.json").read_text())["steps"]}
    assert (steps["disclosure"], steps["manifest"], steps["signer"]) == ("pass", "pass", "warn")
    (line,) = re.findall(r"^ +countersign (verify .*)$", (into / "README.txt").read_text(), re.MULTILINE)
    monkeypatch.chdir(into)
    checked = done(cli(*shlex.split(line))).out
    assert " disclosure " in checked and " manifest " in checked
    tmp_path.joinpath("art.png.disclosure.json").write_text("{}")
    refused(cli("export-evidence", copy, "--out", tmp_path / "x.zip"), "not the document that was sealed", code=1)


def test_evidence_of_an_unclaimed_or_changed_work_warns(cli: Cli, family: dict[str, Path], tmp_path: Path) -> None:
    work, out = family["collage"], tmp_path / "x.zip"
    outcome = done(cli("export-evidence", work, "--without-work", "--out", out))
    assert "secret salt" in outcome.out and "development chain" in outcome.out
    (line,) = re.findall(
        r"^ +countersign (verify .*)$", (unpacked(out, tmp_path / "u") / "README.txt").read_text(), re.M
    )
    assert shlex.split(line)[1] == "work/collage.png.countersign.json"
    work.write_bytes(b"changed")
    refused(cli("export-evidence", work), "not verified", "--anyway", code=1)
    done(cli("export-evidence", work, "--anyway"))
    assert "did NOT succeed" in (unpacked(Path(f"{work}.evidence.zip"), tmp_path / "c") / "README.txt").read_text()
    refused(cli("export-evidence", family["scan"]), "retracted", code=1)
    refused(cli("export-evidence", tmp_path / "none"), "does not exist")
    (tmp_path / "plain.txt").write_text("x")
    refused(cli("export-evidence", tmp_path / "plain.txt"), "cannot be read")


@pytest.mark.parametrize("command", ["graph", "export-evidence"])
def test_help_has_examples(command: str) -> None:
    assert f"  countersign {command} " in done(Cli.bare(command, "--help")).out.split("Examples:")[1]
