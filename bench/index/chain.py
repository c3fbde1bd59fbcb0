"""A chain with very many of our events: seals, claims and deals of a busy year, in a minute or two."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from bench.timing import progress
from countersign import seal
from countersign.canonical import from_hex, keccak, to_hex
from countersign.chain.client import Client
from countersign.chain.codec import encode_call, tuple_of
from countersign.records import ZERO, Terms, Work
from countersign.settings import LOCAL_CHAIN
from tools.deployment import deploy_local
from tools.devnet import ROOT, Devnet

__all__ = ["EVENTS_PER_ROUND", "Chain", "fill"]

_SEALS, _CLAIMS, _DEALS = 480, 96, 24
"""Events of each kind in a round: three transactions, three blocks."""
_PAUSE = 80
"""Blocks without events after a round."""
EVENTS_PER_ROUND = _SEALS + _CLAIMS + _DEALS
_SEAL = encode_call("ContentRegistry", "seal", ZERO)[:4]
_GAS = 16_000_000
_FUNDS = 10**18
_PAYEE = b"\x07" * 20
_BRIEF_URI = "https://buyer.example/briefs/42.json"


class Chain(Devnet):
    """A local chain that keeps no former states: after some hundred blocks anvil would write one to disk for each."""

    def _command(self) -> list[str]:
        return [*super()._command(), "--prune-history"]


def fill(chain: Devnet, rounds: int) -> Client:
    """Put ``rounds`` times :data:`EVENTS_PER_ROUND` events on the chain (and one more seal), spread evenly."""
    deploy_local(chain)
    client = Client(chain.url, LOCAL_CHAIN)
    many = _Many(chain)
    claims = _claims(client, many, rounds * _CLAIMS)
    deals = _deals(client, many.address)
    for done in range(rounds):
        seals = [_seal(keccak(b"seal %d %d" % (done, n))) for n in range(_SEALS)]
        many.run(client.contracts.registry, 0, seals)
        many.run(client.contracts.registry, 0, list(islice(claims, _CLAIMS)))
        many.run(client.deals.escrow, 1, list(islice(deals, _DEALS)))
        client.rpc("anvil_mine", hex(_PAUSE), "0x1")
        if done % 10 == 9:
            progress(f"{(done + 1) * EVENTS_PER_ROUND:,} events are on the chain")
    return client


def _seal(root: bytes) -> bytes:
    """As ``encode_call`` would, which takes its time for tens of thousands."""
    return _SEAL + root


def _claims(client: Client, many: _Many, count: int) -> Iterator[bytes]:
    """Claims of works sealed under one root, which is sealed here."""
    works = [Work(keccak(b"work %d" % n), keccak(b"iscc"), "trainedAlgorithmicMedia") for n in range(count)]
    entries = [seal.Draft("", work, keccak(b"salt" + work.content)) for work in works]
    drafts = seal.drafts(entries, many.address, client.contracts)
    many.run(client.contracts.registry, 0, [_seal(drafts[0].root)])
    client.rpc("anvil_mine", "0x2", "0x1")  # a seal must be older than its claim
    for draft in drafts:
        opening = replace(draft, sealer=many.address).opening()
        yield encode_call("ContentRegistry", "claim", tuple_of(draft.work), tuple_of(opening))


def _deals(client: Client, payer: bytes) -> Iterator[bytes]:
    start = client.head().time
    terms = Terms(payer, _PAYEE, 1, start + 10**7, start + 2 * 10**7)
    number = 0
    while True:
        number += 1
        yield encode_call("Escrow", "open", tuple_of(replace(terms, salt=keccak(b"%d" % number))), _BRIEF_URI)


class _Many:
    """contracts/Many.sol on the chain, with money."""

    def __init__(self, chain: Devnet) -> None:
        self._chain = chain
        self._sender: str = chain.rpc("eth_accounts")[0]
        sent = chain.send({"from": self._sender, "data": "0x" + _creation_code()})
        made: str = chain.rpc("eth_getTransactionReceipt", sent)["contractAddress"]
        self.address = from_hex(made, 20)
        chain.send({"from": self._sender, "to": made, "value": hex(_FUNDS)})

    def run(self, to: bytes, value: int, calls: Sequence[bytes]) -> None:
        """One transaction, one block. Raises AssertionError when a call is refused."""
        from eth_abi.abi import encode

        selector = keccak(b"run(address,uint256,bytes[])")[:4]
        data = selector + encode(["address", "uint256", "bytes[]"], [to_hex(to), value, calls])
        call = {"from": self._sender, "to": to_hex(self.address), "data": to_hex(data), "gas": hex(_GAS)}
        receipt = self._chain.rpc("eth_getTransactionReceipt", self._chain.send(call))
        assert receipt["status"] == "0x1", "a call was refused"


def _creation_code() -> str:
    solc = next((ROOT / ".solc").glob("solc-v*"))
    source = Path(__file__).parent.parent / "contracts" / "Many.sol"
    command = [str(solc), "--combined-json", "bin", str(source.relative_to(ROOT))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    (contract,) = json.loads(done.stdout)["contracts"].values()
    code: Any = contract["bin"]
    return str(code)
