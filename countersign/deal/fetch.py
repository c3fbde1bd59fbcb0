"""The bytes that a URI and a digest name.

Whoever fetches may be a node that strangers send anywhere: only public addresses are visited (unless ``allow_local``),
each name is resolved once and the address that was checked is the one that is connected to, redirects are checked like
first targets, size and time are capped, and bytes with another SHA-256 are never returned. Proxies and credentials of
the environment are not used.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urljoin, urlsplit

from countersign.canonical import to_hex
from countersign.durable import open_regular
from countersign.errors import CountersignError, InputError

__all__ = ["LIMIT", "Unavailable", "fetch"]

LIMIT = 64 << 20
"""Bytes that anybody may be asked to fetch."""
_TIMEOUT = 30.0
_REDIRECTS = 3
_CHUNK = 1 << 16
_UNICAST = {4: ipaddress.ip_network("0.0.0.0/0"), 6: ipaddress.ip_network("2000::/3")}
"""Global unicast (IANA's registry of IPv6 address space): all else hides IPv4 addresses (mapped, NAT64 by RFC 6052 and
8215) or is of one site, and Python calls some of it global."""
_SHOWN = 120
_AGAIN = "Check that it is served, then try again."


class Unavailable(CountersignError):
    """The bytes cannot be had now; later they may."""


@dataclass(frozen=True)
class _Rules:
    """Where bytes may come from, how many, how long it may take (seconds)."""

    files: Path | None
    allow_local: bool
    limit: int
    timeout: float


def fetch(
    uri: str,
    digest: bytes,
    *,
    files: Path | None = None,
    allow_local: bool = False,
    limit: int = LIMIT,
    timeout: float = _TIMEOUT,
) -> bytes:
    """The bytes behind ``uri``, whose SHA-256 is ``digest``.

    https and data: always; http and private addresses with ``allow_local``; file: inside the folder ``files``.
    Raises Unavailable when trying again may help, InputError for targets that are refused, more than ``limit`` bytes,
    and bytes with another digest.
    """
    rules = _Rules(files, allow_local, limit, timeout)
    content = _reader(uri)(uri, rules)
    found = sha256(content).digest()
    if found != digest:
        raise InputError(
            f"{_shown(uri)} serves other bytes: their SHA-256 is {to_hex(found)}, not {to_hex(digest)}.",
            "Serve the very bytes that were agreed on or delivered.",
        )
    return content


def _reader(uri: str) -> Callable[[str, _Rules], bytes]:
    scheme = uri.partition(":")[0].lower()
    if scheme not in _READERS:
        raise InputError(f"'{_shown(uri)}' cannot be fetched.", f"Use one of: {', '.join(sorted(_READERS))}.")
    return _READERS[scheme]


def _shown(uri: str) -> str:
    return uri if len(uri) <= _SHOWN else f"{uri[:_SHOWN]}…"


def _too_large(uri: str, limit: int) -> InputError:
    return InputError(f"{_shown(uri)} is larger than {limit} bytes.", "Serve a smaller file.")


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - raises ValueError when it is no port
    except ValueError as error:
        raise InputError(f"{_shown(uri)} is not a URI: {error}.", "Check it.") from error
    return parts


# data: and file:


def _read_data(uri: str, rules: _Rules) -> bytes:
    """RFC 2397."""
    head, comma, data = uri.partition(",")
    if not comma:
        raise InputError(f"{_shown(uri)} has no data: there is no comma.", "See RFC 2397.")
    if len(data) > 4 * rules.limit:
        raise _too_large(uri, rules.limit)
    content = unquote_to_bytes(data)
    if head.lower().endswith(";base64"):
        try:
            content = base64.b64decode(content, validate=True)
        except binascii.Error as error:
            raise InputError(f"{_shown(uri)} is not base64: {error}.", "See RFC 2397.") from error
    if len(content) > rules.limit:
        raise _too_large(uri, rules.limit)
    return content


def _read_file(uri: str, rules: _Rules) -> bytes:
    parts = _split(uri)
    if rules.files is None or parts.netloc not in ("", "localhost"):
        raise InputError(f"{_shown(uri)} is a file of one machine.", "Serve it over https.")
    try:
        path = Path(unquote(parts.path)).resolve(strict=True)
        if not path.is_relative_to(rules.files.resolve()):
            raise InputError(f"{_shown(uri)} lies outside the folder of shared files.", f"Put it into {rules.files}.")
        with open_regular(path) as file:
            content = file.read(rules.limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        words = getattr(error, "strerror", None) or error
        raise Unavailable(f"{_shown(uri)} cannot be read: {words}.", "Check that it is there.") from error
    if len(content) > rules.limit:
        raise _too_large(uri, rules.limit)
    return content


# https and http


def _read_web(uri: str, rules: _Rules) -> bytes:
    try:
        return _follow(uri, rules)
    except (OSError, HTTPException, ValueError) as error:
        words = str(error) or type(error).__name__
        raise Unavailable(
            f"{_shown(uri)} cannot be reached: {words}.", "Check that it is served, then again."
        ) from error


def _follow(uri: str, rules: _Rules) -> bytes:
    target = uri
    connection = _Connection()
    with _stopped_after(connection, rules.timeout):
        for _ in range(_REDIRECTS + 1):
            response = _get(connection, target, rules)
            if response.status not in (301, 302, 303, 307, 308):
                return _body(response, uri, rules.limit)
            target = urljoin(target, response.headers.get("Location", ""))
    raise Unavailable(f"{_shown(uri)} redirects more than {_REDIRECTS} times.", "Give the address it leads to.")


def _get(connection: _Connection, target: str, rules: _Rules) -> HTTPResponse:
    parts = _split(target)
    _require_web(parts, target, rules.allow_local)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    addresses = _addresses(host, port, rules.allow_local)
    connection.point(host, port, addresses, secure=parts.scheme == "https", timeout=rules.timeout)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", path, headers={"Accept-Encoding": "identity", "User-Agent": "countersign"})
    return connection.getresponse()


def _require_web(parts: SplitResult, target: str, allow_local: bool) -> None:
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise InputError(f"{_shown(target)} is not a web address.", "Use https.")
    if parts.scheme == "http" and not allow_local:
        raise InputError(f"{_shown(target)} is not encrypted.", "Use https.")
    if parts.username is not None:
        raise InputError("The address holds a user name.", "Serve the file without one: nodes could not log in.")


def _addresses(host: str, port: int, allow_local: bool) -> list[str]:
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = [address for address in found if allow_local or _public(address)]
    if not allowed:
        raise InputError(f"{host} is {found[0]}, which is not a public address.", "Serve it where others reach it.")
    return allowed


def _public(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    if address not in _UNICAST[address.version]:
        return False
    return address.is_global and not address.is_multicast and not _hides_ipv4(address)


def _hides_ipv4(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """6to4 and Teredo addresses lead to an IPv4 address that would have to be checked too."""
    if isinstance(address, ipaddress.IPv4Address):
        return False
    return bool(address.sixtofour or address.teredo)


def _body(response: HTTPResponse, uri: str, limit: int) -> bytes:
    if response.status != 200:
        raise Unavailable(f"{_shown(uri)} answers {response.status}.", _AGAIN)
    if (response.length or 0) > limit:
        raise _too_large(uri, limit)
    content = bytearray()
    while chunk := response.read(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise _too_large(uri, limit)
    if response.length:  # http.client ends a chunked read without a word
        raise Unavailable(f"{_shown(uri)} broke off after {len(content)} bytes.", "Try again.")
    return bytes(content)


class _Connection(HTTPConnection):
    """Connects to addresses that were checked, not to what the name means a moment later."""

    def __init__(self) -> None:
        super().__init__("")
        self.stopped = threading.Event()
        self._addresses: list[str] = []
        self._secure = False
        self._live: socket.socket | None = None

    def point(self, host: str, port: int, addresses: list[str], *, secure: bool, timeout: float) -> None:
        """Turn to another server."""
        self.close()
        self.host, self.port, self.timeout = host, port, timeout
        self.default_port = 443 if secure else 80
        self._addresses, self._secure = addresses, secure

    def connect(self) -> None:
        """The first address that answers; TLS certificates are checked against the name."""
        for number, address in enumerate(self._addresses, 1):
            try:
                self.sock = self._live = socket.create_connection((address, self.port), self.timeout)
                break
            except OSError:
                if number == len(self._addresses):
                    raise
        if self.stopped.is_set():
            raise TimeoutError
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self._live = self.sock
            self.sock.do_handshake()

    def stop(self) -> None:
        """End whatever read is going on, from another thread."""
        self.stopped.set()
        self.hang_up()

    def hang_up(self) -> None:
        """Also where http.client has let go of the socket already, because the answer ends with the connection."""
        if self._live is not None:
            with suppress(OSError):  # it is closed already
                socket.socket.shutdown(self._live, socket.SHUT_RDWR)  # SSLSocket's own would race with the reader


@contextmanager
def _stopped_after(connection: _Connection, seconds: float) -> Iterator[None]:
    """A cap on the whole: a server that sends one byte a minute never runs into the socket's own timeout."""
    timer = threading.Timer(seconds, connection.stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        connection.hang_up()
        connection.close()
        if connection.stopped.is_set():  # whatever came of it: the answer was cut off
            raise TimeoutError(f"it took longer than {seconds:g} s")


_READERS: dict[str, Callable[[str, _Rules], bytes]] = {
    "data": _read_data,
    "file": _read_file,
    "http": _read_web,
    "https": _read_web,
}
