"""The write flow of a work: :mod:`~countersign.seal.works` goes from a file's digest to a certificate."""

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
