"""A certificate rebuilt from the chain alone: the claim's transaction shows all that opens the seal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from countersign import merkle
from countersign.canonical import text_hash, to_hex
from countersign.certificate import Certificate
from countersign.chain.client import Client
from countersign.chain.codec import decode_call
from countersign.errors import ChainError, InputError
from countersign.records import ORIGINS, Contracts, Path, Work
from countersign.seal.works import prove

__all__ = ["certificate_of_claim", "recover_certificate"]

_TERMS = {text_hash(term): term for term in ORIGINS}


def recover_certificate(client: Client, transaction: bytes, content: bytes) -> Certificate:
    """The certificate of the claim on ``content`` that ``transaction`` made, with a fresh proof of its seal.

    Its name is ``recovered``: the chain does not know the file's. Raises ChainError when the node does not know the
    transaction or the chain holds no such seal, InputError as :func:`certificate_of_claim`, NotFinal.
    """
    call = client.sent(transaction)
    if call is None:
        raise ChainError(
            f"The node does not know the claim's transaction {to_hex(transaction)}.",
            "Ask one that keeps old transactions: set --rpc.",
        )
    to_registry = call.to == client.contracts.registry
    certificate = certificate_of_claim(call.data if to_registry else b"", client.contracts)
    if certificate.work.content != content:
        raise ChainError(f"The transaction {to_hex(transaction)} claims another content.", "Use another node.")
    return prove(client, certificate, certificate.opening().sealer)


def certificate_of_claim(calldata: bytes, contracts: Contracts) -> Certificate:
    """The unproved certificate that the calldata of ``claim`` or ``claimFor`` shows. Nothing of it is believed yet.

    Raises InputError for any other calldata: a claim made through another contract shows no opening there.
    """
    found = decode_call("ContentRegistry", calldata)
    if found is None or found[0] not in ("claim", "claimFor"):
        raise InputError(
            "This claim was made through another contract, so its transaction holds no certificate.",
            "Ask the creator for theirs, or look in a folder of certificates: --in FOLDER.",
        )
    arguments = found[1]
    work, opening = _work(arguments["work"]), arguments["opening"]
    path = Path(opening["index"], opening["size"], tuple(opening["path"]))
    made = Certificate(
        name="recovered",
        work=work,
        creator=opening["creator"],
        salt=opening["salt"],
        contracts=contracts,
        path=path,
        root=b"",
        sealer=opening["sealer"],
        signature=arguments.get("signature"),
    )
    return _with_root(made)


def _work(said: Mapping[str, Any]) -> Work:
    if said["origin"] not in _TERMS:
        raise InputError(
            "The claim names a digital source type that is not in the vocabulary, so no certificate can hold it.",
            "Ask the chain about it: countersign show.",
        )
    others = {name: said[name] for name in ("content", "fingerprint", "model", "parents", "metadata")}
    return Work(origin=_TERMS[said["origin"]], **others)


def _with_root(certificate: Certificate) -> Certificate:
    root = merkle.root_of(merkle.hash_leaf(certificate.leaf), certificate.path)
    if root is None:
        raise InputError("The claim's path fits no tree.", "Use another node: the registry would have refused it.")
    return replace(certificate, root=root)
