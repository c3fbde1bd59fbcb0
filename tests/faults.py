"""A bad connection to a chain: an HTTP JSON-RPC proxy that delays, drops, doubles, cuts and refuses, as it is told.

    with FaultProxy(chain.url, at("eth_sendRawTransaction", "drop answer")) as proxy:
        Client(proxy.url, 31337)…
    assert [passed.fault for passed in proxy.of("eth_sendRawTransaction")] == ["drop answer", None]

Which request is hit follows from its method and how many of that method came before, and from a seed: the same requests
meet the same faults, however many threads ask.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import struct
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

__all__ = ["FAULTS", "FaultProxy", "Faults", "Passed", "at", "at_random", "first_of", "never", "seed_of"]

FAULTS = (
    "delay", "drop request", "drop answer", "duplicate", "truncate", "trickle", "http 500", "http 429", "html",
    "refuse", "lose",
)  # fmt: skip
"""What can be drawn at random. "drop request": the connection ends before the node hears of it, "drop answer": after.
"refuse": a JSON-RPC error, the node never heard of it; "lose": the same error, but the node did.

Two more are for tests that kill: "hold request" and "hold answer" wait, before and after the node heard of it, until
the proxy is released.
"""

Faults = Callable[[str, int], str | None]
"""From a method and which call of it this is, from 1, to a fault or None."""

_LONGEST_DELAY = 0.3
_HOLD = 60.0
_ERROR = "the upstream is busy"


def never(_: str, __: int) -> None:
    """No fault."""


def at(method: str, fault: str, *calls: int, message: str = _ERROR) -> Faults:
    """``fault`` at these calls of ``method``; at the first when none is named. ``message`` is the words of an error."""
    named = fault if message == _ERROR else f"{fault}: {message}"
    return lambda asked, number: named if asked == method and number in (calls or (1,)) else None


def at_random(seed: int, probability: float, kinds: Sequence[str] = FAULTS, run: int = 3) -> Faults:
    """Any of ``kinds`` with that probability per request; never more than ``run`` times running for one method."""

    def fault(method: str, number: int) -> str | None:
        if number % (run + 1) == 0:
            return None
        draw = int.from_bytes(hashlib.sha256(f"{seed}:{method}:{number}".encode()).digest()[:8], "big")
        return kinds[draw % len(kinds)] if draw / 2**64 < probability else None

    return fault


def first_of(*schedules: Faults) -> Faults:
    """The first fault that any of them names."""
    return lambda method, number: next(filter(None, (one(method, number) for one in schedules)), None)


def seed_of(default: int) -> int:
    """The seed of a random test: COUNTERSIGN_SEED, else its own."""
    return int(os.environ.get("COUNTERSIGN_SEED", default))


@dataclass(frozen=True)
class Passed:
    """A request that came, and what was done to it. ``size`` is the length of the whole HTTP body it came in."""

    method: str
    params: Any
    fault: str | None
    size: int


class FaultProxy(ThreadingHTTPServer):
    """A context manager; ask ``url``. ``passed`` lists every request in the order of arrival, batches one by one.

    A batch meets the first fault that any of its requests is due. ``faults`` may be replaced at any time.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, node: str, faults: Faults = never) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.node, self.faults = node, faults
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.passed: list[Passed] = []
        self.held, self.released = threading.Event(), threading.Event()
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.release()
        self.shutdown()
        self._thread.join()
        super().__exit__(*error)

    def release(self) -> None:
        """Let what is held go on."""
        self.released.set()

    def reset(self) -> None:
        """Hold anew, and count calls from 1 again."""
        self.release()
        self.held, self.released = threading.Event(), threading.Event()
        with self._lock:
            self._counts.clear()

    def hold(self) -> None:
        """What a "hold" fault does: tell the test, wait for it."""
        self.held.set()
        self.released.wait(_HOLD)

    def of(self, *methods: str) -> list[Passed]:
        """The requests of these methods, in order."""
        return [passed for passed in self.passed if passed.method in methods]

    def faults_met(self) -> Counter[str]:
        """How often each fault happened."""
        return Counter(passed.fault for passed in self.passed if passed.fault)

    def heard(self, methods: list[str]) -> None:
        """The node has heard a request or batch and answered; nothing more happens. For what a test adds."""

    def told(self, body: bytes, answer: bytes) -> bytes:
        """What is passed on of the node's answer to a request or batch. For nodes that lie."""
        return answer

    def take(self, body: bytes) -> str | None:
        """Note a request or batch; the fault it meets."""
        document = json.loads(body)
        whole = document if isinstance(document, list) else [document]
        with self._lock:
            due = [self._due(request["method"]) for request in whole]
            fault = next(filter(None, due), None)
            entries = [Passed(each["method"], each.get("params", []), fault, len(body)) for each in whole]
            self.passed += entries
        return fault

    def _due(self, method: str) -> str | None:
        self._counts[method] += 1
        return self.faults(method, self._counts[method])

    def handle_error(self, *_: Any) -> None:
        """Whoever asked is gone: killed, most likely."""


