"""Nodes in processes of their own judge deliveries: alive, dead, killed, lying, lied to, and cut off."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from commandline import Cli
from committee import MODEL, NODES, PUBLISHER, NodeProcess, World, address, nodes_of, policy_of, until
from faults import FaultProxy, at, never

from countersign import models
from countersign.canonical import checksum, keccak, model_id, to_hex
from countersign.chain.codec import encode_call, tuple_of
from countersign.keys.signer import open_signer
from countersign.oracle.journal import Journal
from countersign.oracle.relay import MAX_BODY, dump, load
from countersign.records import Call, Outcome, Policy, Seat
from tools.deployment import deploy_local
from tools.devnet import Devnet
from tools.ports import free_port

BAR = 5.0
"""Seconds from a request to its verdict."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A chain that mines each transaction at once and a block a second besides, as `make up` does."""
    with Devnet(block_time=1) as chain:
        deploy_local(chain)
        yield World(chain, policy_of()).prepare()


@pytest.fixture(scope="module")
def five(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[NodeProcess]]:
    """The whole committee; k = 3. A test that stops a node starts it again."""
    with nodes_of(world, tmp_path_factory.mktemp("five")) as nodes:
        yield nodes


@contextmanager
def restarting(world: World, nodes: list[NodeProcess], **changes: Any) -> Iterator[None]:
    """Some nodes run otherwise meanwhile."""

    def again(**options: Any) -> None:
        for node in nodes:
            node.stop()
        for node in nodes:
            node.start(world.chain.url, **options)
        for node in nodes:
            node.wait_up()

    again(**changes)
    yield
    again()


@pytest.fixture
def alone(world: World) -> World:
    """A policy whose one seat decides: n = k = 1. Each test has its own."""
    return World(world.chain, policy_of(NODES[:1], fee=int.from_bytes(os.urandom(4), "big"))).prepare()


# All alive


@pytest.mark.parametrize(("content", "outcome"), [(b"good", Outcome.PASS), (b"damaged", Outcome.FAIL)])
def test_five_nodes_judge_in_time_and_do_not_all_submit(
    world: World, five: list[NodeProcess], content: bytes, outcome: Outcome
) -> None:
    subject, head = world.deliver(content, b"good"), world.client.head().number
    start = time.monotonic()
    asked = world.request(subject)
    assert world.judged(subject) == outcome
    took = time.monotonic() - start
    assert took <= BAR
    final_at = world.verdict(subject).final_at
    assert until(lambda: world.client.head().time >= final_at)
    assert world.client.verdict_of(subject, world.policy_address)[0] == outcome
    assert world.submissions(head) in (1, 2)  # two, when a message took longer than the grace
    signed = [len(node.events("signed", asked)) for node in five]
    assert sum(signed) >= 3 and max(signed) == 1  # who comes late need not look any more


def test_the_evidence_is_what_was_signed(world: World, five: list[NodeProcess]) -> None:
    subject = world.deliver(b"good", b"good")
    asked = world.request(subject)
    assert world.judged(subject) == Outcome.PASS
    signers = world.verdict(subject).signers
    seat = next(seat for seat in range(5) if signers >> seat & 1)
    said = five[0].get(f"/attestations/{to_hex(asked.key[0])}")["attestations"]
    mine = next(one for one in said if asked.signer_of(load(one), world.client.deals) == seat)
    document = five[seat].get(f"/evidence/{mine['evidence']}")
    whole = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    assert to_hex(keccak(whole)) == mine["evidence"]
    assert document["finding"]["score"] == mine["score"] == 100
    assert (document["node"], document["model"]) == (checksum(asked.policy.seats[seat].node), to_hex(model_id(MODEL)))
    with pytest.raises(urllib.error.HTTPError, match="404"):
        five[0].get("/evidence/" + "0x" + "12" * 32)


# Some dead or lying


def test_two_of_five_down_change_nothing(world: World, five: list[NodeProcess]) -> None:
    for node in five[:2]:
        assert node.stop() == 0
    for content, outcome in ((b"good", Outcome.PASS), (b"damaged", Outcome.FAIL)):
        subject = world.deliver(content, b"good")
        world.request(subject)
        assert world.judged(subject) == outcome
    for node in five[:2]:
        node.start(world.chain.url).wait_up()


