"""The components' pure JavaScript, by Node's own test runner."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_components() -> None:
    tests = Path(__file__).with_name("components.test.mjs")
    run = subprocess.run(["node", "--test", str(tests)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
