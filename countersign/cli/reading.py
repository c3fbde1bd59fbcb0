"""``verify``, ``show``, ``mine``."""

from __future__ import annotations

from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, from_address, from_hex, to_hex
from countersign.certificate import BUNDLE_SUFFIX, Certificate, credential_text, path_beside
from countersign.cli.bundles import checkable, found_in_bundle
from countersign.cli.credentials import ANCHORS, brought, stripped
from countersign.cli.shell import Shell, command, content_of, digest
from countersign.cli.text import one_line
from countersign.durable import write_durably
from countersign.errors import InputError, Unreachable
from countersign.fingerprint.c2pa.container import original_of
from countersign.records import ORIGINS
from countersign.times import utc
from countersign.verify import EXPLANATIONS, Report, lookup, verify, with_credentials

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.objections import Objection

__all__ = ["mine_command", "show_command", "verify_command"]

_SHOWN = 10
"""Objections that `show` lists."""
_MARKS = {"pass": ("✓", "green"), "fail": ("✗", "red"), "unknown": ("?", "yellow"), "warn": ("!", "yellow"),
          "note": ("·", "cyan")}  # fmt: skip

_UNDER = " " * 18
_LONGEST = 10_000
"""Characters of a step: strangers' names and words are in it."""


@command(
    "verify",
    """
countersign verify photo.jpg                                    the certificate beside it, and the chain
countersign verify photo.jpg --offline --block-hash 0x…         no network: trust one block hash, nothing else
countersign verify photo.jpg --certificate theirs.countersign.json
countersign verify photos/beach.jpg                             also out of a bundle beside the folder
countersign verify photo.c2pa.jpg --trust-anchors press.pem     with Content Credentials: C2PA's verdict and the chain's
countersign verify photo.jpg.countersign.json                   a certificate without its file
countersign verify photo.jpg --witness https://…                another node must name the same block
countersign verify photo.jpg --explain                          what each step compares, and what it does not prove
countersign verify photo.jpg --vc photo.vc.json                 also as a W3C Verifiable Credential
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--certificate", type=click.Path(path_type=Path), help="Default: FILE.countersign.json.")
@click.option("--offline", is_flag=True, help="Ask no node.")
@click.option("--block-hash", metavar="0x…", help="The one block hash you trust, compared across your own sources.")
@click.option("--witness", "witnesses", multiple=True, metavar="URL",
              help="Another node that must name the same final block; can be repeated.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Say of each step what it compares and what it does not prove.")
@click.option("--vc", type=click.Path(path_type=Path), metavar="OUT",
              help="Write a W3C Verifiable Credential 2.0, if verified.")  # fmt: skip
@ANCHORS
def verify_command(shell: Shell, file: Path, certificate: Path | None, offline: bool, block_hash: str | None,
                   witnesses: tuple[str, ...], explain: bool, vc: Path | None,
                   trust_anchors: Path | None) -> int:  # fmt: skip
    """Check FILE in numbered steps. Without a certificate the chain is asked who claims these bytes."""
    trusted = from_hex(block_hash, 32, "block hash") if block_hash else None
    if offline and witnesses:
        raise InputError("A witness is a node, and --offline asks none.", "Leave out one of the two.")
    found, content = _what(shell, file, certificate, offline)
    if found is None and (offline or content is None):
        raise InputError(f"There is no certificate beside {file}.", "Give one with --certificate, or go online.")
    if found is None and vc:
        raise InputError("A credential is made from a certificate, and there is none.", "Give one with --certificate.")
    client = None if offline else _client(shell, needed=found is None or bool(witnesses))
    others = _witnesses(shell, witnesses)
    came = brought(shell, file, trust_anchors)
    if found is None:
        assert client is not None and content is not None
        report = lookup(client, content, others)
        report = with_credentials(report, came.credentials) if came.credentials else report
        if came.unread:
            shell.say(f"not looked at: Content Credentials. {came.unread}")
        then = "A copy of a sealed work? 'countersign find FILE' looks for similar ones." * (report.exit_code == 1)
    else:
        then = ""
        came, content = stripped(came, file, found, content)
        report = verify(found, content, block_hash=trusted, client=client, witnesses=others, brought=came)
        if vc and report.outcome == "verified":
            write_durably(vc, credential_text(found).encode(), replace=False)
            then = f"credential: {vc}"
    shell.answer(_facts(report, explain), "\n".join([_text(report, explain), *filter(None, [then])]))
    return report.exit_code


def _what(shell: Shell, file: Path, certificate: Path | None, offline: bool) -> tuple[Certificate | None, bytes | None]:
    """The certificate, if there is one, and the content, if there is a file."""
    if certificate is None and file.name.endswith(".countersign.json"):
        work = file.with_name(file.name.removesuffix(".countersign.json"))
        return Certificate.load(file), digest(shell, work).sha256 if work.exists() else None
    content = digest(shell, file).sha256
    path = certificate or path_beside(file)
    if not path.exists() and (original := original_of(file)) and path_beside(original).exists():
        path = path_beside(original)
    if path.name.endswith(BUNDLE_SUFFIX) or not (certificate or path.exists()):
        packed = found_in_bundle(file, content, certificate)
        return packed and checkable(packed, None if offline else _client(shell, needed=False)), content
    return Certificate.load(path), content


def _witnesses(shell: Shell, urls: tuple[str, ...]) -> list[Client]:
    """Clients of nodes that were not asked yet: one that agrees with itself is no witness."""
    asked = {shell.settings.rpc.rstrip("/")}
    for url in urls:
        if url.rstrip("/") in asked:
            raise InputError(f"{url} is asked already.", "A witness is another node, run by somebody else.")
        asked.add(url.rstrip("/"))
    return [shell.client(url) for url in urls]


def _client(shell: Shell, needed: bool) -> Any:
    """With a certificate at hand a silent node only leaves a step open."""
    try:
        return shell.client()
    except Unreachable:
        if needed:
            raise
        return None


def _facts(report: Report, explain: bool) -> dict[str, Any]:
    steps = [
        {"number": s.number, "name": s.name, "state": s.state, "detail": s.detail}
        | ({"explanation": EXPLANATIONS[s.name]} if explain else {})
        for s in report.steps
    ]
    return {"outcome": report.outcome, "summary": report.summary, "steps": steps, "facts": report.facts}


def _text(report: Report, explain: bool) -> str:
    lines, width = [], max(len(step.name) for step in report.steps)
    for step in report.steps:
        mark, colour = _MARKS[step.state]
        detail = one_line(step.detail, _LONGEST)
        lines.append(f"{click.style(mark, fg=colour)} {step.number:>2} {step.name:<{width}} {detail}")
        if explain:
            lines += [*wrap(EXPLANATIONS[step.name], 96, initial_indent=_UNDER, subsequent_indent=_UNDER), ""]
    colour = {"verified": "green", "not verified": "red", "could not check": "yellow"}[report.outcome]
    disputed = any(step.name == "objections" and step.state == "warn" for step in report.steps)
    said = f": {one_line(report.summary, _LONGEST)}" + " Objected to: see the step 'objections'." * disputed
    return "\n".join([*lines, click.style(report.outcome.upper(), fg=colour, bold=True) + said])


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
