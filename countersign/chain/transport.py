"""JSON-RPC over HTTP: a request, and an answer in time or an error. A bad connection may do anything but hang us."""

from __future__ import annotations

import io
import itertools
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from http.client import HTTPResponse

    import requests

__all__ = ["BadAnswer", "TooMuch", "Transport"]

_TIMEOUT = 20.0
"""Seconds in which the whole answer must be there, however often a node that is busy is asked."""
_LARGEST = 256 << 20
_BUSY = (429, 502, 503, 504)
_TOO_MUCH = (413, 504)
_PAUSES = (0.2, 0.6)
"""Seconds until a node that is busy is asked again."""


class BadAnswer(Exception):
    """What came is no answer; the message says what it is."""


class TooMuch(BadAnswer):
    """The answer is too long or takes too long: asked for less, the node may answer."""


class Transport:
    """One node by its URL; threads may share it. Any request may be sent twice: the same bytes are one transaction."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._lazy: requests.Session | None = None

    def ask(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        """The JSON-RPC answer, with its result or error. Raises TooMuch where less may be answered, BadAnswer, or what
        requests raises without an answer."""
        request = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        body, deadline = json.dumps(request).encode(), time.monotonic() + _TIMEOUT
        for pause in (*_PAUSES, None):
            status, answer = self._exchange(body, max(deadline - time.monotonic(), 0.01))
            if pause is None or status not in _BUSY:
                break
            time.sleep(pause)
        return _read(status, answer)

    def _exchange(self, body: bytes, seconds: float) -> tuple[int, bytes]:
        """Status and answer; a redirect is not followed, nor its body read."""
        from requests.exceptions import ReadTimeout
        from urllib3.exceptions import ReadTimeoutError

        try:
            with self._post(body, seconds) as response:
                redirect = 300 <= response.status_code < 400
                return response.status_code, b"" if redirect else _whole(response)
        except (ReadTimeout, ReadTimeoutError) as error:
            raise TooMuch("it takes too long") from error

    def _post(self, body: bytes, seconds: float) -> requests.Response:
        """Past Session.send, which reads a redirect's whole body even when it is told not to follow."""
        from requests import Request
        from urllib3.util import Timeout

        session = self._session
        request = session.prepare_request(Request("POST", self._url, {"content-type": "application/json"}, data=body))
        settings: Any = session.merge_environment_settings(self._url, {}, True, None, None)
        settings["timeout"] = Timeout(total=seconds)
        return session.get_adapter(self._url).send(request, **settings)

    @property
    def _session(self) -> requests.Session:
        if self._lazy is None:
            self._lazy = _bounded_session()
        return self._lazy


def _bounded_session() -> requests.Session:
    """A session whose connections have one timeout for the whole answer."""
    from requests import Session
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*arguments, **options)
            if not issubclass(pool.ConnectionCls, _Bounded):
                pool.ConnectionCls = type("Connection", (_Bounded, pool.ConnectionCls), {})
            return pool

    session = Session()
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return session


class _Bounded:
    """A connection, as http.client has it, whose timeout ends the whole answer. Its own is for each read anew, so one
    byte now and then, in a header or a 100 Continue, would hold us for ever."""

    timeout: float

    def response_class(self, sock: socket.socket, *arguments: Any, **options: Any) -> HTTPResponse:
        """What http.client calls when it begins to read an answer."""
        from http.client import HTTPResponse

        bounded: Any = _UntilDeadline(sock, time.monotonic() + self.timeout)
        return HTTPResponse(bounded, *arguments, **options)


class _UntilDeadline(io.RawIOBase):
    """What comes from a socket until the deadline; then TimeoutError."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._socket, self._deadline = sock, deadline
        self._file = sock.makefile("rb", buffering=0)  # keeps the socket open as long as an answer is read

    def makefile(self, _: str) -> io.BufferedReader:
        """All that http.client asks of a socket that it reads from."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """One read, in what is left of the time."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._file.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket; the connection may go on to use it."""
        self._file.close()
        super().close()


def _whole(response: requests.Response) -> bytes:
    """The body, as it comes, up to the largest that we take."""
    parts, size = [], 0
    while part := response.raw.read1(1 << 20, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > _LARGEST:
            raise TooMuch("it is too long")
    return b"".join(parts)


def _read(status: int, answer: bytes) -> dict[str, Any]:
    """Some nodes send their JSON-RPC errors with an HTTP error."""
    if status in _TOO_MUCH:
        raise TooMuch(f"HTTP status {status}")
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and ("result" in document or isinstance(document.get("error"), dict)):
        return document
    raise BadAnswer(f"HTTP status {status}" if status != 200 else "not JSON-RPC")
