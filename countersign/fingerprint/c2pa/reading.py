"""Reading Content Credentials: what a manifest says and how far that can be believed.

The reader is native code and the files are anybody's, so it runs in a process of its own, with limits of memory and
time: a crash, a hang or a flood there is an answer here ("invalid"), never ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from countersign.durable import open_regular
from countersign.errors import InputError, MissingExtra
from countersign.fingerprint.c2pa.container import media_type, walk

__all__ = ["Credentials", "Ingredient", "SealNamed", "read_manifest", "sidecar_of"]

State = Literal["trusted", "untrusted", "development", "expired", "revoked", "invalid"]

_COMMAND = ("-m", "countersign.fingerprint.c2pa.child")
_SECONDS = 60.0
_LARGEST_ANSWER = 4 << 20


@dataclass(frozen=True)
class SealNamed:
    """The seal that a manifest names: our assertion ``org.countersign.seal``."""

    leaf: bytes
    chain_id: int
    registry: bytes


@dataclass(frozen=True)
class Ingredient:
    """A work that went into this one; ``content`` is its SHA-256 when the manifest tells it (RFC 6920), else None."""

    title: str
    relation: str
    content: bytes | None


@dataclass(frozen=True)
class Credentials:
    """What a file's active manifest says. ``state`` is how far it can be believed:

    * trusted: well-formed, signed, the file unchanged, and the signer's authority is one of the caller's trust anchors;
    * untrusted: all that, but nobody vouches for the signer: the name may be made up;
    * development: signed with a certificate of Countersign's development authority, which nobody trusts;
    * expired, revoked: the certificate is; nothing but another source of time can say that the signature is older;
    * invalid: the manifest is damaged, belongs to other bytes, or cannot be read; nothing in it can be believed.

    Times are Unix seconds. ``signed_at`` is a time stamp authority's word, None without one. ``earlier`` are the seals
    named by manifests of ingredients. ``problems`` are sentences.
    """

    state: State
    signer: str = ""
    issuer: str = ""
    valid_from: int | None = None
    valid_until: int | None = None
    signed_at: int | None = None
    embedded: bool = True
    generator: str = ""
    seal: SealNamed | None = None
    earlier: tuple[SealNamed, ...] = ()
    actions: tuple[str, ...] = ()
    origin: str = ""
    training: tuple[tuple[str, str], ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    soft_bindings: tuple[tuple[str, str], ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether the manifest is what its signer signed, for this very file; says nothing about who that is."""
        return self.state != "invalid"

    def to_json(self) -> dict[str, Any]:
        """All fields, JSON-ready; bytes as 0x-hex."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def sidecar_of(work: Path) -> Path:
    """Where a manifest beside its file lies, as C2PA's tools have it: ``clip.mp4`` → ``clip.c2pa``."""
    return work.with_suffix(".c2pa")


def read_manifest(path: Path, *, anchors: Path | None = None, sidecar: Path | None = None) -> Credentials | None:
    """The Content Credentials inside ``path``, or those in ``sidecar`` for it; None when there are none, and for text,
    JSON, model weights and documents that may run code, which are not looked into.

    ``anchors`` is a PEM file of the authorities the caller trusts. Nothing is fetched from any network. Raises
    InputError when a file cannot be read, MissingExtra where there is something to read and no library.
    """
    pem = _pem(anchors)
    if not _may_hold(path) and sidecar is None:
        return None
    if find_spec("c2pa") is None:
        raise MissingExtra("media", "Reading Content Credentials")
    question = {"path": str(path), "sidecar": str(sidecar) if sidecar else None, "anchors": pem}
    try:
        run = subprocess.run(
            [sys.executable, "-P", *_COMMAND],
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _unreadable(f"Reading the manifest takes longer than {_SECONDS:.0f} s.", sidecar)
    if run.returncode or len(run.stdout) > _LARGEST_ANSWER:
        return _unreadable("The manifest makes its reader crash, or is larger than any real one.", sidecar)
    try:
        answer = json.loads(run.stdout)
        return _credentials(answer) if answer else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return _unreadable("The manifest cannot be made sense of.", sidecar)


def _may_hold(path: Path) -> bool:
    """Whether it is worth a process: a picture without C2PA parts is known to have none."""
    try:
        with open_regular(path) as file:
            if media_type(file.read(16)) is None:
                return False
            walked = walk(file)
            return walked is None or bool(walked.credentials)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the name and permissions.") from error


def _pem(anchors: Path | None) -> str | None:
    if anchors is None:
        return None
    try:
        text = anchors.read_text("ascii")
    except (OSError, ValueError) as error:
        raise InputError(f"The trust anchors {anchors} cannot be read.", "Give certificates in PEM.") from error
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise InputError(f"The trust anchors {anchors} are no certificates in PEM.", "Give the authorities you trust.")
    return text


def _unreadable(why: str, sidecar: Path | None) -> Credentials:
    return Credentials("invalid", embedded=sidecar is None, problems=(why,))


def _credentials(answer: dict[str, Any]) -> Credentials:
    seal = answer["seal"]
    pairs = {name: tuple((str(a), str(b)) for a, b in answer[name]) for name in ("training", "soft_bindings")}
    made: dict[str, Any] = answer | pairs | {
        "seal": _seal(seal) if seal else None,
        "earlier": tuple(map(_seal, answer["earlier"])),
        "ingredients": tuple(map(_ingredient, answer["ingredients"])),
        "actions": tuple(answer["actions"]),
        "problems": tuple(answer["problems"]),
    }  # fmt: skip
    return Credentials(**made)


def _seal(named: dict[str, Any]) -> SealNamed:
    return SealNamed(bytes.fromhex(named["leaf"]), int(named["chain_id"]), bytes.fromhex(named["registry"]))


def _ingredient(told: dict[str, Any]) -> Ingredient:
    content = told["content"]
    return Ingredient(told["title"], told["relation"], bytes.fromhex(content) if content else None)
