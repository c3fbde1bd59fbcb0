"""Following the chain: forward in ranges, back to the last common block when the chain changed its mind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from countersign.chain.client import Client
from countersign.chain.codec import Log, decode_log
from countersign.errors import ChainError, Unreachable
from countersign.index.fold import Row, fold
from countersign.index.store import Store
from countersign.records import Block

__all__ = ["Progress", "catch_up", "follow"]

_RANGE = 2_000
"""Blocks per request."""
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
    start = _rewind(client, store, head)
    events = 0
    progress = Progress(start - 1, head.number, 0)
    while start <= head.number:
        last = min(start + _RANGE - 1, head.number)
        if start <= head.number - _TAIL < last:
            last = head.number - _TAIL
        added = _index_range(client, store, start, last, tail=last > head.number - _TAIL)
        if added is None:
            start = _rewind(client, store, head)
            continue
        events += added
        start = last + 1
        progress = Progress(last, head.number, events)
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


def _index_range(client: Client, store: Store, first: int, last: int, *, tail: bool) -> int | None:
    """Read and store blocks ``first`` … ``last``; number of events added, None when another process was faster. Logs
    are read between two looks at the end of the range, so that rows and cursor belong to the same chain."""
    before = _block(client, last)
    logs = _logs(client, first, last)
    numbers = range(first, last + 1) if tail else [last]
    cursor = [_block(client, number) for number in numbers]
    if cursor[-1].hash != before.hash or not _continues(client, cursor, store.blocks()[:1]):
        raise Unreachable("The chain was reorganised while it was read.", "Try again.")
    times = {block.number: block.time for block in cursor}
    rows = [_row(client, log, times) for log in logs]
    added = [row for row in rows if row is not None]
    return len(added) if store.append(added, cursor) else None


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


def _continues(client: Client, blocks: list[Block], cursor: list[Block]) -> bool:
    """Whether ``blocks`` descend from the cursor: by their parents, and where a range was jumped, as the node says."""
    jumped = cursor and blocks[0].number != cursor[0].number + 1
    if jumped and _block(client, cursor[0].number).hash != cursor[0].hash:
        return False
    return all(b.parent == a.hash for a, b in pairwise(cursor + blocks) if b.number == a.number + 1)


def _row(client: Client, log: Log, times: dict[int, int]) -> tuple[_Place, Row] | None:
    event = decode_log(log)
    row = fold(event) if event else None
    if row is None:
        return None
    if log.block not in times:
        times[log.block] = _block(client, log.block).time
    return (log.block, log.index, times[log.block], log.transaction), row
