"""``c2pa sign|show``, and what ``seal`` and ``verify`` share with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import to_hex
from countersign.certificate import Certificate, path_beside
from countersign.cli.shell import Shell, command, digest
from countersign.errors import InputError
from countersign.fingerprint.c2pa.container import original_digest
from countersign.fingerprint.c2pa.reading import Credentials, read_manifest, sidecar_of
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.fingerprint.c2pa.signing import Identity

__all__ = ["ANCHORS", "TRAINING_OPTION", "c2pa_command", "credentials_of", "identity", "identity_options", "is_sidecar"]

_FILE = click.argument("file", type=click.Path(path_type=Path))
ANCHORS = click.option("--trust-anchors", type=click.Path(path_type=Path), metavar="PEM",
                       help="Authorities you trust to vouch for signers of Content Credentials.")  # fmt: skip
TRAINING_OPTION = click.option("--training", type=click.Choice(["allowed", "notAllowed"]),
                               help="Whether it may be used for AI training and data mining.")  # fmt: skip


def identity_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--c2pa-cert`` and ``--c2pa-key``."""
    key = click.option("--c2pa-key", type=click.Path(path_type=Path), metavar="PEM", help="Its private key.")
    certificate = click.option("--c2pa-cert", type=click.Path(path_type=Path), metavar="PEM|P12",
                               help="Your own certificate chain for C2PA; without one, a development certificate.")  # fmt: skip
    return certificate(key(function))


def identity(shell: Shell, certificate: Path | None, key: Path | None) -> Identity:
    """Who signs Content Credentials. Without a certificate of one's own, the development one, and that is said."""
    from countersign.fingerprint.c2pa import signing

    if certificate and key:
        return signing.from_pem(certificate, key, shell.ask)
    if certificate:
        if certificate.suffix.lower() not in (".p12", ".pfx"):
            raise InputError(f"{certificate} needs its private key.", "Give it with --c2pa-key, or one PKCS#12 file.")
        return signing.from_pkcs12(certificate, shell.ask)
    if key:
        raise InputError("A key without its certificate signs nothing.", "Give the chain with --c2pa-cert.")
    shell.say("Content Credentials: signed with a DEVELOPMENT certificate, trusted by nobody. Yours: --c2pa-cert.")
    return signing.development(shell.settings.home / "c2pa-development.pem")


def is_sidecar(path: Path) -> bool:
    """Whether a file is a manifest alone."""
    return path.suffix.lower() == ".c2pa"


def credentials_of(file: Path, anchors: Path | None) -> Credentials | None:
    """The Content Credentials in a file, else those in the sidecar beside it."""
    beside = sidecar_of(file)
    inside = read_manifest(file, anchors=anchors)
    return inside or (read_manifest(file, anchors=anchors, sidecar=beside) if beside.exists() else None)


@click.group("c2pa")
def c2pa_command() -> None:
    """Content Credentials (C2PA): add them to a sealed work, read those of any file."""


@command(
    "sign",
    """
countersign c2pa sign photo.jpg --c2pa-cert chain.pem --c2pa-key key.pem    writes photo.c2pa.jpg
countersign c2pa sign clip.mp4 --c2pa-cert me.p12                           writes clip.c2pa, a sidecar
countersign c2pa sign photo.jpg                                             development certificate: for trying out
""",
)
@_FILE
@identity_options
@TRAINING_OPTION
def _sign(shell: Shell, file: Path, c2pa_cert: Path | None, c2pa_key: Path | None, training: str | None) -> None:
    """Write Content Credentials that name the seal of FILE, whose certificate or draft lies beside it.

    FILE itself is left as it is: JPEG and PNG get a copy to publish, other media a sidecar.
    """
    from countersign.seal.credentials import definition, write_credentials

    certificate = Certificate.load(path_beside(file))
    if digest(shell, file).sha256 != certificate.work.content:
        raise InputError(f"{file} is not the sealed file.", "Give the original that the certificate is about.")
    said = definition(certificate, training=training, iscc=iscc_of(file))
    path = write_credentials(file, certificate, identity(shell, c2pa_cert, c2pa_key), said)
    facts = {"credentials": str(path), "leaf": to_hex(certificate.leaf)}
    shell.answer(facts, f"Content Credentials: {path}")


def iscc_of(file: Path) -> str | None:
    """The file's ISCC, for media that have one here."""
    from importlib.util import find_spec

    if find_spec("countersign.fingerprint.iscc") is None:
        return None
    from countersign.fingerprint.iscc import iscc_code  # type: ignore[import-not-found,unused-ignore]

    try:
        code: str | None = iscc_code(file)
        return code
    except InputError:
        return None


@command(
    "show",
    """
countersign c2pa show photo.jpg
countersign c2pa show photo.jpg --trust-anchors authorities.pem
countersign c2pa show clip.mp4                                     its own, else the sidecar clip.c2pa
""",
)
@_FILE
@ANCHORS
def _show(shell: Shell, file: Path, trust_anchors: Path | None) -> int:
    """What the Content Credentials of FILE say, and how far they can be believed. Nothing is fetched.

    Exit code 0: valid (see who signed). 1: none, or not valid, or the certificate has ended.
    """
    found = credentials_of(file, trust_anchors)
    if found is None:
        shell.answer({"credentials": None}, f"{file} has no Content Credentials.")
        return 1
    original = original_digest(file) if found.embedded else None
    facts = {"credentials": found.to_json(), "original": to_hex(original) if original else None}
    shell.answer(facts, "\n".join(_lines(found, original)))
    return 0 if found.state in ("trusted", "untrusted", "development") else 1


_STATES = {
    "trusted": "valid, signer trusted",
    "untrusted": "valid, but nobody you trust vouches for the signer",
    "development": "valid, but a development certificate: trusted by nobody",
    "expired": "the signer's certificate has expired",
    "revoked": "the signer's certificate is revoked",
    "invalid": "NOT VALID: believe nothing of it",
}


def _lines(found: Credentials, original: bytes | None) -> list[str]:
    until = f", valid until {utc(found.valid_until)}" if found.valid_until else ""
    named = [("seal", f"leaf {to_hex(found.seal.leaf)} on chain {found.seal.chain_id}")] if found.seal else []
    facts = [
        ("state", _STATES[found.state]),
        *(("", problem) for problem in found.problems),
        ("signer", f"{found.signer}{until}" if found.signer else ""),
        ("issuer", found.issuer),
        ("signed", utc(found.signed_at) if found.signed_at else ""),
        ("made with", found.generator),
        ("actions", ", ".join(found.actions)),
        ("origin", found.origin),
        *(("training", f"{name}: {use}") for name, use in found.training),
        *(("ingredient", f"{i.title} ({i.relation})") for i in found.ingredients),
        *(("soft binding", f"{algorithm} {value}") for algorithm, value in found.soft_bindings),
        *named,
        ("original", to_hex(original) if original else ""),
    ]
    return [f"{name:<13}{value}" for name, value in facts if value]


c2pa_command.add_command(_sign)
c2pa_command.add_command(_show)
