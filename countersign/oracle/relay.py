"""How attestations travel: every node serves what it knows to its peers and pushes to them what is new.

    GET  /attestations/{request hash}    {"attestations": [...]}
    POST /attestations                   {"attestations": [...]} → {"accepted": n, "refused": n}
    GET  /evidence/{hash}                the evidence document
    GET  /health                         {"node": …, "block": …}

Nothing here is trusted: an attestation counts when it recovers to a seat of the request it is about.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from countersign.canonical import checksum, from_address, from_hex, request_hash, to_hex
from countersign.errors import InputError
from countersign.oracle.decide import Asked, SignedAttestation
from countersign.records import Attestation, DealContracts, Request

__all__ = ["Book", "Gossip", "dump", "load", "push", "serve"]

MAX_BODY = 64 * 1024
"""Of a message, in either direction: some 130 attestations."""
BATCH = 100
MAX_HELD = 1000
"""Attestations kept for requests that this node does not know (yet)."""
MAX_REQUESTS = 1000
"""Requests whose attestations are kept in memory, the newest."""
_TIMEOUT = 3.0
_BACKOFF = 1.0
_MAX_QUEUE = 2000

Key = tuple[bytes, int]


# Attestations as JSON


def dump(said: SignedAttestation) -> dict[str, Any]:
    """An attestation as JSON."""
    a, r = said.attestation, said.attestation.request
    return {
        "subject": to_hex(r.subject),
        "policy": checksum(r.policy),
        "round": r.round,
        "issuedAt": a.issued_at,
        "score": a.score,
        "evidence": to_hex(a.evidence),
        "signature": to_hex(said.signature),
    }


def load(document: Any) -> SignedAttestation:
    """Read the JSON of :func:`dump`. Raises InputError when it is none."""
    try:
        request = Request(
            from_hex(document["subject"], 32), from_address(document["policy"]), _number(document["round"], 8)
        )
        said = (_number(document["score"], 8), from_hex(document["evidence"], 32), _number(document["issuedAt"], 40))
        return SignedAttestation(Attestation(request, *said), from_hex(document["signature"], 65))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError("That is not an attestation.", "Send what GET /attestations gives.") from error


def _number(value: Any, bits: int) -> int:
    if type(value) is not int or not 0 <= value < 1 << bits:
        raise ValueError(value)
    return value


def _load_many(body: bytes) -> list[SignedAttestation]:
    """The attestations of a message. Raises InputError when it is none."""
    try:
        entries = json.loads(body)["attestations"]
        if not isinstance(entries, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("That is no list of attestations.", 'Send {"attestations": [...]}.') from error
    return [load(entry) for entry in entries]


# What is known


class Book:
    """Valid attestations by request: of each seat at most one on either side."""

    def __init__(self, contracts: DealContracts) -> None:
        self._contracts = contracts
        self._asked: OrderedDict[Key, Asked] = OrderedDict()
        self._said: dict[Key, dict[int, list[SignedAttestation]]] = {}
        self._held: OrderedDict[tuple[Key, bytes], SignedAttestation] = OrderedDict()

    def expect(self, asked: Asked) -> list[SignedAttestation]:
        """Take in attestations about a request of the chain from now on; what was held for it and is new."""
        if asked.key in self._asked:
            return []
        self._asked[asked.key] = asked
        self._said[asked.key] = {}
        if len(self._asked) > MAX_REQUESTS:
            forgotten, _ = self._asked.popitem(last=False)
            del self._said[forgotten]
        held = [self._held.pop(name) for name in list(self._held) if name[0] == asked.key]
        return [said for said in held if self.offer(said)]

    def offer(self, said: SignedAttestation) -> bool | None:
        """Take in an attestation: True when it is new, None when it was known, False when it is held or refused."""
        a = said.attestation
        key = request_hash(a.request), a.issued_at
        asked = self._asked.get(key)
        if asked is None:
            self._hold(key, said)
            return False
        seat = asked.signer_of(said, self._contracts)
        if seat is None:
            return False
        known = self._said[key].setdefault(seat, [])
        if any(asked.outcome_of(one) == asked.outcome_of(said) for one in known):
            return None
        known.append(said)
        return True

    def _hold(self, key: Key, said: SignedAttestation) -> None:
        self._held[key, said.signature] = said
        if len(self._held) > MAX_HELD:
            self._held.popitem(last=False)

    def known(self, key: Key) -> dict[int, list[SignedAttestation]]:
        """Attestations about a request by seat; two of a seat are on opposite sides."""
        return self._said.get(key, {})

    def about(self, request: bytes) -> list[SignedAttestation]:
        """Attestations about a request of that hash, whenever it was made."""
        found = (seats for (name, _), seats in self._said.items() if name == request)
        return [said for seats in found for each in seats.values() for said in each]

    def equivocations(self) -> list[tuple[Asked, int, SignedAttestation, SignedAttestation]]:
        """Seats that said both: request, seat, the passing and the failing attestation."""
        found = []
        for key, seats in self._said.items():
            for seat, said in seats.items():
                if len(said) == 2:
                    low, high = sorted(said, key=lambda one: one.attestation.score)
                    found.append((self._asked[key], seat, high, low))
        return found


# Serving


def serve(
    take: Callable[[list[SignedAttestation]], int],
    book: Book,
    evidence: Callable[[bytes], bytes | None],
    health: Callable[[], dict[str, Any]],
) -> web.Application:
    """The HTTP interface. ``take`` takes in what came and says how much of it is valid."""

    async def given(request: web.Request) -> web.Response:
        found = book.about(from_hex(request.match_info["hash"], 32, "request hash"))
        return _json({"attestations": [dump(said) for said in found]})

    async def posted(request: web.Request) -> web.Response:
        async with asyncio.timeout(_TIMEOUT):
            said = _load_many(await request.read())
        accepted = take(said)
        return _json({"accepted": accepted, "refused": len(said) - accepted})

    async def shown(request: web.Request) -> web.Response:
        whole = evidence(from_hex(request.match_info["hash"], 32, "evidence hash"))
        if whole is None:
            return _json({"error": "There is no such evidence here."}, 404)
        return web.Response(body=whole, content_type="application/json")

    async def well(_: web.Request) -> web.Response:
        return _json(health())

    app = web.Application(client_max_size=MAX_BODY, middlewares=[_in_words])
    app.router.add_get("/attestations/{hash}", given)
    app.router.add_post("/attestations", posted)
    app.router.add_get("/evidence/{hash}", shown)
    app.router.add_get("/health", well)
    return app


def _json(facts: dict[str, Any], status: int = 200) -> web.Response:
    return web.json_response(facts, status=status)


@web.middleware
async def _in_words(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Bad input gets a sentence."""
    try:
        return await handler(request)
    except InputError as error:
        return _json({"error": error.message, "next": error.next_step}, 400)
    except TimeoutError:
        return _json({"error": "The message took too long."}, 408)


