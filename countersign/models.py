"""Publishing model versions: from files to a manifest and a transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from countersign.canonical import checksum, from_hex, model_id, model_typed_data, to_hex
from countersign.chain.codec import encode_call, tuple_of
from countersign.durable import write_durably
from countersign.errors import InputError
from countersign.merkle import MerkleTree
from countersign.records import ZERO, Call, Contracts, Model

__all__ = [
    "FORMAT",
    "describe",
    "load_manifest",
    "model_typed_data",
    "publish_call",
    "save_manifest",
]

FORMAT = "countersign-model/1"
_HASHES = ("weights", "root", "card", "data", "parents", "metrics")


def describe(
    publisher: bytes,
    weights: bytes,
    *,
    licence: str = "",
    card: bytes = ZERO,
    metrics: bytes = ZERO,
    data: bytes = ZERO,
    parents: Sequence[bytes] = (),
) -> Model:
    """A model version from the SHA-256 of its one weights file; ``card`` and ``metrics`` those of documents.

    ``data`` is an RFC 6962 root over the training items, ``parents`` the model ids it derives from.
    """
    return Model(
        publisher=publisher,
        weights=weights,
        root=MerkleTree([weights]).root,
        card=card,
        data=data,
        licence=licence,
        parents=MerkleTree(parents).root if parents else ZERO,
        metrics=metrics,
    )


def publish_call(contracts: Contracts, model: Model) -> Call:
    """The transaction that publishes a version now, sent by its publisher."""
    return Call(contracts.models, encode_call("ModelRegistry", "publish", tuple_of(model)))


def save_manifest(path: Path, name: str, model: Model) -> None:
    """Write the manifest durably: what was published, in words, so that it can be ended or checked later.

    Raises InputError when the file there describes another version: that one could never be ended without it.
    """
    if path.exists() and model_id(load_manifest(path)) != model_id(model):
        raise InputError(f"{path} describes another version.", "Keep it, moved away, and publish again.")
    fields: dict[str, Any] = {"format": FORMAT, "name": name, "modelId": to_hex(model_id(model))}
    fields |= {"publisher": checksum(model.publisher), "licence": model.licence}
    fields |= {field: to_hex(getattr(model, field)) for field in _HASHES}
    write_durably(path, json.dumps(fields, indent=2).encode() + b"\n")


def load_manifest(path: Path) -> Model:
    """Read a manifest. Raises InputError when it is none, or when its id does not follow from its fields."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        model = Model(
            publisher=from_hex(fields["publisher"], 20),
            licence=fields["licence"],
            **{field: from_hex(fields[field], 32, field) for field in _HASHES},
        )
        stated = from_hex(fields["modelId"], 32)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a model manifest.", "Give the file that 'model publish' wrote.") from error
    if stated != model_id(model):
        raise InputError(f"{path} was changed: its id does not follow from its fields.", "Restore the original.")
    return model
