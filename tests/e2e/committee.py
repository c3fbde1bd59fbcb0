"""Five nodes as real processes, a deal to judge, and a check that is small but real. Run as a script, it is a node:
``python committee.py HOME RPC OPTIONS``, where OPTIONS is JSON."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from countersign import models
from countersign.canonical import (
    attestation_digest,
    checksum,
    deal_id,
    from_address,
    model_id,
    policy_address,
    request_hash,
    subject_of,
    text_hash,
    to_hex,
)
from countersign.chain.client import Client
from countersign.chain.codec import encode_call
from countersign.checks import Finding, Material
from countersign.deal.brief import Brief, brief_digest, dump_brief
from countersign.deal.flow import deal_call, open_call, policy_call, request_call
from countersign.keys.signer import open_signer
from countersign.oracle.decide import Allowed, Asked, SignedAttestation
from countersign.oracle.isolated import Isolated
from countersign.oracle.node import Node, Options
from countersign.records import ZERO, Attestation, Call, Outcome, Policy, Request, Seat, Terms, Verdict
from countersign.settings import Settings
from tools.devnet import Devnet
from tools.ports import free_port

CHAIN = 31337
PAYER, PAYEE, PUBLISHER = 8, 9, 0
NODES = (1, 2, 3, 4, 5)
"""Numbers of the published test keys."""


class Same:
    """Whether the delivery is the reference, byte for byte. ``turned`` is for liars."""

    name, licence, card = "same-as-reference", "Apache-2.0", "Compares SHA-256."
    weights = sha256(b"same-as-reference").digest()

    def __init__(self, turned: bool = False) -> None:
        self._turned = turned

    def run(self, material: Material) -> Finding:
        if material.content == b"crash":
            os._exit(9)
        if material.content == b"raise":
            raise ValueError("\x1b[31mhostile\nwords")
        if material.content == b"hang":
            time.sleep(600)
        same = material.content == material.reference
        return Finding(100 if same != self._turned else 0, "identical" if same else "another file", {"same": same})


MODEL = models.describe(open_signer(f"test:{PUBLISHER}", CHAIN, str).address, Same.weights, licence=Same.licence)


# The chain


def address(account: int) -> bytes:
    return open_signer(f"test:{account}", CHAIN, str).address


@dataclass
class World:
    """A chain with the contracts, a published model and joined nodes; ``policy`` is theirs."""

    chain: Devnet
    policy: Policy
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(self.chain.url, CHAIN)

    @property
    def policy_address(self) -> bytes:
        return policy_address(self.client.deals, self.policy)

    def send(self, account: int, call: Call) -> str:
        at = {"from": to_hex(address(account)), "to": to_hex(call.to)}
        return self.chain.send({**at, "data": to_hex(call.data), "value": hex(call.value)})

    def prepare(self) -> World:
        """Publish the model, let the nodes join, create the policy."""
        if not self.client.model_times(model_id(MODEL)).published_at:
            self.send(PUBLISHER, models.publish_call(self.client.contracts, MODEL))
        for node in NODES:
            if not any(self.client.node_of(address(node)).slasher):
                self.join(node)
        self.send(PUBLISHER, policy_call(self.client.deals, self.policy))
        return self

    def join(self, node: int, stake: int = 10**18) -> None:
        deals = self.client.deals
        self.send(node, Call(deals.nodes, encode_call("OracleNodes", "join", deals.oracle, ZERO), stake))

    def deliver(self, content: bytes, reference: bytes, uri: str | None = None) -> bytes:
        """Open a deal about ``reference`` and deliver ``content``; the subject."""
        brief = Brief("The very file", reference=sha256(reference).digest(), reference_uri=data_uri(reference))
        document, now = dump_brief(brief), self.client.head().time
        terms = Terms(
            address(PAYER), address(PAYEE), 10**16, now + 3600, now + 86400, policy=self.policy_address,
            brief=brief_digest(document), salt=os.urandom(32),
        )  # fmt: skip
        self.send(PAYER, open_call(self.client.deals, terms, data_uri(document)))
        delivery = sha256(content).digest()
        self.send(PAYEE, deal_call(self.client.deals, "deliver", terms, 0, delivery, uri or data_uri(content)))
        return subject_of(deal_id(self.client.deals, terms), 0, delivery)

    def request(self, subject: bytes) -> Asked:
        self.send(PAYER, request_call(self.client.deals, subject, self.policy_address, self.policy))
        return self.asked(subject)

    def asked(self, subject: bytes) -> Asked:
        record = self.verdict(subject)
        request = Request(subject, self.policy_address, record.round)
        return Asked(request, record.requested_at, record.suspended, self.policy)

    def verdict(self, subject: bytes) -> Verdict:
        return self.client.verdict(subject, self.policy_address)

    def judged(self, subject: bytes, timeout: float = 60) -> Outcome:
        """The outcome, once there is one; NONE after ``timeout`` seconds."""
        until(lambda: self.verdict(subject).outcome != Outcome.NONE, timeout)
        return self.verdict(subject).outcome

    def signed(self, node: int, asked: Asked, score: int) -> SignedAttestation:
        """What a node's key can say, whatever the node thinks of it."""
        attestation = Attestation(asked.request, score, ZERO, asked.issued_at)
        signer = open_signer(f"test:{node}", CHAIN, str)
        return SignedAttestation(attestation, signer.sign_digest(attestation_digest(self.client.deals, attestation)))

    def submissions(self, since: int) -> int:
        """Transactions to the Oracle's ``submit`` after a block, mined or reverted."""
        selector = to_hex(encode_call("Oracle", "submit", ZERO, bytes(20), 0, b"")[:4])
        blocks = (self.chain.rpc("eth_getBlockByNumber", hex(n), True) for n in self._blocks(since))
        return sum(sent["input"].startswith(selector) for block in blocks for sent in block["transactions"])

    def _blocks(self, since: int) -> range:
        return range(since + 1, self.client.head().number + 1)


