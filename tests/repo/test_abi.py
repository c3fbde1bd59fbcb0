"""What the package ships of the contracts is what Ape builds from the sources of this checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.create2 import ROOT, SALT, create2_address, plan, read_build
from tools.export_abi import exported

pytestmark = pytest.mark.xdist_group("ape")


@pytest.fixture(scope="module")
def build() -> dict[str, Any]:
    """Ape's build, brought up to date."""
    ape = Path(sys.executable).with_name("ape")
    done = subprocess.run([ape, "compile"], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return read_build()


def test_generated_files_are_up_to_date(build: dict[str, Any]) -> None:
    stale = [str(path) for path, text in exported(build).items() if _text(ROOT / path) != text]
    assert not stale, f"run `make abi` and commit {', '.join(stale)}"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_the_plan_sends_salt_and_init_code(build: dict[str, Any]) -> None:
    for planned in plan(build):
        assert planned.calldata == SALT + planned.init_code
        assert planned.address == create2_address(planned.init_code)


def test_create2_address_is_that_of_eip_1014() -> None:
    """The address that Foundry computes: `cast create2 --init-code 0x00 --salt 0x00…00`."""
    assert create2_address(b"\0") == "0x24C4fD2Db1Cf4Cb1aEc651CC0E060A00D400e784"
