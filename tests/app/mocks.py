"""The tests' own tokens and arbiter, on the pages' chain."""

from __future__ import annotations

import json
import subprocess
from functools import cache

from countersign.canonical import keccak, to_hex
from tools.create2 import ROOT
from tools.devnet import Devnet
from tools.market import BUYER, address


@cache
def _compiled() -> dict[str, str]:
    """Init code of the tests' own tokens and arbiter."""
    solc = next((ROOT / ".solc").glob("solc-v*"))
    command = [str(solc), "--combined-json", "bin", "tests/e2e/Tokens.sol"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    contracts = json.loads(done.stdout)["contracts"]
    return {name.rpartition(":")[2]: contract["bin"] for name, contract in contracts.items()}


def deploy(chain: Devnet, name: str, *words: int) -> bytes:
    """A contract of tests/e2e/Tokens.sol; its address."""
    data = "0x" + _compiled()[name] + "".join(f"{word:064x}" for word in words)
    sent = chain.send({"from": to_hex(address(BUYER)), "data": data})
    return bytes.fromhex(chain.rpc("eth_getTransactionReceipt", sent)["contractAddress"][2:])


def call(signature: str, *words: int | bytes) -> bytes:
    """Calldata; addresses and numbers as words."""
    numbers = (int.from_bytes(word, "big") if isinstance(word, bytes) else word for word in words)
    return keccak(signature.encode())[:4] + b"".join(number.to_bytes(32, "big") for number in numbers)
