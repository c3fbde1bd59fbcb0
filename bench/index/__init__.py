"""Events into rows: a fresh index of a busy chain, beside web3.py, bare Python and bare SQLite."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.index.chain import EVENTS_PER_ROUND, Chain, fill
from bench.index.peers import by_hand, by_web3
from bench.timing import best, progress, seconds
from countersign.chain.client import Client
from countersign.index.fold import Row
from countersign.index.schema import SCHEMA
from countersign.index.store import Store
from countersign.index.sync import catch_up
from countersign.records import Block

__all__ = ["figures", "measure"]

_ROUNDS = 30
_SAMPLE = 3
"""Rounds that web3.py reads: it would take minutes for all."""

_Rows = list[tuple[tuple[Any, ...], Row]]


def measure(rounds: int = _ROUNDS) -> list[Figure]:
    """``backfill_events_per_s``, ``vs_web3``, ``vs_raw``, ``store_rows_per_s``, ``vs_executemany``."""
    with Chain() as chain:
        progress(f"{rounds * EVENTS_PER_ROUND:,} events are put on a local chain")
        return figures(fill(chain, rounds), rounds)


def figures(client: Client, rounds: int, runs: int = 3) -> list[Figure]:
    """The figures of a chain that :func:`~bench.index.chain.fill` filled."""
    head, events = client.head().number, rounds * EVENTS_PER_ROUND + 1
    sample = head * min(_SAMPLE, rounds) // rounds
    progress("it is indexed, by each in turn")
    ours, raw = best(lambda: _backfill(client, events), lambda: _exactly(events, by_hand(client, 0, head)), runs=runs)
    web3 = max(_rate(lambda: by_web3(client, head - sample, head)) for _ in range(runs))
    rate, bare = events / ours, events / raw
    stored = _stored(client, runs)
    peers = {
        f"web3.py get_logs + process_log, {sample:,} blocks": web3,
        "bare Python: fetch and slice, nothing stored": bare,
    }
    return [
        Figure("backfill_events_per_s", round(rate), "/s", peers={name: round(speed) for name, speed in peers.items()}),
        Figure("vs_web3", round(rate / web3, 2), "x", least=40.0),
        Figure("vs_raw", round(rate / bare, 2), "x", least=0.7),
        *stored,
    ]


def _rate(action: Callable[[], int]) -> float:
    """Events per second."""
    start = time.perf_counter()
    return action() / (time.perf_counter() - start)


def _exactly(events: int, found: int) -> None:
    assert found == events, f"{found} of {events} events were found"


@contextmanager
def _fresh(client: Client, kind: type[Store] = Store) -> Iterator[Any]:
    with tempfile.TemporaryDirectory() as folder:
        store = kind(Path(folder) / "index.sqlite", client.contracts)
        yield store
        store.close()


def _backfill(client: Client, events: int) -> None:
    with _fresh(client) as store:
        _exactly(events, catch_up(client, store).events)


# The store


class _Recorder(Store):
    """Remembers what is appended."""

    kept: _Rows
    last: Block

    def append(
        self,
        rows: Iterable[tuple[tuple[Any, ...], Row]],
        cursor: Sequence[Block],
        after: tuple[int, bytes] | None = None,
    ) -> bool:
        self.kept = [*getattr(self, "kept", []), *(whole := list(rows))]
        self.last = cursor[-1]
        return super().append(whole, cursor, after)


def _stored(client: Client, runs: int) -> list[Figure]:
    with _fresh(client, _Recorder) as store:
        catch_up(client, store)
        rows, last = store.kept, store.last
    progress(f"{len(rows):,} rows are stored")
    times = [(_ours(client, rows, last), _executemany(rows)) for _ in range(2 * runs)]
    ours, plain = (len(rows) / min(column) for column in zip(*times, strict=True))
    peers = {"SQLite executemany, same tables": float(round(plain))}
    return [
        Figure("store_rows_per_s", round(ours), "/s", peers=peers),
        Figure("vs_executemany", round(ours / plain, 2), "x", least=0.8),
    ]


def _ours(client: Client, rows: _Rows, last: Block) -> float:
    with _fresh(client) as store:
        return seconds(lambda: store.append(rows, [last]))


def _executemany(rows: _Rows) -> float:
    """Seconds of the same rows, sorted by table beforehand, in one transaction of a file with the same tables."""
    tables = defaultdict(list)
    for place, (table, values) in rows:
        tables[table].append((*place, *values))
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "plain.sqlite")) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript(SCHEMA)
        return seconds(partial(_insert, db, tables))


def _insert(db: sqlite3.Connection, tables: dict[str, list[tuple[Any, ...]]]) -> None:
    with db:
        for table, rows in tables.items():
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
