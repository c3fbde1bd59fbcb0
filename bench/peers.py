"""Peers as their npm packages ship them: fetched when measured, never committed."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

__all__ = ["artifact", "node_modules", "shipped"]

_CACHE = Path(__file__).parent / ".cache"


def artifact(package: str, path: str) -> dict[str, Any]:
    """The Hardhat or Truffle artifact at ``path`` of a pinned npm ``package`` (NAME@VERSION): ABI and bytecode."""
    document: dict[str, Any] = json.loads(shipped(package, path))
    return document


def shipped(package: str, path: str) -> bytes:
    """The file at ``path`` of a pinned npm ``package`` (NAME@VERSION)."""
    archive = _CACHE / (package.removeprefix("@").replace("/", "-").replace("@", "-") + ".tgz")
    if not archive.exists():
        _CACHE.mkdir(exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", package], cwd=_CACHE, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"package/{path}")
        assert member is not None
        return member.read()


def node_modules(*packages: str) -> Path:
    """A folder in which Node.js finds these pinned packages (NAME@VERSION) and what they need."""
    folder = _CACHE / "node"
    wanted = [package.rpartition("@")[0] for package in packages]
    if not all((folder / "node_modules" / name).exists() for name in wanted):
        folder.mkdir(parents=True, exist_ok=True)
        quiet = ["--silent", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(["npm", "install", *quiet, "--prefix", str(folder), *packages], check=True)
    return folder
