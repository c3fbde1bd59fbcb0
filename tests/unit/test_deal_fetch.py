"""Fetching from honest servers, hostile servers, files and data URIs."""

from __future__ import annotations

import base64
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from countersign.deal.fetch import Unavailable, fetch
from countersign.errors import CountersignError, InputError

BYTES = b"the delivered work" * 1000
DIGEST = sha256(BYTES).digest()
Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(**answers: Answer) -> Iterator[str]:
    """Answers /NAME with the function of that name."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answers[self.path.partition("?")[0][1:]](self)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def serve(content: bytes, length: int | None = None, status: int = 200, **headers: str) -> Answer:
    """Send this, saying that it has ``length`` bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content) if length is None else length))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def redirect(target: str) -> Answer:
    return serve(b"", status=302, Location=target)


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then, for ever; no length."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        try:
            handler.wfile.write(b"x")
            time.sleep(0.05)
        except OSError:
            return


def endless(handler: BaseHTTPRequestHandler) -> None:
    """As fast as can be, for ever; no length."""
    handler.send_response(200)
    handler.end_headers()
    while True:
        try:
            handler.wfile.write(bytes(1 << 16))
        except OSError:
            return


def get(uri: str, digest: bytes = DIGEST, **changes: Any) -> bytes:
    return fetch(uri, digest, **{"allow_local": True, "timeout": 5.0, **changes})


def refused(uri: str, *words: str, kind: type[CountersignError] = InputError, **changes: Any) -> None:
    with pytest.raises(kind) as caught:
        get(uri, **changes)
    assert type(caught.value) is kind
    for word in words:
        assert word in caught.value.message


# The web


def test_bytes_from_a_server_and_over_redirects() -> None:
    with server(work=serve(BYTES), a=redirect("/b"), b=redirect("c?x=1"), c=redirect("work")) as url:
        assert get(f"{url}/work") == get(f"{url}/work?q=1#part") == get(f"{url}/a") == BYTES


def test_other_bytes_are_never_returned() -> None:
    with server(work=serve(b"other")) as url:
        refused(f"{url}/work", "other bytes", sha256(b"other").hexdigest(), DIGEST.hex())


def test_size_is_capped_whatever_the_server_says() -> None:
    with server(work=serve(BYTES), endless=endless, liar=serve(b"x", length=10**12)) as url:
        assert get(f"{url}/work", limit=len(BYTES)) == BYTES
        refused(f"{url}/work", "larger than", limit=len(BYTES) - 1)
        refused(f"{url}/endless", "larger than", limit=1 << 20)
        refused(f"{url}/liar", "larger than")


def test_time_is_capped_however_slowly_it_trickles() -> None:
    with server(drip=drip) as url:
        start = time.monotonic()
        refused(f"{url}/drip", "longer than 0.5 s", kind=Unavailable, timeout=0.5)
        assert time.monotonic() - start < 3


def test_time_is_capped_when_nobody_answers() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        start = time.monotonic()
        refused(f"http://127.0.0.1:{silent.getsockname()[1]}/", kind=Unavailable, timeout=0.5)
        refused(f"https://127.0.0.1:{silent.getsockname()[1]}/", kind=Unavailable, timeout=0.5)
        assert time.monotonic() - start < 4


def test_servers_that_fail_may_be_asked_again() -> None:
    with server(gone=serve(b"", status=404), cut=serve(BYTES, length=len(BYTES) + 1), loop=redirect("/loop")) as url:
        refused(f"{url}/gone", "answers 404", kind=Unavailable)
        refused(f"{url}/cut", "broke off", kind=Unavailable)
        refused(f"{url}/loop", "redirects more than 3", kind=Unavailable)
    hops = {"one": redirect("two"), "two": redirect("three"), "three": redirect("four"), "four": redirect("work")}
    with server(**hops, work=serve(BYTES)) as url:
        assert get(f"{url}/two") == BYTES
        refused(f"{url}/one", "redirects more than 3", kind=Unavailable)
    refused(f"{url}/work", "cannot be reached", kind=Unavailable)
    refused("http://no-such-name.invalid/", "cannot be reached", kind=Unavailable)


