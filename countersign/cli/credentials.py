"""``c2pa sign|show``, and what ``seal`` and ``verify`` share with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import to_hex
from countersign.certificate import Certificate, path_beside
from countersign.certificate.credentials import Brought
from countersign.certificate.disclosure import disclosure_path
from countersign.cli.shell import Shell, command, digest
from countersign.cli.text import one_line
from countersign.errors import InputError, MissingExtra
from countersign.fingerprint.c2pa.container import EMBEDDABLE, original_digest
from countersign.fingerprint.c2pa.reading import Credentials, read_manifest, sidecar_of
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.fingerprint.c2pa.signing import Identity
    from countersign.records import Work

__all__ = [
    "ANCHORS",
    "Described",
    "Marks",
    "brought",
    "c2pa_command",
    "credentialed",
    "described",
    "disclosed",
    "marking_options",
    "stripped",
    "with_copies",
]

_FILE = click.argument("file", type=click.Path(path_type=Path))
ANCHORS = click.option("--trust-anchors", type=click.Path(path_type=Path), metavar="PEM",
                       help="Authorities you trust to vouch for signers of Content Credentials.")  # fmt: skip
TRAINING_OPTION = click.option("--training", type=click.Choice(["allowed", "notAllowed"]),
                               help="Whether it may be used for AI training and data mining.")  # fmt: skip


def _identity_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--c2pa-cert`` and ``--c2pa-key``."""
    key = click.option("--c2pa-key", type=click.Path(path_type=Path), metavar="PEM", help="Its private key.")
    certificate = click.option("--c2pa-cert", type=click.Path(path_type=Path), metavar="PEM|P12",
                               help="Your certificate chain for C2PA. [a development certificate]")  # fmt: skip
    return certificate(key(function))


def _identity(shell: Shell, certificate: Path | None, key: Path | None) -> Identity:
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


def _credentials_of(file: Path, anchors: Path | None) -> Credentials | None:
    """The Content Credentials in a file, else those in the sidecar beside it, for media that get one."""
    from countersign.fingerprint.c2pa.signing import media_type_of

    inside, beside = read_manifest(file, anchors=anchors), sidecar_of(file)
    if inside or media_type_of(file) in (None, *EMBEDDABLE) or not beside.is_file():
        return inside
    return read_manifest(file, anchors=anchors, sidecar=beside)


def with_copies(files: Iterable[Path]) -> tuple[Path, ...]:
    """The files, and their published copies that have a draft of their own."""
    copies = [(file, file.with_name(f"{file.stem}.c2pa{file.suffix}")) for file in files]
    return tuple(dict.fromkeys(path for file, copy in copies
                               for path in ((file, copy) if path_beside(copy).exists() else (file,))))  # fmt: skip


def brought(shell: Shell, file: Path, anchors: Path | None) -> Brought:
    """What came with a file that is to be verified; without the library, its Content Credentials are not looked at."""
    if file.name.endswith(".countersign.json"):
        file = file.with_name(file.name.removesuffix(".countersign.json"))
    said, unread = None, ""
    try:
        said = _credentials_of(file, anchors) if file.is_file() else None
    except MissingExtra as error:
        if anchors or original_digest(file):
            unread = f"{error.message} {error.next_step}"
    disclosed = disclosure_path(file)
    told = digest(shell, disclosed).sha256 if disclosed.is_file() else None
    return Brought(said, disclosure=told, unread=unread)


def stripped(
    came: Brought, file: Path, certificate: Certificate, content: bytes | None
) -> tuple[Brought, bytes | None]:
    """Judge a file by its bytes without Content Credentials, when those are the certificate's and the whole is not."""
    if content in (None, certificate.work.content) or original_digest(file) != certificate.work.content:
        return came, content
    return replace(came, stripped=True), certificate.work.content


@dataclass(frozen=True)
class Marks:
    """What ``seal`` writes beside certificates, as its options say."""

    c2pa: bool
    c2pa_cert: Path | None
    c2pa_key: Path | None
    training: str | None
    disclosure: bool

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Marks:
        """Those of a command's options that mark, which are taken out."""
        return cls(**{field.name: options.pop(field.name) for field in fields(cls)})

    def __bool__(self) -> bool:
        return self.c2pa or self.disclosure or bool(self.c2pa_cert or self.c2pa_key or self.training)

    def require_use(self, metadata: bool) -> None:
        """Raises InputError for options that would do nothing, or contradict each other."""
        if (self.c2pa_cert or self.c2pa_key) and not self.c2pa:
            raise InputError("A certificate for C2PA signs Content Credentials only.", "Add --c2pa.")
        if self.training and not (self.c2pa or self.disclosure):
            raise InputError("Nothing is written that could tell the choice about training.",
                             "Add --c2pa or --disclosure.")  # fmt: skip
        if self.disclosure and metadata:
            raise InputError("A work has one document as metadata.", "Leave out --metadata or --disclosure.")


