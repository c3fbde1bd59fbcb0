"""A finding without a reason is a problem, and so is a reason without a finding."""

from __future__ import annotations

import pytest

from tools.static_analysis import REASONS, Finding, Reason, lint_finding, problems, read_reasons, slither_finding

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
