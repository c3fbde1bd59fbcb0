"""How large things are: functions in Python and Solidity, contracts alone and with what they use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.create2 import ROOT

__all__ = ["CONTRACTS", "Function", "code_lines", "decile", "own_files", "python_functions", "solidity_functions"]

CONTRACTS = ROOT / "contracts"

_IMPORT = re.compile(r'^import [^;]*?"([^"]+)";', re.MULTILINE)
_NOTE = re.compile(r"^\s*(//|/\*|\*|$)")
_FUNCTION = re.compile(r"^( *)(?:function (\w+)|(constructor|receive|fallback))\b")


@dataclass(frozen=True)
class Function:
    """A function with a body; ``lines`` from its first to its last, blank lines and comments included."""

    path: Path
    name: str
    lines: int


def code_lines(path: Path) -> int:
    """Lines that are neither blank nor comment."""
    return sum(not _NOTE.match(line) for line in path.read_text().splitlines())


def own_files(contract: Path) -> list[Path]:
    """The files that a flattened contract holds, itself first: all it imports, OpenZeppelin left out."""
    found = [contract]
    for path in found:  # grows while it is read
        imported = [(path.parent / name).resolve() for name in _IMPORT.findall(path.read_text()) if name[0] == "."]
        found += [each for each in dict.fromkeys(imported) if each not in found]
    return found


def python_functions(folders: Iterable[str]) -> Iterator[Function]:
    """Every function and method in the repository's ``folders``."""
    for path in (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield Function(path, node.name, (node.end_lineno or node.lineno) - node.lineno + 1)


def solidity_functions(path: Path) -> Iterator[Function]:
    """Every function of an implementation that `forge fmt` has formatted: its end is indented as its beginning."""
    lines = path.read_text().splitlines()
    for start, line in enumerate(lines):
        if begins := _FUNCTION.match(line):
            last = start if line.endswith("}") else lines.index(begins[1] + "}", start)
            yield Function(path, begins[2] or begins[3], last - start + 1)


def decile(functions: Iterable[Function]) -> int:
    """The length that nine of ten functions do not exceed."""
    lengths = sorted(function.lines for function in functions)
    return lengths[(9 * len(lengths) - 1) // 10]
