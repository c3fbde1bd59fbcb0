"""Who signs Content Credentials, and signing: embedded in JPEG and PNG, as a sidecar for other media.

The certificate is the user's own (C2PA 2.2, section 14.5 "Certificate profile"), or a development certificate made here
on demand: its subject says what it is, and its issuer's key is thrown away, so nothing can be added to it.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from countersign.durable import make_private_folder, open_regular, write_durably
from countersign.errors import InputError, MissingExtra
from countersign.fingerprint.c2pa import SETTINGS
from countersign.fingerprint.c2pa.container import EMBEDDABLE, holds, media_type, walk

if TYPE_CHECKING:
    from cryptography import x509

__all__ = ["DEVELOPMENT", "Identity", "development", "from_pem", "from_pkcs12", "media_type_of", "sign"]

DEVELOPMENT = "DEVELOPMENT certificate - trusted by nobody"
"""Organisation in subject and issuer of development certificates."""
_PURPOSES = {"1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.36", "1.3.6.1.4.1.62558.2.1"}
"""Extended key usages for signing claims: e-mail protection, document signing, C2PA claim signing."""
_LARGEST = 256 << 20
_YEAR = dt.timedelta(days=365)

Ask = Callable[[str], str]
"""Asks a person for a passphrase; the argument is the prompt."""


@dataclass(frozen=True)
class Identity:
    """Who signs: PEM ``chain`` (the signer's certificate first), PEM ``key``, C2PA's name of the algorithm."""

    chain: bytes
    key: bytes = field(repr=False)
    algorithm: str
    name: str
    development: bool = False


def from_pem(chain: Path, key: Path, ask: Ask) -> Identity:
    """The user's own certificate chain and private key in PEM. Raises InputError naming what does not fit."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    x509, data = _x509(), _read(key)
    try:
        certificates = x509.load_pem_x509_certificates(_read(chain))
    except ValueError as error:
        raise InputError(f"{chain} holds no certificates in PEM.", "Give the chain, the signer's first.") from error
    passphrase = ask(f"Passphrase of {key.name}").encode() if b"ENCRYPTED" in data else None
    try:
        private = load_pem_private_key(data, passphrase)
    except (ValueError, TypeError) as error:
        raise _unopened(key) from error
    return _identity(certificates, private)


def from_pkcs12(path: Path, ask: Ask) -> Identity:
    """The user's own certificate chain and key in one PKCS#12 file (.p12, .pfx). Raises InputError."""
    _x509()
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    data = _read(path)
    try:
        private, certificate, others = _opened(load_key_and_certificates, data, path, ask)
    except (ValueError, TypeError) as error:
        raise _unopened(path) from error
    if private is None or certificate is None:
        raise InputError(f"{path} lacks a key or its certificate.", "Export both, with the chain.")
    return _identity([certificate, *others], private)


def _opened(load: Callable[..., Any], data: bytes, path: Path, ask: Ask) -> Any:
    try:
        return load(data, None)
    except ValueError:
        return load(data, ask(f"Passphrase of {path.name}").encode())


def _unopened(path: Path) -> InputError:
    return InputError(f"{path} cannot be opened.", "Check the passphrase, and that it holds a private key.")


def _read(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read(1 << 20)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the name and permissions.") from error


def _x509() -> Any:
    try:
        from cryptography import x509
    except ImportError as error:
        raise MissingExtra("media", "Signing Content Credentials") from error
    return x509


def _identity(certificates: list[x509.Certificate], private: Any) -> Identity:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    signer = certificates[0]
    _require_fit(signer, private)
    key = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    ours = DEVELOPMENT in signer.issuer.rfc4514_string()
    return Identity(chain, key, _algorithm(private), signer.subject.rfc4514_string(), ours)


def _require_fit(signer: x509.Certificate, private: Any) -> None:
    from cryptography import x509

    now = dt.datetime.now(dt.UTC)
    if signer.public_key() != private.public_key():
        raise InputError("The key does not fit the certificate.", "Put the signer's certificate first in the chain.")
    if not signer.not_valid_before_utc <= now <= signer.not_valid_after_utc:
        times = f"{signer.not_valid_before_utc:%Y-%m-%d} to {signer.not_valid_after_utc:%Y-%m-%d}"
        raise InputError(f"The certificate is valid from {times}, not now.", "Renew it.")
    if signer.issuer == signer.subject:
        raise InputError("The certificate is self-signed: C2PA allows none.", "Give one that an authority issued.")
    try:
        purposes = {p.dotted_string for p in signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value}
    except (x509.ExtensionNotFound, ValueError):
        purposes = set()
    if not purposes & _PURPOSES:
        raise InputError("The certificate is not for signing content (extended key usage).",
                         "It must allow e-mail protection, document signing or C2PA claim signing.")  # fmt: skip


def _algorithm(private: Any) -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(private, Ed25519PrivateKey):
        return "ed25519"
    if isinstance(private, RSAPrivateKey) and private.key_size >= 2048:
        return "ps256"
    curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if isinstance(private, EllipticCurvePrivateKey) and private.curve.name in curves:
        return curves[private.curve.name]
    raise InputError("C2PA does not know this kind of key.", "Use P-256, P-384, P-521, Ed25519 or RSA from 2048 bits.")


# The development certificate


def development(path: Path) -> Identity:
    """The development certificate in ``path`` (owner-readable), made when it is missing or has ended.

    Raises InputError when the file is damaged.
    """
    x509 = _x509()
    if path.exists() and (kept := _kept(path, x509)):
        return kept
    make_private_folder(path.parent)
    there = path.exists()
    try:
        write_durably(path, _made(), private=True, replace=there)
    except InputError:
        if not path.exists():
            raise
    identity = _kept(path, x509)
    assert identity
    return identity


def _kept(path: Path, x509: Any) -> Identity | None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    try:
        certificates, private = x509.load_pem_x509_certificates(data), load_pem_private_key(data, None)
    except ValueError as error:
        raise InputError(f"The development certificate {path} is damaged.", "Delete it: a new one is made.") from error
    if certificates[0].not_valid_after_utc < dt.datetime.now(dt.UTC):
        return None
    return _identity(certificates, private)


def _made() -> bytes:
    """Key, certificate and issuer in PEM. The issuer's key is not kept."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    authority, own = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    issuer = _certificate("Countersign DEVELOPMENT authority", authority, None, authority)
    signer = _certificate("Countersign DEVELOPMENT signer", own, issuer, authority)
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return signer.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM) + key


def _certificate(name: str, key: Any, issuer: x509.Certificate | None, issuer_key: Any) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, DEVELOPMENT),
                         x509.NameAttribute(NameOID.COMMON_NAME, name)])  # fmt: skip
    now, ca = dt.datetime.now(dt.UTC), issuer is None
    builder = x509.CertificateBuilder(issuer.subject if issuer else subject, subject, key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + _YEAR)
    for extension, critical in _extensions(key, issuer_key, ca):
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, SHA256())


def _extensions(key: Any, issuer_key: Any, ca: bool) -> list[tuple[Any, bool]]:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                           "encipher_only", "decipher_only"), False)  # fmt: skip
    common = [
        (x509.BasicConstraints(ca=ca, path_length=0 if ca else None), True),
        (x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, crl_sign=ca, **usage), True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]
    if ca:
        return common
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return [*common, (authority, False), (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)]


# Signing


def media_type_of(path: Path) -> str | None:
    """What the file's first bytes say it is; None when it can have no Content Credentials. Raises InputError."""
    try:
        with open_regular(path) as file:
            return media_type(file.read(16))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the name and permissions.") from error


def sign(work: Path, definition: dict[str, Any], identity: Identity) -> tuple[bytes, bool]:
    """Sign a manifest ``definition`` (c2pa-rs "manifest definition" as JSON) for the file ``work``.

    Gives the picture with the manifest inside and True, or for other media the manifest itself, which belongs beside
    the file, and False. Raises InputError for files that C2PA cannot describe, that are cut off, or that carry Content
    Credentials already: those are part of what is sealed, and a second set would replace them.
    """
    kind = media_type_of(work)
    if kind is None:
        raise InputError(f"{work} is of a kind without Content Credentials.", "Its certificate alone seals it.")
    if kind not in EMBEDDABLE:
        with open_regular(work) as file:
            return _manifest(file, kind, definition, identity, work.name), False
    if work.stat().st_size > _LARGEST:
        raise InputError(f"{work} is larger than {_LARGEST >> 20} MB.", "Its certificate alone seals it.")
    with open_regular(work) as file:
        original = file.read()
    _require_picture(work.name, original)
    signed = _embedded(original, kind, definition, identity, work.name)
    if not holds(signed, original):
        raise InputError(f"{work} cannot carry Content Credentials unchanged.", "Its certificate alone seals it.")
    return signed, True


def _require_picture(name: str, data: bytes) -> None:
    walked = walk(BytesIO(data))
    if walked is None or not walked.is_whole(data):
        raise InputError(f"{name} is cut off or damaged: it is not a whole picture.", "Give the file as it was made.")
    if walked.credentials:
        raise InputError(f"{name} carries Content Credentials already.",
                         "Seal it as it is: they are part of the sealed bytes, and verify shows them.")  # fmt: skip


def _embedded(data: bytes, kind: str, definition: dict[str, Any], identity: Identity, name: str) -> bytes:
    signed = BytesIO()
    _signed(BytesIO(data), signed, kind, definition, identity, name, embed=True)
    return signed.getvalue()


def _manifest(file: Any, kind: str, definition: dict[str, Any], identity: Identity, name: str) -> bytes:
    with tempfile.TemporaryFile() as copy:  # the library writes the whole file once more
        return _signed(file, copy, kind, definition, identity, name, embed=False)


def _signed(
    source: Any, target: Any, kind: str, definition: dict[str, Any], identity: Identity, name: str, *, embed: bool
) -> bytes:
    try:
        import c2pa  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtra("media", "Signing Content Credentials") from error

    try:
        signer = c2pa.Signer.from_info(
            c2pa.C2paSignerInfo(identity.algorithm.encode(), identity.chain, identity.key, None)
        )
        with c2pa.Context.from_dict(SETTINGS, signer) as context:
            builder = c2pa.Builder(json.dumps(definition | {"format": kind}), context)
            if not embed:
                builder.set_no_embed()
            manifest: bytes = builder.sign(kind, source, target)
            return manifest
    except c2pa.C2paError as error:
        raise InputError(f"The Content Credentials of {name} cannot be signed: {str(error)[:200]}.",
                         "Check the picture and the certificate.") from error  # fmt: skip
