"""Following the chain: forward in ranges, back to the last common block when the chain changed its mind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise

from countersign.chain.client import Client
from countersign.chain.codec import Log, decode_log
from countersign.errors import ChainError, TooLarge, Unreachable
from countersign.index.fold import Row, fold
from countersign.index.store import Store
from countersign.records import ZERO, Block
from countersign.settings import LOCAL_CHAIN

__all__ = ["Progress", "catch_up", "follow"]

_RANGE, _WIDEST = 2_000, 16_000
"""Blocks per request: at first, and where almost nothing happens."""
_MANY = 5_000
"""Logs per request from which on the next one asks for fewer blocks: they lie in memory at once."""
_TAIL = 64
"""Blocks from the head that are remembered one by one, so that a fork is found at its root."""

_PATIENCE = 5
"""Ranges in a row that may not fit to what is stored, without getting any further."""
_BEFORE = Block(-1, ZERO, ZERO, 0)
"""What comes before the first block."""

_Place = tuple[int, int, int, bytes]


@dataclass(frozen=True)
class Progress:
    """How far the index is: last indexed block, the chain's head, events added so far."""

    block: int
    head: int
    events: int


def catch_up(
    client: Client,
    store: Store,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Progress:
    """Index everything up to the chain's head, or until ``stop`` is set. Interrupted at any point, it goes on from
    there.

    Raises ChainError when the chain changes so fast that no consistent range can be read, and Unreachable when the node
    knows less of the chain than the index.
    """
    progress = Progress(*_rewind(client, store), 0)
    patience = _Patience()
    with closing(_Reader(client)) as reader:
        while progress.block < progress.head and not (stop and stop.is_set()):
            part = reader.read(progress.block + 1, progress.head)
            if part is None:
                continue
            added = _add(store, part, client.chain_id)
            if added is None:
                patience.spend(progress.block)
                progress = Progress(*_rewind(client, store), progress.events)
                continue
            progress = Progress(part.last.number, progress.head, progress.events + added)
            on_progress(progress)
    return progress


class _Patience:
    """Ends what would go round in circles: nodes behind one address that disagree for good."""

    def __init__(self) -> None:
        self._furthest, self._spent = -2, 0

    def spend(self, block: int) -> None:
        """What follows ``block`` does not fit to it. Raises Unreachable when it has not for too often."""
        self._spent = 0 if block > self._furthest else self._spent + 1
        self._furthest = max(self._furthest, block)
        if self._spent == _PATIENCE:
            raise _reorganised()


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
            catch_up(client, store, on_progress, stop)
        except ChainError as error:
            on_trouble(error)
        stop.wait(pause)


def _rewind(client: Client, store: Store) -> tuple[int, int]:
    """Roll back to the newest remembered block that is still on the chain; its number, and that of the head."""
    remembered = store.blocks()
    head = client.head().number  # asked only now: another process may have remembered blocks above an older head
    cursor = remembered[0] if remembered else _BEFORE
    common = _common(client, remembered, head)
    if common != cursor or not remembered:  # rows without a cursor are of a chain nobody knows any more
        store.roll_back(common.number, (cursor.number, cursor.hash))
    return common.number, head


def _common(client: Client, remembered: list[Block], head: int) -> Block:
    """The newest remembered block that is still on the chain; ``_BEFORE`` on another chain altogether, or on a fork
    deeper than memory.

    A block that a node does not know may be gone, or the node may be behind: only another block in the place of one
    shows that the chain has changed. The local chain has one node, which may begin anew: its word is all there is.
    """
    changed = client.chain_id == LOCAL_CHAIN
    for block in remembered:
        on_chain = client.block(block.number) if block.number <= head else None
        if on_chain and on_chain.hash == block.hash:
            return block if changed else remembered[0]
        changed = changed or on_chain is not None
    if remembered and not changed:
        raise Unreachable(
            f"The node at {client.host} is behind the index: its newest block is {head}, the index is at "
            f"{remembered[0].number}.",
            "Wait until it has caught up, or set --rpc or COUNTERSIGN_RPC to another node's URL.",
        )
    return _BEFORE


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
    """Reads a chain range by range: the next one while the one before is decoded and stored. The tail is read only when
    its turn comes, as it changes most."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._pool = ThreadPoolExecutor(1)
        self._range, self._refused = _RANGE, False
        self._ahead: tuple[tuple[int, int], Future[_Part]] | None = None

    def close(self) -> None:
        """Wait for what is being read."""
        self._pool.shutdown(cancel_futures=True)

    def read(self, first: int, head: int) -> _Part | None:
        """The range that begins at block ``first``, on a chain up to ``head``. None where the node refuses so many
        blocks or answers at once: asked again, it is asked for fewer."""
        ahead, self._ahead = self._ahead, None
        try:
            part = ahead[1].result() if ahead and ahead[0] == (first, head) else self._read(first, head)
        except ChainError as error:
            asked = self._last(first, head) - first + 1
            if asked == 1 or (isinstance(error, Unreachable) and not isinstance(error, TooLarge)):
                raise
            self._range, self._refused = asked // 2, True
            return None
        following = part.last.number + 1
        if following <= head - _TAIL:
            self._ahead = (following, head), self._pool.submit(self._read, following, head)
        return part

    def _last(self, first: int, head: int) -> int:
        """Where the range ends that begins at ``first``: it is not partly in the tail."""
        last, quiet = min(first + self._range - 1, head), head - _TAIL
        return quiet if first <= quiet < last else last

    def _read(self, first: int, head: int) -> _Part:
        last = self._last(first, head)
        part = _read(self._client, first, last, tail=last > head - _TAIL)
        self._adapt(len(part.logs))
        return part

    def _adapt(self, logs: int) -> None:
        if logs > _MANY:
            self._range = max(self._range // 2, 1)
        elif logs < _MANY // 4:  # with care where the node has refused: each refusal may cost it, and us, its time
            wider = self._range + max(self._range // 8, 1) if self._refused else self._range * 2
            self._range = min(wider, _WIDEST)


def _read(client: Client, first: int, last: int, *, tail: bool) -> _Part:
    """Blocks ``first`` … ``last``. Logs are read between two looks at the end of the range, so that they belong to the
    chain of its blocks."""
    before = _block(client, last)
    logs = client.logs(first, last)
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


def _add(store: Store, part: _Part, chain_id: int) -> int | None:
    """Store a range; number of events added, None when another process was faster or the chain has changed. It is
    joined to the cursor by the hash of its parent, so that rows and cursor belong to the same chain."""
    rows = [row for log in part.logs if (row := _row(log, part.times, chain_id)) is not None]
    first = part.blocks[0]
    parent = first.parent if first.number else _BEFORE.hash  # a first block's may be anything
    return len(rows) if store.append(rows, part.cursor, (first.number - 1, parent)) else None


def _block(client: Client, number: int) -> Block:
    block = client.block(number)
    if block is None:
        raise Unreachable(f"The node no longer knows block {number}.", "Try again.")
    return block


def _row(log: Log, times: dict[int, int], chain_id: int) -> tuple[_Place, Row] | None:
    event = decode_log(log)
    row = fold(event, chain_id) if event else None
    return ((log.block, log.index, times[log.block], log.transaction), row) if row else None