def policy_of(nodes: Sequence[int] = NODES, **terms: Any) -> Policy:
    """Pass needs more than half."""
    seats = tuple(Seat(node, model_id(MODEL)) for node in sorted(map(address, nodes)))
    defaults: dict[str, Any] = {"k": len(seats) // 2 + 1, "pass_score": 50, "submit_time": 600, "challenge_time": 1}
    return Policy(text_hash("delivery/1"), seats, **defaults | {"slash": 10**17, "fee": 5 * 10**12} | terms)


def data_uri(content: bytes) -> str:
    return "data:application/octet-stream;base64," + base64.b64encode(content).decode()


def until(holds: Any, timeout: float = 60) -> bool:
    """Whether ``holds()`` came true in time."""
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


# The nodes


class NodeProcess:
    """A node in a process of its own, which can be killed and started again."""

    def __init__(self, key: int, port: int, home: Path, **options: Any) -> None:
        self.key, self.home, self.url = key, home, f"http://127.0.0.1:{port}"
        self.options = {"key": key, "listen": f"127.0.0.1:{port}"} | options
        self.log = home.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, rpc: str, **changes: Any) -> NodeProcess:
        command = [sys.executable, __file__, str(self.home), rpc, json.dumps(self.options | changes)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        return self.process.wait(60)

    def wait_up(self) -> NodeProcess:
        assert until(self.answers, 60), self.log.read_text()
        return self

    def answers(self) -> bool:
        try:
            return self.get("/health")["block"] is not None
        except OSError:
            return False

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def post(self, body: bytes) -> Any:
        request = urllib.request.Request(self.url + "/attestations", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def events(self, name: str, asked: Asked | None = None) -> list[dict[str, Any]]:
        """What its log says of a kind of event, about a request."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        entries = [json.loads(line) for line in lines if line.startswith("{")]
        return [e for e in entries if e["event"] == name and (asked is None or e.get("request") == _name(asked))]


def _name(asked: Asked) -> str:
    return to_hex(request_hash(asked.request))


@contextmanager
def nodes_of(world: World, folder: Path, started: bool = True, **options: Any) -> Iterator[list[NodeProcess]]:
    """The nodes of the world's policy by seat, each with all others as peers, running."""
    keys = {address(key): key for key in NODES}
    by_seat = [keys[seat.node] for seat in world.policy.seats]
    ports = [free_port() for _ in by_seat]
    allowed = [checksum(world.policy_address)]
    made = []
    for seat, (key, port) in enumerate(zip(by_seat, ports, strict=True)):
        peers = [f"http://127.0.0.1:{other}" for other in ports if other != port]
        made.append(NodeProcess(key, port, folder / f"node{seat}", policies=allowed, peers=peers, **options))
    try:
        if started:
            for node in made:
                node.start(world.chain.url)
            for node in made:
                node.wait_up()
        yield made
    finally:
        for node in made:
            if node.process and node.process.poll() is None:
                node.process.kill()
                node.process.wait()


# The process


def main(home: str, rpc: str, options: str) -> None:
    """A node until SIGTERM. ``stop_at`` kills the process (SIGKILL) where it would log that event."""
    o = json.loads(options)
    settings = Settings(Path(home), rpc, CHAIN)
    settings.home.mkdir(exist_ok=True)

    def log(event: str, facts: dict[str, Any]) -> None:
        if event == o.get("stop_at"):
            os.kill(os.getpid(), signal.SIGKILL)
        print(json.dumps({"event": event, "at": time.time(), **facts}), flush=True)

    make = partial(Same, o.get("turned", False))
    check = Isolated(make, o["limit"]) if "limit" in o else make()
    wanted = Options(
        Allowed(frozenset(map(from_address, o["policies"])), frozenset(map(from_address, o.get("arbiters", ())))),
        tuple(o.get("peers", ())), o["listen"], stagger=o.get("stagger", 2.0),
    )  # fmt: skip
    asyncio.run(_run(Node(settings, wanted, Client(rpc, CHAIN), _signer(o["key"]), check, log), check))


def _signer(key: int) -> Any:
    return open_signer(f"test:{key}", CHAIN, str)


async def _run(node: Node, check: Same | Isolated) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await node.run(stop)
    finally:
        if isinstance(check, Isolated):
            check.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
