"""The chain on which everything is measured: funded accounts, time that can be moved, contracts from npm and ours."""

from __future__ import annotations

from typing import Any

from bench.peers import artifact
from countersign.canonical import from_hex, to_hex
from countersign.chain.client import Client
from countersign.chain.codec import encode_call
from countersign.records import Call
from countersign.settings import LOCAL_CHAIN
from tools.deployment import deploy_local
from tools.devnet import Devnet

__all__ = ["Lab"]

_TOKEN = "@openzeppelin/contracts@4.9.6"
"""The newest release that ships the bytecode of a whole token; it leaves an infinite allowance as it is."""
_GAS_LIMIT = 16_000_000
_RICH = 10**24
_SUPPLY = 10**30


class Lab:
    """A chain with our contracts on it. A transaction that fails ends the benchmark."""

    def __init__(self, chain: Devnet) -> None:
        from web3 import HTTPProvider, Web3

        self.client = Client(chain.url, LOCAL_CHAIN)
        self._ours = {name: from_hex(address, 20) for name, address in deploy_local(chain).items()}
        self.web3: Any = Web3(HTTPProvider(chain.url))
        self.accounts: list[str] = list(self.web3.eth.accounts)

    # Contracts from packages

    def deploy(self, contract: dict[str, Any], *arguments: object) -> Any:
        """A new contract from its artifact (``abi``, ``bytecode``)."""
        factory = self.web3.eth.contract(abi=contract["abi"], bytecode=contract["bytecode"])
        receipt = self.run(factory.constructor(*arguments))
        return self.web3.eth.contract(address=receipt["contractAddress"], abi=contract["abi"])

    def run(self, call: Any, sender: int = 0, value: int = 0) -> Any:
        """The receipt of a contract's function, sent by an account."""
        return self._mined(call.transact({"from": self.accounts[sender], "value": value, "gas": _GAS_LIMIT}))

    def gas(self, call: Any, sender: int = 0, value: int = 0) -> int:
        """Gas used by a contract's function, sent by an account."""
        return int(self.run(call, sender, value)["gasUsed"])

    def token(self, *holders: str) -> Any:
        """An ERC-20 of OpenZeppelin's; every holder has some, so no balance goes from zero to a value."""
        shipped = artifact(_TOKEN, "build/contracts/ERC20PresetFixedSupply.json")
        token = self.deploy(shipped, "Test", "TEST", _SUPPLY, self.accounts[0])
        for holder in holders:
            self.run(token.functions.transfer(holder, _RICH))
        return token

    # Our contracts

    def send(self, sender: bytes, call: Call) -> int:
        """Gas used by a transaction; ``sender`` needs no key here. Raises Reverted, in words."""
        self.client.estimate(sender, call)
        fields = {"from": to_hex(sender), "to": to_hex(call.to), "data": to_hex(call.data)}
        fields |= {"value": hex(call.value), "gas": hex(_GAS_LIMIT)}
        return int(self._mined(self.client.rpc("eth_sendTransaction", fields))["gasUsed"])

    def do(self, sender: bytes, contract: str, verb: str, *arguments: Any, value: int = 0) -> int:
        """Gas used by a verb of one of our contracts."""
        return self.send(sender, Call(self._ours[contract], encode_call(contract, verb, *arguments), value))

    # The chain

    def account(self, number: int) -> bytes:
        """The address of one of the funded accounts."""
        return from_hex(self.accounts[number], 20)

    def admit(self, account: bytes) -> None:
        """Fund an account and let it send without its key."""
        self.client.rpc("anvil_setBalance", to_hex(account), hex(_RICH))
        self.client.rpc("anvil_impersonateAccount", to_hex(account))

    def now(self) -> int:
        """Time of the newest block."""
        return self.client.head().time

    def wait(self, seconds: int) -> None:
        """Move the chain's time and mine a block."""
        self.client.rpc("evm_increaseTime", seconds)
        self.client.rpc("evm_mine")

    def _mined(self, transaction: Any) -> Any:
        receipt = self.web3.eth.wait_for_transaction_receipt(transaction, poll_latency=0.01)
        assert receipt["status"] == 1, f"{receipt['transactionHash'].to_0x_hex()} reverted"
        return receipt
