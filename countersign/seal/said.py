"""What the user says of works: the same for every work of a run, however many there are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from countersign.canonical import from_hex, to_hex
from countersign.errors import InputError
from countersign.records import ZERO, Work
from countersign.seal.works import parents_root

__all__ = ["Said"]


@dataclass(frozen=True)
class Said:
    """Origin, model, hash of the metadata, contents of the parents; ``fingerprinted``: with an ISCC of each file."""

    origin: str = ""
    model: bytes = ZERO
    metadata: bytes = ZERO
    parents: tuple[bytes, ...] = ()
    fingerprinted: bool = False

    def of(self, path: Path, content: bytes) -> Work:
        """The work that the file at ``path`` with SHA-256 ``content`` is."""
        fingerprint = _fingerprint(path) if self.fingerprinted else ZERO
        return Work(content, fingerprint, self.origin, self.model, parents_root(self.parents), self.metadata)

    def to_json(self) -> str:
        """One line, to go on with later."""
        hashes = [self.model, self.metadata, *self.parents]
        return json.dumps([self.origin, self.fingerprinted, *map(to_hex, hashes)])

    @classmethod
    def from_json(cls, text: str) -> Said:
        """What :meth:`to_json` wrote."""
        origin, fingerprinted, *hashes = json.loads(text)
        model, metadata, *parents = (from_hex(value, 32) for value in hashes)
        return cls(origin, model, metadata, tuple(parents), fingerprinted)


def _fingerprint(path: Path) -> bytes:
    """Zero for what has none: a damaged picture is sealed like any other bytes."""
    from countersign.fingerprint.iscc import fingerprint_of

    try:
        return fingerprint_of(path)
    except InputError:
        return ZERO
