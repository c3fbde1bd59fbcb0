"""The local chain starts, finalizes, remembers, and says why it cannot start."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.create2 import DEPLOYER
from tools.devnet import Devnet, DevnetError


def _until(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    return holds()


def number(chain: Devnet, tag: str) -> int:
    return int(chain.rpc("eth_getBlockByNumber", tag, False)["number"], 16)


def test_it_has_the_create2_deployer_and_finalizes_two_blocks_behind() -> None:
    with Devnet() as chain:
        assert int(chain.rpc("eth_chainId"), 16) == 31337
        assert len(chain.rpc("eth_getCode", DEPLOYER, "latest")) > 2
        chain.rpc("anvil_mine", "0x5")
        assert (number(chain, "latest"), number(chain, "finalized")) == (5, 3) and chain.finality == 2


def test_it_can_finalize_as_late_as_ethereum() -> None:
    with Devnet(epoch=32) as chain:
        chain.rpc("anvil_mine", "0x50")
        assert (number(chain, "latest"), number(chain, "finalized")) == (80, 16) and chain.finality == 64


def test_it_mines_by_the_clock() -> None:
    with Devnet(block_time=1) as chain:
        assert _until(lambda: number(chain, "latest") >= 1)


def test_it_resumes_from_its_state(tmp_path: Path) -> None:
    state = tmp_path / "chain" / "state.json"
    with Devnet(state=state) as chain:
        rich, poor = chain.rpc("eth_accounts")[0], "0x" + "ab" * 20
        chain.send({"from": rich, "to": poor, "value": "0x7"})
    with Devnet(state=state) as chain:
        assert chain.rpc("eth_getBalance", poor, "finalized") == "0x7"
        assert number(chain, "finalized") == 1


def test_a_taken_port_is_named() -> None:
    with Devnet() as chain, pytest.raises(DevnetError, match=f"Port {chain.port} is taken"):
        Devnet(chain.port).start()


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text("not json")
    with pytest.raises(DevnetError, match=r"state\.json is damaged, remove it"):
        Devnet(state=state).start()


def test_a_missing_anvil_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tools.devnet.ROOT", tmp_path)
    with pytest.raises(DevnetError, match="anvil is missing"):
        Devnet().start()


def test_an_error_of_the_node_is_raised() -> None:
    with Devnet() as chain, pytest.raises(DevnetError, match="no_such_method"):
        chain.rpc("no_such_method")
