"""Sealing and claiming: from a file's digest to a certificate.

The order protects the creator: the draft, salt included, is on disk before anything is signed; the seal says nothing
to others; the claim, which reveals work and salt, waits until the seal is final.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any

from countersign.canonical import (
    checksum,
    claim_typed_data,
    leaf_data,
    to_hex,
    work_id,
)
from countersign.certificate import Certificate
from countersign.chain.client import Client
from countersign.chain.codec import encode_call, tuple_of
from countersign.chain.status import prove_status
from countersign.durable import make_private_folder, write_durably
from countersign.errors import ChainError, InputError, NotFinal, Reverted, SignerError
from countersign.keys.ecdsa import recover
from countersign.merkle import MerkleTree, list_root
from countersign.records import ORIGINS, Call, Contracts, Work

__all__ = [
    "Draft",
    "claim_call",
    "claim_typed_data_of",
    "draft",
    "drafts",
    "is_claimed",
    "load_secret",
    "new_salt",
    "object_call",
    "parents_root",
    "prove",
    "retract_call",
    "salt_of",
    "seal_call",
    "with_signature",
]


@dataclass(frozen=True)
class Draft:
    """One work before sealing: its file name, what is said of it, its secret salt. ``parents`` are the contents whose
    root the work names."""

    name: str
    work: Work
    salt: bytes
    parents: tuple[bytes, ...] = ()


def new_salt() -> bytes:
    """32 random bytes. Keep them: a lost salt is a lost work."""
    return secrets.token_bytes(32)


def load_secret(path: FilePath) -> bytes:
    """The 32-byte secret that salts derive from, made on first use (owner-readable, never overwritten).

    Raises InputError when the file is damaged: with another secret the salts of unclaimed drafts could not be remade.
    """
    if not path.exists():
        make_private_folder(path.parent)
        try:
            write_durably(path, secrets.token_hex(32).encode() + b"\n", private=True, replace=False)
        except InputError:
            if not path.exists():
                raise
    try:
        secret = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise InputError(f"The salt secret {path} cannot be read.", "Restore it from your backup.") from error
    if len(secret) != 32:
        raise InputError(f"The salt secret {path} is damaged.", "Restore it from your backup.")
    return secret


def salt_of(secret: bytes, work: Work) -> bytes:
    """The salt of a work: HMAC-SHA-256(secret, workId), so that it can be remade from the secret alone."""
    return hmac.new(secret, work_id(work), sha256).digest()


def parents_root(contents: Sequence[bytes]) -> bytes:
    """RFC 6962 root over the contents a work derives from, in the given order; zero for none."""
    return list_root(contents)


def drafts(works: Iterable[Draft], creator: bytes, contracts: Contracts) -> list[Certificate]:
    """Certificates without proof for any number of works under one root. Raises InputError for an unknown origin."""
    batch = list(works)
    for entry in batch:
        if entry.work.origin not in ORIGINS:
            known = ", ".join(filter(None, ORIGINS))
            raise InputError(f"'{entry.work.origin}' is not an IPTC digital source type.", f"Use one of: {known}.")
    leaves = [leaf_data(contracts.chain_id, contracts.registry, creator, work_id(e.work), e.salt) for e in batch]
    tree = MerkleTree(leaves)
    return [
        Certificate(e.name, e.work, creator, e.salt, contracts, tree.path(i), tree.root, e.parents)
        for i, e in enumerate(batch)
    ]


def draft(
    content: bytes, creator: bytes, contracts: Contracts, *, name: str, salt: bytes, **fields: Any
) -> Certificate:
    """One work's certificate without proof; ``fields`` are the other fields of :class:`~countersign.records.Work`."""
    return drafts([Draft(name, Work(content, **fields), salt)], creator, contracts)[0]


def seal_call(certificate: Certificate) -> Call:
    """The transaction that seals the certificate's root. Says nothing about the work."""
    return Call(certificate.contracts.registry, encode_call("ContentRegistry", "seal", certificate.root))


def claim_typed_data_of(certificate: Certificate) -> dict[str, Any]:
    """What the creator signs, as JSON for ``eth_signTypedData_v4``."""
    return claim_typed_data(certificate.contracts, certificate.creator, certificate.work)


