"""JSON-RPC over HTTP: a request, and an answer in time or an error. A bad connection may do anything but hang us."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

__all__ = ["BadAnswer", "Transport"]

_TIMEOUT = 20.0
"""Seconds in which the whole answer must be there."""
_LARGEST = 256 << 20
_BUSY = (429, 502, 503, 504)
_PAUSES = (0.2, 0.6)
"""Seconds until a node that is busy is asked again."""


class BadAnswer(Exception):
    """What came is no answer; the message says what it is."""


class Transport:
    """One node by its URL; threads may share it. Any request may be sent twice: the same bytes are one transaction."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._numbers = itertools.count(1)
        self._lazy: requests.Session | None = None

    def ask(self, method: str, parameters: list[Any]) -> dict[str, Any]:
        """The JSON-RPC answer, with its result or error. Raises BadAnswer, or what requests raises without one."""
        request = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": parameters}
        body = json.dumps(request).encode()
        for pause in (*_PAUSES, None):
            status, answer = self._exchange(body)
            if pause is None or status not in _BUSY:
                break
            time.sleep(pause)
        return _read(status, answer)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        deadline = time.monotonic() + _TIMEOUT
        headers = {"content-type": "application/json"}
        with self._session.post(self._url, body, headers=headers, timeout=_TIMEOUT, stream=True) as response:
            return response.status_code, _whole(response, deadline)

    @property
    def _session(self) -> requests.Session:
        if self._lazy is None:
            import requests

            self._lazy = requests.Session()
        return self._lazy


def _whole(response: requests.Response, deadline: float) -> bytes:
    """The body, as it comes: an answer that trickles must not hold us longer than one that does not come."""
    parts, size = [], 0
    while part := response.raw.read1(1 << 20, decode_content=True):
        parts.append(part)
        size += len(part)
        if time.monotonic() > deadline:
            raise BadAnswer("it takes too long")
        if size > _LARGEST:
            raise BadAnswer("it is too long")
    return b"".join(parts)


def _read(status: int, answer: bytes) -> dict[str, Any]:
    """Some nodes send their JSON-RPC errors with an HTTP error."""
    try:
        document = json.loads(answer)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and ("result" in document or isinstance(document.get("error"), dict)):
        return document
    raise BadAnswer(f"HTTP status {status}" if status != 200 else "not JSON-RPC")
