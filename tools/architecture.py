"""Write what docs/architecture.md shows of the code: two graphs, two tables. `--check` only compares."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import grimp

from tools.create2 import NEEDS, ROOT, BuildError, read_build
from tools.shape import CONTRACTS, code_lines, own_files

PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = "countersign"
CODE_LIMIT = 24_576
"""Bytes of code that a contract may have (EIP-170)."""

Edge = tuple[str, str]


def main() -> int:
    """Write the page, or with --check say whether it is as it would be written (exit code 1: it is not)."""
    try:
        page = written(PAGE.read_text(), read_build())
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(page)
    elif page != PAGE.read_text():
        print(f"{PAGE.relative_to(ROOT)} is not what the code says: run `make docs`.", file=sys.stderr)
        return 1
    return 0


def written(page: str, build: dict[str, Any]) -> str:
    """The page with its generated parts made anew; the rest is written by hand."""
    parts = {"contracts": contract_graph(build), "sizes": contract_table(build), "imports": import_graph()}
    parts |= {"modules": module_table()}
    for name, text in parts.items():
        between = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        page, found = between.subn(lambda marks, text=text: f"{marks[1]}{text}\n{marks[2]}", page)  # type: ignore[misc]
        assert found == 1, f"the page has no place for {name}"
    return page


# Contracts


def contract_graph(build: dict[str, Any]) -> str:
    """Which contract calls which, and by what interface: from the types that the constructors take."""
    lines = ["```mermaid", "flowchart LR"]
    for name, needs in NEEDS.items():
        lines += [f"  {name}"]
        lines += [f"  {name} -->|{kind}| {need}" for need, kind in zip(needs, _kinds(build, name), strict=True)]
    return "\n".join([*lines, "```"])


def _kinds(build: dict[str, Any], name: str) -> list[str]:
    (constructor,) = [part for part in build["contractTypes"][name]["abi"] if part["type"] == "constructor"] or [{}]
    return [each["internalType"].removeprefix("contract ") for each in constructor.get("inputs", ())]


def contract_table(build: dict[str, Any]) -> str:
    """A row per contract: its verbs, and how large it is."""
    rows = []
    for name in NEEDS:
        files = [path for path in own_files(CONTRACTS / f"{name}.sol") if path.parent.name != "interfaces"]
        own, whole = code_lines(files[0]), sum(map(code_lines, files))
        code = (len(build["contractTypes"][name]["runtimeBytecode"]["bytecode"]) - 2) // 2
        share = f"{code:,} ({100 * code // CODE_LIMIT} %)"
        rows.append((f"`{name}`", ", ".join(f"`{verb}`" for verb in _verbs(build, name)), own, whole, share))
    return table(("contract", "verbs", "own lines", "with its libraries", "bytes of code"), rows)


def _verbs(build: dict[str, Any], name: str) -> list[str]:
    functions = [part for part in build["contractTypes"][name]["abi"] if part["type"] == "function"]
    return [part["name"] for part in functions if part["stateMutability"] in ("nonpayable", "payable")]


# The package


def import_graph() -> str:
    """The modules of the package, layer on layer; an arrow that two others imply is left out."""
    edges = reduced(_imports())
    drawn = [f"  {above} --> {below}" for above, below in sorted(edges, key=lambda edge: [*map(_height, edge), *edge])]
    return "\n".join(["```mermaid", "flowchart TD", *drawn, "```"])


def _imports() -> set[Edge]:
    graph = grimp.build_graph(PACKAGE)
    tops = sorted(_children(graph))
    for top in tops:
        graph.squash_module(f"{PACKAGE}.{top}")
    short = {f"{PACKAGE}.{top}": top for top in tops}
    return {
        (short[a], short[b]) for a in short for b in graph.find_modules_directly_imported_by(a) if b in short and b != a
    }


def _children(graph: grimp.ImportGraph) -> set[str]:
    return {child.removeprefix(f"{PACKAGE}.") for child in graph.find_children(PACKAGE)} - {"__main__"}


def reduced(edges: set[Edge]) -> set[Edge]:
    """The edges of an acyclic graph without those that a longer way implies (transitive reduction)."""
    after: dict[str, set[str]] = {}
    for above, below in edges:
        after.setdefault(above, set()).add(below)

    def reached(start: Iterable[str]) -> set[str]:
        seen: set[str] = set()
        waiting = list(start)
        while waiting:
            waiting += after.get(at := waiting.pop(), set()) - seen
            seen.add(at)
        return seen

    return {(a, b) for a, b in edges if b not in reached(each for n in after[a] - {b} for each in after.get(n, ()))}


def _layers() -> list[list[str]]:
    """The layers of pyproject.toml, highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in settings if contract["type"] == "layers"]
    return [[name.strip(" ()") for name in layer.split("|")] for layer in layers]


def _height(module: str) -> int:
    return next(at for at, layer in enumerate(_layers()) if module in layer)


def module_table() -> str:
    """A row per module, highest layer first, with the first sentence of its docstring."""
    rows = []
    for name in (name for layer in _layers() for name in layer):
        said = " ".join((import_module(f"{PACKAGE}.{name}").__doc__ or "").split("\n\n")[0].split())
        rows.append((f"`{name}`", re.sub(r":mod:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", said).split(". ")[0].rstrip(".:")))
    return table(("module", "what it is for"), rows)


# Both


def table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
