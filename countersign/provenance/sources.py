"""What is said of a work: certificates in folders, the index, Content Credentials in files. The I/O of the graph."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from countersign.canonical import seal_slot, unpack_seal
from countersign.certificate import Certificate
from countersign.certificate.document import SUFFIX
from countersign.durable import open_regular
from countersign.errors import CountersignError, InputError
from countersign.fingerprint.c2pa.container import original_digest, walk
from countersign.fingerprint.c2pa.reading import Credentials, read_manifest, readable, sidecar_of
from countersign.fingerprint.digest import digest_file
from countersign.merkle import hash_leaf
from countersign.provenance.graph import Ingredient, ModelFacts, Record, Statement
from countersign.verify import Report, verify

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.index.query import Query

__all__ = ["MAX_CERTIFICATES", "Sources"]

MAX_CERTIFICATES = 10_000
"""Certificates that are read from all folders together."""


class Sources:
    """The :class:`~countersign.provenance.graph.Facts` of folders, an index and a node.

    ``notes`` says, in sentences, what could not be read. ``query`` and ``client`` may be missing: then nothing is known
    of the chain. ``anchors`` is a PEM file of the authorities that are trusted to vouch for a manifest's signer.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        query: Query | None = None,
        client: Client | None = None,
        anchors: Path | None = None,
    ) -> None:
        """Reads every certificate in ``folders`` (not below them). Raises InputError for what is no folder."""
        self.notes: list[str] = []
        self._query, self._client, self._anchors = query, client, anchors
        self._certificates: dict[bytes, list[Certificate]] = {}
        self._files: dict[bytes, list[Path]] = {}
        for path in self._found(folders):
            self._read(path)

    def _found(self, folders: Iterable[Path]) -> Iterator[Path]:
        paths = [path for folder in dict.fromkeys(folders) for path in _certificates_in(folder)]
        if len(paths) > MAX_CERTIFICATES:
            self.notes.append(f"Only {MAX_CERTIFICATES:,} of {len(paths):,} certificates were read.")
        return iter(paths[:MAX_CERTIFICATES])

    def _read(self, path: Path) -> None:
        try:
            certificate = Certificate.load(path)
        except CountersignError as error:
            self.notes.append(f"{path.name} was left out: {error.message}")
            return
        self._certificates.setdefault(certificate.work.content, []).append(certificate)
        work = path.with_name(path.name.removesuffix(SUFFIX))
        self.add_file(certificate.work.content, work)
        self.add_file(certificate.work.content, work.with_name(f"{work.stem}.c2pa{work.suffix}"))

    def add_file(self, content: bytes, path: Path) -> None:
        """A file that may hold these bytes: its manifest is read if it does."""
        self._files.setdefault(content, []).append(path)

    def statements(self, content: bytes) -> Sequence[Statement]:
        """What each certificate of the content says, checked as far as the node allows."""
        return [self._statement(c) for c in dict.fromkeys(self._certificates.get(content, ()))]

    def _statement(self, c: Certificate) -> Statement:
        report = verify(c, None, client=self._client)
        work = c.work
        return Statement(
            c.name, c.creator, work.origin, work.model, work.parents, c.parents, report.outcome, _sealed_at(c, report)
        )

    def record(self, content: bytes) -> Record | None:
        """The claim that stands, as the index knows it."""
        row = self._query.claim(content) if self._query else None
        if row is None:
            return None
        names = ("creator", "sealed_at", "objections", "origin", "model", "parents")
        return Record(retracted=bool(row["retracted"]), **{name: row[name] for name in names})

    def ingredients(self, content: bytes) -> Sequence[Ingredient]:
        """What the manifest in a file with these bytes, or beside it, names as its parents."""
        for path in self._files.get(content, ()):
            try:
                found = _manifest(path, self._anchors) if _holds(path, content) else None
            except CountersignError as error:
                self._note(f"Content Credentials were left out: {error.message} {error.next_step}")
                continue
            if found and not found.intact:
                self._note(f"The Content Credentials of {path.name} are invalid, so nothing in them counts.")
            elif found:
                return [
                    Ingredient(i.title, found.signer, found.state == "trusted", i.content) for i in found.ingredients
                ]
        return ()

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def model(self, model_id: bytes) -> ModelFacts | None:
        """The model version's record: the index's, else the node's."""
        row = self._query.model(model_id) if self._query else None
        if row:
            ended = (row.get("deprecated_at", 0), row.get("revoked_at", 0))
            return ModelFacts(row["publisher"], row["time"], *ended)
        times = self._client.model_times(model_id) if self._client else None
        if times is None or not times.published_at:
            return None
        return ModelFacts(b"", times.published_at, times.deprecated_at, times.revoked_at)

    def opened(self, roots: frozenset[bytes]) -> Mapping[bytes, bytes]:
        """The root over one parent is that parent's leaf hash: every known content is tried, in one pass."""
        known = (c for contents in (self._certificates, self._claimed()) for c in contents)
        return {root: content for content in known if (root := hash_leaf(content)) in roots}

    def _claimed(self) -> Iterable[bytes]:
        return self._query.claimed_contents() if self._query else ()


def _certificates_in(folder: Path) -> list[Path]:
    try:
        return sorted(Path(entry) for entry in os.scandir(folder) if entry.name.endswith(SUFFIX))
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}.", "Give a folder with certificates.") from error


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is the content, or the content with a manifest embedded."""
    try:
        return path.is_file() and (digest_file(path).sha256 == content or original_digest(path) == content)
    except InputError:
        return False


def _manifest(path: Path, anchors: Path | None) -> Credentials | None:
    """A file's Content Credentials, else those in the sidecar beside it. Reading starts a process, so files of a kind
    that has none, and pictures whose own bytes show that they have none, are not asked."""
    beside = sidecar_of(path)
    with open_regular(path) as file:
        if not readable(file.read(16)):
            return None
        walked = walk(file)
    inside = None if walked and not walked.credentials else read_manifest(path, anchors=anchors)
    return inside or (read_manifest(path, anchors=anchors, sidecar=beside) if beside.exists() else None)


def _sealed_at(c: Certificate, report: Report) -> int:
    """The proven time of the seal, in Unix seconds; 0 unless the certificate was verified."""
    if report.outcome != "verified" or c.proof is None or c.sealer is None:
        return 0
    seal = unpack_seal(c.proof.check().value(c.contracts.registry, seal_slot(c.root, c.sealer)) or 0)
    return seal.time if seal else 0
