"""Small functions, small contracts, and a page that shows them as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.architecture import PAGE, reduced, written
from tools.create2 import NEEDS, read_build
from tools.shape import CONTRACTS, code_lines, decile, own_files, python_functions, solidity_functions

IMPLEMENTATIONS = sorted({
    path for name in NEEDS for path in own_files(CONTRACTS / f"{name}.sol") if path.parent.name != "interfaces"
})  # fmt: skip


@pytest.mark.parametrize("folder", ["countersign", "app", "scripts", "tools", "bench", "tests"])
def test_nine_of_ten_python_functions_fit_25_lines(folder: str) -> None:
    assert decile(python_functions([folder])) <= 25


def test_nine_of_ten_solidity_functions_fit_20_lines() -> None:
    assert decile(function for path in IMPLEMENTATIONS for function in solidity_functions(path)) <= 20


@pytest.mark.parametrize("path", IMPLEMENTATIONS, ids=lambda path: path.stem)
def test_no_contract_and_no_library_has_more_than_300_own_lines(path: Path) -> None:
    assert code_lines(path) <= 300


def test_no_contract_hides_its_lines_in_a_base() -> None:
    """So that a contract's own lines are its own: it inherits from interfaces and OpenZeppelin alone."""
    bases = [path for path in IMPLEMENTATIONS if "abstract contract" in path.read_text()]
    assert bases == []


def test_the_page_shows_the_code_as_it_is() -> None:
    page = PAGE.read_text()
    assert page == written(page, read_build()), "run `make docs`"


def test_lengths_are_measured(tmp_path: Path) -> None:
    """What the checks above rest on."""
    source = tmp_path / "A.sol"
    body = "\n".join(["    function f() external {", *["        // a note", "        x = 1;"] * 3, "    }"])
    source.write_text(f"// a note\n\ncontract A {{\n{body}\n\n    function g() external {{}}\n}}\n")
    assert [(f.name, f.lines) for f in solidity_functions(source)] == [("f", 8), ("g", 1)]
    assert code_lines(source) == 8
    assert decile(solidity_functions(source)) == 8


def test_an_arrow_that_others_imply_is_left_out() -> None:
    assert reduced({("a", "b"), ("b", "c"), ("a", "c"), ("c", "d"), ("a", "d"), ("a", "e")}) == {
        ("a", "b"), ("b", "c"), ("c", "d"), ("a", "e"),
    }  # fmt: skip
