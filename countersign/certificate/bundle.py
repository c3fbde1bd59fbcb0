"""``NAME.countersign.bundle``: the certificates of any number of works under one root, each made on demand.

One SQLite file (format 3, https://www.sqlite.org/fileformat2.html). What all certificates have in common is kept once,
as the certificate of the first work; of each work what is said of it and its salt; of the tree its leaf hashes in pages
(:mod:`countersign.merkle`), so that a path is read from one page and the pages' roots.

A bundle may come from a stranger: it is opened read-only with exactly the schema below, and every value is checked.
What comes out is a certificate, which is believed no more than one from a file.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from itertools import groupby
from pathlib import Path as FilePath
from typing import Any, Self
from urllib.parse import quote

from countersign import merkle
from countersign.certificate.document import Certificate
from countersign.durable import open_regular
from countersign.errors import CertificateError, InputError
from countersign.merkle import PAGE, MerkleTree
from countersign.records import ORIGINS, ZERO, Path, Work

__all__ = ["BUNDLE_SUFFIX", "COLUMNS", "FORMAT", "SCHEMA", "Bundle", "bundle_beside", "safe_name"]

FORMAT = "countersign-bundle/1"
BUNDLE_SUFFIX = ".countersign.bundle"

SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE works (position INTEGER PRIMARY KEY, name TEXT NOT NULL, content BLOB, fingerprint BLOB, "
    "origin TEXT, model BLOB, parents BLOB, metadata BLOB, told BLOB, salt BLOB, size INTEGER, modified INTEGER)",
    "CREATE TABLE pages (number INTEGER PRIMARY KEY, leaves BLOB NOT NULL)",
    "CREATE TABLE roots (number INTEGER PRIMARY KEY, root BLOB NOT NULL)",
    "CREATE UNIQUE INDEX works_by_name ON works (name)",
    "CREATE INDEX works_by_content ON works (content)",
)
"""Of a work, NULL stands for 32 zero bytes; ``position`` is its leaf's, from 0; ``told`` are the contents of its
parents one after the other; ``size`` (bytes) and ``modified`` (ns) are its file's. ``meta`` has "format" and
"certificate"."""
COLUMNS = "position, name, content, fingerprint, origin, model, parents, metadata, told, salt"
"""What a certificate is made of."""

_LONGEST = 4 << 20
"""Bytes of a value: the longest is the certificate that all have in common."""
_STEPS, _PATIENCE = 100_000, 400
"""A look-up needs some thousand steps of SQLite's machine; in a file with a loop it is ended after ``_STEPS`` times
``_PATIENCE``, within seconds."""
_JOURNAL = bytes.fromhex("d9d505f920a163d7")
"""How SQLite's journal of an unfinished transaction begins."""


def bundle_beside(folder: FilePath) -> FilePath:
    """Where the bundle of a folder lies: ``photos`` → ``photos.countersign.bundle``.

    Raises InputError for ``.`` and ``/``, which have no name.
    """
    if not folder.name:
        raise InputError(f"{folder} is a folder without a name.", "Give one with a name, or say --bundle NAME.")
    return folder.with_name(folder.name + BUNDLE_SUFFIX)


def safe_name(name: str) -> bool:
    """Whether a work's name is a relative path that stays below the folder it is put into, written with ``/``."""
    parts = name.split("/")
    return all(part not in ("", ".", "..") for part in parts) and not {"\0", "\\"} & set(name) and _is_text(name)


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _invalid(why: str) -> CertificateError:
    return CertificateError(f"This is not a valid bundle: {why}.", "Give the .countersign.bundle file as it was made.")


