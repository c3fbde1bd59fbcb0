"""The vectors are byte for byte what their program writes, and Python and Solidity both read them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tools import make_vectors

TESTS = Path(__file__).resolve().parents[1]
FILES = sorted(path.stem for path in (TESTS / "vectors").glob("*.json"))
RECORDED = {"certificates", "state_proof"}
"""No contract reads them. "state_proof" is taken from a real chain (tests/unit/record_state_proof.py) and is not made
again; "certificates" is, and tests/unit/test_verifiers.py looks that it is what its program writes."""


@pytest.mark.parametrize("name", sorted(set(FILES) - RECORDED))
def test_a_file_is_what_its_program_writes(name: str) -> None:
    """Says: run python -m tools.make_vectors."""
    text = json.dumps(getattr(make_vectors, name)(), indent=1, ensure_ascii=False) + "\n"
    assert (TESTS / "vectors" / f"{name}.json").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", FILES)
def test_python_reads_it(name: str) -> None:
    assert f'vectors("{name}")' in _texts("unit", "*.py")


@pytest.mark.parametrize("name", sorted(set(FILES) - RECORDED))
def test_solidity_reads_it(name: str) -> None:
    assert re.search(rf'_load\("{name}"\)', _texts("contracts", "*.sol"))


def _texts(folder: str, pattern: str) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (TESTS / folder).rglob(pattern))
