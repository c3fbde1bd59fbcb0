"""A chain that changes its mind: random reorganisations above the finalized block, at moments that a seed names, and a
record of all that was asked of the chain meanwhile."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from faults import FaultProxy

from countersign.canonical import claim_slot, work_id
from countersign.certificate import Certificate
from countersign.chain.client import Client
from countersign.index.schema import EVENT_TABLES
from countersign.index.store import Store
from countersign.index.sync import catch_up
from countersign.records import ZERO
from tools.devnet import Devnet, DevnetError

DEEPEST = 64
_SPREAD = 4
"""In how many blocks of a new branch the old one's transactions are included again."""


@dataclass(frozen=True)
class Sent:
    """A transaction of a block, as signed."""

    raw: str
    sender: str


class Weather:
    """What happens to a chain: only here are blocks made. What is drawn at a moment follows from seed and moment."""

    def __init__(self, chain: Devnet) -> None:
        """From now on nothing is mined by itself."""
        self.chain = chain
        self.lost: list[str] = []
        self.depths: list[int] = []
        self.fates: Counter[str] = Counter()
        self._lock = threading.RLock()
        self._known: dict[int, set[str]] = defaultdict(set)
        chain.rpc("evm_setAutomine", False)

    def number(self, tag: str) -> int:
        """Of the block with that tag."""
        return int(self._block(tag)["number"], 16)

    def was_on_chain(self, number: int, block: bytes) -> bool:
        """Whether the chain had this block at that height, now or once."""
        with self._lock:
            self._note()
            return f"0x{block.hex()}" in self._known[number]

    def mine(self, blocks: int = 1) -> None:
        """Blocks a second apart, the first with what is in the pool."""
        with self._lock:
            self.chain.rpc("anvil_mine", hex(blocks), "0x1")

    @contextmanager
    def fair(self) -> Iterator[None]:
        """Meanwhile every transaction is mined by itself."""
        self.chain.rpc("evm_setAutomine", True)
        try:
            yield
        finally:
            self.chain.rpc("evm_setAutomine", False)

    @contextmanager
    def still(self) -> Iterator[None]:
        """Meanwhile no block is made, whatever nodes send. Who asks through Observed for more than a look has to
        wait."""
        with self._lock:
            yield

    def finalize(self) -> None:
        """Let all that is in a block become final."""
        self.mine(self.chain.finality + 1)

    def strike(self, random: Random, depth: int = 0) -> None:
        """A reorganisation of random depth, or of this one. Transactions are included again, in another order, or back
        in the pool, or lost."""
        with self._lock:
            self._note()
            allowed = min(DEEPEST, self.number("latest") - self.number("finalized"))
            if allowed:
                depth = min(depth, allowed) or random.randint(1, min(4, allowed) if random.random() < 0.5 else allowed)
                self._replace(depth, *self._fates(self._transactions(depth), random), random.randint(1, 3))

    def drop(self, depth: int) -> None:
        """A reorganisation of that depth which loses every transaction."""
        with self._lock:
            self._note()
            self._replace(depth, [], [], [sent.raw for sent in self._transactions(depth)], 1)

    def drop_since(self, block: int) -> None:
        """A reorganisation which loses every transaction since that block, which is one of the chain's."""
        with self._lock:  # nodes make blocks too: how deep it is, is known only while they wait
            self.drop(self.number("latest") - block + 1)

    def turn_round(self, depth: int) -> None:
        """A reorganisation that includes the transactions of ``depth`` blocks the other way round."""
        with self._lock:
            self._note()
            raws = [sent.raw for sent in self._transactions(depth)]
            self._replace(depth, [(raw, at) for at, raw in enumerate(reversed(raws))], [], [], 1)

    def bring_back(self) -> None:
        """What was lost turns up again, as far as it is still valid."""
        with self._lock:
            raws, self.lost = self.lost, []
            self._offer(raws)
            self.mine()

    def _replace(
        self, depth: int, included: list[tuple[str, int]], pooled: list[str], lost: list[str], interval: int
    ) -> None:
        before = int(self._block("latest")["timestamp"], 16)
        self.chain.rpc("anvil_setBlockTimestampInterval", interval)
        self.chain.rpc("anvil_reorg", depth, [[raw, min(at, depth - 1)] for raw, at in included])
        self.chain.rpc("anvil_removeBlockTimestampInterval")
        self._not_earlier_than(before)
        self._offer(pooled)
        self.depths.append(depth)
        self.lost += lost
        self.fates.update(included=len(included), pooled=len(pooled), lost=len(lost))

    def _not_earlier_than(self, time: int) -> None:
        """The clock does not go back, whatever the blocks do."""
        if int(self._block("latest")["timestamp"], 16) < time:
            self.chain.rpc("evm_setNextBlockTimestamp", time)
            self.mine()

    def _block(self, tag: str) -> dict[str, Any]:
        found: dict[str, Any] = self.chain.rpc("eth_getBlockByNumber", tag, False)
        return found

    def _note(self) -> None:
        """Remember the blocks that are on the chain now, down to one that is known."""
        block = self._block("latest")
        while block and block["hash"] not in self._known[number := int(block["number"], 16)]:
            self._known[number].add(block["hash"])
            block = self.chain.rpc("eth_getBlockByHash", block["parentHash"], False)

    def _transactions(self, depth: int) -> list[Sent]:
        """Of the last blocks."""
        head = self.number("latest")
        blocks = (self.chain.rpc("eth_getBlockByNumber", hex(n), True) for n in range(head - depth + 1, head + 1))
        sent = (each for block in blocks for each in block["transactions"])
        return [Sent(self.chain.rpc("eth_getRawTransactionByHash", each["hash"]), each["from"]) for each in sent]

    @staticmethod
    def _fates(sent: Iterable[Sent], random: Random) -> tuple[list[tuple[str, int]], list[str], list[str]]:
        """What is included and in which block, what is back in the pool, what is lost. Of each sender the first ones
        stay: nonces leave no other choice."""
        by_sender: dict[str, list[str]] = defaultdict(list)
        for each in sent:
            by_sender[each.sender].append(each.raw)
        included: list[tuple[str, int]] = []
        pooled: list[str] = []
        lost: list[str] = []
        for raws in by_sender.values():
            kept = random.choice([0, len(raws), random.randint(0, len(raws))])
            included += zip(raws[:kept], sorted(random.choices(range(_SPREAD), k=kept)), strict=True)
            for raw in raws[kept:]:
                random.choice([pooled, lost]).append(raw)
        return sorted(included, key=lambda one: one[1]), pooled, lost

    def _offer(self, raws: list[str]) -> None:
        for raw in raws:
            try:
                self.chain.rpc("eth_sendRawTransaction", raw)
            except DevnetError:  # known, or its nonce went to another one
                self.fates["refused"] += 1