class Bundle:
    """A sealed batch, or its draft, being read. ``common`` is the certificate of the first work, ``size`` their number.

    Every method raises CertificateError for a file that is damaged or lies about itself.
    """

    def __init__(self, path: FilePath) -> None:
        """Open for reading. Raises CertificateError when it is missing, no bundle, or not drafted yet."""
        _require_whole(path)
        self._path = path
        self._spent = 0
        self._db = _connect(path)
        self._db.set_progress_handler(self._tick, _STEPS)
        try:
            with self._reading():
                self._require_format()
                self.common = Certificate.from_json(self._meta("certificate"))
            if self.common.root == ZERO:
                raise _unfinished(path)
        except CertificateError:
            self.close()
            raise
        self.size = self.common.path.size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def named(self, name: str) -> Certificate | None:
        """The certificate of the work of that name, or None."""
        found = self._work("name", name) if _is_text(name) else None
        return found if found and found.name == name else None

    def of(self, content: bytes) -> Certificate | None:
        """The certificate of the first work with these 32 bytes as content, or None."""
        found = self._work("content", content)
        return found if found and found.work.content == content else None

    def at(self, position: int) -> Certificate:
        """The certificate of the leaf at ``position``, 0 … size - 1."""
        found = self._work("position", position)
        if found is None or found.path.index != position:
            raise _invalid(f"it has no work {position}")
        return found

    def names(self, most: int) -> list[str]:
        """The first ``most`` names of works, in their order as text."""
        with self._reading():
            rows = self._db.execute("SELECT name FROM works ORDER BY name LIMIT ?", (most,)).fetchall()
            if not all(isinstance(name, str) and _is_text(name) for (name,) in rows):
                raise _invalid("a name is no text")
            return [name for (name,) in rows]

    def certificates(self) -> Iterator[Certificate]:
        """All certificates in the order of their leaves, holding one page at a time."""
        with self._reading():
            rows = self._db.execute(f"SELECT {COLUMNS} FROM works ORDER BY position")
            for number, page in groupby(rows, lambda row: _whole(row[0]) // PAGE):
                tree, self._spent = self._page(number), 0
                for row in page:
                    yield self._certificate(row, tree)

    def _work(self, column: str, value: Any) -> Certificate | None:
        with self._reading():
            query = f"SELECT {COLUMNS} FROM works WHERE {column} = ? ORDER BY position LIMIT 1"
            row = self._db.execute(query, (value,)).fetchone()
            return self._certificate(row, self._page(_whole(row[0]) // PAGE)) if row else None

    def _certificate(self, row: tuple[Any, ...], page: MerkleTree) -> Certificate:
        position, name, content, fingerprint, origin, model, parents, metadata, told, salt = row
        if not isinstance(name, str) or not safe_name(name):
            raise _invalid("a work's name is not a relative path")
        if origin not in ORIGINS:
            raise _invalid("a work's origin is not known")
        hashes = [_hash(value) for value in (content, fingerprint, model, parents, metadata)]
        work = Work(hashes[0], hashes[1], origin, *hashes[2:])
        path, parents = self._path_of(_whole(position), page), _contents(told, work.parents)
        made = replace(self.common, name=name, work=work, salt=_hash(salt), path=path, parents=parents)
        if made.proven_root != made.root:
            raise _invalid("a work does not lead to its root")
        return made

    def _path_of(self, position: int, page: MerkleTree) -> Path:
        number, index = divmod(position, PAGE)
        if index >= page.size:
            raise _invalid("a work lies outside the tree")
        return merkle.joined(page.path(index), self._upper.path(number), self.size)

    def _page(self, number: int) -> MerkleTree:
        row = self._db.execute("SELECT leaves FROM pages WHERE number = ?", (number,)).fetchone()
        if row is None or not isinstance(row[0], bytes) or not row[0] or len(row[0]) % 32:
            raise _invalid("a page of its tree is missing")
        if len(row[0]) // 32 != min(PAGE, self.size - number * PAGE):
            raise _invalid("a page of its tree is too short or too long")
        return MerkleTree.over(row[0])

    @cached_property
    def _upper(self) -> MerkleTree:
        """The tree over the roots of all pages."""
        count = -(-self.size // PAGE)
        rows = self._db.execute("SELECT root FROM roots ORDER BY number LIMIT ?", (count + 1,))
        roots = b"".join(_hash(root) for (root,) in rows)
        if len(roots) != 32 * count or MerkleTree.over(roots).root != self.common.root:
            raise _invalid("its tree does not lead to its root")
        return MerkleTree.over(roots)

    def _meta(self, name: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row is None or not isinstance(row[0], str):
            raise _invalid(f"it does not say its {name}")
        return row[0]

    def _require_format(self) -> None:
        """Nothing but our tables: a view or an index over an expression would be a program of whoever made the file."""
        found = [sql for (sql,) in self._db.execute("SELECT sql FROM sqlite_schema")]
        if sorted(map(str, found)) != sorted(SCHEMA) or self._meta("format") != FORMAT:
            raise _invalid(f"its format is not {FORMAT}")

    def _tick(self) -> bool:
        self._spent += 1
        return self._spent > _PATIENCE

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self._spent = 0
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
            raise _invalid(f"{self._path.name} cannot be read ({error})") from error


def _require_whole(path: FilePath) -> None:
    """Refuse what is no file, and one whose newest transaction a crash has torn: reading ignores its journal."""
    try:
        open_regular(path).close()
        with suppress(FileNotFoundError), open_regular(path.with_name(path.name + "-journal")) as journal:
            if journal.read(len(_JOURNAL)) == _JOURNAL:
                raise _unfinished(path)
    except OSError as error:
        raise CertificateError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error


def _unfinished(path: FilePath) -> CertificateError:
    return CertificateError(f"{path.name} is not finished.", "Run the same 'countersign seal' again.")


def _connect(path: FilePath) -> sqlite3.Connection:
    """A connection that changes nothing, not even beside the file, and trusts no schema."""
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro&immutable=1"
    try:
        db = sqlite3.connect(uri, uri=True, isolation_level=None)
        db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)
        db.execute("PRAGMA trusted_schema=OFF")
        db.execute("PRAGMA cell_size_check=ON")
    except sqlite3.Error as error:
        raise _invalid(f"{path.name} cannot be read ({error})") from error
    return db


def _hash(value: object) -> bytes:
    """32 bytes, NULL for 32 zero bytes."""
    if value is None:
        return ZERO
    if not isinstance(value, bytes) or len(value) != 32:
        raise _invalid("a hash in it is not 32 bytes")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise _invalid("a position in it is not a number")
    return value


def _contents(told: object, root: bytes) -> tuple[bytes, ...]:
    """The contents of a work's parents, of which ``root`` must be the root; none when they are not told."""
    if told is None:
        return ()
    if not isinstance(told, bytes) or len(told) % 32:
        raise _invalid("a work's parents are not hashes")
    contents = tuple(told[at : at + 32] for at in range(0, len(told), 32))
    if merkle.list_root(contents) != root:
        raise _invalid("a work's parents are not those that it names the root of")
    return contents