def test_two_of_five_lying_change_nothing_and_with_one_more_down_there_is_no_verdict(
    world: World, five: list[NodeProcess]
) -> None:
    with restarting(world, five[:2], turned=True):
        for content, outcome in ((b"good", Outcome.PASS), (b"damaged", Outcome.FAIL)):
            subject = world.deliver(content, b"good")
            world.request(subject)
            assert world.judged(subject) == outcome
        five[4].stop()
        subject = world.deliver(b"good", b"good")
        asked = world.request(subject)
        assert until(lambda: all(node.events("signed", asked) for node in five[:4]))
        assert world.judged(subject, timeout=5) == Outcome.NONE
        five[4].start(world.chain.url).wait_up()
        assert world.judged(subject) == Outcome.PASS  # it was away, and answers in time


def test_an_equivocator_is_slashed_once(world: World, five: list[NodeProcess]) -> None:
    """It tells one node Pass and the other one Fail; a third signature is needed, and its Pass is as good as any."""
    down, liar = five[2:], five[3]
    for node in down:
        node.stop()
    subject = world.deliver(b"good", b"good")
    asked = world.request(subject)
    assert until(lambda: all(node.events("signed", asked) for node in five[:2]))
    before = world.client.node_of(address(liar.key)).stake
    for node, score in ((five[0], 0), (five[1], 100)):
        node.post(_message(dump(world.signed(liar.key, asked, score))))
    slashed = before - world.policy.slash // 10**9
    assert until(lambda: world.client.node_of(address(liar.key)).stake == slashed)
    assert world.judged(subject) == Outcome.PASS
    assert until(lambda: five[0].events("slashed") + five[1].events("slashed"))  # logged once the receipt is read
    time.sleep(1)
    assert world.client.node_of(address(liar.key)).stake == slashed
    assert len(five[0].events("slashed") + five[1].events("slashed")) == 1
    for node in down:
        node.start(world.chain.url)
    for node in down:
        node.wait_up()


def _message(*documents: dict[str, Any]) -> bytes:
    return json.dumps({"attestations": documents}).encode()


# Killed


def test_killed_between_signing_and_telling(world: World, five: list[NodeProcess]) -> None:
    """With two down the killed one's signature is needed."""
    down, victim = five[3:], five[0]
    for node in down:
        node.stop()
    victim.stop()
    victim.start(world.chain.url, stop_at="signed").wait_up()
    subject = world.deliver(b"good", b"good")
    asked = world.request(subject)
    assert victim.process and victim.process.wait(60) == -signal.SIGKILL
    journal = Journal(victim.home / "journal-31337.sqlite")
    said = journal.of(asked.key)
    assert said and world.judged(subject, timeout=2) == Outcome.NONE
    victim.start(world.chain.url, stop_at="signed").wait_up()  # signing again would kill it again
    assert world.judged(subject) == Outcome.PASS
    assert journal.of(asked.key) == said
    victim.stop()
    for node in (victim, *down):
        node.start(world.chain.url)
    for node in (victim, *down):
        node.wait_up()


@pytest.mark.parametrize("when", ["hold request", "hold answer"])
def test_killed_while_submitting(alone: World, tmp_path: Path, when: str) -> None:
    with nodes_of(alone, tmp_path, started=False) as (node,):
        head = alone.client.head().number
        with FaultProxy(alone.chain.url, at("eth_sendRawTransaction", when)) as proxy:
            node.start(proxy.url).wait_up()
            subject = alone.deliver(b"good", b"good")
            asked = alone.request(subject)
            assert proxy.held.wait(60)
            node.stop(signal.SIGKILL)
        node.start(alone.chain.url).wait_up()
        assert alone.judged(subject) == Outcome.PASS
        assert alone.submissions(head) == 1
        assert len(node.events("signed", asked)) == 1


def test_a_killed_node_leaves_no_check_behind(alone: World, tmp_path: Path) -> None:
    """However long that one would take."""
    with nodes_of(alone, tmp_path, limit=600) as (node,):
        assert node.process
        checks = children_of(node.process.pid)
        alone.request(alone.deliver(b"hang", b"good"))
        assert until(lambda: node.get("/health")["open"] == 1)
        time.sleep(0.5)
        node.stop(signal.SIGKILL)
        assert checks and until(lambda: not any(Path(f"/proc/{child}").exists() for child in checks), 30)


