"""A real chain whose blocks become final quickly, and the command line as a person uses it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from commandline import Cli
from faults import FaultProxy, never

from tools.deployment import deploy_local
from tools.devnet import Devnet, DevnetError


@pytest.fixture(scope="session")
def mining() -> Callable[[Devnet], Any]:
    """Mines a block each quarter of a second, one second of chain time apart, until the context ends."""
    return _Miner


class _Miner:
    def __init__(self, chain: Devnet) -> None:
        self._chain, self._stop = chain, threading.Event()
        self._thread = threading.Thread(target=self._mine, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _mine(self) -> None:
        while not self._stop.wait(0.25):
            with suppress(OSError, DevnetError):  # a busy machine answers late: the next block comes all the same
                self._chain.rpc("evm_increaseTime", 1)
                self._chain.rpc("anvil_mine", "0x1")


@pytest.fixture(scope="session")
def chain(mining: Callable[[Devnet], Any]) -> Iterator[Devnet]:
    """A chain with the contracts, mining."""
    with Devnet() as chain:
        deploy_local(chain)
        with mining(chain):
            yield chain


@pytest.fixture
def cli(chain: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in an empty home, untouched by this machine's settings."""
    for name in ("HOME", "RPC", "CHAIN", "KEY"):
        monkeypatch.delenv(f"COUNTERSIGN_{name}", raising=False)
    return Cli(chain.url, tmp_path / "home")


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A file nobody else has."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(os.urandom(5000))
    return path


@pytest.fixture
def faulty(chain: Devnet) -> Iterator[Callable[..., FaultProxy]]:
    """Makes bad connections to the mining chain, or to another node by its URL."""
    with ExitStack() as open_proxies:
        yield lambda faults=never, node=chain.url: open_proxies.enter_context(FaultProxy(node, faults))
