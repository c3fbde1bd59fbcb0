"""``verify``, ``show``, ``mine``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, from_address, from_hex, to_hex
from countersign.certificate import Certificate, path_beside
from countersign.cli.shell import Shell, command, content_of, digest
from countersign.errors import InputError, Unreachable
from countersign.records import ORIGINS
from countersign.times import utc
from countersign.verify import Report, lookup, verify

if TYPE_CHECKING:
    from countersign.objections import Objection

__all__ = ["mine_command", "show_command", "verify_command"]

_SHOWN = 10
"""Objections that `show` lists."""
_MARKS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "unknown": ("?", "yellow"), "warn": ("!", "yellow"),
          "note": ("·", "cyan")}  # fmt: skip


@command(
    "verify",
    """
countersign verify photo.jpg                                    the certificate beside it, and the chain
countersign verify photo.jpg --offline --block-hash 0x…         no network: trust one block hash, nothing else
countersign verify photo.jpg --certificate theirs.countersign.json
countersign verify photo.jpg.countersign.json                   a certificate without its file
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--certificate", type=click.Path(path_type=Path), help="Default: FILE.countersign.json.")
@click.option("--offline", is_flag=True, help="Ask no node.")
@click.option("--block-hash", metavar="0x…", help="The one block hash you trust, compared across your own sources.")
def verify_command(shell: Shell, file: Path, certificate: Path | None, offline: bool, block_hash: str | None) -> int:
    """Check FILE in numbered steps. Without a certificate the chain is asked who claims these bytes."""
    trusted = from_hex(block_hash, 32, "block hash") if block_hash else None
    path, content = _what(shell, file, certificate)
    if path is None and (offline or content is None):
        raise InputError(f"There is no certificate beside {file}.", "Give one with --certificate, or go online.")
    client = None if offline else _client(shell, needed=path is None)
    if path is None:
        assert client is not None and content is not None
        report = lookup(client, content)
    else:
        report = verify(Certificate.load(path), content, block_hash=trusted, client=client)
    shell.answer(_facts(report), _text(report))
    return report.exit_code


def _what(shell: Shell, file: Path, certificate: Path | None) -> tuple[Path | None, bytes | None]:
    """The certificate's path, if there is one, and the content, if there is a file."""
    if certificate is None and file.name.endswith(".countersign.json"):
        work = file.with_name(file.name.removesuffix(".countersign.json"))
        return file, digest(shell, work).sha256 if work.exists() else None
    content = digest(shell, file).sha256
    path = certificate or path_beside(file)
    return (path if certificate or path.exists() else None), content


def _client(shell: Shell, needed: bool) -> Any:
    """With a certificate at hand a silent node only leaves a step open."""
    try:
        return shell.client()
    except Unreachable:
        if needed:
            raise
        return None


def _facts(report: Report) -> dict[str, Any]:
    steps = [{"number": s.number, "name": s.name, "state": s.state, "detail": s.detail} for s in report.steps]
    return {"outcome": report.outcome, "summary": report.summary, "steps": steps, "facts": report.facts}


def _text(report: Report) -> str:
    lines = []
    for step in report.steps:
        mark, colour = _MARKS[step.state]
        lines.append(f"{click.style(mark, fg=colour)} {step.number:>2} {step.name:<12} {step.detail}")
    colour = {"verified": "green", "not verified": "red", "could not check": "yellow"}[report.outcome]
    return "\n".join([*lines, click.style(report.outcome.upper(), fg=colour, bold=True) + f": {report.summary}"])


@command("show", "countersign show photo.jpg\ncountersign show 0x…")
@click.argument("target", metavar="FILE|0x…")
def show_command(shell: Shell, target: str) -> int:
    """Everything the chain and the index say about a content: claim, history, objections."""
    from countersign.objections import facts_of, indexed

    content = content_of(shell, target)
    query = _query(shell)
    history, claim = query.history(content), query.claim(content)
    objections = indexed(query, None, content)
    facts = {
        "content": to_hex(content),
        "claim": _plain(claim) if claim else None,
        "history": [_plain(row) for row in history],
        "objections": [facts_of(one) for one in objections],
    }
    shell.answer(facts, _claim_text(content, claim, history, objections))
    return 0 if claim else 1


def _query(shell: Shell) -> Any:
    """The index, brought up to date first when the node answers."""
    from countersign.cli.index import bring_up_to_date

    return bring_up_to_date(shell)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: to_hex(value) if isinstance(value, bytes) else value for name, value in row.items()}


def _claim_text(content: bytes, claim: dict[str, Any] | None, history: list[dict[str, Any]],
                objections: list[Objection]) -> str:  # fmt: skip
    if claim is None:
        return f"Nobody claims {to_hex(content)}. That says nothing about where it comes from."
    lines = [
        f"content    {to_hex(content)}",
        f"claimed by {checksum(claim['creator'])}{' (retracted)' if claim['retracted'] else ''}",
        f"sealed     {utc(claim['sealed_at'])}",
        f"claimed    {utc(claim['time'])} in block {claim['block']}",
        f"origin     {ORIGINS.get(claim['origin'], claim['origin'])}",
    ]
    lines += [f"superseded {checksum(row['creator'])}, sealed {utc(row['sealed_at'])}" for row in history[:-1]]
    lines += [_objection_text(one) for one in objections[:_SHOWN]]
    more = len(objections) - _SHOWN
    lines += [f"           and {more} more objections"] * (more > 0) + ["verdicts   countersign objections"] * bool(
        objections
    )
    return "\n".join(lines)


def _objection_text(one: Objection) -> str:
    answered = "answered" if one.answered else "unanswered"
    return f"objection  by {checksum(one.notice.objector)} on {utc(one.notice.time)}, {answered}"


@command("mine", "countersign mine --key keystore:me.json\ncountersign mine --address 0x… --json")
@click.option("--address", metavar="0x…", help="Whose works; default: those of --key.")
def mine_command(shell: Shell, address: str | None) -> None:
    """Your claims and seals, newest first."""
    who = from_address(address) if address else shell.own_address()
    query = _query(shell)
    claims, seals = query.claims_by(who), query.seals_by(who)
    claimed = {row["root"] for row in claims}
    unclaimed = [row for row in seals if row["root"] not in claimed]
    facts = {"address": checksum(who), "claims": list(map(_plain, claims)), "unclaimed": list(map(_plain, unclaimed))}
    shell.answer(facts, _mine_text(who, claims, unclaimed))


def _mine_text(who: bytes, claims: list[dict[str, Any]], unclaimed: list[dict[str, Any]]) -> str:
    lines = [f"{checksum(who)}: {len(claims)} claimed, {len(unclaimed)} sealed roots without a claim"]
    lines += [
        f"  claimed {utc(row['sealed_at'])}  {to_hex(row['content'])}{'  retracted' if row['retracted'] else ''}"
        for row in claims
    ]
    lines += [f"  sealed  {utc(row['time'])}  root {to_hex(row['root'])}" for row in unclaimed]
    return "\n".join(lines)
