"""Outputs of a generator on their way to a seal: on disk before anybody is told that they are taken, until they have
their certificates."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from countersign.canonical import from_hex, to_hex
from countersign.durable import connect, transaction
from countersign.errors import InputError

__all__ = ["QUEUE", "Output", "Queue"]

QUEUE = ".countersign-outputs.sqlite"
"""Its name in the folder of the outputs."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outputs (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, content BLOB NOT NULL, origin TEXT NOT NULL, model BLOB NOT NULL,
    parents TEXT NOT NULL, metadata BLOB NOT NULL, at REAL NOT NULL, root BLOB, stage INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS outputs_open ON outputs (stage, root) WHERE stage < 2;
"""
_WAITING, _SEALED, _DONE = range(3)
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

    Every method that writes returns when the disk has it.
    """

    def __init__(self, folder: Path) -> None:
        """Open or create. Raises InputError when the folder or the file cannot be used."""
        path = folder / QUEUE
        self._lock = threading.Lock()
        try:
            self._db = connect(path, shared=True)
            self._db.executescript(f"PRAGMA synchronous=FULL; {_SCHEMA}")
        except sqlite3.Error as error:
            raise InputError(
                f"The outputs' queue {path} cannot be used: {error}.", "Check the folder, its disk and permissions."
            ) from error

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def add(self, output: Output) -> None:
        """Take an output; one that is there already, the same, stays as it is. Raises InputError when its name stands
        for other bytes."""
        values = _values(output)
        with self._writing():
            known = self._db.execute("SELECT content FROM outputs WHERE name = ?", (output.name,)).fetchone()
            if known is None:
                self._db.execute(f"INSERT INTO outputs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)
            elif known[0] != output.content:
                raise InputError(f"{output.name} was added before, with other bytes.", "Give each output its own name.")

    def knows(self, name: str) -> bool:
        """Whether an output of that name was ever added."""
        return bool(self._rows("name = ?", name))

    def waiting(self, limit: int) -> list[Output]:
        """The oldest outputs that are in no batch yet."""
        return self._rows(f"root IS NULL AND stage = {_WAITING} ORDER BY id LIMIT ?", limit)

    def batches(self) -> list[bytes]:
        """The roots of the batches without certificates, oldest first."""
        with self._lock:
            sql = f"SELECT root FROM outputs WHERE root IS NOT NULL AND stage < {_DONE} GROUP BY root ORDER BY min(id)"
            return [root for (root,) in self._db.execute(sql)]

    def batch(self, root: bytes) -> list[Output]:
        """The outputs under a root, in the order of their leaves."""
        return self._rows("root = ? ORDER BY id", root)

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
            self._db.execute("UPDATE outputs SET stage = ? WHERE root = ?", (stage, root))

    def _rows(self, condition: str, *values: object) -> list[Output]:
        with self._lock:
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM outputs WHERE {condition}", values).fetchall()
        return [_output(row) for row in rows]

    def _count(self, below: int) -> int:
        with self._lock:
            (count,) = self._db.execute("SELECT count(*) FROM outputs WHERE stage < ?", (below,)).fetchone()
        return int(count)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock, transaction(self._db):
            yield


def _values(output: Output) -> tuple[object, ...]:
    parents = " ".join(map(to_hex, output.parents))
    return output.name, output.content, output.origin, output.model, parents, output.metadata, output.at


def _output(row: tuple[str, bytes, str, bytes, str, bytes, float]) -> Output:
    name, content, origin, model, parents, metadata, at = row
    return Output(name, content, origin, model, tuple(from_hex(p, 32) for p in parents.split()), metadata, at)
