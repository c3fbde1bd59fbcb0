"""Content Credentials of a sealed work: what its manifest says, and writing it.

The seal is of the original's bytes, without a manifest. The manifest names the leaf of that seal, computed beforehand
from work, creator and salt; a manifest cannot hold the transaction that registers it, nor the hash of itself. So the
chain's time of the original says nothing about when its manifest was made: seal the finished file too (one more leaf
of the same root), and it does.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from countersign import __version__
from countersign.canonical import checksum, to_hex
from countersign.certificate import Certificate
from countersign.certificate.disclosure import source_type
from countersign.durable import write_durably
from countersign.errors import InputError
from countersign.fingerprint.c2pa.container import EMBEDDABLE, original_digest
from countersign.fingerprint.c2pa.reading import read_manifest, sidecar_of
from countersign.fingerprint.c2pa.signing import Identity, media_type_of, sign

__all__ = ["TRAINING", "credentials_path", "definition", "write_credentials"]

TRAINING = ("allowed", "notAllowed")
"""Whether a work may be used for training and mining (CAWG Training and Data Mining Assertion 1.1)."""
_USES = ("cawg.ai_inference", "cawg.ai_generative_training", "cawg.ai_training", "cawg.data_mining")
_ISCC = "io.iscc.v0"
"""ISCC's name in C2PA's list of soft binding algorithms."""
_EDITED = ("humanEdits", "algorithmicallyEnhanced")


def definition(
    certificate: Certificate, *, training: str | None = None, iscc: str | None = None, titles: Sequence[str] = ()
) -> dict[str, Any]:
    """The manifest of a work as C2PA's "manifest definition": where it comes from, what it may be used for, what it
    derives from, its ISCC, and the leaf of its seal. ``titles`` are the parents' names, as far as known.

    Raises InputError for a work without an origin: C2PA demands one.
    """
    if not certificate.work.origin:
        raise InputError("Content Credentials say where a work comes from; this one does not.",
                         "Seal it with --origin, e.g. trainedAlgorithmicMedia.")  # fmt: skip
    seal = {
        "leaf": to_hex(certificate.leaf),
        "chainId": certificate.contracts.chain_id,
        "registry": checksum(certificate.contracts.registry),
        "content": to_hex(certificate.work.content),
    }
    assertions = [_assertion("c2pa.actions.v2", {"actions": _actions(certificate)})]
    if training:
        assertions.append(_assertion("cawg.training-mining", {"entries": {use: {"use": training} for use in _USES}}))
    if iscc:
        block = {"scope": {}, "value": iscc}
        assertions.append(_assertion("c2pa.soft-binding", {"alg": _ISCC, "blocks": [block]}))
    return {
        "claim_generator_info": [{"name": "Countersign", "version": __version__}],
        "title": certificate.name,
        "assertions": [*assertions, _assertion("org.countersign.seal", seal)],
        "ingredients": _ingredients(certificate, titles),
    }


def _assertion(label: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"label": label, "data": data}


def _is_edit(certificate: Certificate) -> bool:
    return certificate.work.origin in _EDITED and len(certificate.parents) == 1


def _actions(certificate: Certificate) -> list[dict[str, Any]]:
    """A work that is an edit of one other opens it; every other one is created, from inputs or none."""
    source = {"digitalSourceType": source_type(certificate.work.origin)}
    if _is_edit(certificate):
        opened = {"action": "c2pa.opened", "parameters": {"ingredientIds": ["parent0"]}}
        return [opened, {"action": "c2pa.edited", **source}]
    return [{"action": "c2pa.created", **source}]


def _ingredients(certificate: Certificate, titles: Sequence[str]) -> list[dict[str, Any]]:
    relation = "parentOf" if _is_edit(certificate) else "inputTo"
    named = [*titles, *(to_hex(parent) for parent in certificate.parents[len(titles) :])]
    return [
        {
            "title": title,
            "format": "application/octet-stream",
            "relationship": relation,
            "instance_id": f"ni:///sha-256;{base64.urlsafe_b64encode(parent).decode().rstrip('=')}",
            "label": f"parent{i}",
        }
        for i, (title, parent) in enumerate(zip(named, certificate.parents, strict=True))
    ]


def credentials_path(work: Path) -> Path | None:
    """Where a work's Content Credentials are written: ``photo.jpg`` → ``photo.c2pa.jpg``, to be published; ``clip.mp4``
    → ``clip.c2pa``, a sidecar; None for media that have none. Raises InputError when the file cannot be read."""
    kind = media_type_of(work)
    if kind in EMBEDDABLE:
        return work.with_name(f"{work.stem}.c2pa{work.suffix}")
    return sidecar_of(work) if kind else None


def write_credentials(work: Path, certificate: Certificate, identity: Identity, said: dict[str, Any]) -> Path:
    """Sign ``said`` (see :func:`definition`) and write it to :func:`credentials_path`; the original is left as it is.

    Written already for this very seal by an earlier try, it is kept. Raises InputError for media without Content
    Credentials, for a name that is taken by anything else, and as :func:`~countersign.fingerprint.c2pa.signing.sign`.
    """
    path = credentials_path(work)
    if path is None:
        raise InputError(f"{work} is of a kind without Content Credentials.", "Its certificate alone seals it.")
    if path.exists() and _is_ours(path, work, certificate):
        return path
    data, _ = sign(work, said, identity)
    write_durably(path, data, replace=False)
    return path


def _is_ours(path: Path, work: Path, certificate: Certificate) -> bool:
    embedded = media_type_of(path) is not None
    if embedded and original_digest(path) != certificate.work.content:
        return False
    found = read_manifest(path) if embedded else read_manifest(work, sidecar=path)
    return bool(found and found.intact and found.seal and found.seal.leaf == certificate.leaf)
