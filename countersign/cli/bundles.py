"""``certificate``: single certificates out of a bundle; where other commands find the bundle that a file is in."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, claim_slot, from_hex, to_hex
from countersign.certificate import BUNDLE_SUFFIX, Bundle, Certificate, bundle_beside, path_beside
from countersign.cli.shell import Shell, certificate_path, command, digest
from countersign.cli.text import one_line
from countersign.errors import CertificateError, ChainError, InputError

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["certificate_command", "checkable", "found_in_bundle", "taken_out"]

_SHOWN = 20
"""Names of what a bundle holds, before it only counts."""


@command(
    "certificate",
    """
countersign certificate photos.countersign.bundle                        what it holds
countersign certificate photos.countersign.bundle summer/beach.jpg       writes beach.jpg.countersign.json
countersign certificate photos.countersign.bundle copy.jpg --out c.json  by the bytes of a file, or by 0x…
countersign certificate photos.countersign.bundle --all certificates/
""",
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("target", metavar="[NAME|FILE|0x…]", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="Where to; default: NAME.countersign.json here.")
@click.option("--all", "folder", type=click.Path(path_type=Path), help="Write all certificates below this folder.")
@click.option("--offline", is_flag=True, help="Ask no node: leaves open whether somebody claims the work.")
def certificate_command(
    shell: Shell, bundle: Path, target: str | None, out: Path | None, folder: Path | None, offline: bool
) -> None:
    """Take certificates out of a BUNDLE, to hand them out one by one. Whoever has the bundle can open every seal in it.

    With a node at hand the certificate gets a proof of its own, that also shows whether somebody claims the work.
    """
    if folder and (target or out):
        raise InputError("--all writes all certificates below one folder.", "Leave out the name and --out.")
    with Bundle(bundle) as opened:
        if folder:
            _write_all(shell, opened, folder, offline)
        elif target is None:
            shell.answer(_facts(bundle, opened), _text(bundle, opened))
        else:
            certificate = _completed(shell, _meant(shell, opened, bundle, target), offline)
            path = out or path_beside(Path(Path(certificate.name).name))
            certificate.save(path, replace=False)
            facts = {"certificate": str(path), "name": certificate.name, "content": to_hex(certificate.work.content)}
            shell.answer(facts, f"certificate of {certificate.name}: {path}")


def _meant(shell: Shell, opened: Bundle, bundle: Path, target: str) -> Certificate:
    """The work of that name, else of a file's bytes, else of a hash."""
    found = opened.named(target)
    if found is None and target.startswith("0x"):
        found = opened.of(from_hex(target, 32, "content hash"))
    elif found is None and Path(target).is_file():
        found = opened.of(digest(shell, Path(target)).sha256)
    if found is None:
        raise InputError(f"{bundle.name} has no work {target}.", "Give its name in the bundle, its file, or 0x….")
    return found


def _completed(shell: Shell, certificate: Certificate, offline: bool) -> Certificate:
    """With a proof of its own: the bundle's shows the seal, and of claims only the first work's."""
    if certificate.proof is None or certificate.sealer is None or offline:
        return certificate
    from countersign.seal import prove

    return prove(shell.client(), certificate, certificate.sealer)


def checkable(certificate: Certificate, client: Client | None) -> Certificate:
    """A work's certificate out of a bundle with all that verifying it needs: which the bundle's proof leaves out is
    whether the content is claimed. Raises CertificateError without a client that can tell."""
    if certificate.proof is None or certificate.sealer is None or _shows_claim(certificate):
        return certificate
    if client is None:
        raise CertificateError(
            f"The bundle does not show whether somebody claims {certificate.name}.",
            "Go online once: 'countersign certificate BUNDLE NAME' takes out a certificate that verifies offline.",
        )
    from countersign.seal import prove

    with suppress(ChainError):  # then it is no such seal: verifying says what is wrong
        return prove(client, certificate, certificate.sealer)
    return certificate