def marking_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of :class:`Marks`."""
    embed = click.option("--c2pa", is_flag=True, help="Write Content Credentials: photo.c2pa.jpg, to be published.")
    disclose = click.option("--disclosure", is_flag=True,
                            help="Write and seal FILE.disclosure.json (EU AI Act, Article 50).")  # fmt: skip
    return embed(_identity_options(TRAINING_OPTION(disclose(function))))


Described = tuple[Path, "Work", tuple[bytes, ...]]
"""A file, what is said of it, the contents it derives from."""


def disclosed(described: list[Described], training: str | None) -> list[Described]:
    """The works with disclosures as metadata, which are written beside them."""
    from countersign.certificate.disclosure import disclosure, write_disclosure

    done: list[Described] = []
    for file, work, parents in described:
        document = disclosure(file.name, work, training=training)
        write_disclosure(file, document)
        done.append((file, replace(work, metadata=sha256(document).digest()), parents))
    return done


def credentialed(
    shell: Shell, described: list[Described], marks: Marks, leaf_of: Callable[[Described], Certificate]
) -> list[Described]:
    """The works, and the published copies of those that carry Content Credentials: sealed under the same root, so that
    the chain's time covers the manifest too. ``leaf_of`` gives a work's certificate, of which only the leaf counts."""
    from countersign.seal import parents_root
    from countersign.seal.credentials import credentials_path, definition, write_credentials

    who, done = _identity(shell, marks.c2pa_cert, marks.c2pa_key), list(described)
    for entry in described:
        file, work, _ = entry
        if credentials_path(file) is None:
            shell.say(f"{file.name}: no Content Credentials for this kind of file; its certificate alone seals it.")
            continue
        certificate = leaf_of(entry)
        said = definition(certificate, training=marks.training, iscc=_iscc(file, work))
        path = write_credentials(file, certificate, who, said)
        shell.say(f"Content Credentials: {path}")
        if original_digest(path):
            copy = replace(work, content=digest(shell, path).sha256, parents=parents_root([work.content]))
            done.append((path, copy, (work.content,)))
    return done


def _iscc(file: Path, work: Work | None = None) -> str:
    from countersign.fingerprint.iscc import code_of, iscc_code

    return (code_of(work.fingerprint) if work else None) or iscc_code(file)


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
@_identity_options
@TRAINING_OPTION
def _sign(shell: Shell, file: Path, c2pa_cert: Path | None, c2pa_key: Path | None, training: str | None) -> None:
    """Write Content Credentials that name the seal of FILE, whose certificate or draft lies beside it.

    FILE itself is left as it is: JPEG and PNG get a copy to publish, other media a sidecar.
    """
    from countersign.seal.credentials import definition, write_credentials

    certificate = Certificate.load(path_beside(file))
    if digest(shell, file).sha256 != certificate.work.content:
        raise InputError(f"{file} is not the sealed file.", "Give the original that the certificate is about.")
    said = definition(certificate, training=training, iscc=_iscc(file))
    path = write_credentials(file, certificate, _identity(shell, c2pa_cert, c2pa_key), said)
    facts = {"credentials": str(path), "leaf": to_hex(certificate.leaf)}
    shell.answer(facts, f"Content Credentials: {path}")


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
    found = _credentials_of(file, trust_anchors)
    if found is None:
        shell.answer({"credentials": None}, f"{file} has no Content Credentials.")
        return 1
    original = original_digest(file) if found.embedded else None
    facts = {"credentials": found.to_json(), "original": to_hex(original) if original else None}
    shell.answer(facts, "\n".join(described(found, original)))
    return 0 if found.state in ("trusted", "untrusted", "development") else 1


_STATES = {
    "trusted": "valid, signer trusted",
    "untrusted": "valid, but nobody you trust vouches for the signer",
    "development": "valid, but a development certificate: trusted by nobody",
    "expired": "the signer's certificate has expired",
    "revoked": "the signer's certificate is revoked",
    "invalid": "NOT VALID: believe nothing of it",
}


def described(found: Credentials, original: bytes | None) -> list[str]:
    """What Content Credentials say, a line each."""
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
    return [f"{name:<13}{one_line(value)}" for name, value in facts if value]


c2pa_command.add_command(_sign)
c2pa_command.add_command(_show)
