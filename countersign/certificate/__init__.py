"""The certificate: one JSON file that proves a seal to whoever trusts a block hash, and nothing else.

:mod:`~countersign.certificate.document` reads and writes it, :mod:`~countersign.certificate.bundle` makes those of a
batch on demand, :mod:`~countersign.certificate.stateproof` checks the chain's state proofs inside it,
:mod:`~countersign.certificate.credential` exports it as a W3C credential. None of them talks to a chain.
"""

from countersign.certificate.bundle import BUNDLE_SUFFIX, Bundle, bundle_beside
from countersign.certificate.credential import credential_text
from countersign.certificate.document import Certificate, path_beside
from countersign.certificate.stateproof import AccountProof, ProvenState, SlotProof, StateProof, read_header

__all__ = [
    "BUNDLE_SUFFIX",
    "AccountProof",
    "Bundle",
    "Certificate",
    "ProvenState",
    "SlotProof",
    "StateProof",
    "bundle_beside",
    "credential_text",
    "path_beside",
    "read_header",
]
