"""The same logs by others: web3.py as its manual says, and the least Python that fetches and decodes them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from countersign.canonical import checksum, keccak, to_hex
from countersign.chain.client import Client

__all__ = ["by_hand", "by_web3"]


def by_web3(client: Client, first: int, last: int) -> int:
    """``get_logs`` of a contract, then ``process_log`` of each by the event's ABI; how many events."""
    from web3 import HTTPProvider, Web3

    web3 = Web3(HTTPProvider(client.url))
    found = 0
    for contract, address in (("ContentRegistry", client.contracts.registry), ("Escrow", client.deals.escrow)):
        abi = json.loads((files("countersign.chain") / "abi" / f"{contract}.json").read_text())
        ours: Any = web3.eth.contract(address=web3.to_checksum_address(checksum(address)), abi=abi)
        by_topic: dict[bytes, Any] = {bytes.fromhex(event.topic[2:]): event() for event in ours.events}
        logs = web3.eth.get_logs({"address": ours.address, "fromBlock": first, "toBlock": last})
        found += len([by_topic[bytes(log["topics"][0])].process_log(log) for log in logs])
    return found


def by_hand(client: Client, first: int, last: int) -> int:
    """``eth_getLogs``, the standard library's JSON, and slices of the words of these three events; how many events."""
    addresses = [to_hex(client.contracts.registry), to_hex(client.deals.escrow)]
    query = {"address": addresses, "fromBlock": hex(first), "toBlock": hex(last)}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}).encode()
    request = urllib.request.Request(client.url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        logs = json.loads(response.read())["result"]
    return len([_sliced(log) for log in logs])


def _sliced(log: dict[str, Any]) -> tuple[Any, ...]:
    topics = [bytes.fromhex(topic[2:]) for topic in log["topics"]]
    data = bytes.fromhex(log["data"][2:])
    place = int(log["blockNumber"], 16), int(log["logIndex"], 16), bytes.fromhex(log["transactionHash"][2:])
    return *place, *_SLICES[topics[0]](topics, data)


def _sealed(topics: list[bytes], _: bytes) -> tuple[Any, ...]:
    return topics[1], topics[2][12:]


def _claimed(topics: list[bytes], data: bytes) -> tuple[Any, ...]:
    words = [data[at : at + 32] for at in range(0, 288, 32)]
    times = int.from_bytes(words[1], "big"), int.from_bytes(words[2], "big")
    return topics[1], topics[2][12:], topics[3][12:], words[0], *times, *words[3:]


def _opened(topics: list[bytes], data: bytes) -> tuple[Any, ...]:
    """Terms without milestones, whose words follow the two pointers; then the URI."""
    words = [data[at : at + 32] for at in range(64, 64 + 16 * 32, 32)]
    uri = int.from_bytes(data[32:64], "big")
    size = int.from_bytes(data[uri : uri + 32], "big")
    parties = [words[n][12:] for n in (0, 1, 2, 4, 11)]
    numbers = [int.from_bytes(words[n], "big") for n in (3, 6, 7, 8, 9, 10, 12)]
    return topics[1], *parties, *numbers, words[5], words[14], words[15], data[uri + 32 : uri + 32 + size].decode()


_TERMS = (
    "(address,address,address,uint256,address,bytes32,uint40,uint40,uint40,uint40,uint40,address,uint16,"
    "(uint256,uint40,uint40)[],bytes32,bytes32)"
)
_SLICES: dict[bytes, Callable[[list[bytes], bytes], tuple[Any, ...]]] = {
    keccak(b"Sealed(bytes32,address)"): _sealed,
    keccak(
        b"Claimed(bytes32,address,address,bytes32,uint40,uint40,(bytes32,bytes32,bytes32,bytes32,bytes32,bytes32))"
    ): _claimed,
    keccak(f"Opened(bytes32,{_TERMS},string)".encode()): _opened,
}
