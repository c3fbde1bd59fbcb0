"""The certificate: one JSON file that proves a seal to whoever trusts a block hash, and nothing else.

:mod:`~countersign.certificate.document` reads and writes it, :mod:`~countersign.certificate.stateproof` checks the
chain's state proofs inside it. Neither talks to a chain.
"""

from countersign.certificate.document import Certificate, path_beside
from countersign.certificate.stateproof import AccountProof, ProvenState, SlotProof, StateProof

__all__ = ["AccountProof", "Certificate", "ProvenState", "SlotProof", "StateProof", "path_beside"]
