"""Deploy the contracts through Arachnid's CREATE2 deployer: the same addresses on every chain, whoever pays.

    ape run deploy --network ethereum:sepolia:node --account NAME

What is there already stays. On a local chain that runs already:

    APE_FOUNDRY_HOST=http://127.0.0.1:8545 ape run deploy --network ethereum:local:foundry --account TEST::0
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click
from ape import project
from ape.api import AccountAPI, ProviderAPI
from ape.cli import ConnectedProviderCommand, account_option
from ape.exceptions import ApeException
from web3.exceptions import Web3Exception

from countersign.durable import write_durably
from tools.create2 import DEPLOYER, Planned, compiler_of, keccak256_hex, plan, read_build
from tools.records import record_path

RECEIPT_TIMEOUT = 60.0


@click.command(cls=ConnectedProviderCommand, help=__doc__)
@account_option()
@click.option("--record", type=click.Path(dir_okay=False, path_type=Path), help="The record to write.")
def cli(provider: ProviderAPI, account: AccountAPI, record: Path | None) -> None:
    if not provider.get_code(DEPLOYER):
        raise click.ClickException(
            f"Chain {provider.chain_id} has no CREATE2 deployer at {DEPLOYER}: "
            "send its published transaction first (https://github.com/Arachnid/deterministic-deployment-proxy)."
        )
    project.load_contracts()
    build = read_build()
    path = record or record_path(provider.chain_id)
    known = json.loads(path.read_text())["contracts"] if path.exists() else {}
    contracts = {p.name: _deployed(p, provider, account, known.get(p.name, {})) for p in plan(build)}
    _write(path, {"chainId": provider.chain_id, "compiler": compiler_of(build), "contracts": contracts})


def _deployed(planned: Planned, provider: ProviderAPI, account: AccountAPI, known: dict[str, Any]) -> dict[str, Any]:
    """The record of one contract, deployed unless it is there already."""
    if provider.get_code(planned.address):
        click.echo(f"{planned.name:16} {planned.address}  already there")
        transaction, block = _origin(planned, provider, known)
    else:
        transaction = account.transfer(DEPLOYER, value=0, data=planned.calldata).txn_hash
        receipt = _mined(provider, transaction)
        block, gas = int(receipt["blockNumber"], 16), int(receipt["gasUsed"], 16)
        click.echo(f"{planned.name:16} {planned.address}  deployed in block {block}, {gas:,} gas")
    code = bytes(provider.get_code(planned.address))
    if not code:
        raise click.ClickException(f"{planned.name} was not created: transaction {transaction} left no code.")
    return {
        "address": planned.address,
        "transactionHash": transaction,
        "block": block,
        "arguments": list(planned.arguments),
        "initCodeHash": planned.init_code_hash,
        "runtimeHash": keccak256_hex(code),
    }


def _mined(provider: ProviderAPI, transaction: str) -> dict[str, Any]:
    """The receipt, once there is one: on a local chain Ape does not wait for the block."""
    deadline = time.monotonic() + RECEIPT_TIMEOUT
    while time.monotonic() < deadline:
        if receipt := _receipt(provider, transaction):
            return receipt
        time.sleep(0.1)
    raise click.ClickException(f"Transaction {transaction} is not mined after {RECEIPT_TIMEOUT:.0f} s: run this again.")


def _receipt(provider: ProviderAPI, transaction: str) -> dict[str, Any] | None:
    receipt: dict[str, Any] | None = provider.make_request("eth_getTransactionReceipt", [transaction])
    return receipt


def _origin(planned: Planned, provider: ProviderAPI, known: dict[str, Any]) -> tuple[str | None, int]:
    """Transaction and block of a contract that is there: as recorded if the chain agrees, else None and a search."""
    if known.get("address") == planned.address and known["transactionHash"] and _holds(provider, known):
        return known["transactionHash"], known["block"]
    return None, _first_block(planned.address, provider)


def _holds(provider: ProviderAPI, known: dict[str, Any]) -> bool:
    receipt = _receipt(provider, known["transactionHash"])
    return receipt is not None and int(receipt["blockNumber"], 16) == known["block"]


def _first_block(address: str, provider: ProviderAPI) -> int:
    """The first block with code at ``address``, or 0 where the node has forgotten old states: a reader starts early."""
    low, high = 0, provider.get_block("latest").number
    try:
        while low < high:
            middle = (low + high) // 2
            has_code = len(provider.get_code(address, block_id=middle)) > 0
            low, high = (low, middle) if has_code else (middle + 1, high)
    except (ApeException, Web3Exception):
        return 0
    return low


def _write(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(path, (json.dumps(record, indent=2) + "\n").encode())
    click.echo(f"Record: {path}")