# Asking and telling


class Gossip:
    """The peers of a node. Each hears everything that is new once; one that is away hears it when it is back."""

    def __init__(self, peers: Iterable[str]) -> None:
        self._peers = [_Peer(url) for url in peers]
        self._tasks: list[asyncio.Task[None]] = []
        self._http: ClientSession | None = None

    async def __aenter__(self) -> Gossip:
        self._http = _session()
        self._tasks = [asyncio.create_task(peer.run(self._http)) for peer in self._peers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    def tell(self, said: Iterable[SignedAttestation]) -> None:
        """Push to every peer, soon."""
        new = list(said)
        for peer in self._peers:
            peer.tell(new)

    async def ask(self, request: bytes) -> list[SignedAttestation]:
        """What the peers that answer know about a request."""
        assert self._http
        answers = await asyncio.gather(*(_fetched(self._http, peer.url, request) for peer in self._peers))
        return [said for answer in answers for said in answer]


class _Peer:
    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._queue: OrderedDict[bytes, SignedAttestation] = OrderedDict()
        self._filled = asyncio.Event()

    def tell(self, said: Iterable[SignedAttestation]) -> None:
        self._queue.update((one.signature, one) for one in said)
        while len(self._queue) > _MAX_QUEUE:
            self._queue.popitem(last=False)
        self._filled.set()

    async def run(self, http: ClientSession) -> None:
        """Deliver what is queued, for ever, in order, again after a pause when the peer is away."""
        while True:
            await self._filled.wait()
            batch = list(self._queue.items())[:BATCH]
            if not batch:
                self._filled.clear()
            elif await _posted(http, self.url, [said for _, said in batch]):
                for signature, _ in batch:
                    self._queue.pop(signature, None)
            else:
                await asyncio.sleep(_BACKOFF)


def _session() -> ClientSession:
    return ClientSession(timeout=ClientTimeout(total=_TIMEOUT))


async def _posted(http: ClientSession, url: str, said: list[SignedAttestation]) -> bool:
    """Whether the peer took the message; one that calls it bad is not asked again."""
    body = {"attestations": [dump(one) for one in said]}
    try:
        async with http.post(f"{url}/attestations", json=body, allow_redirects=False) as answer:
            return answer.status in (200, 400)
    except (ClientError, OSError, ValueError):  # TimeoutError is an OSError
        return False


async def _fetched(http: ClientSession, url: str, request: bytes) -> list[SignedAttestation]:
    try:
        async with http.get(f"{url}/attestations/{to_hex(request)}", allow_redirects=False) as answer:
            return _load_many(await _capped(answer.content.iter_chunked(1 << 14)))
    except (ClientError, OSError, ValueError, InputError):
        return []


async def _capped(chunks: Any) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY:
            raise ValueError("too long")
    return body


async def push(peers: Iterable[str], said: SignedAttestation) -> int:
    """Give an attestation to each peer once; how many took it."""
    async with _session() as http:
        return sum(await asyncio.gather(*(_posted(http, url.rstrip("/"), [said]) for url in peers)))
