"""``find``, ``recover``, and the warning before a claim: works that look or read alike. A hint, never a proof."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, to_hex
from countersign.certificate import Certificate, path_beside
from countersign.cli.shell import Shell, command, digest
from countersign.cli.text import printable
from countersign.errors import CountersignError, InputError, Unreachable
from countersign.fingerprint.iscc import Fingerprint, code_of, examine, unpack_fingerprint
from countersign.index.query import Query
from countersign.index.similar import DISTANCE, MOST, Likeness, Similar, likeness
from countersign.times import utc
from countersign.verify import Report, verify

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["EarlierWorks", "find_command", "recover_command"]

HINT = "Similar, not the same: a match is a hint, never proof."
_SHOWN = 20
_PATIENCE = 10.0
"""Seconds that a claim waits at most for the index to catch up."""

_FILE = click.argument("file", type=click.Path(path_type=Path))
_DISTANCE = click.option(
    "--distance", type=click.IntRange(0, MOST), default=DISTANCE, show_default=True, metavar="BITS",
    help="How many of 64 bits may differ.",
)  # fmt: skip


@command("find", "countersign find photo.jpg\ncountersign find photo.jpg --distance 12 --json")
@_FILE
@_DISTANCE
def find_command(shell: Shell, file: Path, distance: int) -> int:
    """Who claims FILE, or a work like it: re-encoded, resized, slightly changed.

    Exit code 0 something was found, 1 nothing, 2 could not check.
    """
    content, fingerprint = digest(shell, file).sha256, examine(file)
    sight = _look(shell)
    exact = sight.standing(sight.query.claim(content))
    found = list(islice(_similar(sight, fingerprint, content, distance), _SHOWN))
    facts = {
        "file": str(file),
        "content": to_hex(content),
        "iscc": fingerprint.code,
        "note": fingerprint.note,
        "distance": distance,
        "block": sight.query.cursor()[0],
        "current": sight.client is not None,
        "exact": _claim_facts(exact) if exact else None,
        "similar": [_facts(one) for one in found],
        "hint": HINT,
    }
    shell.answer(facts, _find_text(file, fingerprint, exact, found, distance))
    if sight.client is None:
        _warn(f"The node does not answer: this is as of block {sight.query.cursor()[0]}, from the index alone.")
    return 0 if exact or found else 1 if sight.client else 2


@dataclass(frozen=True)
class _Sight:
    """The index and, where the node answers, the chain, which decides what the index found."""

    query: Query
    client: Client | None

    @cached_property
    def similar(self) -> Similar:
        """Finds similar claims; the codes of all are read once."""
        return Similar(self.query)

    def standing(self, row: dict[str, Any] | None) -> dict[str, Any] | None:
        """The claim as the chain says now; None when the chain knows none."""
        if row is None or self.client is None:
            return row
        claim = self.client.claim_of(row["content"])
        if claim is None:
            return None
        now = {"creator": claim.creator, "sealed_at": claim.sealed_at, "retracted": int(claim.retracted)}
        return row | now


def _look(shell: Shell, client: Client | None = None, patience: float | None = None) -> _Sight:
    """The index, brought up to date first, for ``patience`` seconds at most, when the node answers."""
    from countersign.index.store import Store
    from countersign.index.sync import catch_up

    try:
        client = client or shell.client()
    except Unreachable:
        return _Sight(Query(shell.settings.index_path), None)
    store, stop = Store(shell.settings.index_path, client.contracts), threading.Event()
    timer = threading.Timer(patience, stop.set) if patience else None
    if timer:
        timer.daemon = True
        timer.start()
    try:
        progress = catch_up(client, store, stop=stop)
        if progress.block < progress.head:
            _warn(f"The index is at block {progress.block} of {progress.head}; later claims are not looked at.")
    finally:
        store.close()
        if timer:
            timer.cancel()
    return _Sight(Query(shell.settings.index_path), client)


def _similar(sight: _Sight, fingerprint: Fingerprint, content: bytes, distance: int) -> Iterator[Likeness]:
    """Standing claims on other bytes that are alike, earliest seal first."""
    for one in sight.similar.find(fingerprint, distance):
        row = sight.standing(one.claim) if one.claim["content"] != content else None
        if row is not None:
            yield Likeness(row, one.unit, one.distance)


def _claim_facts(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "content": to_hex(row["content"]),
        "creator": checksum(row["creator"]),
        "sealedAt": row["sealed_at"],
        "claimedAt": row["time"],
        "retracted": bool(row["retracted"]),
        "objections": row["objections"],
        "iscc": code_of(row["fingerprint"]),
    }


def _facts(one: Likeness) -> dict[str, Any]:
    return {"distance": one.distance, "unit": one.unit, **_claim_facts(one.claim)}


def _find_text(file: Path, fingerprint: Fingerprint, exact: dict[str, Any] | None, found: list[Likeness],
               distance: int) -> str:  # fmt: skip
    lines = [f"{file}: {fingerprint.code}"]
    lines += [fingerprint.note] if fingerprint.note else []
    if exact:
        lines.append(f"exactly these bytes: {_claimed(exact)}")
    else:
        lines.append("Nobody claims exactly these bytes.")
    if found:
        lines += [f"  {_line(one)}" for one in found]
        lines.append(HINT)
    else:
        lines.append(f"Nothing similar is claimed (within {distance} of 64 bits). That says nothing about its origin.")
    return "\n".join(lines)


def _line(one: Likeness) -> str:
    kind = "similar content" if one.unit == "content" else "similar bytes"
    return f"{kind}, {one.distance} of 64 bits apart: {_claimed(one.claim)}  {to_hex(one.claim['content'])}"


def _claimed(row: dict[str, Any]) -> str:
    more = ", retracted" if row["retracted"] else ""
    more += f", {row['objections']} objection{'s' * (row['objections'] > 1)}" if row["objections"] else ""
    return f"sealed {utc(row['sealed_at'])} by {checksum(row['creator'])}{more}"


def _warn(text: str) -> None:
    click.echo(printable(f"{click.style('warning', fg='yellow')}: {text}"), err=True)


# Before a claim


class EarlierWorks:
    """Warns of claims by others on similar works, and nothing more: what keeps it from looking is said."""

    def __init__(self, shell: Shell, client: Client) -> None:
        self._shell, self._client = shell, client

    @cached_property
    def _sight(self) -> _Sight:
        return _look(self._shell, self._client, _PATIENCE)

    def warn(self, certificate: Certificate) -> list[dict[str, Any]]:
        """Say on stderr which similar works have an earlier seal than the certificate's, and return them for --json."""
        fingerprint = unpack_fingerprint(certificate.work.fingerprint)
        if fingerprint is None or certificate.sealer is None:
            return []
        try:
            found = self._earlier(certificate, certificate.sealer, fingerprint)
        except (CountersignError, OSError, sqlite3.Error) as error:
            _warn(f"Similar earlier works could not be looked for: {error}")
            return []
        for one in found:
            _warn(f"an earlier work is {_line(one)}")
        if found:
            _warn(f"{HINT} Your claim goes on.")
        return [_facts(one) for one in found]

    def _earlier(self, certificate: Certificate, sealer: bytes, fingerprint: Fingerprint) -> list[Likeness]:
        client = self._client
        seal, own = client.seal_of(certificate.root, sealer), client.root_of(certificate.creator)
        found = _similar(self._sight, fingerprint, certificate.work.content, DISTANCE)
        earlier = (one for one in found if seal is None or one.claim["sealed_at"] < seal.time)
        return list(islice((one for one in earlier if client.root_of(one.claim["creator"]) != own), _SHOWN))