def test_redirects_are_checked_like_first_targets(tmp_path: Path) -> None:
    (tmp_path / "work").write_bytes(BYTES)
    with server(
        file=redirect((tmp_path / "work").as_uri()), data=redirect("data:,x"), user=redirect("//u:p@h/")
    ) as url:
        refused(f"{url}/file", "not a web address", files=tmp_path)
        refused(f"{url}/data", "not a web address")
        refused(f"{url}/user", "user name")


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
                                  "[::1]", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]",
                                  "[64:ff9b:1::7f00:1]", "[fec0::1]", "[::7f00:1]",
                                  "[2002:7f00:1::]", "224.0.0.1", "2130706433", "localhost"])  # fmt: skip
def test_private_addresses_are_not_visited(host: str) -> None:
    refused(f"https://{host}/", "not a public address", allow_local=False)


def test_a_name_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is public when it is checked and private when it is connected to gains nothing."""
    visited: list[Any] = []

    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]

    def connect(address: Any, *_: Any) -> socket.socket:
        visited.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    refused("https://rebinding.example/", "no network", kind=Unavailable, allow_local=False)
    assert visited == [("93.184.216.34", 443)]


def test_plain_http_is_for_local_use() -> None:
    with server(work=serve(BYTES)) as url:
        refused(f"{url}/work", "not encrypted", allow_local=False)


# Files and data


def test_files_inside_the_folder_only(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    inside, outside = folder / "a work", tmp_path / "secret"
    for path in (inside, outside):
        path.write_bytes(BYTES)
    (folder / "link").symlink_to(outside)
    (folder / "fine").symlink_to(inside)
    os.mkfifo(folder / "pipe")
    assert get(inside.as_uri(), files=folder) == get((folder / "fine").as_uri(), files=folder) == BYTES
    for uri in (outside.as_uri(), (folder / "link").as_uri(), f"{folder.as_uri()}/../secret", "file:///etc/passwd",
                f"{folder.as_uri()}/%2e%2e/secret"):  # fmt: skip
        refused(uri, "outside the folder", files=folder)
    refused(inside.as_uri(), "one machine")
    refused(f"file://elsewhere{inside}", "one machine", files=folder)
    refused((folder / "pipe").as_uri(), "not a regular file", files=folder)
    refused((folder / "none").as_uri(), "cannot be read", kind=Unavailable, files=folder)
    refused(folder.as_uri(), "cannot be read", kind=Unavailable, files=folder)
    refused(f"{folder.as_uri()}/%00", "cannot be read", kind=Unavailable, files=folder)
    refused(inside.as_uri(), "larger than", files=folder, limit=5)


def test_data_uris() -> None:
    text = b"a, b & \xff"
    digest = sha256(text).digest()
    assert get("data:,a,%20b%20&%20%FF", digest) == text
    assert get(f"data:text/plain;charset=x;base64,{base64.b64encode(text).decode()}", digest) == text
    refused("data:text/plain", "no comma")
    refused("data:;base64,???", "not base64")
    refused("data:," + "x" * 50, "larger than", limit=10)
    refused("data:;base64," + base64.b64encode(bytes(30)).decode(), "larger than", limit=20)


@pytest.mark.parametrize("uri", ["", "x", "ftp://example.org/", "ipfs://x", "https://", "https://[::", "http://h:x/",
                                 "javascript:1", "HTTPS:/x", "https:///x", "\x00://"])  # fmt: skip
def test_what_is_no_uri_is_said(uri: str) -> None:
    refused(uri)


def test_a_long_uri_is_shown_short() -> None:
    with pytest.raises(InputError) as caught:
        get("data:," + "x" * 10_000)
    assert len(str(caught.value)) < 500
