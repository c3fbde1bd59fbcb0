"""The SQLite file: rows and cursor change together or not at all."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from countersign.canonical import checksum
from countersign.durable import connect, make_private_folder, transaction
from countersign.errors import IndexStoreError
from countersign.index.fold import Row
from countersign.index.schema import EVENT_TABLES, SCHEMA, VERSION
from countersign.records import ZERO, Block, Contracts

__all__ = ["Store"]

_KEPT_BLOCKS = 65
"""Blocks remembered up to the cursor: how deep a fork can be found block by block. As many as a new index has read one
by one, so that an index is the same file whether it followed the chain or was built just now."""


class Store:
    """Writes the index of one chain. One writer at a time; readers never wait (WAL)."""

    def __init__(self, path: Path, contracts: Contracts) -> None:
        """Open or create. Raises IndexStoreError for a file of another version, chain or registry."""
        make_private_folder(path.parent)
        self.path = path
        try:
            self._db = connect(path)
            self._open(contracts)
        except sqlite3.DatabaseError as error:
            raise _unusable(path, error) from error

    def _open(self, contracts: Contracts) -> None:
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                for statement in filter(str.strip, SCHEMA.split(";")):
                    self._db.execute(statement)
                self._db.execute("INSERT INTO meta VALUES (?, ?, ?)", _identity(contracts))
        if self._db.execute("SELECT * FROM meta").fetchone() != _identity(contracts):
            raise IndexStoreError(
                f"{self.path} indexes another chain, registry ({checksum(contracts.registry)} is meant) or version.",
                "Rebuild it: countersign index rebuild.",
            )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with transaction(self._db):
                yield
        except sqlite3.DatabaseError as error:
            raise _unusable(self.path, error) from error

    def blocks(self) -> list[Block]:
        """Remembered blocks, newest first; the first is the cursor."""
        rows = self._db.execute("SELECT number, hash, parent, time FROM blocks ORDER BY number DESC")
        return [Block(*row) for row in rows]

    def append(
        self,
        rows: Iterable[tuple[tuple[Any, ...], Row]],
        cursor: Sequence[Block],
        after: tuple[int, bytes] | None = None,
    ) -> bool:
        """Add rows (place, row) and move the cursor over ``cursor`` (ascending), in one transaction. False, without a
        change, when another process has indexed these blocks meanwhile, or when the cursor is not the block ``after``
        (number and hash) which they follow: another process may have rolled back."""
        with self._transaction():
            newest, block = self._newest()
            if newest >= cursor[0].number or (after and (newest, block) != after):
                return False
            for table, values in _by_table(rows).items():
                self._insert(table, values)
            self._insert("blocks", [_block_row(block) for block in cursor])
            self._db.execute("DELETE FROM blocks WHERE number <= ?", (cursor[-1].number - _KEPT_BLOCKS,))
        return True

    def _newest(self) -> tuple[int, bytes]:
        """Number and hash of the cursor; -1 and zeroes, what comes before the first block, when there is none."""
        found = self._db.execute("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
        return found or (-1, ZERO)

    def _insert(self, table: str, rows: list[tuple[Any, ...]]) -> None:
        self._db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)

    def roll_back(self, to: int, seen: tuple[int, bytes] | None = None) -> None:
        """Forget every block after number ``to`` and what it said, in one transaction. Changes nothing when the cursor
        is no longer the block ``seen`` (number and hash) on which the decision rests: what another process has stored
        meanwhile must not lose its cursor."""
        with self._transaction():
            if seen and self._newest() != seen:
                return
            for table in (*EVENT_TABLES, "blocks"):
                column = "number" if table == "blocks" else "block"
                self._db.execute(f"DELETE FROM {table} WHERE {column} > ?", (to,))


def _by_table(rows: Iterable[tuple[tuple[Any, ...], Row]]) -> dict[str, list[tuple[Any, ...]]]:
    """Whole rows of each table: one statement inserts many far faster than many do."""
    tables = defaultdict(list)
    for place, (table, values) in rows:
        tables[table].append(place + values)
    return tables


def _unusable(path: Path, error: sqlite3.DatabaseError) -> IndexStoreError:
    return IndexStoreError(f"{path} is not a usable index: {error}.", "Rebuild it: countersign index rebuild.")


def _identity(contracts: Contracts) -> tuple[int, int, bytes]:
    return VERSION, contracts.chain_id, contracts.registry


def _block_row(block: Block) -> tuple[int, bytes, bytes, int]:
    return block.number, block.hash, block.parent, block.time
