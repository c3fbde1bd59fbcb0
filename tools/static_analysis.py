"""forge lint and Slither: every finding must have a reason in tools/static_analysis.toml, and every reason a finding.

It reads the compiler's output of `forge build` (.build/forge) instead of compiling again, and of that output only what
belongs to the contracts. Exit code 1 and one line per problem when a finding is new or a reason is left over.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Finding", "Reason", "problems", "read_reasons"]

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / ".build" / "forge" / "build-info"
REASONS = ROOT / "tools" / "static_analysis.toml"
EVERYWHERE = "everywhere"


@dataclass(frozen=True)
class Finding:
    """What ``slither.DETECTOR`` or ``lint.NAME`` says about a place.

    A place of Slither is ``Contract.function``; one of the linter ``path/to/File.sol: the words that it means``.
    """

    check: str
    place: str
    text: str


@dataclass(frozen=True)
class Reason:
    """Why a check's findings are no fault: at a place, in a folder (``tests/``) or everywhere."""

    check: str
    place: str
    why: str

    def explains(self, finding: Finding) -> bool:
        """Whether the finding is meant."""
        inside = self.place.endswith("/") and finding.place.startswith(self.place)
        return self.check == finding.check and (inside or self.place in (EVERYWHERE, finding.place))


def problems(findings: Iterable[Finding], reasons: Iterable[Reason]) -> list[str]:
    """A line for each finding without a reason and each reason without a finding."""
    found, given = list(findings), list(reasons)
    new = [finding for finding in found if not any(reason.explains(finding) for reason in given)]
    idle = [reason for reason in given if not any(reason.explains(finding) for finding in found)]
    lines = [f'{f.check} at "{f.place}": {f.text} Correct it, or give the reason in {REASONS.name}.' for f in new]
    return lines + [f'{r.check} at "{r.place}": nothing is found there any more. Remove the reason.' for r in idle]


def read_reasons(text: str) -> list[Reason]:
    """The reasons in a table per check, in it ``place = "why"``."""
    return [
        Reason(f"{tool}.{check}", place, why)
        for tool, checks in tomllib.loads(text).items()
        for check, places in checks.items()
        for place, why in places.items()
    ]


# The linter


def lint() -> Iterator[Finding]:
    """What `forge lint` finds."""
    done = subprocess.run(["forge", "lint", "--json"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"forge lint did not finish:\n{done.stderr[-2000:]}")
    yield from (lint_finding(json.loads(line)) for line in done.stderr.splitlines() if line.startswith("{"))


def lint_finding(diagnostic: dict[str, Any]) -> Finding:
    """A diagnostic as a finding."""
    (span,) = (span for span in diagnostic["spans"] if span["is_primary"])
    line = span["text"][0]
    words = line["text"][line["highlight_start"] - 1 : line["highlight_end"] - 1]
    text = f"{diagnostic['message']} (line {span['line_start']})."
    return Finding(f"lint.{diagnostic['code']['code']}", f"{span['file_name']}: {words}", text)


# Slither


def slither() -> Iterator[Finding]:
    """What Slither finds."""
    for result in run_slither(without_tests(whole_build()))["results"].get("detectors", []):
        yield slither_finding(result)


def slither_finding(result: dict[str, Any]) -> Finding:
    """One result as a finding."""
    text = result["description"].split("\n")[0].strip()
    return Finding(f"slither.{result['check']}", _place(result["elements"][0]), text)


def _place(element: dict[str, Any]) -> str:
    """The function, variable or contract that an element lies in, and the contract of that."""
    parts: list[str] = []
    while element:
        if element["type"] in ("contract", "function", "variable"):
            parts.insert(0, element["name"])
        element = element.get("type_specific_fields", {}).get("parent", {})
    return ".".join(parts)


def whole_build() -> dict[str, Any]:
    """The newest build that compiled all contracts as they are now. Raises SystemExit with what to do."""
    wanted = {str(path.relative_to(ROOT)): path.read_text() for path in _sources()}
    for file in sorted(BUILDS.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True):
        build: dict[str, Any] = json.loads(file.read_text())
        sources = build.get("input", {}).get("sources", {})
        compiled = build.get("output", {}).get("contracts", {})
        if all(_has_code(compiled, name) and sources[name]["content"] == text for name, text in wanted.items()):
            return build
    raise SystemExit("No build holds all contracts as they are now: run `forge build --force`.")


def _has_code(compiled: dict[str, Any], name: str) -> bool:
    """Whether a file is in the output with its bytecode: where forge's cache is stale, its linter leaves ABIs alone."""
    return name in compiled and all("evm" in contract for contract in compiled[name].values())


def _sources() -> list[Path]:
    return [path for path in (ROOT / "contracts").rglob("*.sol") if ".cache" not in path.parts]


def without_tests(build: dict[str, Any]) -> dict[str, Any]:
    """The build as if there were no tests: nothing that remains refers to them."""
    for part in (build["input"]["sources"], build["output"]["sources"], build["output"]["contracts"]):
        for name in [name for name in part if name.startswith("tests/")]:
            del part[name]
    return build


def run_slither(build: dict[str, Any]) -> dict[str, Any]:
    """Slither's report on a build. Raises SystemExit when it does not finish."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "out" / "build-info").mkdir(parents=True)
        (place / "out" / "build-info" / "build.json").write_text(json.dumps(build))
        for name in ("contracts", "node_modules", "foundry.toml"):
            (place / name).symlink_to(ROOT / name)
        report = place / "report.json"
        slither = Path(sys.executable).with_name("slither")
        command: list[str | Path] = [
            slither,
            ".",
            "--ignore-compile",
            "--foundry-out-directory",
            "out",
            "--filter-paths",
            "node_modules",
        ]
        done = subprocess.run([*command, "--json", report], cwd=place, capture_output=True, text=True, check=False)
        if not report.is_file():
            raise SystemExit(f"Slither did not finish:\n{done.stderr[-2000:]}")
        return _checked(json.loads(report.read_text()))


def _checked(report: dict[str, Any]) -> dict[str, Any]:
    if not report["success"]:
        raise SystemExit(f"Slither did not finish: {report['error']}")
    return report


def main() -> int:
    """Print what is wrong, or how much was found and explained."""
    if not shutil.which("forge"):
        raise SystemExit("forge is not on PATH: run `make lint`, which puts it there.")
    findings = [*lint(), *slither()]
    reasons = read_reasons(REASONS.read_text())
    lines = problems(findings, reasons)
    print("\n".join(lines) if lines else f"{len(findings)} findings of forge lint and Slither, each with a reason.")
    return bool(lines)


if __name__ == "__main__":
    sys.exit(main())