# Recovery


@dataclass(frozen=True)
class _Found:
    """A certificate, by which unit ("bytes", "content", "data") it was found and how many bits apart, and where it lies
    when it is at hand already."""

    certificate: Certificate
    unit: str
    distance: int
    path: Path | None = None
    others: int = 0

    @property
    def name(self) -> str:
        """What a certificate from the chain is called, which knows no names of files."""
        return f"recovered-{self.certificate.work.content[:4].hex()}"


@command(
    "recover",
    """
countersign recover found.jpg                          from the chain alone
countersign recover found.jpg --in certificates/       from a folder of certificates, if it is there
countersign recover found.jpg --out original.json
""",
)
@_FILE
@_DISTANCE
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; default: beside FILE.")
@click.option("--in", "folder", type=click.Path(path_type=Path), help="Look among the certificates of a folder first.")
def recover_command(shell: Shell, file: Path, distance: int, out: Path | None, folder: Path | None) -> int:
    """Find the original of FILE, a copy without its certificate, and rebuild the certificate from the chain.

    The copy may be stripped, re-encoded or resized. The certificate is about the original's bytes, not about FILE's.
    """
    content, fingerprint = digest(shell, file).sha256, examine(file)
    client = shell.client()
    found = _at_hand(folder, content, fingerprint, distance) if folder else None
    found = found or _on_chain(_look(shell, client), content, fingerprint, distance)
    if found is None:
        shell.answer({"file": str(file), "recovered": None}, f"Nothing like {file} is claimed (--distance {distance}).")
        return 1
    report = verify(found.certificate, None, client=client)
    path = found.path if found.path and out is None else _write(out or path_beside(file.with_name(found.name)), found)
    shell.answer(_recovered_facts(file, path, found, report), _recovered_text(file, path, found, report))
    return report.exit_code


