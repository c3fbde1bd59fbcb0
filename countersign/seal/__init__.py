"""The write flow of works: :mod:`~countersign.seal.works` goes from a file's digest to a certificate,
:mod:`~countersign.seal.folder` and :mod:`~countersign.seal.batch` from any number of files to a bundle."""

from countersign.seal.batch import Batch
from countersign.seal.said import Said
from countersign.seal.works import (
    Draft,
    claim_call,
    claim_typed_data_of,
    draft,
    drafts,
    is_claimed,
    load_secret,
    new_salt,
    object_call,
    parents_root,
    prove,
    retract_call,
    salt_of,
    seal_call,
    with_signature,
)

__all__ = [
    "Batch",
    "Draft",
    "Said",
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
