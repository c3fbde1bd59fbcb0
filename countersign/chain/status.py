"""Where a certificate stands now: its seal, its claim and its keys, proven against one block of the chain."""

from __future__ import annotations

from countersign.canonical import claim_slot, key_slot, seal_slot, unpack_claim
from countersign.certificate import Certificate, StateProof
from countersign.chain.client import Client
from countersign.keys.ecdsa import recover

__all__ = ["prove_status"]


def prove_status(client: Client, certificate: Certificate, sealer: bytes, number: int) -> StateProof:
    """State proof of seal and claim, of the records of all keys involved, and that a contract wallet is one.

    The proof fits the header of block ``number``; whether that block is the chain's is the node's word. Raises
    ChainError where the node gives no such proof, or one that does not fit.
    """
    c = certificate.contracts
    slot = claim_slot(certificate.work.content)
    registry = client.prove({c.registry: (seal_slot(certificate.root, sealer), slot)}, number)
    claim = unpack_claim(registry.check().value(c.registry, slot) or 0)
    signer = recover(certificate.digest, certificate.signature) if certificate.signature else None
    keys = dict.fromkeys(key for key in (certificate.creator, sealer, signer, claim and claim.creator) if key)
    more: dict[bytes, tuple[bytes, ...]] = {c.identities: tuple(map(key_slot, keys))}
    if client.has_code(certificate.creator):
        more[certificate.creator] = ()
    rest = client.prove(more, number, header=registry.header)
    return StateProof(registry.header, registry.accounts + rest.accounts)
