"""The loop of a node: see what is asked, look at it, sign, tell the others, submit.

Everything it must not forget is on disk before it acts: the index's cursor, what it signed (journal), what it sent
(outbox). So it can be killed at any point. Faults of the chain, of peers, of content and of the check end nothing: they
are logged, one line each, and tried again or passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from countersign.canonical import attestation_digest, checksum, to_hex
from countersign.chain.client import Client
from countersign.chain.codec import encode_call
from countersign.chain.sender import Sender, intent
from countersign.checks import Check as CheckProtocol
from countersign.checks import Finding, Material
from countersign.errors import ChainError, CountersignError, NoContract, Reverted, SignerError, WrongChain
from countersign.keys.signer import Signer
from countersign.oracle.config import address_of
from countersign.oracle.decide import (
    Allowed,
    Asked,
    Check,
    Ignore,
    Publish,
    Side,
    SignedAttestation,
    Submit,
    certified,
    next_step,
)
from countersign.oracle.evidence import Shelf, document
from countersign.oracle.journal import Journal
from countersign.oracle.material import Source
from countersign.oracle.relay import Book, Gossip, serve
from countersign.oracle.sight import Sight
from countersign.records import Attestation, Call, DealContracts, Outcome
from countersign.settings import Settings

__all__ = ["Log", "Node", "Options", "attest", "journal_path", "shelf_path"]

Log = Callable[[str, dict[str, Any]], None]
"""Takes an event and its facts; prints one line."""

_AGAIN = 1.0
"""Seconds until work that failed is tried again."""
_PATIENCE = 10.0
"""Seconds that a transaction or a fetch may take per attempt: a node that is told to stop waits for them."""
_LONGEST_BACKOFF = 30.0
_AT_ONCE = 4
"""Deliveries fetched and checked at a time: each may hold 64 MiB."""

_Result = TypeVar("_Result")
_Job = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Options:
    """How a node behaves; ``files`` as in :func:`~countersign.deal.fetch.fetch`. ``pause`` between two looks at the
    chain and ``stagger`` between two submitters are in seconds."""

    allowed: Allowed
    peers: tuple[str, ...] = ()
    listen: str = "127.0.0.1:7101"
    files: Path | None = None
    pause: float = 0.3
    stagger: float = 2.0


def journal_path(settings: Settings) -> Path:
    """Where a node keeps what it signed on this chain."""
    return settings.home / f"journal-{settings.chain_id}.sqlite"


def shelf_path(settings: Settings) -> Path:
    """Where a node keeps its evidence."""
    return settings.home / "evidence"


def _sight_path(settings: Settings) -> Path:
    """An index of its own: another command in the same home may write the usual one, which has one writer at a time."""
    return settings.home / f"node-{settings.chain_id}.sqlite"


def attest(
    journal: Journal, shelf: Shelf, signer: Signer, contracts: DealContracts, asked: Asked, check: dict[str, str],
    finding: Finding,
) -> SignedAttestation:  # fmt: skip
    """Sign a finding, evidence and signature on disk before this returns. ``check`` names what found it.

    Raises SignerError without a seat, or when something else was signed for the request before.
    """
    seat = asked.seat_of(signer.address)
    if seat is None:
        raise SignerError(f"{checksum(signer.address)} has no seat in this policy.", "Use the node's own key.")
    named = shelf.put(document(contracts, asked, seat, check, finding))
    attestation = Attestation(asked.request, finding.score, named, asked.issued_at)
    said = SignedAttestation(attestation, signer.sign_digest(attestation_digest(contracts, attestation)))
    journal.add(said)
    return said


class Node:
    """One node on one chain. ``check`` judges; it may block, and may raise anything."""

    def __init__(
        self, settings: Settings, options: Options, client: Client, signer: Signer, check: CheckProtocol, log: Log
    ) -> None:
        """Raises InputError or IndexStoreError when its files cannot be used."""
        self._settings, self._options, self._log = settings, options, log
        self._client, self._signer, self._check = client, signer, check
        self._contracts = client.deals
        self._journal = Journal(journal_path(settings))
        self._shelf = Shelf(shelf_path(settings))
        self._book = Book(client.deals)
        self._gossip = Gossip(options.peers)
        self._sender = Sender(Client(client.url, client.chain_id), signer, settings.outbox_path, wait=_PATIENCE)
        self._chain, self._sending = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
        self._looking = asyncio.Semaphore(_AT_ONCE)
        self._jobs: dict[_Job, asyncio.Task[None]] = {}
        self._ready: dict[tuple[bytes, int], float] = {}
        self._told: set[tuple[Any, ...]] = set()
        self._open: list[Asked] = []
        self._sight: Sight
        self._source: Source

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set. A chain that is away is waited for.

        Raises WrongChain or NoContract at the start, OSError when the relay's address is taken.
        """
        async with self._serving():
            self._log("started", {"node": checksum(self._signer.address), "check": self._check.name})
            if await self._connected(stop):
                self._sight = await self._in_chain(Sight, self._client, _sight_path(self._settings))
                question, files = self._options.allowed.question, self._options.files
                self._source = Source(self._sight, self._client, question, files, _PATIENCE)
                while not stop.is_set():
                    await self._round()
                    await _paused(stop, self._options.pause)
        self._log("stopped", {})

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        runner = web.AppRunner(serve(self._take, self._book, self._shelf.get, self._health), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, *address_of(self._options.listen)).start()
            async with self._gossip:
                yield
        finally:
            await runner.cleanup()
            await self._end()

    async def _end(self) -> None:
        for task in self._jobs.values():
            task.cancel()
        await asyncio.gather(*self._jobs.values(), return_exceptions=True)
        if hasattr(self, "_sight"):
            await self._in_chain(self._sight.close)
        for pool in (self._chain, self._sending):
            pool.shutdown(wait=False, cancel_futures=True)
        self._journal.close()

    async def _connected(self, stop: asyncio.Event) -> bool:
        """Whether the chain answered before ``stop``."""
        while not stop.is_set():
            try:
                await self._in_chain(self._client.check)
                return True
            except (WrongChain, NoContract):
                raise
            except ChainError as error:
                self._trouble("chain", error)
                await _paused(stop, _AGAIN)
        return False

    # One look

    async def _round(self) -> None:
        try:
            seen = await self._in_chain(self._sight.look)
        except CountersignError as error:
            self._trouble("chain", error)
            return
        self._told.discard(("trouble", "chain"))
        self._open = [asked for asked in seen if asked.seat_of(self._signer.address) is not None]
        self._forget_closed({asked.key for asked in self._open})
        for asked in self._open:
            if self._options.allowed.serves(asked):  # others could crowd these out of memory
                self._gossip.tell(self._book.expect(asked))
            self._step(asked)
        self._punish()

    def _forget_closed(self, keys: set[tuple[bytes, int]]) -> None:
        """A request that a fork opens again starts afresh; the journal and the outbox still know it."""
        for kind, key in list(self._jobs):
            if kind in ("judge", "submit") and key not in keys and self._jobs[kind, key].done():
                del self._jobs[kind, key]
        self._ready = {key: since for key, since in self._ready.items() if key in keys}
        self._told = {told for told in self._told if told[0] not in ("ignored", "waiting") or told[1] in keys}

    def _step(self, asked: Asked) -> None:
        key, now = asked.key, self._sight.now()
        known, mine = self._book.known(key), self._journal.of(key)
        if certified(asked, known, Outcome.PASS):
            self._ready.setdefault(key, now)
        since = self._ready.get(key)
        step = next_step(
            asked, self._signer.address, self._options.allowed, now, mine, known, since, self._options.stagger
        )
        match step:
            case Ignore(reason):
                self._say_once("ignored", asked, reason)
            case Check():
                self._start(("judge", key), lambda: self._judge(asked))
            case Publish():
                assert mine
                self._take([mine])
            case Submit(side):
                self._start(("submit", key), lambda: self._submit(asked, side))
            case _:
                self._start(("ask", key), lambda: self._ask(asked))

    def _start(self, job: _Job, work: Callable[[], Awaitable[bool]]) -> None:
        if job not in self._jobs:
            self._jobs[job] = asyncio.create_task(self._guarded(job, work))

    async def _guarded(self, job: _Job, work: Callable[[], Awaitable[bool]]) -> None:
        """Run a job. Unless it says that it is done for good, the loop may start it again after a pause."""
        try:
            done = await work()
        except Exception as error:  # a job's failure must not end the node
            self._trouble(job[0], error)
            done = False
        if not done:
            await asyncio.sleep(_AGAIN)
            del self._jobs[job]

    # Judging

    async def _judge(self, asked: Asked) -> bool:
        reason = self._unfit(asked)
        if reason is None:
            try:
                await self._attest(asked, await self._finding(asked))
                return True
            except Exception as error:  # whatever content and check did
                reason = _words(error)
        self._log("abstained", self._facts(asked) | {"reason": reason})
        return True

    def _unfit(self, asked: Asked) -> str | None:
        """Why the seat is not this node's to fill: its model must be the one that runs here."""
        seat = asked.seat_of(self._signer.address)
        assert seat is not None
        wanted = asked.policy.seats[seat].model
        model = self._sight.model(wanted)
        if model is None:
            return f"the seat's model {to_hex(wanted)} is not published"
        if "revoked_at" in model:
            place = (asked.request.policy, seat)
            self._start(("suspend", place), lambda: self._suspend(*place))
            return f"the seat's model {to_hex(wanted)} is revoked"
        if model["weights"] != self._check.weights:
            return f"the seat's model has weights {to_hex(model['weights'])}, mine {to_hex(self._check.weights)}"
        return None

    async def _finding(self, asked: Asked) -> Finding:
        material = await self._material(asked)
        async with self._looking:
            finding = await asyncio.to_thread(self._check.run, material)
        if type(finding.score) is not int or not 0 <= finding.score <= 100:
            raise ValueError(f"the check scored {finding.score!r}")
        return finding

    async def _material(self, asked: Asked) -> Material:
        """What the check looks at, tried until the time to submit is over. Raises what the last attempt raised."""
        pause = _AGAIN
        while True:
            try:
                async with self._looking:
                    return await asyncio.to_thread(self._source.material, asked.request.subject)
            except CountersignError as error:
                if self._sight.now() + pause >= asked.deadline:
                    raise
                self._say_once("waiting", asked, _words(error))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_BACKOFF)

    async def _attest(self, asked: Asked, finding: Finding) -> None:
        check = {"name": self._check.name, "weights": to_hex(self._check.weights)}
        said = attest(self._journal, self._shelf, self._signer, self._contracts, asked, check, finding)
        self._log("signed", self._facts(asked) | {"score": said.attestation.score, "reason": finding.reason})
        self._take([said])

    # Attestations of all

    def _take(self, said: list[SignedAttestation]) -> int:
        """Take in attestations and pass on what is new; how many are valid."""
        taken = [(one, self._book.offer(one)) for one in said]
        self._gossip.tell(one for one, new in taken if new)
        return sum(new is not False for _, new in taken)

    async def _ask(self, asked: Asked) -> bool:
        self._take(await self._gossip.ask(asked.key[0]))
        return False

    def _punish(self) -> None:
        for asked, seat, passing, failing in self._book.equivocations():
            node = asked.policy.seats[seat].node
            facts = self._facts(asked) | {"node": checksum(node)}
            self._say_once("equivocation", asked, checksum(node))
            if node == self._signer.address:
                self._say_once("key in use elsewhere", asked, "somebody else signs with this node's key: stop it")
            elif asked.policy.slash:
                self._start(("slash", (*asked.key, seat)), self._slash_job(asked, seat, passing, failing, facts))

    def _slash_job(
        self, asked: Asked, seat: int, passing: SignedAttestation, failing: SignedAttestation, facts: dict[str, Any]
    ) -> Callable[[], Awaitable[bool]]:
        request = (asked.request.subject, asked.request.policy, asked.request.round)
        proof = (request, seat, asked.issued_at, passing.packed, failing.packed)
        call = Call(self._contracts.oracle, encode_call("Oracle", "slashEquivocation", proof))
        return lambda: self._send(call, intent("slash", *asked.key, seat), "slashed", facts)

    # Transactions

    async def _submit(self, asked: Asked, side: Side) -> bool:
        subject, policy = asked.request.subject, asked.request.policy
        data = encode_call("Oracle", "submit", subject, policy, side.signers, side.attestations)
        facts = self._facts(asked) | {"outcome": side.outcome.name.lower(), "signers": side.signers}
        await self._send(Call(self._contracts.oracle, data), intent("submit", *asked.key), "submitted", facts)
        return False  # a fork may take the verdict back, whoever sent it: this ends when the request is closed

    async def _suspend(self, policy: bytes, seat: int) -> bool:
        call = Call(self._contracts.oracle, encode_call("Oracle", "suspendSeat", policy, seat))
        facts = {"policy": checksum(policy), "seat": seat}
        return await self._send(call, intent("suspend", policy, seat), "suspended my seat", facts)

    async def _send(self, call: Call, name: str, event: str, facts: dict[str, Any]) -> bool:
        """Whether nothing is left to do: what was sent is final, or a refusal says that somebody was faster."""
        loop = asyncio.get_running_loop()
        try:
            receipt = await loop.run_in_executor(self._sending, self._sender.send, call, name)
        except Reverted as error:
            self._log_once(f"not {event}", name, facts | {"reason": error.message})
            return True
        sent = {"transaction": to_hex(receipt.transaction), "gas": receipt.gas}
        self._log_once(event, sent["transaction"], facts | sent)
        return receipt.block <= (await self._in_chain(self._client.finalized)).number

    # Words

    def _health(self) -> dict[str, Any]:
        block = self._sight.block if hasattr(self, "_sight") else None
        chain = self._client.chain_id
        return {"node": checksum(self._signer.address), "chainId": chain, "block": block, "open": len(self._open)}

    def _facts(self, asked: Asked) -> dict[str, Any]:
        r = asked.request
        return {"request": to_hex(asked.key[0]), "policy": checksum(r.policy), "round": r.round}

    def _say_once(self, event: str, asked: Asked, reason: str) -> None:
        if (event, asked.key, reason) not in self._told:
            self._told.add((event, asked.key, reason))
            self._log(event, self._facts(asked) | {"reason": reason})

    def _log_once(self, event: str, about: Any, facts: dict[str, Any]) -> None:
        if (event, about) not in self._told:
            self._told.add((event, about))
            self._log(event, facts)

    def _trouble(self, where: str, error: Exception) -> None:
        """Said once until it is over: a chain that is away is so at every look."""
        if where != "chain" or ("trouble", "chain") not in self._told:
            self._told.add(("trouble", where))
            self._log("trouble", {"with": where, "reason": _words(error)})

    async def _in_chain(self, work: Callable[..., _Result], *arguments: Any) -> _Result:
        """In the thread that owns the index."""
        return await asyncio.get_running_loop().run_in_executor(self._chain, work, *arguments)


def _words(error: Exception) -> str:
    if isinstance(error, CountersignError):
        return error.message
    return f"{type(error).__name__}: {error}"[:300]


async def _paused(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
