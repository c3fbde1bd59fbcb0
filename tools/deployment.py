"""The contracts on a local chain, at the addresses of deployments/create2.json, without Ape's start-up time."""

from __future__ import annotations

from tools.create2 import DEPLOYER, plan, read_build
from tools.devnet import Devnet, DevnetError


def deploy_local(chain: Devnet) -> dict[str, str]:
    """Deploy through Arachnid's CREATE2 deployer what is not there yet, from the chain's first account, as
    scripts/deploy.py does on any chain; contract name → address.

    Raises BuildError when nothing is compiled, DevnetError when a contract is not created.
    """
    planned = plan(read_build())
    for contract in planned:
        if not _is_there(chain, contract.address):
            _deploy(chain, contract.calldata)
        if not _is_there(chain, contract.address):
            raise DevnetError(f"{contract.name} was not created at {contract.address}: run `make abi`.")
    return {contract.name: contract.address for contract in planned}


def _is_there(chain: Devnet, address: str) -> bool:
    return len(chain.rpc("eth_getCode", address, "latest")) > 2


def _deploy(chain: Devnet, calldata: bytes) -> None:
    chain.send({"from": chain.rpc("eth_accounts")[0], "to": DEPLOYER, "data": "0x" + calldata.hex()})
