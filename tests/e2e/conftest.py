"""A real chain whose blocks become final quickly, and the command line as a person uses it."""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from countersign.cli import main
from tools.deployment import deploy_local
from tools.devnet import Devnet, DevnetError


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document of --json."""
        return json.loads(self.out)


class Cli:
    """Runs ``countersign`` in this process, with a home and a node of its own."""

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url, home

    def __call__(self, *arguments: object, key: str | None = None, passphrase: str | None = None) -> Outcome:
        """Run a command with the common options added; ``passphrase`` goes through a file descriptor."""
        command = [*map(str, arguments), "--rpc", self.url, "--home", str(self.home)]
        command += ["--key", key] if key else []
        if passphrase is None:
            return self.bare(*command)
        reading, writing = os.pipe()
        os.write(writing, passphrase.encode() + b"\n")
        os.close(writing)
        try:
            return self.bare(*command, "--passphrase-fd", str(reading))
        finally:
            os.close(reading)

    @staticmethod
    def bare(*arguments: str) -> Outcome:
        """Run exactly this."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(list(arguments))
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


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
            try:
                self._chain.rpc("evm_increaseTime", 1)
                self._chain.rpc("anvil_mine", "0x1")
            except (OSError, DevnetError):
                return


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
