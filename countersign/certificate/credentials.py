"""What Content Credentials and a seal say about each other. Two verdicts stand side by side and neither stands in for
the other: C2PA says who signed the manifest and whether an authority vouches for that name; the chain says which bytes
existed when, and under which key.

A manifest that is part of the sealed bytes existed at the seal's time: that outlives its certificate. One that came
after the seal (the sealed original's published copy, or a sidecar) can only name the seal. Anybody can write a manifest
that names it, so that shows what they refer to, not who they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from countersign.canonical import checksum
from countersign.certificate.document import Certificate
from countersign.fingerprint.c2pa.reading import Credentials
from countersign.records import ZERO
from countersign.times import utc

__all__ = ["Brought", "Finding", "judge", "judged_alone"]

State = Literal["pass", "fail", "unknown", "warn", "note"]
Finding = tuple[str, State, str]
"""Name, state and detail of a step of verification."""


@dataclass(frozen=True)
class Brought:
    """What came with a file: its Content Credentials; ``stripped``, whether it is judged by its bytes without them;
    ``copied``, whether they are those of a published copy beside it; the SHA-256 of the disclosure beside it;
    ``unread``, why nobody looked for Content Credentials in a file that may hold some."""

    credentials: Credentials | None = None
    stripped: bool = False
    copied: bool = False
    disclosure: bytes | None = None
    unread: str = ""

    def findings(self, certificate: Certificate, at: int | None) -> list[Finding]:
        """The steps that it adds to a certificate's verification; ``at`` is the seal's time, None while unproved."""
        found = [_disclosed(certificate, self.disclosure)] if self.disclosure else []
        if self.unread:
            state: State = "unknown" if self.stripped else "note"
            return [*found, ("manifest", state, f"Content Credentials were not looked at. {self.unread}")]
        if self.credentials is None:
            return [*found, _NO_MANIFEST] if self.stripped else found
        sealed = self.credentials.embedded and not (self.stripped or self.copied)
        return found + judge(certificate, self.credentials, sealed=sealed, at=at)


_NO_MANIFEST: Finding = (
    "manifest",
    "fail",
    "What lies in the file where Content Credentials belong cannot be read: anybody may have put it there.",
)


def _disclosed(certificate: Certificate, disclosure: bytes) -> Finding:
    if disclosure == certificate.work.metadata:
        return "disclosure", "pass", "The disclosure beside it is the sealed one."
    if certificate.work.metadata == ZERO:
        return "disclosure", "warn", "The disclosure beside it was not sealed: anybody may have written it."
    return "disclosure", "fail", "The disclosure beside it is not the document that was sealed."


def judged_alone(said: Credentials) -> Finding:
    """C2PA's verdict on a file of which no seal is known."""
    if not said.intact:
        return "manifest", "warn", f"The Content Credentials are not valid: {_why(said)}"
    return ("signer", *_signer(said, None, None))


def judge(certificate: Certificate, said: Credentials, *, sealed: bool, at: int | None) -> list[Finding]:
    """The steps "manifest" (does it belong to this seal) and "signer" (C2PA's verdict, and what the chain's time adds).

    ``sealed``: the manifest is part of the sealed bytes. ``at``: the seal's time in Unix seconds, None while unproved.
    """
    belongs = _sealed(said) if sealed else _named(certificate, said)
    return [belongs, ("signer", *_signer(said, at if sealed else None, at))] if said.intact else [belongs]


def _sealed(said: Credentials) -> Finding:
    if not said.intact:
        return "manifest", "warn", f"The Content Credentials in the sealed bytes are not valid: {_why(said)}"
    return "manifest", "pass", "The Content Credentials are part of the sealed bytes."


def _named(certificate: Certificate, said: Credentials) -> Finding:
    creator = checksum(certificate.creator)
    contracts = certificate.contracts
    own = (certificate.leaf, contracts.chain_id, contracts.registry)
    if not said.intact and not said.embedded:  # found by its name: it may be another file's
        return "manifest", "warn", f"The sidecar beside it is not valid for this file: {_why(said)}"
    if not said.intact:
        return "manifest", "fail", f"The Content Credentials are not valid: {_why(said)}"
    if said.seal and (said.seal.leaf, said.seal.chain_id, said.seal.registry) == own:
        return "manifest", "pass", f"The Content Credentials name this seal by {creator}; they are not part of it."
    if any((seal.leaf, seal.chain_id, seal.registry) == own for seal in said.earlier):
        return "manifest", "warn", "Newer Content Credentials lie over those that name this seal."
    what = "name another seal" if said.seal else "do not name the seal"
    return "manifest", "fail", f"The Content Credentials {what}: not {creator}, whom the seal names, put them there."


def _why(said: Credentials) -> str:
    return " ".join(said.problems) or "the C2PA library refuses them."


def _signer(said: Credentials, existed: int | None, at: int | None) -> tuple[Literal["pass", "warn", "note"], str]:
    """C2PA's verdict. ``existed``: when the chain shows the manifest to have existed, if it does."""
    by = f"C2PA: signed by {said.signer or 'nobody named'}"
    if said.state in ("expired", "revoked"):
        return _ended(said, by, existed, at)
    more = "".join(f" {problem}" for problem in said.problems if "unsigned" in problem)
    if existed:
        more += f" The chain shows these credentials on {utc(existed)}, also when that certificate has ended."
    if said.state == "trusted":
        return "pass", f"{by}, for whom your trust anchor {said.issuer} vouches.{more}"
    if said.state == "development":
        return "warn", f"C2PA: signed with a DEVELOPMENT certificate, trusted by nobody.{more}"
    return "warn", f"{by}, for whom none of your trust anchors vouches: the name may be made up.{more}"


def _ended(said: Credentials, by: str, existed: int | None, at: int | None) -> tuple[Literal["warn", "note"], str]:
    """The C2PA library vouches for no ended certificate, whoever issued it: one that the signer made up must not pass
    for better once it has ended."""
    until = f" (valid until {utc(said.valid_until)})" if said.valid_until else ""
    by = f"{by}, whose certificate is {said.state}{until}."
    known: Literal["warn", "note"] = "note"
    if any("vouches" in problem for problem in said.problems):
        known, by = "warn", f"{by} No authority is shown to vouch for it: the name may be made up."
    if existed and said.state == "revoked":
        return known, f"{by} The chain shows these credentials on {utc(existed)}: compare with the revocation's time."
    if existed and said.valid_until and (said.valid_from or 0) <= existed <= said.valid_until:
        return known, f"{by} The chain shows these credentials on {utc(existed)}, while it was valid."
    if existed or at is None:
        return "warn", f"{by} Nothing shows that it signed before."
    return "warn", f"{by} The seal shows the original on {utc(at)}, not that these credentials existed then."
