"""A server that does to HTTP whatever it likes gets an error in time, never a hang, a redirect or all our memory."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from countersign.chain import transport
from countersign.chain.transport import BadAnswer, TooMuch, Transport

ANSWER = b'{"jsonrpc":"2.0","id":1,"result":"0x7a69"}'
OK = b"HTTP/1.1 200 OK\r\n"
Handler = Callable[[socket.socket], None]


@contextmanager
def _serving(handler: Handler) -> Iterator[str]:
    """A server whose connections are handled so, by its URL; ``handler`` reads the request itself."""
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as taken:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection = taken.enter_context(server.accept()[0])
                    threading.Thread(target=handle, args=(connection,), daemon=True).start()

        def handle(connection: socket.socket) -> None:
            with suppress(OSError), connection:
                handler(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _request(connection: socket.socket) -> bytes:
    """A whole one, which its JSON ends; or nothing when no more come."""
    request = b""
    while not request.endswith(b"}") and (part := connection.recv(65536)):
        request += part
    return request


def _saying(*parts: bytes, pause: float = 0.0) -> Handler:
    """Reads one request, says these, pausing before each but the first."""

    def handle(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(parts[0])
        for part in parts[1:]:
            time.sleep(pause)
            connection.sendall(part)

    return handle


def _trickling(first: bytes, part: bytes) -> Handler:
    def handle(connection: socket.socket) -> None:
        _request(connection)
        connection.sendall(first)
        for _ in itertools.repeat(None, 600):
            time.sleep(0.02)
            connection.sendall(part)

    return handle


def _http(status: int, body: bytes = b"", *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]).encode() + body


def _ask(handler: Handler) -> object:
    with _serving(handler) as url:
        return Transport(url).ask("eth_chainId", [])["result"]


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (b"", b"H"),
        (OK + b"X: ", b"a"),
        (OK, b"X: a\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (OK + b"Content-Length: 100000\r\n\r\n", b" "),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    ],
)
def test_whatever_trickles_is_given_up(first: bytes, part: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", 0.3)
    start = time.monotonic()
    with pytest.raises(TooMuch, match="takes too long"):
        _ask(_trickling(first, part))
    assert time.monotonic() < start + 5


def test_a_silent_node_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", 0.2)
    with pytest.raises(TooMuch, match="takes too long"):
        _ask(_saying(b"", b"", pause=3))


def test_a_node_that_stays_busy_has_no_more_time_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", 0.3)
    monkeypatch.setattr(transport, "_PAUSES", (0.2, 0.2))
    start = time.monotonic()
    with pytest.raises(TooMuch):
        _ask(_saying(b"", _http(503), pause=0.2))
    assert time.monotonic() < start + 5


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_nobody_sends_us_elsewhere(status: int) -> None:
    """Nor is what a redirect says read, however long it is, though it is an answer."""
    with _serving(_saying(_http(200, ANSWER))) as other, pytest.raises(BadAnswer, match=str(status)):
        _ask(_saying(_http(status, ANSWER, f"Location: {other}")))
    with pytest.raises(BadAnswer, match=str(status)):
        _ask(_trickling(f"HTTP/1.1 {status} X\r\nLocation: /x\r\nContent-Length: 1000000\r\n\r\n".encode(), b" "))


@pytest.mark.parametrize("status", [413, 504])
def test_what_asks_for_too_much_is_told_apart(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_PAUSES", ())
    with pytest.raises(TooMuch, match=str(status)):
        _ask(_saying(_http(status, b'{"error":{"code":-32005,"message":"too many logs"}}')))
    with pytest.raises(BadAnswer) as raised:
        _ask(_saying(_http(500)))
    assert not isinstance(raised.value, TooMuch)


def test_what_is_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_LARGEST", 1 << 16)
    with pytest.raises(TooMuch, match="too long"):
        _ask(_saying(_http(200, b" " * (1 << 17))))
    with pytest.raises(TooMuch, match="too long"):
        _ask(_saying(_http(200, gzip.compress(b" " * (1 << 22)), "Content-Encoding: gzip")))


def test_an_answer_in_small_parts_is_an_answer() -> None:
    zipped = gzip.compress(ANSWER)
    head = _http(200, zipped, "Content-Encoding: gzip").removesuffix(zipped)
    assert _ask(_saying(head, *(bytes([byte]) for byte in zipped), pause=0.002)) == "0x7a69"
    chunks = (b"1\r\n" + bytes([byte]) + b"\r\n" for byte in ANSWER)
    start = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    assert _ask(_saying(b"HTTP/1.1 100 Continue\r\n\r\n" + start, *chunks, b"0\r\n\r\n", pause=0.002)) == "0x7a69"
    assert _ask(_saying(b"HTTP/1.0 200 OK\r\n\r\n" + ANSWER)) == "0x7a69"


def test_a_connection_serves_again_with_all_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", 1.0)
    taken = list[socket.socket]()

    def handle(connection: socket.socket) -> None:
        taken.append(connection)
        while _request(connection):
            time.sleep(0.3)
            connection.sendall(_http(200, ANSWER))

    with _serving(handle) as url:
        node = Transport(url)
        assert [node.ask("eth_chainId", [])["result"] for _ in range(5)] == ["0x7a69"] * 5
    assert len(taken) == 1


def test_threads_that_share_a_node_have_a_deadline_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every other answer trickles; the rest come."""
    monkeypatch.setattr(transport, "_TIMEOUT", 0.6)

    def handle(connection: socket.socket) -> None:
        while request := _request(connection):
            answer = OK + b"X: " if b'"slow"' in request else _http(200, ANSWER)
            connection.sendall(answer)

    with _serving(handle) as url, ThreadPoolExecutor(8) as pool:
        node = Transport(url)

        def ask(number: int) -> str:
            try:
                return str(node.ask("slow" if number % 2 else "quick", [])["result"])
            except TooMuch:
                return "too much"

        assert list(pool.map(ask, range(16))) == ["0x7a69", "too much"] * 8
