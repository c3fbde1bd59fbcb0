"""No verb costs over 2 % more or less than tests/gas-snapshot.json says, and the comparison can fail."""

from __future__ import annotations

import json

import pytest

from tools.create2 import NEEDS
from tools.gas_snapshot import ROOT, measure, problems, read, renewed

STORED = {"Escrow.open": {"gas": 100_000}, "Escrow.expire": {"gas": 50_000}}
BY_CONTRACTS = {"OracleNodes.slash"}
"""Verbs that only another contract calls: part of what its verb costs."""


def test_every_verb_costs_what_the_snapshot_says() -> None:
    wrong = problems(read(), measure())
    assert not wrong, "\n".join(wrong)


def test_the_snapshot_has_every_verb() -> None:
    abis = {name: json.loads((ROOT / f"countersign/chain/abi/{name}.json").read_text()) for name in NEEDS}
    verbs = {
        f"{name}.{each['name']}"
        for name, abi in abis.items()
        for each in abi
        if each["type"] == "function" and each["stateMutability"] in ("nonpayable", "payable")
    }
    assert {name.split(" ")[0] for name in read()} == verbs - BY_CONTRACTS


def test_an_entry_that_rose_names_a_decision() -> None:
    named = {entry["adr"] for entry in read().values() if "adr" in entry}
    assert all(list((ROOT / "docs" / "adr").glob(f"{number:04}-*.md")) for number in named)


@pytest.mark.parametrize(
    ("gas", "words"),
    [(102_001, "make gas-snapshot ADR=number"), (97_999, "which is to stay so"), (102_000, None), (98_000, None)],
)
def test_two_per_cent_are_allowed(gas: int, words: str | None) -> None:
    lines = problems(STORED, {"Escrow.open": gas, "Escrow.expire": 50_000})
    assert [words in line for line in lines] == [True] if words else not lines


def test_new_and_forgotten_verbs_are_told() -> None:
    new, gone = problems(STORED, {"Escrow.open": 100_000, "Escrow.deliver": 40_000})[::-1]
    assert "not in the snapshot yet" in new and "not measured any more" in gone


def test_a_rise_needs_a_decision() -> None:
    measured = {"Escrow.open": 110_000, "Escrow.expire": 40_000}
    with pytest.raises(SystemExit, match="rose from 100000 to 110000"):
        renewed(STORED, measured, None)
    assert renewed(STORED, measured, 9) == {"Escrow.expire": {"gas": 40_000}, "Escrow.open": {"gas": 110_000, "adr": 9}}


def test_small_steps_do_not_move_the_snapshot() -> None:
    """Else many of them would add up unseen."""
    assert renewed(STORED, {"Escrow.open": 101_500, "Escrow.expire": 49_500}, None) == STORED
