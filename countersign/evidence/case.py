"""What an evidence file says: the certificate, how its check went, and what lies beside the work."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from countersign import __version__
from countersign.canonical import checksum, claim_slot, seal_slot, to_hex, unpack_claim, unpack_seal
from countersign.certificate import Certificate, ProvenState
from countersign.certificate.disclosure import disclosure_path
from countersign.certificate.document import SUFFIX
from countersign.errors import CertificateError
from countersign.fingerprint.c2pa.reading import Credentials, sidecar_of
from countersign.fingerprint.digest import FileDigest, digest_file
from countersign.names import file_name
from countersign.records import Block, Claim, Seal
from countersign.settings import LOCAL_CHAIN
from countersign.verify import Report

__all__ = ["Case", "verifier_page"]

_PAGE = "countersign-verify.html"


@dataclass(frozen=True)
class Case:
    """One work as evidence.

    ``file`` is SHA-256 and size of the work as it is now, None when it is not at hand; ``work`` its path, None when it
    stays out of the ZIP. ``signed`` is another file with its Content Credentials, a copy of the work or a sidecar, and
    ``manifest`` what they, or those in the work itself, say; ``disclosure`` the JSON beside the work, ``verifier`` the
    static page that checks independently; each None where there is none.
    """

    certificate: Certificate
    report: Report
    file: FileDigest | None = None
    work: Path | None = None
    signed: Path | None = None
    manifest: Credentials | None = None
    disclosure: bytes | None = None
    verifier: bytes | None = None

    @property
    def name(self) -> str:
        """The work's name in the ZIP: the certificate's, made harmless."""
        return file_name(self.certificate.name)

    def files(self) -> dict[str, tuple[Path, FileDigest]]:
        """Name in the ZIP → a file that is streamed into it, and what it must be. Raises InputError."""
        made = {f"work/{self.name}": (self.work, self.file)} if self.work and self.file else {}
        if self.signed:
            made[self._signed_name(self.signed)] = (self.signed, digest_file(self.signed))
        return made

    def _signed_name(self, signed: Path) -> str:
        """A sidecar lies beside the work, where ``verify`` looks for it; a copy would be taken for the work."""
        beside = sidecar_of(Path(self.name))
        return f"work/{beside}" if signed.suffix == beside.suffix else f"c2pa/{file_name(signed.name)}"

    @property
    def disclosure_name(self) -> str:
        """The disclosure's name in the ZIP: beside the work, where ``verify`` looks for it."""
        return f"work/{disclosure_path(Path(self.name))}"

    @property
    def state(self) -> ProvenState | None:
        """The proven state, or None when there is no proof that holds together."""
        try:
            return self.certificate.proof.check() if self.certificate.proof else None
        except CertificateError:
            return None

    @property
    def block(self) -> Block | None:
        """The block whose hash a reader compares, or None without a proof."""
        return self.state.block if self.state else None

    @property
    def seal(self) -> Seal | None:
        """The seal in the proof, or None."""
        c, state = self.certificate, self.state
        slot = seal_slot(c.root, c.sealer) if c.sealer else None
        return unpack_seal(state.value(c.contracts.registry, slot) or 0) if state and slot else None

    @property
    def claim(self) -> Claim | None:
        """The claim on the content in the proof, or None."""
        c, state = self.certificate, self.state
        return unpack_claim(state.value(c.contracts.registry, claim_slot(c.work.content)) or 0) if state else None

    @property
    def local(self) -> bool:
        """Whether the chain is the development chain, whose blocks anybody can make up."""
        return self.certificate.contracts.chain_id == LOCAL_CHAIN

    @property
    def uri(self) -> str:
        """What the QR code holds: content, chain and registry; it leads to no server."""
        c = self.certificate
        query = urlencode({"chain": c.contracts.chain_id, "registry": checksum(c.contracts.registry)})
        return f"countersign:{to_hex(c.work.content)}?{query}"

    def parts(self) -> dict[str, bytes]:
        """Name in the ZIP → bytes, without the work and the readable parts."""
        c = self.certificate
        document = json.loads(c.to_json())
        made = {
            f"work/{self.name}{SUFFIX}": c.to_json().encode(),
            "report.json": _json(self._report()),
            "c2pa/manifest.json": _json(self.manifest.to_json()) if self.manifest else None,
            self.disclosure_name: self.disclosure,
            f"verifier/{_PAGE}": self.verifier,
        }
        if c.proof:
            made["proof/header.json"] = _json(self._header())
            made["proof/accounts.json"] = _json(document["proof"]["accounts"])
        return {name: data for name, data in made.items() if data is not None}

    def _header(self) -> dict[str, Any]:
        proof, block = self.certificate.proof, self.block
        known = {"number": block.number, "hash": to_hex(block.hash), "time": block.time} if block else {}
        return {"chainId": self.certificate.contracts.chain_id, **known, "rlp": to_hex(proof.header if proof else b"")}

    def _report(self) -> dict[str, Any]:
        r = self.report
        return {
            "format": "countersign-evidence/1",
            "countersign": __version__,
            "outcome": r.outcome,
            "summary": r.summary,
            "steps": [asdict(step) for step in r.steps],
            "facts": r.facts,
            "size": self.file.size if self.file else None,
            "block": {key: value for key, value in self._header().items() if key != "rlp"} if self.block else None,
            "record": self.uri,
        }


def _json(document: Any) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def verifier_page() -> bytes | None:
    """The independent verifier as one HTML file: of this package, else of the repository it runs from; None when it
    has not been built."""
    for place in (resources.files("countersign") / _PAGE, Path(__file__).parents[2] / "verifier-js" / "dist" / _PAGE):
        if place.is_file():
            return place.read_bytes()
    return None