def _shows_claim(certificate: Certificate) -> bool:
    slot = claim_slot(certificate.work.content)
    return any(
        slot == shown.slot
        for account in (certificate.proof.accounts if certificate.proof else ())
        for shown in account.slots
    )


def _write_all(shell: Shell, opened: Bundle, folder: Path, offline: bool) -> None:
    with shell.progress(opened.size, "Writing certificates", unit=" works") as advance:
        for certificate in opened.certificates():
            path = path_beside(folder / certificate.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            _require_same_seal(path, certificate)
            _completed(shell, certificate, offline).save(path)
            advance(1)
    shell.answer({"folder": str(folder), "works": opened.size}, f"{opened.size:,} certificates: {folder}")


def _require_same_seal(path: Path, certificate: Certificate) -> None:
    """A certificate may lie there that proves an earlier seal, and the file's own is the only one."""
    if path.exists():
        there = Certificate.load(path)
        if (there.root, there.leaf) != (certificate.root, certificate.leaf):
            raise InputError(f"{path} is the certificate of another seal.", "Move it away, or name another folder.")


def _facts(path: Path, opened: Bundle) -> dict[str, Any]:
    common = opened.common
    return {
        "bundle": str(path),
        "works": opened.size,
        "creator": checksum(common.creator),
        "root": to_hex(common.root),
        "chainId": common.contracts.chain_id,
        "state": common.state,
    }


def _text(path: Path, opened: Bundle) -> str:
    facts, names = _facts(path, opened), opened.names(_SHOWN)
    return "\n".join(
        [
            f"{path}: {opened.size:,} works of {facts['creator']}, {facts['state']}",
            f"root {facts['root']}, chain {facts['chainId']}",
            *(f"  {one_line(name)}" for name in names),
            *([f"  and {opened.size - len(names):,} more"] if opened.size > len(names) else []),
        ]
    )


def found_in_bundle(file: Path, content: bytes, bundle: Path | None = None) -> Certificate | None:
    """The certificate of ``file`` in that bundle, or in one beside a folder that it lies in, or None.

    By its ``content``, else by its name: the certificate of a file that changed says so when it is checked.
    """
    if bundle:
        with Bundle(bundle) as opened:
            found = opened.of(content) or opened.named(file.name)
        if found is None:
            raise CertificateError(f"{bundle} has no certificate of {file}.", "Give the bundle that it was sealed in.")
        return found
    absolute = file.absolute()
    for folder in absolute.parents:
        if folder.name and bundle_beside(folder).is_file():
            with Bundle(bundle_beside(folder)) as opened:
                if found := opened.of(content) or opened.named(absolute.relative_to(folder).as_posix()):
                    return found
    return None


def taken_out(shell: Shell, target: Path) -> Path:
    """The path of a work's certificate; that of a work in a bundle is taken out first, and kept beside the work."""
    whole, _, name = str(target).rpartition(f"{BUNDLE_SUFFIX}#")
    if whole:
        return _kept(shell, Path(whole + BUNDLE_SUFFIX), name)
    if target.name.endswith(BUNDLE_SUFFIX):
        raise InputError(f"{target} holds many works.", f"Name one: {target}#NAME, or its file.")
    path = certificate_path(target)
    if not path.exists() and target.is_file():
        found = found_in_bundle(target, content := digest(shell, target).sha256)
        if found and found.work.content == content:
            found.save(path, replace=False)
    return path


def _kept(shell: Shell, bundle: Path, name: str) -> Path:
    with Bundle(bundle) as opened:
        certificate = _meant(shell, opened, bundle, name)
    folder = bundle.with_name(bundle.name.removesuffix(BUNDLE_SUFFIX))
    work = folder / certificate.name
    path = path_beside(work if work.exists() else bundle.with_name(Path(certificate.name).name))
    if not path.exists():
        certificate.save(path, replace=False)
    elif Certificate.load(path).leaf != certificate.leaf:
        raise InputError(f"{path} is the certificate of another work.", "Move it away.")
    return path
