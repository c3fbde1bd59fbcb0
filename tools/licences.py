"""Check the licences of what users receive: runtime dependencies, extras and the npm packages that ship.

Each package must state an allowed licence in its metadata, and its licence files must neither lack nor add a licence
that is not allowed. Packages that are only for developers are listed, not judged.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent

ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "HPND", "ISC"),
    *("MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
}

_PSF_HISTORY = "the text of the Python licence tells its history and names the GPL of other versions"
MENTIONS = {
    "aiohappyeyeballs": _PSF_HISTORY,
    "numpy": "the wheel carries libgfortran under GPL-3.0 with the GCC runtime exception, which frees what links to it",
    "opencv-python-headless": "the wheel carries FFmpeg under LGPL-2.1, linked dynamically, in the extra 'checks'",
    "pandas": "among others, " + _PSF_HISTORY,
    "pillow": "dual-licensed libraries in the wheel (FreeType, liblzma's tools) are used under their other licences",
    "pyarrow": "the LLVM exception to Apache-2.0 speaks of combining with GPLv2 software",
    "shapely": "the wheel carries GEOS under LGPL-2.1, linked dynamically, in the extra 'checks'",
    "typing_extensions": _PSF_HISTORY,
}
"""Packages whose licence files mention a copyleft licence though nothing of theirs is under it alone, and why."""

SUBSTITUTES = {"opencv-python": "opencv-python-headless"}
"""What is installed in place of what a dependency asks for (see the overrides in pyproject.toml)."""

SPELLINGS = {
    "Apache-2.0": r"apache",
    "BSD": r"\bbsd\b",
    "ISC": r"\bisc\b",
    "MIT": r"\bmit\b",
    "MPL-2.0": r"mozilla|\bmpl\b",
    "PSF-2.0": r"python software foundation|\bpsf\b",
    "Public Domain": r"public domain",
    "Unlicense": r"unlicense",
}
"""How metadata that is not SPDX names a licence."""

TEXTS = {
    "Apache-2.0": r"apache license\W+version 2",
    "BSD": r"redistribution and use in source and binary forms",
    "ISC": r"permission to use, copy, modify, and(?:/or)? distribute this software",
    "MIT": r"permission is hereby granted, free of charge",
    "MPL-2.0": r"mozilla public license",
    "PSF-2.0": r"python software foundation",
    "Unlicense": r"free and unencumbered software",
}
"""A phrase of each allowed licence's text."""

COPYLEFT = re.compile(r"gnu (?:lesser |affero |library )?general public license|\b[AL]?GPL(?:v|-)?[23]", re.IGNORECASE)
LICENCE_FILE = re.compile(r"(?:^|/)(?:licen[cs]e|copying|unlicense)[^/]*$", re.IGNORECASE)


@dataclass(frozen=True)
class Package:
    """What a package says of its licence. ``stated`` is SPDX or prose; ``texts`` are its licence files."""

    name: str
    version: str
    stated: str
    texts: tuple[str, ...]


def problem(package: Package) -> str | None:
    """Why the package may not ship, or None."""
    text = " ".join(" ".join(package.texts).split())
    if package.name not in MENTIONS and (found := COPYLEFT.search(text)):
        return f"its licence files mention '{found.group()}'"
    if not package.stated:
        return None if _names(TEXTS, text) else "states no licence and has no licence file known here"
    if not _allowed(package.stated):
        return f"states '{package.stated}', which is not on the list"
    if text and not _names(TEXTS, text):
        return f"states '{package.stated}', and its licence file is not one known here"
    return None


def _allowed(stated: str) -> bool:
    """Every part must be allowed; of a part with OR, one alternative is enough."""
    parts = [part.split(" OR ") for part in re.split(" AND |; ", stated)]
    return all(any(_allowed_alone(one.strip(" ()")) for one in part) for part in parts)


def _allowed_alone(licence: str) -> bool:
    return licence in ALLOWED or (not COPYLEFT.search(licence) and bool(_names(SPELLINGS, licence)))


def _names(patterns: dict[str, str], text: str) -> set[str]:
    return {name for name, pattern in patterns.items() if re.search(pattern, text, re.IGNORECASE)}


def python_package(dist: Distribution) -> Package:
    """The package of an installed distribution."""
    metadata = dist.metadata
    classifiers = [
        c.split(" :: ")[-1] for c in metadata.get_all("Classifier", []) if c.startswith("License :: OSI Approved ::")
    ]
    prose = metadata.get("License", "").strip()
    short = prose if prose and len(prose) < 100 else ""
    stated = metadata.get("License-Expression") or "; ".join(classifiers) or short
    files = [dist.locate_file(f) for f in dist.files or () if ".dist-info/" in str(f) and LICENCE_FILE.search(str(f))]
    texts = [Path(str(f)).read_text(errors="replace") for f in files]
    return Package(metadata["Name"], dist.version, stated, (*texts, "" if short else prose))


def needed(requirements: Iterable[str]) -> dict[str, Distribution]:
    """Every installed distribution that the requirements lead to on this machine, by canonical name."""
    found: dict[str, Distribution] = {}
    waiting = [(Requirement(r), frozenset[str]()) for r in requirements]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement, parent_extras = waiting.pop()
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        name = SUBSTITUTES.get(name, name)
        if not _applies(requirement, parent_extras) or (name, extras) in seen:
            continue
        seen.add((name, extras))
        found[name] = _installed(name)
        waiting += [(Requirement(r), extras) for r in found[name].requires or ()]
    return found


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        sys.exit(f"{name} is not installed: run `make setup`.")


def npm_packages(dev: bool) -> Iterator[Package]:
    """The npm packages that ship with the app or in the second verifier's page, or those for developers."""
    for project in (ROOT, ROOT / "verifier-js"):
        yield from _npm_packages(project, dev)


def _npm_packages(project: Path, dev: bool) -> Iterator[Package]:
    lock: dict[str, Any] = json.loads((project / "package-lock.json").read_text())
    for path, entry in lock["packages"].items():
        folder = project / path
        if path and folder.is_dir() and dev == bool(entry.get("dev") or entry.get("optional")):
            texts = [f.read_text(errors="replace") for f in folder.iterdir() if LICENCE_FILE.search(f.name)]
            name = path.removeprefix("node_modules/")
            yield Package(name, entry["version"], entry.get("license", ""), tuple(texts))


def main() -> int:
    """Exit 1 when a package that ships has a licence that is unknown or not allowed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    runtime = needed([*project["dependencies"], *(r for extra in extras for r in extra)])
    shipped = [*map(python_package, runtime.values()), *npm_packages(dev=False)]
    refused = [(p, why) for p in shipped if (why := problem(p))]
    for package, why in refused:
        print(f"{package.name} {package.version}: {why}", file=sys.stderr)
    tools = [d for d in distributions() if canonicalize_name(d.metadata["Name"]) not in runtime]
    noted = sorted(p.name for p in [*map(python_package, tools), *npm_packages(dev=True)] if problem(p))
    print(f"Licences: {len(shipped)} packages that ship, {len(refused)} refused.")
    print(f"Developers' tools with other licences (they do not ship): {', '.join(noted) or 'none'}.")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
