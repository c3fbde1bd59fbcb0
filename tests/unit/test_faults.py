"""The bad connection of other tests does to each request what it says, and the transport bears it."""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from faults import FAULTS, FaultProxy, at, at_random, first_of

from countersign.chain import transport
from countersign.chain.client import Client
from countersign.errors import ChainError, Unreachable

CHAIN = 31337


class Node(HTTPServer):
    """Answers every request with its chain id, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.asked: list[Any] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Answering(BaseHTTPRequestHandler):
    server: Node

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append(document)
        whole = document if isinstance(document, list) else [document]
        answers = [{"jsonrpc": "2.0", "id": one["id"], "result": hex(CHAIN)} for one in whole]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answers if isinstance(document, list) else answers[0]).encode())

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def node() -> Iterator[Node]:
    with Node() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


HEARD = {"duplicate": 2, "drop answer": 1, "delay": 1, "truncate": 1, "trickle": 1, "lose": 1}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_reaches_the_node_as_often_as_it_says_and_ends_in_words(
    node: Node, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_PAUSES", ())
    with FaultProxy(node.url, at("eth_chainId", fault)) as proxy:
        client = Client(proxy.url, CHAIN)
        if fault in ("delay", "duplicate", "trickle"):
            assert client.quantity("eth_chainId") == CHAIN
        else:
            with pytest.raises(ChainError) as raised:
                client.quantity("eth_chainId")
            assert isinstance(raised.value, Unreachable) != (fault in ("refuse", "lose"))
        assert len(node.asked) == HEARD.get(fault, 0)
        assert client.quantity("eth_chainId") == CHAIN
        assert [passed.fault for passed in proxy.of("eth_chainId")] == [fault, None]
        assert proxy.faults_met() == {fault: 1}


def test_a_batch_is_noted_one_by_one_and_hit_as_a_whole(node: Node) -> None:
    with FaultProxy(node.url, first_of(at("b", "refuse"), at("c", "drop request"))) as proxy:
        batch = [{"jsonrpc": "2.0", "id": number, "method": name} for number, name in enumerate("ab")]
        request = urllib.request.Request(proxy.url, json.dumps(batch).encode())
        with urllib.request.urlopen(request, timeout=5) as response:
            answers = json.load(response)
        assert [(answer["id"], "error" in answer) for answer in answers] == [(0, True), (1, True)]
        assert [(passed.method, passed.fault) for passed in proxy.passed] == [("a", "refuse"), ("b", "refuse")]
        with urllib.request.urlopen(request, timeout=5) as response:
            assert [answer["result"] for answer in json.load(response)] == [hex(CHAIN)] * 2


def test_the_same_seed_gives_the_same_faults() -> None:
    drawn = [[at_random(seed, 0.4)("eth_call", number) for number in range(1, 200)] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 30 < sum(fault is not None for fault in drawn[0]) < 90
    longest = max(len(run) for run in "".join("x" if fault else " " for fault in drawn[0]).split())
    assert longest <= 3


def test_a_busy_node_is_asked_again(node: Node) -> None:
    with FaultProxy(node.url, at("eth_chainId", "http 429", 1, 2)) as proxy:
        assert Client(proxy.url, CHAIN).quantity("eth_chainId") == CHAIN


def test_an_answer_that_trickles_for_ever_is_given_up(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_TIMEOUT", 0.1)
    with FaultProxy(node.url, at("eth_chainId", "trickle")) as proxy, pytest.raises(Unreachable, match="too long"):
        start = time.monotonic()
        Client(proxy.url, CHAIN).quantity("eth_chainId")
        assert time.monotonic() < start + 5
