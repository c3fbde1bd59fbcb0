"""What deals need on a chain: tokens, an arbiter, a committee whose keys sign here, and time that obeys."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from faults import FaultProxy

from countersign.canonical import attestation_digest, from_address, keccak, pack_attestation, text_hash, to_hex
from countersign.chain.client import Client
from countersign.chain.codec import encode_call
from countersign.deal.flow import policy_call
from countersign.keys.signer import Signer, open_signer
from countersign.records import ZERO, Attestation, Call, Policy, Request, Seat
from tools.devnet import ROOT, Devnet

CHAIN = 31337
NODES = (5, 6, 7)
"""Numbers of the published test keys that sit in the committee."""


@cache
def signer(account: int) -> Signer:
    """A published test key."""
    return open_signer(f"test:{account}", CHAIN, str)


def address(account: int) -> bytes:
    """Its address."""
    return signer(account).address


@cache
def _compiled() -> dict[str, Any]:
    solc = next((ROOT / ".solc").glob("solc-v*"))
    command = [str(solc), "--combined-json", "bin", "tests/e2e/Tokens.sol"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    contracts: dict[str, Any] = json.loads(done.stdout)["contracts"]
    return {name.rpartition(":")[2]: contract["bin"] for name, contract in contracts.items()}


def _eth_call(number: int, account: int, call: Call, time: int) -> dict[str, Any]:
    fields = {"from": to_hex(address(account)), "to": to_hex(call.to), "value": hex(call.value)}
    parameters = [{**fields, "data": to_hex(call.data)}, "latest", {}, {"time": hex(time)}]
    return {"jsonrpc": "2.0", "id": number, "method": "eth_call", "params": parameters}


class Watched(FaultProxy):
    """The way of ``deal show --watch`` to a chain: ``then`` happens just before it asks a second time what is final,
    when it has shown what it saw first."""

    def __init__(self, chain: Devnet, then: Callable[[], None]) -> None:
        super().__init__(chain.url)
        self._then, self._looks = then, 0

    def take(self, body: bytes) -> str | None:
        """As FaultProxy."""
        self._looks += b'"finalized"' in body
        if b'"finalized"' in body and self._looks == 2:
            self._then()
        return super().take(body)


@dataclass
class Place:
    """A chain with the contracts, seen by those who deal on it."""

    chain: Devnet

    @property
    def client(self) -> Client:
        """Reads the chain."""
        return Client(self.chain.url, CHAIN)

    @property
    def now(self) -> int:
        """Time of the newest block."""
        return self.client.head().time

    def send(self, account: int, call: Call) -> None:
        """Have a test key send a call."""
        fields = {"from": to_hex(address(account)), "to": to_hex(call.to)}
        self.chain.send({**fields, "data": to_hex(call.data), "value": hex(call.value)})

    def possible(self, attempts: Sequence[tuple[int, Call, int]]) -> list[bool]:
        """Whether each call (account, call, second) succeeds in a block of that second, on the newest state."""
        requests = [_eth_call(number, *attempt) for number, attempt in enumerate(attempts)]
        body = json.dumps(requests).encode()
        post = urllib.request.Request(self.chain.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(post, timeout=60) as response:
            answers = {answer["id"]: "result" in answer for answer in json.load(response)}
        return [answers[number] for number in range(len(attempts))]

    def deploy(self, name: str) -> bytes:
        """A contract of Tokens.sol."""
        sent = self.chain.send({"from": to_hex(address(0)), "data": "0x" + _compiled()[name]})
        return from_address(self.chain.rpc("eth_getTransactionReceipt", sent)["contractAddress"])

    def mint(self, token: bytes, to: bytes, amount: int) -> None:
        """Tokens out of nothing."""
        data = keccak(b"mint(address,uint256)")[:4] + to.rjust(32, b"\0") + amount.to_bytes(32, "big")
        self.send(0, Call(token, data))

    # The committee

    def policy(self, **changes: Any) -> Policy:
        """Three seats, two needed; fee 1000 wei."""
        seats = tuple(Seat(node, ZERO) for node in sorted(map(address, NODES)))
        said = {"k": 2, "pass_score": 50, "submit_time": 60, "challenge_time": 20, "fee": 1000, **changes}
        return Policy(text_hash("delivery/1"), seats, **said)

    def create(self, policy: Policy) -> None:
        """Create it, and let its nodes join."""
        deals = self.client.deals
        for node in NODES:
            if not any(self.client.node_of(address(node)).slasher):
                self.send(node, Call(deals.nodes, encode_call("OracleNodes", "join", deals.oracle, ZERO), 10**18))
        self.send(0, policy_call(deals, policy))

    def submit(self, subject: bytes, policy: bytes, score: int) -> None:
        """Two nodes say ``score``, and it is submitted."""
        record = self.client.verdict(subject, policy)
        said = Attestation(Request(subject, policy, record.round), score, ZERO, record.requested_at)
        digest = attestation_digest(self.client.deals, said)
        signers = sorted(map(signer, NODES), key=lambda node: node.address)[:2]
        packed = b"".join(pack_attestation(score, ZERO, node.sign_digest(digest)) for node in signers)
        deals = self.client.deals
        self.send(0, Call(deals.oracle, encode_call("Oracle", "submit", subject, policy, 0b11, packed)))

    def rule(self, court: bytes, dispute: int, ruling: int) -> None:
        """The court gives a ruling; account 0 owns it."""
        data = keccak(b"give(uint256,uint256)")[:4] + dispute.to_bytes(32, "big") + ruling.to_bytes(32, "big")
        self.send(0, Call(court, data))
