"""Five nodes for a local chain, each a real process with a key, a stake and an AI model of its own.

`make up` keeps them running; `make demo` lets two of them lie.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from countersign import models
from countersign.canonical import model_id, policy_address, text_hash
from countersign.chain.client import Client
from countersign.chain.codec import encode_call
from countersign.chain.sender import Sender, intent
from countersign.checks import delivery_check
from countersign.deal.flow import policy_call, policy_or_none
from countersign.durable import make_private_folder, write_durably
from countersign.keys import keystore
from countersign.keys.signer import Signer, open_signer
from countersign.oracle.config import NodeConfig
from countersign.oracle.decide import QUESTION
from countersign.records import ZERO, Call, Policy, Seat
from tools.create2 import ROOT
from tools.devnet import CHAIN_ID

__all__ = ["CHECKS", "STAKE", "NodeProcess", "found", "local_key"]

_TEXT = "text-shown+intact-net" if find_spec("rapidocr_onnxruntime") else "robust-intact-net"
CHECKS = ("intact-trees", "intact-net", _TEXT, "robust-intact-trees", "robust-intact-net")
"""What each node judges with: three kinds of model, so that one trick fools no majority. Reading words in pictures
needs a package that Python 3.13 does not have."""
STAKE = 2 * 10**18
_FUNDS = 10 * 10**18
START_TIMEOUT = 120.0
STOP_TIMEOUT = 15.0


def local_key(home: Path) -> tuple[str, Signer]:
    """URI and signer of a node's own key, made on first use. Its passphrase lies beside it: local chain only."""
    path, secret = home / "node-key.json", home / "passphrase"
    make_private_folder(home)
    if not secret.exists():
        write_durably(secret, secrets.token_hex(16).encode(), private=True)
    if not path.exists():
        keystore.create(path, secret.read_text())
    uri = f"keystore:{path.resolve()}"
    return uri, open_signer(uri, CHAIN_ID, lambda _: secret.read_text())


@dataclass
class NodeProcess:
    """A node's home and, while it runs, its process."""

    home: Path
    key: str
    address: bytes
    check: str
    url: str
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, rpc: str, module: str = "countersign") -> None:
        """Run it; ``module`` is the dishonest node's for a liar."""
        command = [sys.executable, "-m", module, "oracle", "run", "--json"]
        passphrase = self.home / "passphrase"
        with self.log.open("ab") as log:
            if passphrase.exists():
                reader, writer = os.pipe()
                os.write(writer, passphrase.read_bytes() + b"\n")
                os.close(writer)
                self.process = self._spawn([*command, "--passphrase-fd", str(reader)], rpc, log, (reader,))
                os.close(reader)
            else:
                self.process = self._spawn(command, rpc, log, ())

    def _spawn(self, command: list[str], rpc: str, log: Any, pass_fds: Sequence[int]) -> subprocess.Popen[bytes]:
        env = {**os.environ, "COUNTERSIGN_HOME": str(self.home), "COUNTERSIGN_RPC": rpc, "PYTHONUNBUFFERED": "1",
               "COUNTERSIGN_CHAIN": str(CHAIN_ID), "OMP_NUM_THREADS": "1"}  # fmt: skip
        return subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=pass_fds,
            start_new_session=True,
        )  # fmt: skip

    def wait_up(self) -> None:
        """Until it serves. Raises TimeoutError with the end of its log."""
        deadline = time.monotonic() + START_TIMEOUT
        while not self._serves():
            if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                raise TimeoutError(f"The node {self.home.name} does not serve:\n{self.log.read_text()[-800:]}")
            time.sleep(0.1)

    def _serves(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=2) as answer:
                return json.load(answer)["block"] is not None
        except OSError:
            return False

    def stop(self) -> None:
        """Ask it to end, then make it end."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def tell(self, attestation: dict[str, Any]) -> None:
        """Give it somebody's attestation."""
        body = json.dumps({"attestations": [attestation]}).encode()
        request = urllib.request.Request(self.url + "/attestations", body, {"content-type": "application/json"})
        urllib.request.urlopen(request, timeout=5).close()


def found(
    client: Client,
    folder: Path,
    keys: Sequence[tuple[str, Signer]],
    ports: Sequence[int],
    files: Path,
    outbox: Path,
    say: Callable[[str], None] = lambda _: None,
    **times: int,
) -> tuple[bytes, list[NodeProcess]]:
    """The policy's address and its nodes, ready to start: models published, stakes joined, policy created. What is done
    already is not done again. ``times``: the policy's ``submit_time`` and ``challenge_time`` in seconds."""
    publisher = Sender(client, open_signer("test:0", CHAIN_ID, str), outbox)
    known: dict[str, bytes] = {}
    for name in dict.fromkeys(CHECKS):
        known[name] = _publish(client, publisher, name)
        say(f"model {name}")
    for _, signer in keys:
        _join(client, signer, outbox)
    seats = sorted((Seat(key.address, known[name]) for (_, key), name in zip(keys, CHECKS, strict=True)),
                   key=lambda seat: seat.node)  # fmt: skip
    policy = Policy(text_hash(QUESTION), tuple(seats), 3, 50, fee=10**15, slash=STAKE // 2, **times)
    address = policy_address(client.deals, policy)
    if policy_or_none(client, address) is None:
        publisher.send(policy_call(client.deals, policy), intent("policy", address))
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    nodes = []
    for number, ((key, signer), name) in enumerate(zip(keys, CHECKS, strict=True)):
        peers = tuple(url for url in urls if url != urls[number])
        home = folder / f"node-{number + 1}"
        listen = f"127.0.0.1:{ports[number]}"
        NodeConfig(name, key, (address,), (), peers, listen, str(files.resolve())).save(home)
        nodes.append(NodeProcess(home, key, signer.address, name, urls[number], folder / f"node-{number + 1}.log"))
    return address, nodes


def _publish(client: Client, publisher: Sender, name: str) -> bytes:
    """The id of the model that a check is, published by ``publisher``."""
    check = delivery_check(name)
    card = sha256(check.card.encode()).digest()
    model = models.describe(publisher.address, check.weights, licence=check.licence, card=card)
    identifier = model_id(model)
    if not client.model_times(identifier).published_at:
        publisher.send(models.publish_call(client.contracts, model), intent("publish", identifier))
    return identifier


def _join(client: Client, signer: Signer, outbox: Path) -> None:
    if any(client.node_of(signer.address).slasher):
        return
    if client.balance(signer.address) < _FUNDS:
        client.rpc("anvil_setBalance", "0x" + signer.address.hex(), hex(_FUNDS))
    call = Call(client.deals.nodes, encode_call("OracleNodes", "join", client.deals.oracle, ZERO), STAKE)
    Sender(client, signer, outbox).send(call, intent("join", signer.address, STAKE))