def _at_hand(folder: Path, content: bytes, fingerprint: Fingerprint, distance: int) -> _Found | None:
    """The nearest among the certificates in a folder."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.", "Give the folder that holds certificates.")
    matches = (_match(path, one, content, fingerprint, distance) for path, one in _certificates(folder))
    return min(filter(None, matches), key=lambda one: one.distance, default=None)


def _certificates(folder: Path) -> Iterator[tuple[Path, Certificate]]:
    for path in sorted(folder.glob("*.countersign.json")):
        try:
            yield path, Certificate.load(path)
        except InputError as error:
            _warn(f"{path} is left out: {error.message}")


def _match(path: Path, one: Certificate, content: bytes, fingerprint: Fingerprint, distance: int) -> _Found | None:
    if one.work.content == content:
        return _Found(one, "bytes", 0, path)
    other = unpack_fingerprint(one.work.fingerprint)
    near = likeness(fingerprint, other, distance) if other else None
    return _Found(one, *near, path) if near else None


def _on_chain(sight: _Sight, content: bytes, fingerprint: Fingerprint, distance: int) -> _Found | None:
    """The certificate of the earliest seal among the claims on these bytes and on similar ones: a copy comes later than
    its original, also when somebody claimed it."""
    from countersign.seal.recovered import recover_certificate

    assert sight.client is not None
    near: list[tuple[dict[str, Any], str, int]] = [
        (one.claim, one.unit, one.distance) for one in islice(_similar(sight, fingerprint, content, distance), _SHOWN)
    ]
    exact = sight.standing(sight.query.claim(content))
    claims = [*([(exact, "bytes", 0)] if exact else []), *near]
    if not claims:
        return None
    row, unit, apart = min(claims, key=lambda claim: claim[0]["sealed_at"])
    certificate = recover_certificate(sight.client, row["tx"], row["content"])
    return _Found(certificate, unit, apart, others=len(claims) - 1)


def _write(path: Path, found: _Found) -> Path:
    """Anew where an earlier run wrote it, so that recovering twice refreshes the proof; never over anything else: the
    creator's own certificate may hold a signature and parents that the chain does not tell."""
    certificate = found.certificate
    try:
        there = Certificate.load(path) if path.exists() else None
    except InputError:
        there = None
    ours = there is not None and (there.name, there.work) == (certificate.name, certificate.work)
    certificate.save(path, replace=ours)
    return path


def _recovered_facts(file: Path, path: Path, found: _Found, report: Report) -> dict[str, Any]:
    return {
        "file": str(file),
        "recovered": str(path),
        "content": to_hex(found.certificate.work.content),
        "creator": checksum(found.certificate.creator),
        "unit": found.unit,
        "distance": found.distance,
        "others": found.others,
        "outcome": report.outcome,
        "summary": report.summary,
        "hint": "" if found.unit == "bytes" else HINT,
    }


def _recovered_text(file: Path, path: Path, found: _Found, report: Report) -> str:
    lines = [
        f"{path}: certificate of {to_hex(found.certificate.work.content)} by {checksum(found.certificate.creator)}",
        f"{report.outcome}: {report.summary}",
    ]
    if found.unit == "bytes":
        lines.append(f"{file} has exactly the sealed bytes.")
    else:
        what = f"{found.unit} is {found.distance} of 64 bits apart"
        lines.append(f"{file} is not the sealed file: its {what}. {HINT}")
    if found.others:
        lines.append(f"This is the earliest; {found.others} more: countersign find {file}")
    return "\n".join(lines)
