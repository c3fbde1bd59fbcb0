"""The wheel builds, installs, and carries what the package reads at run time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.create2 import NEEDS, ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the freshly built wheel was installed, without its dependencies."""
    built, target = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("installed")
    _run("-m", "build", "--no-isolation", "--wheel", "--outdir", str(built), str(ROOT))
    (wheel,) = built.glob("countersign-*.whl")
    _run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel))
    return target


def _run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_typed(installed: Path) -> None:
    assert (installed / "countersign" / "py.typed").is_file()


def test_it_carries_the_abis(installed: Path) -> None:
    folder = installed / "countersign" / "chain" / "abi"
    assert {file.stem for file in folder.glob("*.json")} == set(NEEDS)


def test_it_carries_the_deployments(installed: Path) -> None:
    shipped = installed / "countersign" / "chain" / "deployments"
    for file in (ROOT / "deployments").glob("*.json"):
        assert json.loads((shipped / file.name).read_text()) == json.loads(file.read_text())


def test_it_carries_the_second_verifier(installed: Path) -> None:
    page = (ROOT / "verifier-js" / "dist" / "countersign-verify.html").read_bytes()
    assert (installed / "countersign" / "countersign-verify.html").read_bytes() == page


def test_it_carries_nothing_else(installed: Path) -> None:
    assert {path.name for path in installed.iterdir()} <= {"bin", "countersign", *_metadata(installed)}


def _metadata(installed: Path) -> set[str]:
    return {path.name for path in installed.glob("countersign-*.dist-info")}


def test_the_licence_is_inside(installed: Path) -> None:
    assert list(installed.glob("countersign-*.dist-info/licenses/LICENSE"))


def test_the_package_finds_them_there(installed: Path) -> None:
    """A fresh interpreter without this checkout on its path reads addresses from the wheel."""
    code = "import countersign.chain.deployments as d; print(d.__file__); print(d.contracts_on(1).registry.hex())"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(installed)!r}); {code}"]
    done = subprocess.run(command, cwd=installed, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    file, address = done.stdout.split()
    known = json.loads((ROOT / "deployments" / "create2.json").read_text())["contracts"]["ContentRegistry"]["address"]
    assert Path(file).is_relative_to(installed)
    assert address == known[2:].lower()
