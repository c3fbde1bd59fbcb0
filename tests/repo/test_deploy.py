"""The deploy script is repeatable and its record true; the verify script finds what differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.create2 import DEPLOYER, NEEDS, ROOT, keccak256_hex
from tools.devnet import Devnet, find_anvil

pytestmark = pytest.mark.xdist_group("ape")


@pytest.fixture
def chain() -> Iterator[Devnet]:
    with Devnet(block_time=2) as devnet:
        yield devnet


def ape(chain: Devnet, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(find_anvil().parent), os.environ["PATH"]])
    command = [Path(sys.executable).with_name("ape"), "run", script, "--network", "ethereum:local:foundry", *options]
    env = {**os.environ, "APE_FOUNDRY_HOST": chain.url, "PATH": path}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)


def deploy(chain: Devnet, record: Path) -> subprocess.CompletedProcess[str]:
    return ape(chain, "deploy", "--account", "TEST::0", "--record", str(record))


def test_deploy_again_and_verify(chain: Devnet, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    first = deploy(chain, record)
    assert first.returncode == 0, first.stdout + first.stderr
    written = json.loads(record.read_text())
    assert set(written["contracts"]) == set(NEEDS)
    for contract in written["contracts"].values():
        receipt = chain.rpc("eth_getTransactionReceipt", contract["transactionHash"])
        assert int(receipt["blockNumber"], 16) == contract["block"]
        code = chain.rpc("eth_getCode", contract["address"], "latest")
        assert keccak256_hex(bytes.fromhex(code[2:])) == contract["runtimeHash"]

    again = deploy(chain, record)
    assert again.stdout.count("already there") == len(NEEDS)
    assert json.loads(record.read_text()) == written

    assert ape(chain, "verify_deployment", "--record", str(record)).returncode == 0
    address = written["contracts"]["ContentRegistry"]["address"]
    code = bytearray.fromhex(chain.rpc("eth_getCode", address, "latest")[2:])
    code[40] ^= 1
    chain.rpc("anvil_setCode", address, "0x" + code.hex())
    changed = ape(chain, "verify_deployment", "--record", str(record))
    assert changed.returncode == 1
    assert f"DIFFERENT: the code at {address}" in changed.stdout


def test_a_chain_without_the_create2_deployer_is_refused(chain: Devnet, tmp_path: Path) -> None:
    chain.rpc("anvil_setCode", DEPLOYER, "0x")
    refused = deploy(chain, tmp_path / "record.json")
    assert refused.returncode == 1
    assert "has no CREATE2 deployer" in refused.stdout + refused.stderr
    assert not (tmp_path / "record.json").exists()