class _Passing(BaseHTTPRequestHandler):
    """One client connection, kept alive, with one connection to the node."""

    server: FaultProxy
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        at = urlsplit(self.server.node)
        self._node = http.client.HTTPConnection(at.hostname or "", at.port, timeout=60)

    def finish(self) -> None:
        self._node.close()
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        fault, _, message = (self.server.take(body) or "").partition(": ")
        _ACTIONS[fault](self, body, message or _ERROR)

    def forward(self, body: bytes) -> bytes:
        """The node's answer."""
        self._node.request("POST", "/", body, {"content-type": "application/json"})
        with self._node.getresponse() as response:
            answer = response.read()
        document = json.loads(body)
        self.server.heard([each["method"] for each in (document if isinstance(document, list) else [document])])
        return self.server.told(body, answer)

    def reply(self, answer: bytes, status: int = 200, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()

    def drop(self) -> None:
        """End the connection at once (RST): the other side must not read this as an empty answer."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Quiet."""


# The faults


def _pass(link: _Passing, body: bytes, _: str) -> None:
    link.reply(link.forward(body))


def _delay(link: _Passing, body: bytes, _: str) -> None:
    time.sleep(_LONGEST_DELAY * (zlib.crc32(body) % 1000) / 1000)
    link.reply(link.forward(body))


def _drop_request(link: _Passing, _: bytes, __: str) -> None:
    link.drop()


def _drop_answer(link: _Passing, body: bytes, _: str) -> None:
    link.forward(body)
    link.drop()


def _duplicate(link: _Passing, body: bytes, _: str) -> None:
    """As a resending middleman does; the second answer is the one that arrives."""
    link.forward(body)
    link.reply(link.forward(body))


def _truncate(link: _Passing, body: bytes, _: str) -> None:
    """Half of the answer in an HTTP message that claims to be whole."""
    answer = link.forward(body)
    link.reply(answer[: len(answer) // 2])


def _trickle(link: _Passing, body: bytes, _: str) -> None:
    """The answer in 16 pieces, slowly."""
    answer = link.forward(body)
    link.send_response(200)
    link.send_header("content-length", str(len(answer)))
    link.end_headers()
    step = max(1, -(-len(answer) // 16))
    for start in range(0, len(answer), step):
        link.wfile.write(answer[start : start + step])
        link.wfile.flush()
        time.sleep(_LONGEST_DELAY / 16)


def _http(status: int) -> Callable[[_Passing, bytes, str], None]:
    return lambda link, _, message: link.reply(message.encode(), status, "text/plain")


def _html(link: _Passing, _: bytes, __: str) -> None:
    link.reply(b"<!doctype html><title>Welcome</title><p>Please log in to this network.", kind="text/html")


def _refuse(link: _Passing, body: bytes, message: str) -> None:
    document = json.loads(body)
    error = {"code": -32000, "message": message}
    whole = document if isinstance(document, list) else [document]
    answers = [{"jsonrpc": "2.0", "id": each.get("id"), "error": error} for each in whole]
    link.reply(json.dumps(answers if isinstance(document, list) else answers[0]).encode())


def _lose(link: _Passing, body: bytes, message: str) -> None:
    link.forward(body)
    _refuse(link, body, message)


def _hold_request(link: _Passing, _: bytes, __: str) -> None:
    """The node never hears of it, released or not."""
    link.server.hold()
    link.drop()


def _hold_answer(link: _Passing, body: bytes, _: str) -> None:
    link.forward(body)
    link.server.hold()
    link.drop()


_ACTIONS: dict[str, Callable[[_Passing, bytes, str], None]] = {
    "": _pass,
    "delay": _delay,
    "drop request": _drop_request,
    "drop answer": _drop_answer,
    "duplicate": _duplicate,
    "truncate": _truncate,
    "trickle": _trickle,
    "http 500": _http(500),
    "http 429": _http(429),
    "html": _html,
    "refuse": _refuse,
    "lose": _lose,
    "hold request": _hold_request,
    "hold answer": _hold_answer,
}
