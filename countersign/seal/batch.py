"""Many works under one root: a journal while they are gathered, a bundle once they are sealed, in one file.

A batch goes one way: works are added, :meth:`Batch.draft` closes it and makes the tree, :meth:`Batch.seal` sends the
one transaction, :meth:`Batch.prove` attaches the chain's proof. Every step is on disk before it counts: whoever repeats
it after a crash, wherever that was, goes on where it stopped. Memory does not grow with the number of works.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, Self

from countersign.canonical import checksum, leaf_data, work_id
from countersign.certificate import Certificate
from countersign.certificate.bundle import FORMAT, SCHEMA, safe_name
from countersign.chain.sender import intent
from countersign.durable import open_regular, transaction
from countersign.errors import InputError, SignerError, WrongChain
from countersign.merkle import PAGE, MerkleTree, joined, pages
from countersign.records import ORIGINS, ZERO, Contracts, Path, Work
from countersign.seal.works import Draft, parents_root, prove, salt_of, seal_call

if TYPE_CHECKING:
    from countersign.chain.client import Client, Receipt
    from countersign.chain.sender import Sender

__all__ = ["Batch", "Entry"]

_PATIENCE = 2.0
"""Seconds to wait for another process to let go of the file."""
_CACHE = 64 << 10
"""KiB of the file that are held in memory: the order of contents is random."""
_FIELDS = "content, fingerprint, origin, model, parents, metadata"


@dataclass(frozen=True)
class Entry:
    """A work as the batch has it: ``size`` in bytes and ``modified`` (ns) of its file as it was digested, 0 without."""

    position: int
    name: str
    size: int
    modified: int


class Batch:
    """A batch being made, held by one process and used by one thread at a time; a context manager.

    ``certificate`` is that of the first work, or an empty one until there is a tree: what all works have in common.
    """

    def __init__(self, path: FilePath, creator: bytes, contracts: Contracts, secret: bytes) -> None:
        """Open the batch at ``path`` to go on with it, or begin one (readable by its owner only).

        ``secret`` is what the salts derive from. Raises InputError when another process holds it or the file is none
        of ours, SignerError for another creator's, WrongChain for another chain's.
        """
        self.path, self._secret = path, secret
        self._db, file = _opened(path)
        try:
            with self._writing():
                _require_named(path, file)
                self._db.execute(f"PRAGMA cache_size={-_CACHE}")
                self.certificate = self._begun(creator, contracts)
            self._require_ours(creator, contracts)
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; what was added is on disk."""
        self._db.close()

    @property
    def drafted(self) -> bool:
        """Whether the batch is closed: its tree is made, nothing can be added."""
        return self.certificate.root != ZERO

    @property
    def size(self) -> int:
        """How many works there are."""
        return int(self._one("SELECT count(*) FROM works"))

    def named(self, name: str) -> Entry | None:
        """The work of that name, or None."""
        query = "SELECT position, name, size, modified FROM works WHERE name = ?"
        row = self._db.execute(query, (name,)).fetchone()
        return _entry(row) if row else None

    def add(self, name: str, work: Work, parents: tuple[bytes, ...] = ()) -> None:
        """Add one work, durably. The same work under the same name again changes nothing.

        ``parents`` are the contents whose root the work names. Raises InputError for a name that is taken by another
        work or is no relative path, an unknown origin, or when the batch is closed.
        """
        self.add_all([Draft(name, work, salt_of(self._secret, work), parents)])

    def add_all(self, drafts: Iterable[Draft]) -> None:
        """Add any number of works with their salts, all of them or none: see :meth:`add`."""
        with self._writing():
            self._require_open()
            at = self._next()
            for draft in drafts:
                at += self._added(at, draft)

    def expect(self, names: Iterable[tuple[str, int]], said: str, sources: str) -> None:
        """List the works to come by name and size in bytes, all of them or none, and note what is to be said of them
        and where they lie."""
        with self._writing():
            self._require_open()
            for at, (name, size) in enumerate(names, self._next()):
                _require_name(name)
                self._insert("INSERT INTO works (position, name, size) VALUES (?, ?, ?)", (at, name, size), name)
            self._db.execute("INSERT INTO meta VALUES ('said', ?), ('sources', ?)", (said, sources))

    def note(self, key: str) -> str | None:
        """What :meth:`expect` noted: "said", and "sources" until the works are drafted."""
        found = self._db.execute("SELECT value FROM meta WHERE name = ?", (key,)).fetchone()
        return found[0] if found else None

    def expected(self) -> Iterator[Entry]:
        """The works that were listed and not filled in. Others may be filled in meanwhile."""
        return self._entries("content IS NULL")

    def filled(self) -> Iterator[Entry]:
        """The works that are filled in."""
        return self._entries("content IS NOT NULL")

    def fill(self, done: Iterable[tuple[Entry, Work, tuple[bytes, ...]]]) -> None:
        """Say of expected works what they are, all of them or none."""
        with self._writing():
            self._require_open()
            for entry, work, parents in done:
                _require_origin(work)
                row = (*_row(work, salt_of(self._secret, work), parents), entry.size, entry.modified, entry.position)
                columns = f"({_FIELDS}, told, salt, size, modified)"
                self._db.execute(f"UPDATE works SET {columns} = (?,?,?,?,?,?,?,?,?,?) WHERE position = ?", row)

    def leave_out(self, left_out: Iterable[Entry]) -> None:
        """Take expected works off the list; the last ones take their positions, which stay without gaps."""
        with self._writing():
            self._require_open()
            for entry in sorted(left_out, key=lambda entry: -entry.position):
                self._db.execute("DELETE FROM works WHERE position = ?", (entry.position,))
                if (last := self._next() - 1) > entry.position:
                    self._db.execute("UPDATE works SET position = ? WHERE position = ?", (entry.position, last))

    def draft(self, progress: Callable[[int], None] = lambda _: None) -> Certificate:
        """Close the batch and make its tree; nothing happens when that is done. ``progress`` hears numbers of works.

        Raises InputError for no works, or while some are only expected.
        """
        if not self.drafted:
            with self._writing():
                self._require_complete()
                made = self._with_tree(progress)
                self._db.execute("DELETE FROM meta WHERE name = 'sources'")
                self._keep(made)
            self.certificate = made
        return self.certificate

    def seal(self, client: Client, sender: Sender, on_sent: Callable[[bytes], None] = lambda _: None) -> Receipt | None:
        """Send the one transaction, unless the chain has the seal: then None. The sender must be the creator.

        Raises what :meth:`~countersign.chain.sender.Sender.send` does; asked again it takes up where it stopped.
        """
        draft = self.draft()
        if sender.address != draft.creator:
            raise SignerError("The creator of a batch seals it.", f"Use the key of {checksum(draft.creator)}.")
        if client.seal_of(draft.root, sender.address) is not None:
            return None
        return sender.send(seal_call(draft), intent("seal", draft.root, sender.address), on_sent)

    def prove(self, client: Client) -> Certificate:
        """Attach the chain's proof of the seal, or a newer one. Raises ChainError, NotFinal as :func:`prove` does."""
        self.record(prove(client, self.draft(), self.certificate.creator))
        return self.certificate

    def record(self, certificate: Certificate) -> None:
        """Keep sealer and proof of the first work's certificate: they are those of all."""
        with self._writing():
            self._keep(certificate)
        self.certificate = certificate

    # Within a transaction

    def _begun(self, creator: bytes, contracts: Contracts) -> Certificate:
        if not self._one("SELECT count(*) FROM sqlite_schema"):
            for statement in SCHEMA:
                self._db.execute(statement)
            self._db.execute("INSERT INTO meta VALUES ('format', ?)", (FORMAT,))
            self._keep(Certificate("", Work(ZERO), creator, ZERO, contracts, Path(0, 1), ZERO))
        found = [str(sql) for (sql,) in self._db.execute("SELECT sql FROM sqlite_schema")]
        if sorted(found) != sorted(SCHEMA) or self.note("format") != FORMAT:
            raise InputError(f"{self.path} is not a bundle of this version.", "Choose another name.")
        return Certificate.from_json(self.note("certificate") or "")

    def _keep(self, certificate: Certificate) -> None:
        self._db.execute("REPLACE INTO meta VALUES ('certificate', ?)", (certificate.to_json(),))

    def _added(self, at: int, draft: Draft) -> bool:
        """Whether it is new."""
        _require_name(draft.name)
        _require_origin(draft.work)
        if draft.parents and parents_root(draft.parents) != draft.work.parents:
            raise InputError(f"The parents of {draft.name} are not those its work names.", "Give all, in their order.")
        row = _row(draft.work, draft.salt, draft.parents)
        known = self._db.execute(f"SELECT {_FIELDS}, told, salt FROM works WHERE name = ?", (draft.name,)).fetchone()
        if known is None:
            columns = f"(position, name, {_FIELDS}, told, salt)"
            self._db.execute(f"INSERT INTO works {columns} VALUES (?,?,?,?,?,?,?,?,?,?)", (at, draft.name, *row))
        elif known[:7] != row[:7]:
            raise _taken(draft.name)
        return known is None

    def _insert(self, statement: str, row: tuple[Any, ...], name: str) -> None:
        try:
            self._db.execute(statement, row)
        except sqlite3.IntegrityError as error:
            raise _taken(name) from error

    def _with_tree(self, progress: Callable[[int], None]) -> Certificate:
        """The tree, one page in memory at a time; the certificate of the first work."""
        first, roots, size = b"", bytearray(), 0
        for number, page in enumerate(pages(self._leaves())):
            root = MerkleTree.over(page).root
            self._db.execute("INSERT INTO pages VALUES (?, ?)", (number, page))
            self._db.execute("INSERT INTO roots VALUES (?, ?)", (number, root))
            first, roots, size = first or page, roots + root, size + len(page) // 32
            progress(len(page) // 32)
        upper = MerkleTree.over(bytes(roots))
        path = joined(MerkleTree.over(first).path(0), upper.path(0), size)
        [draft] = self._drafts("position = 0")
        return replace(
            self.certificate, name=draft.name, work=draft.work, salt=draft.salt, parents=draft.parents,
            path=path, root=upper.root,
        )  # fmt: skip

    def _leaves(self) -> Iterator[bytes]:
        c, creator = self.certificate.contracts, self.certificate.creator
        for draft in self._drafts("TRUE"):
            yield leaf_data(c.chain_id, c.registry, creator, work_id(draft.work), draft.salt)

    def _drafts(self, where: str) -> Iterator[Draft]:
        query = f"SELECT name, {_FIELDS}, told, salt FROM works WHERE {where} ORDER BY position"
        for name, content, fingerprint, origin, model, parents, metadata, told, salt in self._db.execute(query):
            work = Work(content, fingerprint or ZERO, origin, model or ZERO, parents or ZERO, metadata or ZERO)
            yield Draft(name, work, salt, tuple((told or b"")[at : at + 32] for at in range(0, len(told or b""), 32)))

    def _entries(self, where: str) -> Iterator[Entry]:
        """In slices: a cursor that stays open would see what is written meanwhile, or not."""
        columns = "position, name, size, modified"
        query = f"SELECT {columns} FROM works WHERE position >= ? AND {where} ORDER BY position LIMIT ?"
        at = 0
        while rows := self._db.execute(query, (at, PAGE)).fetchall():
            yield from map(_entry, rows)
            at = rows[-1][0] + 1

    def _next(self) -> int:
        return int(self._one("SELECT coalesce(max(position) + 1, 0) FROM works"))

    def _one(self, query: str) -> Any:
        return self._db.execute(query).fetchone()[0]

    def _require_open(self) -> None:
        if self.drafted:
            raise InputError(f"{self.path.name} is closed: its works are sealed.", "Seal more works as another bundle.")

    def _require_complete(self) -> None:
        count, waiting = self.size, self._one("SELECT count(*) FROM works WHERE content IS NULL")
        if waiting or not count or self._next() != count:
            what = f"{waiting} works are not digested yet" if waiting else "there are no works"
            raise InputError(f"{self.path.name} cannot be sealed: {what}.", "Add works, then seal it.")

    def _require_ours(self, creator: bytes, contracts: Contracts) -> None:
        c = self.certificate
        if c.contracts != contracts:
            raise WrongChain(f"{self.path.name} is for chain {c.contracts.chain_id}.", "Use --chain and --rpc for it.")
        if c.creator != creator:
            raise SignerError(f"{self.path.name} was begun by {checksum(c.creator)}.", "Use that key.")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All of it or nothing."""
        try:
            with transaction(self._db):
                yield
        except sqlite3.Error as error:
            if "locked" in str(error):
                what, then = f"Another process is working on {self.path.name}.", "Wait until it has ended."
            else:
                what, then = f"{self.path} cannot be written: {error}.", "Check the disk; a damaged file: move it away."
            raise InputError(what, then) from error


def _opened(path: FilePath) -> tuple[sqlite3.Connection, int]:
    """A connection that nobody shares, to a file that only its owner reads: it will hold salts; the file's number."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        with open_regular(path) as file:
            number = os.fstat(file.fileno()).st_ino
        db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Check the disk and permissions.") from error
    for pragma in ("locking_mode=EXCLUSIVE", "trusted_schema=OFF"):
        db.execute(f"PRAGMA {pragma}")
    return db, number


def _require_named(path: FilePath, number: int) -> None:
    """While this one waited for its turn, another may have removed the file: what is written to it would be lost."""
    if not path.exists() or path.stat().st_ino != number:
        raise InputError(f"Another process has removed {path.name}.", "Run the same command again.")


def _entry(row: tuple[Any, ...]) -> Entry:
    position, name, size, modified = row
    return Entry(position, name, size or 0, modified or 0)


def _row(work: Work, salt: bytes, parents: tuple[bytes, ...]) -> tuple[Any, ...]:
    """Fields, told parents and salt; NULL for what is not said."""
    said = (work.fingerprint, work.origin, work.model, work.parents, work.metadata)
    return (work.content, *(None if value == ZERO else value for value in said), b"".join(parents) or None, salt)


def _require_name(name: str) -> None:
    if not safe_name(name):
        what = f"{name!a} cannot be a work's name in a bundle: it is no relative path in Unicode text."
        raise InputError(what, "Rename it; no backslash, no way out of its folder.")


def _require_origin(work: Work) -> None:
    if work.origin not in ORIGINS:
        known = ", ".join(filter(None, ORIGINS))
        raise InputError(f"'{work.origin}' is not an IPTC digital source type.", f"Use one of: {known}.")


def _taken(name: str) -> InputError:
    return InputError(f"Two works are called {name}.", "Give each work in a bundle a name of its own.")