def claim_call(certificate: Certificate, *, by_signature: bool = False) -> Call:
    """The transaction that claims the work; ``by_signature`` lets anyone send it (``claimFor``).

    WARNING: it reveals work and salt: send it only after the seal is final (:func:`prove` has succeeded).
    """
    arguments: list[Any] = [tuple_of(certificate.work), tuple_of(certificate.opening())]
    if by_signature:
        if certificate.signature is None:
            raise SignerError("The creator has not signed this claim.", "Sign it with the creator's key first.")
        arguments.append(certificate.signature)
    verb = "claimFor" if by_signature else "claim"
    return Call(certificate.contracts.registry, encode_call("ContentRegistry", verb, *arguments))


def retract_call(contracts: Contracts, content: bytes, retracted: bool = True) -> Call:
    """The transaction that retracts a claim, or takes the retraction back."""
    return Call(contracts.registry, encode_call("ContentRegistry", "retract", content, retracted))


def object_call(contracts: Contracts, content: bytes, evidence: bytes, uri: str) -> Call:
    """The transaction that objects to a claim, or answers an objection to one's own; ``evidence`` is the SHA-256 of the
    document that says why, ``uri`` where it is found ("": nowhere in public)."""
    return Call(contracts.registry, encode_call("ContentRegistry", "object", content, evidence, uri))


def with_signature(certificate: Certificate, signature: bytes, client: Client | None = None) -> Certificate:
    """The certificate with the creator's signature. With a client, also the identity's successor key and contract
    wallets (ERC-1271) may sign. Raises SignerError for anybody else's signature."""
    signer = recover(certificate.digest, signature)
    if signer != certificate.creator and not (client and _speaks_for(client, certificate, signer, signature)):
        who = checksum(signer) if signer else "nobody"
        raise SignerError(
            f"This signature is by {who}, not by {checksum(certificate.creator)}.", "Sign with the creator's key."
        )
    return replace(certificate, signature=signature)


def _speaks_for(client: Client, certificate: Certificate, signer: bytes | None, signature: bytes) -> bool:
    current = client.current_of(certificate.creator)
    return signer == current or (
        client.has_code(current) and client.is_valid_signature(current, certificate.digest, signature)
    )


def prove(client: Client, certificate: Certificate, sealer: bytes) -> Certificate:
    """The certificate with the chain's proof of its seal by ``sealer``, as of the newest finalized block.

    Can be repeated to refresh the status. Raises ChainError while there is no seal, NotFinal while the chain could
    still forget it.
    """
    finalized = client.finalized()
    _require_final(client, certificate, sealer, finalized.number)
    sealed = replace(certificate, sealer=sealer)
    return replace(sealed, proof=prove_status(client, sealed, sealer, finalized.number))


def _require_final(client: Client, certificate: Certificate, sealer: bytes, finalized: int) -> None:
    """The newest block may hold a seal that a fork takes back: what counts is that the finalized one holds it."""
    seal = client.seal_of(certificate.root, sealer)
    if seal is None:
        raise ChainError(f"{checksum(sealer)} has not sealed this work.", "Run: countersign seal --resume.")
    if seal.block > finalized or client.seal_of(certificate.root, sealer, at=finalized) is None:
        raise NotFinal(
            f"The seal is in block {seal.block}, the newest final block is {finalized}.",
            "Wait and try again; reveal nothing until then.",
        )


def is_claimed(client: Client, certificate: Certificate) -> bool:
    """Whether the claim this certificate would make is already on chain.

    Raises Reverted, as the contract would, when somebody else claims the content with a seal as early or earlier.
    """
    claim = client.claim_of(certificate.work.content)
    if claim is None:
        return False
    seal = client.seal_of(certificate.root, certificate.opening().sealer)
    same = client.root_of(claim.creator) == client.root_of(certificate.creator)
    if same and seal and claim.sealed_at <= seal.time:
        return True
    if seal and claim.sealed_at <= seal.time:
        raise Reverted(
            "AlreadyClaimed",
            f"{to_hex(certificate.work.content)} is claimed by {checksum(claim.creator)} with an earlier seal.",
            "If the work is yours, file an objection: countersign object.",
        )
    return False
