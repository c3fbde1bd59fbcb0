"""A machine without Chromium: a person sees what was left out, CI fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.browser import MISSING
from tools.create2 import ROOT

_TEST = "tests/app/browser/test_ways.py::test_a_link_to_a_work_needs_no_wallet"


def _run(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """One browser test where neither PATH nor Playwright has a browser."""
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    without = {"PATH": str(folder), "PLAYWRIGHT_BROWSERS_PATH": str(folder)}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", _TEST]
    return subprocess.run(
        command, cwd=ROOT, env={**inherited, **without, **environment}, capture_output=True, text=True, timeout=300
    )


def test_a_person_sees_the_skip(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout and MISSING in done.stdout


def test_ci_fails(tmp_path: Path) -> None:
    done = _run(tmp_path, CI="true")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 error" in done.stdout and MISSING in done.stdout and "skipped" not in done.stdout
