"""``export-evidence``."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import from_hex
from countersign.certificate import Certificate, path_beside
from countersign.certificate.credentials import Brought
from countersign.certificate.disclosure import disclosure_path
from countersign.cli.credentials import ANCHORS, brought
from countersign.cli.shell import Shell, command, digest
from countersign.durable import open_regular
from countersign.errors import CountersignError, InputError, Unreachable
from countersign.evidence import Case, export, verifier_page
from countersign.fingerprint.c2pa.container import original_digest
from countersign.fingerprint.c2pa.reading import Credentials, read_manifest, sidecar_of
from countersign.seal.credentials import credentials_path
from countersign.verify import Report, verify

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["export_evidence_command"]

_MAX_BESIDE = 16 << 20


class _Doubtful(CountersignError):
    """The check did not succeed; its exit code is the check's."""

    def __init__(self, report: Report) -> None:
        super().__init__(
            f"The work is {report.outcome}. {report.summary}"
            if report.outcome == "not verified"
            else f"The work could not be checked. {report.summary}",
            "Mend that first, or use --anyway for evidence that says so on its first page.",
        )
        self.exit_code = report.exit_code


@command(
    "export-evidence",
    """
countersign export-evidence photo.jpg                              photo.jpg.evidence.zip, to be checked offline
countersign export-evidence photo.jpg --without-work --out case.zip
countersign export-evidence photo.jpg --offline --block-hash 0x…   no network: trust one block hash
countersign export-evidence stolen.jpg --certificate mine.countersign.json --anyway
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--certificate", type=click.Path(path_type=Path), help="Default: FILE.countersign.json.")
@click.option("--out", type=click.Path(path_type=Path), metavar="ZIP", help="Default: FILE.evidence.zip.")
@click.option("--without-work", is_flag=True, help="Leave the work out; its SHA-256 stays.")
@click.option("--anyway", is_flag=True, help="Also when the check fails: the report says so on its first page.")
@ANCHORS
@click.option("--offline", is_flag=True, help="Ask no node.")
@click.option("--block-hash", metavar="0x…", help="The one block hash you trust, compared across your own sources.")
def export_evidence_command(shell: Shell, file: Path, certificate: Path | None, out: Path | None, without_work: bool,
                            anyway: bool, trust_anchors: Path | None, offline: bool,
                            block_hash: str | None) -> None:  # fmt: skip
    """One ZIP that a court or regulator checks offline: the work, its certificate and proofs, the report as PDF and
    JSON, instructions, and the independent verifier where it was built.

    WARNING: the certificate holds the secret salt. Before the claim, whoever gets the ZIP can open the seal.
    """
    trusted = from_hex(block_hash, 32, "block hash") if block_hash else None
    found, c = digest(shell, file), Certificate.load(certificate or path_beside(file))
    stranger, disclosed = _stranger(file, found.sha256), _beside(disclosure_path(file))
    said = brought(shell, file, trust_anchors).credentials
    signed, manifest = _credentials(file, said, trust_anchors, stranger)
    told = sha256(disclosed).digest() if disclosed is not None else None
    came = Brought(manifest, copied=signed not in (None, sidecar_of(file)), disclosure=told)
    client = None if offline else _client(shell)
    report = verify(c, found.sha256, block_hash=trusted, client=client, brought=came)
    if report.outcome != "verified" and not anyway:
        raise _Doubtful(report)
    work = None if without_work else file
    case = Case(c, report, found, work, signed, manifest, disclosed, verifier_page())
    out = out or file.with_name(file.name + ".evidence.zip")
    with shell.progress(found.size, f"Packing {file.name}") as advance:
        sums = export(case, out, advance)
    _tell(shell, case, out, sums, [stranger] if stranger else [])


def _client(shell: Shell) -> Client | None:
    try:
        return shell.client()
    except Unreachable:
        return None


def _credentials(
    file: Path, said: Credentials | None, anchors: Path | None, stranger: str
) -> tuple[Path | None, Credentials | None]:
    """What the work's Content Credentials say, and the file they are in, unless that is the work itself: a sidecar, or
    the copy to publish. ``said`` is what the work itself or its sidecar says."""
    if said:
        return None if said.embedded else sidecar_of(file), said
    path = credentials_path(file)
    if path is None or not path.exists() or stranger:
        return None, None
    return path, read_manifest(path, anchors=anchors)


def _stranger(file: Path, content: bytes) -> str:
    """Why the file that is named like the work's published copy is left out; "" when it is none, or is that copy."""
    path = credentials_path(file)
    if path is None or path == sidecar_of(file) or not path.exists() or original_digest(path) == content:
        return ""
    return f"{path.name} was left out: without Content Credentials its bytes are not those of {file.name}."


def _beside(path: Path) -> bytes | None:
    """A small file beside the work, or None when there is none."""
    try:
        with open_regular(path) as file:
            data = file.read(_MAX_BESIDE + 1)
    except FileNotFoundError:
        return None
    if len(data) > _MAX_BESIDE:
        raise InputError(f"{path} is larger than {_MAX_BESIDE >> 20} MB.", "Move it away if it does not belong here.")
    return data


def _tell(shell: Shell, case: Case, out: Path, sums: dict[str, str], left_out: list[str]) -> None:
    warnings = left_out + _warnings(case)
    facts: dict[str, Any] = {"file": str(out), "outcome": case.report.outcome, "record": case.uri}
    facts |= {"files": sums, "warnings": warnings}
    lines = [f"evidence: {out} ({case.report.outcome}), {len(sums) + 1} files", *(f"warning: {w}" for w in warnings)]
    shell.answer(facts, "\n".join(lines))


def _warnings(case: Case) -> list[str]:
    said = []
    if case.claim is None:
        said.append(
            "The proof shows no claim, and the ZIP holds the secret salt: whoever gets it can open the seal"
            + (" and make your claim public" if case.certificate.signature else "")
            + ". Claim first, or give it to those only who may know."
        )
    if case.local:
        said.append("This is the development chain: its blocks prove nothing to others.")
    if case.verifier is None:
        said.append("The independent verifier is not built here, so the ZIP holds none.")
    return said
