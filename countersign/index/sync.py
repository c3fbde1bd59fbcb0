"""Following the chain: forward in ranges, back to the last common block when the chain changed its mind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise

from countersign.chain.client import Client
from countersign.chain.codec import Log, decode_log
from countersign.errors import ChainError, Unreachable
from countersign.index.fold import Row, fold
from countersign.index.store import Store
from countersign.records import Block

__all__ = ["Progress", "catch_up", "follow"]

_RANGE, _WIDEST = 2_000, 16_000
"""Blocks per request: at first, and where almost nothing happens."""
_MANY = 5_000
"""Logs per request from which on the next one asks for fewer blocks: they lie in memory at once."""
_TAIL = 64
"""Blocks from the head that are remembered one by one, so that a fork is found at its root."""

_Place = tuple[int, int, int, bytes]


@dataclass(frozen=True)
class Progress:
    """How far the index is: last indexed block, the chain's head, events added so far."""

    block: int
    head: int
    events: int


def catch_up(client: Client, store: Store, on_progress: Callable[[Progress], None] = lambda _: None) -> Progress:
    """Index everything up to the chain's head. Interrupted at any point, it goes on from there.

    Raises ChainError when the chain changes so fast that no consistent range can be read.
    """
    head = client.head()
    progress = Progress(_rewind(client, store, head) - 1, head.number, 0)
    with closing(_Reader(client, head.number)) as reader:
        while progress.block < head.number:
            part = reader.read(progress.block + 1)
            added = _add(store, part)
            if added is None:
                progress = replace(progress, block=_rewind(client, store, head) - 1)
                continue
            progress = Progress(part.last.number, head.number, progress.events + added)
            on_progress(progress)
    return progress


def follow(
    client: Client,
    store: Store,
    stop: threading.Event,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_trouble: Callable[[ChainError], None] = lambda _: None,
    pause: float = 1.0,
) -> None:
    """Keep catching up until ``stop`` is set; a node that is away is waited for."""
    while not stop.is_set():
        try:
            catch_up(client, store, on_progress)
        except ChainError as error:
            on_trouble(error)
        stop.wait(pause)


def _rewind(client: Client, store: Store, head: Block) -> int:
    """Roll back to the newest remembered block that is still on the chain; the first block to read next."""
    remembered = store.blocks()
    for block in remembered:
        on_chain = client.block(block.number) if block.number <= head.number else None
        if on_chain and on_chain.hash == block.hash:
            if block != remembered[0]:
                store.roll_back(block.number)
            return block.number + 1
    if remembered:
        store.roll_back(-1)  # another chain altogether, or a fork deeper than memory: start anew
    return 0


@dataclass(frozen=True)
class _Part:
    """Logs of a range of blocks, the times of the blocks they lie in, and the range's blocks, ascending: all of them
    in the tail, else the first and the last."""

    logs: list[Log]
    times: dict[int, int]
    blocks: list[Block]
    cursor: list[Block]

    @property
    def last(self) -> Block:
        """Where the range ends."""
        return self.blocks[-1]


class _Reader:
    """Reads a chain up to ``head``, range by range: the next one while the one before is decoded and stored. The tail
    is read only when its turn comes, as it changes most."""

    def __init__(self, client: Client, head: int) -> None:
        self._client, self._head = client, head
        self._pool = ThreadPoolExecutor(1)
        self._range = _RANGE
        self._ahead: tuple[int, Future[_Part]] | None = None

    def close(self) -> None:
        """Wait for what is being read."""
        self._pool.shutdown(cancel_futures=True)

    def read(self, first: int) -> _Part:
        """The range that begins at block ``first``."""
        ahead, self._ahead = self._ahead, None
        part = ahead[1].result() if ahead and ahead[0] == first else self._read(first)
        following = part.last.number + 1
        if following <= self._head - _TAIL:
            self._ahead = following, self._pool.submit(self._read, following)
        return part

    def _read(self, first: int) -> _Part:
        last, quiet = min(first + self._range - 1, self._head), self._head - _TAIL
        if first <= quiet < last:
            last = quiet
        part = _read(self._client, first, last, tail=last > quiet)
        self._adapt(len(part.logs))
        return part

    def _adapt(self, logs: int) -> None:
        if logs > _MANY:
            self._range = max(self._range // 2, 1)
        elif logs < _MANY // 4:
            self._range = min(self._range * 2, _WIDEST)


def _read(client: Client, first: int, last: int, *, tail: bool) -> _Part:
    """Blocks ``first`` … ``last``. Logs are read between two looks at the end of the range, so that they belong to the
    chain of its blocks."""
    before = _block(client, last)
    logs = _logs(client, first, last)
    blocks = [_block(client, number) for number in (range(first, last + 1) if tail else sorted({first, last}))]
    if blocks[-1].hash != before.hash or any(b.parent != a.hash for a, b in pairwise(blocks) if tail):
        raise _reorganised()
    times = {block.number: block.time for block in blocks}
    for log in logs:
        if log.block not in times:
            times[log.block] = _block(client, log.block).time if log.time is None else log.time
    return _Part(logs, times, blocks, blocks if tail else blocks[-1:])


def _reorganised() -> Unreachable:
    return Unreachable("The chain was reorganised while it was read.", "Try again.")


def _add(store: Store, part: _Part) -> int | None:
    """Store a range; number of events added, None when another process was faster or the chain has changed. It is
    joined to the cursor by the hash of its parent, so that rows and cursor belong to the same chain."""
    rows = [row for log in part.logs if (row := _row(log, part.times)) is not None]
    after = part.blocks[0].number - 1, part.blocks[0].parent
    return len(rows) if store.append(rows, part.cursor, after) else None


def _logs(client: Client, first: int, last: int) -> list[Log]:
    """Logs of a range, halved where the node refuses so many blocks or answers at once."""
    try:
        return client.logs(first, last)
    except Unreachable:
        raise
    except ChainError:
        if first == last:
            raise
    middle = (first + last) // 2
    return _logs(client, first, middle) + _logs(client, middle + 1, last)


def _block(client: Client, number: int) -> Block:
    block = client.block(number)
    if block is None:
        raise Unreachable(f"The node no longer knows block {number}.", "Try again.")
    return block


def _row(log: Log, times: dict[int, int]) -> tuple[_Place, Row] | None:
    event = decode_log(log)
    row = fold(event) if event else None
    return ((log.block, log.index, times[log.block], log.transaction), row) if row else None
