"""A certificate as a W3C Verifiable Credential (Data Model 2.0, Recommendation of 15 May 2025)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any

from countersign.canonical import checksum, seal_slot, to_hex, unpack_seal
from countersign.certificate.document import Certificate
from countersign.errors import CertificateError
from countersign.records import ZERO, Seal

__all__ = ["credential_text"]

_VOCABULARY = "urn:countersign:vocabulary:1#"
_TERMS = ("SealedWorkCredential", "CountersignCertificate", "sealedAt", "origin", "model", "certificate")
_LAST = datetime.max.replace(tzinfo=UTC).timestamp()


def credential_text(certificate: Certificate) -> str:
    """JSON-LD: the creator says that the work with this digest existed at the time of its seal.

    The creator's EIP-712 signature is over the claim, not over this document, so no registered cryptosuite fits it and
    there is no ``proof``: the certificate itself is the ``evidence``, and whoever trusts the block hash checks it as
    docs/certificate.md says. Raises CertificateError for a draft: only what verified is to be exported.
    """
    return json.dumps(_credential(certificate), indent=2, ensure_ascii=False) + "\n"


def _credential(c: Certificate) -> dict[str, Any]:
    sealed = _time(_seal(c).time)
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", _context()],
        "type": ["VerifiableCredential", "SealedWorkCredential"],
        "issuer": f"did:pkh:eip155:{c.contracts.chain_id}:{checksum(c.creator)}",
        "validFrom": sealed,
        "credentialSubject": _subject(c, sealed),
        "evidence": [{"type": ["CountersignCertificate"], "certificate": json.loads(c.to_json())}],
    }


def _context() -> dict[str, Any]:
    """Terms of our own, in the document itself: nothing of it has to be fetched. The certificate stays plain JSON."""
    terms: dict[str, Any] = {term: _VOCABULARY + term for term in _TERMS}
    terms["certificate"] = {"@id": _VOCABULARY + "certificate", "@type": "@json"}
    terms["sealedAt"] = {"@id": _VOCABULARY + "sealedAt", "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
    return terms


def _subject(c: Certificate, sealed: str) -> dict[str, Any]:
    """The work, named by its digest (RFC 6920 names SHA-256 in base64url)."""
    subject = {"id": f"ni:///sha-256;{_base64url(c.work.content)}", "sealedAt": sealed}
    if c.work.origin:
        subject["origin"] = f"http://cv.iptc.org/newscodes/digitalsourcetype/{c.work.origin}"
    if c.work.model != ZERO:
        subject["model"] = to_hex(c.work.model)
    return subject


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _seal(c: Certificate) -> Seal:
    if c.proof is None or c.sealer is None:
        raise CertificateError("A draft proves no seal.", "Run: countersign seal --resume.")
    word = c.proof.check().value(c.contracts.registry, seal_slot(c.root, c.sealer))
    seal = unpack_seal(word or 0)
    if seal is None or seal.time > _LAST:
        raise CertificateError("The certificate proves no seal with a time.", "Verify it first.")
    return seal


def _time(seconds: int) -> str:
    """XML Schema dateTimeStamp, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
