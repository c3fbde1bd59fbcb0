"""The bench group `oracle`: its document, its bar, and that it measures what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from bench import __main__ as program
from bench import oracle
from bench.figures import Figure
from countersign.checks import Material, delivery_check
from countersign.deal.brief import Brief
from scripts.committee import CHECKS

Figures = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def figures() -> Figures:
    command = [sys.executable, "-m", "bench", "oracle", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    document = json.loads(run.stdout)
    assert document["bench"] == "oracle" and set(document) == {"bench", "machine", "figures"}
    return {figure["name"]: figure for figure in document["figures"]}


def test_the_document_has_its_form(figures: Figures) -> None:
    checks = {f"{name}_ms" for name in CHECKS}
    assert figures.keys() == {"checks_per_s", "verdict_s", "verdict_slowest_s"} | checks
    assert all({"name", "value", "unit", "floor", "ratio", "peers"} <= figure.keys() for figure in figures.values())


def test_a_verdict_by_five_nodes_takes_at_most_five_seconds(figures: Figures) -> None:
    assert 0 < figures["verdict_s"]["value"] <= figures["verdict_slowest_s"]["value"] <= 5
    assert figures["verdict_s"]["limit"] == 5


def test_the_rate_of_checks_is_that_of_all_the_checks(figures: Figures) -> None:
    each = [figures[f"{name}_ms"]["value"] for name in CHECKS]
    assert min(each) <= 1000 / figures["checks_per_s"]["value"] <= 2 * max(each)


def test_checks_are_measured_on_one_core() -> None:
    before = os.sched_getaffinity(0)
    with oracle._one_core():
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_checks_that_refuse_are_not_measured() -> None:
    refused = Material(b"no picture", Brief("A picture", media_types=("image/png",)))
    with pytest.raises(AssertionError):
        oracle._require_pass([delivery_check("file-type")], [refused])


def test_a_missed_bar_is_said_and_exits_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(oracle, "measure", lambda: [Figure("verdict_s", 5.1, "s", limit=5)])
    monkeypatch.setattr(sys, "argv", ["bench", "oracle"])
    assert program.main() == 1
    assert "MISSED" in capsys.readouterr().out
