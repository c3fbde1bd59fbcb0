"""Outputs of a generator on their way to a seal: on disk before anybody is told that they are taken, until they have
their certificates."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from countersign.canonical import checksum, from_hex, to_hex
from countersign.durable import connect, transaction
from countersign.errors import InputError, SignerError
from countersign.records import Contracts

__all__ = ["QUEUE", "Output", "Queue"]

QUEUE = ".countersign-outputs.sqlite"
"""Its name in the folder of the outputs."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outputs (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, content BLOB NOT NULL, origin TEXT NOT NULL, model BLOB NOT NULL,
    parents TEXT NOT NULL, metadata BLOB NOT NULL, at REAL NOT NULL, root BLOB, stage INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS maker (creator BLOB NOT NULL, chain INTEGER NOT NULL, registry BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS outputs_open ON outputs (root, stage) WHERE stage < 2;
"""
_WAITING, _SEALED, _DONE = range(3)
_OPEN = "stage < 2"
"""In every condition as in the index, word for word: then what is done costs nothing, however much there is."""
_COLUMNS = "name, content, origin, model, parents, metadata, at"


@dataclass(frozen=True)
class Output:
    """A file of the folder, by its ``name``, and what is said of it; ``at`` is when it was added (Unix seconds)."""

    name: str
    content: bytes
    origin: str
    model: bytes
    parents: tuple[bytes, ...]
    metadata: bytes
    at: float


class Queue:
    """An SQLite file in a folder, for any number of threads and processes. Each output waits, has a root that it
    shares with its batch, is sealed, and done once its certificate is on disk.

    Every method that writes returns when the disk has it; each raises InputError when the disk refuses.
    """

    def __init__(self, folder: Path, creator: bytes, contracts: Contracts) -> None:
        """Open or create. Raises InputError when the folder or the file cannot be used, SignerError when its outputs
        are another creator's, or for another chain: they would get the wrong name, or no seal that counts."""
        self._path = folder / QUEUE
        self._lock = threading.Lock()
        with self._told():
            self._db = connect(self._path, shared=True)
        try:
            with self._told():
                self._db.executescript(f"PRAGMA synchronous=FULL; {_SCHEMA}")
            self._require_maker(creator, contracts)
        except BaseException:
            self._db.close()
            raise

    def _require_maker(self, creator: bytes, contracts: Contracts) -> None:
        maker = (creator, contracts.chain_id, contracts.registry)
        with self._writing():
            self._db.execute("INSERT INTO maker SELECT ?, ?, ? WHERE NOT EXISTS (SELECT * FROM maker)", maker)
            known = self._db.execute("SELECT creator, chain, registry FROM maker").fetchone()
        if known != maker:
            raise SignerError(
                f"The outputs in {self._path.parent} are sealed by {checksum(known[0])} on chain {known[1]}, registry "
                f"{checksum(known[2])}.",
                "Use that key and chain, or another folder.",
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, output: Output) -> None:
        """Take an output; one that is there already, the same, stays as it is. Raises InputError when its name stands
        for other bytes, or something else was said of it."""
        values = _values(output)
        with self._writing():
            sql = f"SELECT {_COLUMNS} FROM outputs WHERE name = ?"
            known = self._db.execute(sql, (output.name,)).fetchone()
            if known is None:
                self._db.execute(f"INSERT INTO outputs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            elif known[1] != output.content:
                raise InputError(f"{output.name} was added before, with other bytes.", "Give each output its own name.")
            elif known[:-1] != values[:-1]:
                what = f"{output.name} was added before, and something else was said of it."
                raise InputError(what, "Say the same, or give it a name of its own.")

    def knows(self, name: str) -> bool:
        """Whether an output of that name was ever added."""
        return bool(self._rows("name = ?", name))

    def waiting(self, limit: int) -> list[Output]:
        """The oldest outputs that are in no batch yet."""
        return self._rows(f"{_OPEN} AND root IS NULL AND stage = {_WAITING} ORDER BY id LIMIT ?", limit)

    def batches(self, *, sealed: bool) -> list[bytes]:
        """The roots of the batches without certificates that are sealed, or are not; oldest first."""
        stage = _SEALED if sealed else _WAITING
        condition = f"{_OPEN} AND root IS NOT NULL AND stage = {stage}"
        with self._reading():
            rows = self._db.execute(f"SELECT root FROM outputs WHERE {condition} GROUP BY root ORDER BY min(id)")
            return [root for (root,) in rows]

    def batch(self, root: bytes) -> list[Output]:
        """The outputs under a root without certificates, in the order of their leaves."""
        return self._rows(f"{_OPEN} AND root = ? ORDER BY id", root)

    def unsealed(self) -> int:
        """How many outputs no mined transaction has sealed."""
        return self._count(_SEALED)

    def unfinished(self) -> int:
        """How many outputs have no certificate yet."""
        return self._count(_DONE)

    def assign(self, outputs: Sequence[Output], root: bytes) -> None:
        """They are the batch with that root from now on."""
        sql = "UPDATE outputs SET root = ? WHERE name = ? AND root IS NULL"
        with self._writing():
            self._db.executemany(sql, ((root, each.name) for each in outputs))

    def sealed(self, root: bytes) -> None:
        """The transaction of that batch is mined."""
        self._reached(root, _SEALED)

    def finish(self, root: bytes) -> None:
        """The certificates of that batch are on disk."""
        self._reached(root, _DONE)

    def _reached(self, root: bytes, stage: int) -> None:
        with self._writing():
            sql = f"UPDATE outputs SET stage = ? WHERE {_OPEN} AND root = ? AND stage < ?"
            self._db.execute(sql, (stage, root, stage))

    def _rows(self, condition: str, *values: object) -> list[Output]:
        with self._reading():
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM outputs WHERE {condition}", values).fetchall()
        return [_output(row) for row in rows]

    def _count(self, below: int) -> int:
        with self._reading():
            sql = f"SELECT count(*) FROM outputs WHERE {_OPEN} AND stage < ?"
            (count,) = self._db.execute(sql, (below,)).fetchone()
        return int(count)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, self._told():
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._reading(), transaction(self._db):
            yield

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise InputError(
                f"The outputs' queue {self._path} cannot be used: {error}.",
                "Check the folder, its disk and permissions.",
            ) from error


def _values(output: Output) -> tuple[object, ...]:
    parents = " ".join(map(to_hex, output.parents))
    return output.name, output.content, output.origin, output.model, parents, output.metadata, output.at


def _output(row: tuple[str, bytes, str, bytes, str, bytes, float]) -> Output:
    name, content, origin, model, parents, metadata, at = row
    return Output(name, content, origin, model, tuple(from_hex(p, 32) for p in parents.split()), metadata, at)
