"""Certificate authorities of the tests: certificates for Content Credentials, good ones and bad ones."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority"]


class Authority:
    """An authority with a name; its certificates live as long as they are told to."""

    def __init__(self, name: str = "Trusted Press Authority") -> None:
        self._name, self._key = _name(name), ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._certificate = self._sign(self._name, self._key, -100, 100, [(x509.BasicConstraints(True, 0), True),
                                       (usage, True)])  # fmt: skip

    @property
    def pem(self) -> bytes:
        """Its own certificate: the trust anchor."""
        return self._certificate.public_bytes(Encoding.PEM)

    def issue(self, folder: Path, name: str = "Ada Press", *, first: float = -1, last: float = 90,
              purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
              key: Any = None) -> tuple[Path, Path]:  # fmt: skip
        """A chain and a key in PEM; ``first`` and ``last`` are days from now."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        leaf = self._sign(_name(name), key, first, last, [(x509.BasicConstraints(False, None), True), (usage, True),
                          (x509.ExtendedKeyUsage([purpose]), False), (issuer, False)])  # fmt: skip
        chain, private = folder / f"{name}.pem", folder / f"{name}.key"
        chain.write_bytes(leaf.public_bytes(Encoding.PEM) + self.pem)
        private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return chain, private

    def issue_pkcs12(self, folder: Path, passphrase: str) -> Path:
        """Chain and key in one PKCS#12 file."""
        chain, private = self.issue(folder)
        leaf, issuer = x509.load_pem_x509_certificates(chain.read_bytes())
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key: Any = load_pem_private_key(private.read_bytes(), None)
        protection = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        path = folder / "me.p12"
        path.write_bytes(pkcs12.serialize_key_and_certificates(b"me", key, leaf, [issuer], protection))
        return path

    def _sign(self, subject: x509.Name, key: Any, first: float, last: float,
              extensions: list[tuple[Any, bool]]) -> x509.Certificate:  # fmt: skip
        now = dt.datetime.now(dt.UTC)
        builder = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now + dt.timedelta(first)).not_valid_after(now + dt.timedelta(last))
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        for extension, critical in [*extensions, (identifier, False)]:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text),
                      x509.NameAttribute(NameOID.COMMON_NAME, text)])  # fmt: skip