def children_of(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


def test_down_during_a_request_it_answers_when_it_is_back(alone: World, tmp_path: Path) -> None:
    with nodes_of(alone, tmp_path) as (node,):
        node.stop(signal.SIGKILL)
        subjects = [alone.deliver(content, b"good") for content in (b"good", b"bad")]
        for subject in subjects:
            alone.request(subject)
        alone.chain.rpc("anvil_mine", "0x5", "0x1")
        node.start(alone.chain.url)
        assert [alone.judged(subject) for subject in subjects] == [Outcome.PASS, Outcome.FAIL]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_when_told(alone: World, tmp_path: Path, number: int) -> None:
    """Also in the middle of a check."""
    with nodes_of(alone, tmp_path, limit=100) as (node,):
        asked = alone.request(alone.deliver(b"hang", b"good"))
        time.sleep(1)
        start = time.monotonic()
        assert node.stop(number) == 0 and time.monotonic() - start < 5
        assert node.events("stopped") and not node.events("signed", asked)


# Hostile content, peers and chains


@pytest.mark.parametrize(
    ("content", "reason"), [(b"raise", "hostile"), (b"crash", "died"), (b"hang", "longer than 2 s")]
)
def test_a_check_that_fails_abstains_and_the_next_is_judged(
    alone: World, tmp_path: Path, content: bytes, reason: str
) -> None:
    with nodes_of(alone, tmp_path, limit=2) as (node,):
        asked = alone.request(alone.deliver(content, b"good"))
        assert until(lambda: node.events("abstained", asked))
        (abstained,) = node.events("abstained", asked)
        assert reason in abstained["reason"] and not node.events("signed", asked)
        after = alone.deliver(b"good", b"good")
        alone.request(after)
        assert alone.judged(after) == Outcome.PASS


def test_content_that_comes_late_is_judged_and_other_bytes_are_not(alone: World, tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    port = free_port()
    with nodes_of(alone, tmp_path) as (node,):
        subject = alone.deliver(b"good", b"good", uri=f"http://127.0.0.1:{port}/photo")
        asked = alone.request(subject)
        assert until(lambda: node.events("waiting", asked))
        with serving(partial(_Files, directory=str(tmp_path / "served")), port):
            (tmp_path / "served" / "photo").write_bytes(b"other bytes")
            assert until(lambda: any("SHA-256" in event["reason"] for event in node.events("waiting", asked)))
            assert alone.verdict(subject).outcome == Outcome.NONE
            (tmp_path / "served" / "photo").write_bytes(b"good")
            assert alone.judged(subject) == Outcome.PASS


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def serving(handler: Any, port: int = 0) -> Iterator[str]:
    """An HTTP server; its URL."""
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_subject_that_is_no_delivery_and_a_lapse_are_borne(world: World, tmp_path: Path) -> None:
    short = World(world.chain, policy_of(NODES[:1], submit_time=4)).prepare()
    with nodes_of(short, tmp_path) as (node,):
        asked = short.request(os.urandom(32))
        assert until(lambda: node.events("abstained", asked))
        assert "no delivery" in node.events("abstained", asked)[0]["reason"]
        assert until(lambda: short.client.head().time > asked.deadline)
        subject = short.deliver(b"good", b"good")
        short.request(subject)
        assert short.judged(subject) == Outcome.PASS


class _Evil(BaseHTTPRequestHandler):
    """A peer that answers nonsense: each time another kind."""

    count = 0

    def do_GET(self) -> None:
        type(self).count += 1
        kinds: list[Callable[[], bytes]] = [
            lambda: b"\xff\xfe", lambda: b"[" * 60_000, lambda: b'{"attestations": 7}',
            lambda: b'{"attestations": [null, {"subject": []}]}', lambda: b" " * (4 * MAX_BODY),
        ]  # fmt: skip
        self.send_response(200)
        self.end_headers()
        self.wfile.write(kinds[self.count % len(kinds)]())

    do_POST = do_GET  # noqa: N815 - a name of http.server

    def log_message(self, *_: object) -> None:
        """Quiet."""


def test_peers_that_talk_nonsense_or_nothing_hold_up_nobody(world: World, five: list[NodeProcess]) -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with serving(_Evil) as evil, silent:
        peers = [evil, f"http://127.0.0.1:{silent.getsockname()[1]}", five[1].url, five[2].url]
        for node in five[3:]:
            node.stop()
        five[0].stop()
        five[0].start(world.chain.url, peers=peers).wait_up()
        subject = world.deliver(b"good", b"good")
        five[1].stop()
        world.request(subject)
        assert until(lambda: _Evil.count >= 5)  # waiting for a third signature, it asks its peers
        five[1].start(world.chain.url)
        assert world.judged(subject) == Outcome.PASS
    five[0].stop()
    for node in (five[0], *five[3:]):
        node.start(world.chain.url)
    for node in five:
        node.wait_up()


def test_hostile_messages_get_a_sentence(world: World, five: list[NodeProcess]) -> None:
    asked = world.request(world.deliver(b"good", b"good"))
    for body in (b"", b"[]", b"\xff", b'{"attestations": [{}]}', b"[" * 50_000, b'{"attestations": {"a": 1}}'):
        with pytest.raises(urllib.error.HTTPError, match="400") as refused:
            five[0].post(body)
        assert set(json.load(refused.value)) == {"error", "next"}
    with pytest.raises((urllib.error.HTTPError, ConnectionError, urllib.error.URLError)):
        five[0].post(b" " * (2 * MAX_BODY))
    stranger = dump(world.signed(7, asked, 100))
    replayed = dump(world.signed(five[0].key, asked, 100)) | {"round": 1}
    assert five[0].post(_message(stranger, replayed)) == {"accepted": 0, "refused": 2}
    assert five[0].get("/health")["node"] == checksum(address(five[0].key))


def test_a_chain_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with Devnet(state=tmp_path / "state.json", block_time=1) as chain:
        deploy_local(chain)
        world = World(chain, policy_of(NODES[:1])).prepare()
        port = chain.port
        with nodes_of(world, tmp_path) as (node,):
            subject = world.deliver(b"good", b"good")
            chain.stop()
            assert until(lambda: node.events("trouble"))
            assert node.get("/health")["node"]
            with Devnet(port, tmp_path / "state.json", block_time=1) as again:
                world = World(again, world.policy)
                world.request(subject)
                assert world.judged(subject) == Outcome.PASS


def test_trouble_is_said_once_while_it_lasts(alone: World, tmp_path: Path) -> None:
    """However often the node looks in vain. (A chain that goes down answers now and then: each time it is over.)"""
    with nodes_of(alone, tmp_path, started=False) as (node,), FaultProxy(alone.chain.url) as proxy:
        node.start(proxy.url).wait_up()
        assert not node.events("trouble")
        proxy.faults = lambda *_: "drop request"
        assert until(lambda: proxy.faults_met()["drop request"] >= 5)
        assert len(node.events("trouble")) == 1
        proxy.faults = never
        subject = alone.deliver(b"good", b"good")
        alone.request(subject)
        assert alone.judged(subject) == Outcome.PASS
        assert len(node.events("trouble")) == 1


def test_a_request_that_a_fork_moves_is_signed_anew(tmp_path: Path) -> None:
    with Devnet() as chain:
        deploy_local(chain)
        world = World(chain, policy_of(NODES[:1])).prepare()
        with nodes_of(world, tmp_path) as (node,):
            subject = world.deliver(b"good", b"good")
            before = chain.rpc("evm_snapshot")
            first = world.request(subject)
            assert world.judged(subject) == Outcome.PASS
            assert until(lambda: node.events("submitted", first))  # else it waits for a transaction that is gone
            chain.rpc("evm_revert", before)
            chain.rpc("evm_increaseTime", 7)
            second = world.request(subject)
            assert second.issued_at != first.issued_at
            assert world.judged(subject) == Outcome.PASS
            assert until(lambda: len(node.events("submitted", second)) == 2)
        journal = Journal(node.home / "journal-31337.sqlite")
        assert len(journal.all()) == 2 and all(map(journal.of, (first.key, second.key)))


# Not its business


def test_it_serves_its_own_list_only(world: World, alone: World, tmp_path: Path) -> None:
    with nodes_of(alone, tmp_path, started=False) as (node,):
        node.start(world.chain.url, policies=[checksum(world.policy_address)]).wait_up()
        asked = alone.request(alone.deliver(b"good", b"good"))
        assert until(lambda: node.events("ignored", asked))
        assert "on my list" in node.events("ignored", asked)[0]["reason"]
        assert not node.events("signed", asked)


def revoked_or_unpublished(world: World, kind: str) -> Policy:
    """A policy whose seat has another model than the node's."""
    publisher = open_signer(f"test:{PUBLISHER}", 31337, str).address
    model = models.describe(
        publisher, os.urandom(32) if kind == "another" else MODEL.weights, licence=os.urandom(3).hex()
    )
    contract = world.client.contracts.models
    if kind != "unpublished":
        world.send(PUBLISHER, models.publish_call(world.client.contracts, model))
    if kind == "revoked":
        world.send(PUBLISHER, Call(contract, encode_call("ModelRegistry", "revoke", tuple_of(model))))
    (seat,) = policy_of(NODES[:1]).seats
    return Policy(**vars(policy_of(NODES[:1])) | {"seats": (Seat(seat.node, model_id(model)),)})


@pytest.mark.parametrize("kind", ["another", "unpublished", "revoked"])
def test_a_seat_with_another_model_is_not_filled(world: World, tmp_path: Path, kind: str) -> None:
    mine = World(world.chain, revoked_or_unpublished(world, kind)).prepare()
    with nodes_of(mine, tmp_path) as (node,):
        asked = mine.request(mine.deliver(b"good", b"good"))
        assert until(lambda: node.events("abstained", asked))
        assert "the seat's model" in node.events("abstained", asked)[0]["reason"]
        oracle = mine.client.deals.oracle
        suspended = partial(mine.client.call, oracle, "Oracle", "suspendedOf", mine.policy_address)
        assert until(lambda: suspended() == (1 if kind == "revoked" else 0))
        assert not node.events("signed", asked)


# The operator's day


@pytest.fixture
def desk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line of an operator whose key is test:6, which no committee has."""
    for name in ("HOME", "RPC", "CHAIN", "KEY"):
        monkeypatch.delenv(f"COUNTERSIGN_{name}", raising=False)
    return Cli(world.chain.url, tmp_path / "desk")


def test_an_operator_makes_a_node_joins_publishes_runs_and_leaves(world: World, desk: Cli, tmp_path: Path) -> None:
    port = free_port()
    made = desk("oracle", "init", "--check", "file-type", "--listen", f"127.0.0.1:{port}", "--json", key="test:6")
    assert made.code == 0 and made.json["address"] == checksum(address(6)), made
    for stake, total in (("0.5", "0.5"), ("0.5", "0.5"), ("1.0", "1"), ("0.2", "1")):
        joined = desk("oracle", "join", "--stake", stake, "--json")
        assert joined.code == 0 and int(joined.json["stake"]) == int(float(total) * 10**18), joined
    model = desk("oracle", "publish", "--json").json["modelId"]
    assert desk("oracle", "publish", "--json").json["modelId"] == model
    seat = Seat(address(6), bytes.fromhex(model[2:]))
    mine = World(world.chain, Policy(**vars(policy_of(NODES[:1])) | {"seats": (seat,)})).prepare()
    assert desk("oracle", "init", "--policy", checksum(mine.policy_address)).code == 0

    node = NodeProcess(6, port, tmp_path / "desk")
    command = [
        sys.executable,
        "-m",
        "countersign",
        "oracle",
        "run",
        "--home",
        str(desk.home),
        "--rpc",
        desk.url,
        "--json",
    ]
    with node.log.open("ab") as log:
        node.process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        node.wait_up()
        picture, nothing = (mine.deliver(content, b"x") for content in (_png(), b""))
        for subject, outcome in ((picture, Outcome.PASS), (nothing, Outcome.FAIL)):
            mine.request(subject)
            assert mine.judged(subject) == outcome, node.log.read_text()
        by_hand = mine.request(mine.deliver(b"unseen", b"x", uri="ftp://nowhere"))
        subject = to_hex(by_hand.request.subject)
        status = desk("oracle", "status", "--json").json
        assert status["serves"] and status["signed"] == 2 and [one["subject"] for one in status["open"]] == [subject]
        attested = desk("oracle", "attest", subject, "--score", 80, "--yes", "--json")
        assert attested.code == 0 and attested.json["told"] == 1, attested
        assert mine.judged(by_hand.request.subject) == Outcome.PASS
        assert desk("oracle", "status").code == 0
    finally:
        assert node.stop(signal.SIGINT) == 0
    assert desk("oracle", "attest", subject, "--score", 10, "--yes").code == 2  # decided
    assert desk("oracle", "leave").code == 0 and desk("oracle", "leave").code == 0
    too_early, refused = desk("oracle", "withdraw"), desk("oracle", "join")
    assert too_early.code == refused.code == 1 and "matures at" in too_early.err and "leaving" in refused.err


def _png() -> bytes:
    from io import BytesIO

    from PIL import Image

    made = BytesIO()
    Image.effect_noise((64, 64), 50).save(made, "PNG")
    return made.getvalue()


def test_a_manual_answer_is_given_once_and_only_where_one_may(world: World, alone: World, desk: Cli) -> None:
    key = f"test:{NODES[0]}"
    assert desk("oracle", "init", "--check", "file-type", key=key).code == 0
    asked = alone.request(alone.deliver(b"good", b"good"))
    request = to_hex(asked.key[0])
    refused = desk("oracle", "attest", request, "--score", 80, "--yes")
    assert refused.code == 2 and "--policy" in refused.err
    assert desk("oracle", "init", "--policy", checksum(alone.policy_address)).code == 0
    assert desk("oracle", "attest", request, "--score", 80, "--yes").code == 0
    again = desk("oracle", "attest", request, "--score", 80, "--yes", "--json")
    assert again.code == 0 and again.json["told"] == 0
    other = desk("oracle", "attest", request, "--score", 10, "--yes")
    assert other.code == 2 and "attested score 80" in other.err
    stranger = desk("oracle", "attest", request, "--score", 80, "--yes", key="test:7")
    assert stranger.code == 2 and "may not sign" in stranger.err
    assert "No open request" in desk("oracle", "attest", "0x" + "12" * 32, "--score", 80, "--yes").err


def test_a_check_is_tried_without_a_node_or_a_chain(desk: Cli, tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(_png())
    (tmp_path / "empty").write_bytes(b"")
    passed = desk("oracle", "check", tmp_path / "photo.png", "--check", "file-type", "--json")
    assert passed.code == 0 and passed.json["score"] >= 50, passed
    failed = desk("oracle", "check", tmp_path / "empty", "--check", "file-type")
    assert failed.code == 1 and "of 100" in failed.out
    for arguments in (("photo.png",), ("nothing", "--check", "file-type"), ("photo.png", "--check", "mind-reading")):
        refused = desk("oracle", "check", tmp_path / arguments[0], *arguments[1:])
        assert refused.code == 2 and refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("init",), "what the node judges with"),
        (("init", "--check", "file-type", "--peer", "nonsense"), "is no URL"),
        (("init", "--check", "file-type", "--listen", "here"), "no address to listen on"),
        (("init", "--check", "file-type", "--policy", "0x12"), "20 bytes"),
        (("join", "--stake", "0.0000000001"), "whole number of gwei"),
        (("join", "--stake", "much"), "not an amount"),
        (("status",), "no node in"),
        (("run",), "no node in"),
    ],
)
def test_bad_input_gets_a_sentence(desk: Cli, arguments: tuple[str, ...], words: str) -> None:
    refused = desk("oracle", *arguments, key="test:6")
    assert refused.code == 2 and words in refused.err


def test_a_new_node_has_a_key_of_its_own_which_is_kept(desk: Cli) -> None:
    made = [
        desk("oracle", "init", "--check", "file-type", "--json", passphrase="correct horse") for _ in range(2)
    ]  # fmt: skip
    assert made[0].code == 0 and made[0].json == made[1].json
    assert desk("oracle", "init", key="test:1").code == 2
    assert (desk.home / "node-key.json").stat().st_mode & 0o077 == 0
