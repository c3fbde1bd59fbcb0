"""A finding without a reason is a problem, and so is a reason without a finding."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tools import static_analysis
from tools.static_analysis import REASONS, ROOT, Finding, Reason, lint_finding, problems, read_reasons, slither_finding

FOUND = Finding("slither.timestamp", "Escrow.expire", "Escrow.expire uses timestamp for comparisons")
CAST = Finding("lint.unsafe-typecast", "contracts/Escrow.sol: uint8(number)", "typecasts can truncate")


@pytest.mark.parametrize("place", ["Escrow.expire", "everywhere"])
def test_a_reason_explains(place: str) -> None:
    assert problems([FOUND], [Reason("slither.timestamp", place, "days")]) == []


def test_a_folder_explains_what_lies_in_it() -> None:
    assert problems([CAST], [Reason(CAST.check, "contracts/", "bounded")]) == []
    assert len(problems([CAST], [Reason(CAST.check, "tests/", "bounded")])) == 2


@pytest.mark.parametrize(
    "reason", [Reason("slither.timestamp", "Escrow.deliver", "days"), Reason("slither.assembly", "everywhere", "gas")]
)
def test_another_reason_does_not(reason: Reason) -> None:
    new, idle = problems([FOUND], [reason])
    assert "Escrow.expire" in new and "Remove the reason" in idle


def test_every_reason_says_something() -> None:
    reasons = read_reasons(REASONS.read_text())
    assert reasons and all(len(reason.why.split()) > 2 for reason in reasons)


def test_a_diagnostic_is_known_by_its_words() -> None:
    text = "        emit Paid(dealId, uint8(number), cause, amount, 0);"
    start = text.index("uint8(") + 1
    line = {"text": text, "highlight_start": start, "highlight_end": start + len("uint8(number)")}
    span = {"is_primary": True, "file_name": "contracts/Escrow.sol", "line_start": 269, "text": [line]}
    diagnostic = {"message": "typecasts can truncate", "code": {"code": "unsafe-typecast"}, "spans": [span]}
    assert lint_finding(diagnostic).place == CAST.place


def test_a_result_is_known_by_its_function() -> None:
    contract = {"type": "contract", "name": "Escrow"}
    function = {"type": "function", "name": "expire", "type_specific_fields": {"parent": contract}}
    node = {"type": "node", "name": "x", "type_specific_fields": {"parent": function}}
    result = {"check": "timestamp", "description": FOUND.text + "\n\tmore", "elements": [node]}
    assert slither_finding(result) == FOUND


def test_a_build_without_code_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """forge's linter leaves one, newer than the whole one, where forge's cache is stale."""
    monkeypatch.setattr(static_analysis, "BUILDS", tmp_path)
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in static_analysis._sources()}
    for age, (name, contract) in enumerate((("alone", {"abi": []}), ("whole", {"abi": [], "evm": {}}))):
        build = {
            "input": {"sources": {file: {"content": text} for file, text in sources.items()}},
            "output": {"contracts": {file: {"C": contract} for file in sources}, "of": name},
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(build))
        os.utime(tmp_path / f"{name}.json", (1000 - age, 1000 - age))
    assert static_analysis.whole_build()["output"]["of"] == "whole"
    (tmp_path / "whole.json").unlink()
    with pytest.raises(SystemExit, match="forge build"):
        static_analysis.whole_build()