class Observed(FaultProxy):
    """A good connection that writes down what passes: each request, and which block was final when it came. What is
    sent is mined at once. ``before`` hears of every request (its method, which call of it this is, its parameters)
    before the node does, ``after`` of its method when the node has answered."""

    def __init__(self, weather: Weather, before: Callable[[str, int, Any], None] | None = None) -> None:
        super().__init__(weather.chain.url)
        self.weather, self.before = weather, before
        self.after: Callable[[str], None] = lambda _: None
        self.said: list[tuple[int, str]] = []
        self.calls: Counter[str] = Counter()

    def take(self, body: bytes) -> str | None:
        """As FaultProxy, after what happens at this moment."""
        document = json.loads(body)
        for request in document if isinstance(document, list) else [document]:
            self.calls[request["method"]] += 1
            if self.before:
                self.before(request["method"], self.calls[request["method"]], request.get("params"))
        self.said.append((self.weather.number("finalized"), body.decode().lower()))
        return super().take(body)

    def heard(self, methods: list[str]) -> None:
        """Blocks are made here, so that they are made one at a time."""
        if "eth_sendRawTransaction" in methods:
            self.weather.mine()
        for method in methods:
            self.after(method)


def secrets_of(certificate: Certificate) -> dict[str, bytes]:
    """What tells somebody about a sealed work. The claim's calldata holds the salt and the content."""
    work = certificate.work
    said = {"salt": certificate.salt, "content": work.content, "work id": work_id(work), "leaf": certificate.leaf,
            "slot of the claim": claim_slot(work.content)}  # fmt: skip
    return said | ({"metadata": work.metadata} if work.metadata != ZERO else {})


def revealed(said: Iterable[tuple[int, str]], certificate: Certificate, sealed: int) -> list[str]:
    """What requests told a node about a work before its seal, in block ``sealed`` of the final chain, was final."""
    secrets = secrets_of(certificate)
    early = [body for final, body in said if final < sealed]
    return [f"{name}: {body[:300]}" for body in early for name, value in secrets.items() if value.hex() in body]


# The index


def dump(path: Path) -> str:
    """All of an SQLite file, as SQL."""
    with closing(sqlite3.connect(path, timeout=30)) as db:
        return "\n".join(db.iterdump())


def rebuilt(url: str, chain_id: int, path: Path) -> str:
    """The dump of a new index of the whole chain."""
    client = Client(url, chain_id)
    store = Store(path, client.contracts)
    catch_up(client, store)
    store.close()
    return dump(path)


def cursor(path: Path) -> tuple[int, bytes, int] | None:
    """Number and hash of an index's cursor and the newest block of any row, as a reader sees them at one moment."""
    if not path.exists():
        return None
    newest = " UNION ALL ".join(f"SELECT max(block) AS block FROM {table}" for table in EVENT_TABLES)
    sql = f"SELECT number, hash, (SELECT coalesce(max(block), -1) FROM ({newest})) FROM blocks ORDER BY 1 DESC LIMIT 1"
    with closing(sqlite3.connect(path, timeout=30)) as db:
        try:
            found: tuple[int, bytes, int] | None = db.execute(sql).fetchone()
        except sqlite3.OperationalError:  # it is just being made
            return None
        return found
