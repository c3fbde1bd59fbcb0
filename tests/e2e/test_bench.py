"""The gas bars hold beside the peers, measured in one run as `make bench` does."""

from __future__ import annotations

import json
import subprocess
import sys


def test_gas_bars_are_met_and_the_document_has_its_form() -> None:
    run = subprocess.run([sys.executable, "-m", "bench", "gas", "--json"], capture_output=True, text=True, check=False)
    document = json.loads(run.stdout)
    figures = {figure["name"]: figure for figure in document["figures"]}
    assert document["bench"] == "gas" and set(document) == {"bench", "machine", "figures"}
    assert figures["seal"]["ratio"] <= 1.05
    assert figures["seal_and_claim"]["ratio"] <= 1.2
    assert figures["seal_and_claim"]["value"] <= 0.65 * figures["seal_and_claim"]["peers"]["EAS attest"]
    assert figures["seal_batch"]["ratio"] <= 1.05
    assert run.returncode == 0, run.stderr


def test_an_unknown_group_is_a_sentence() -> None:
    run = subprocess.run([sys.executable, "-m", "bench", "speed"], capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "there is no group speed" in run.stderr
