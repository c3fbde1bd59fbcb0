"""A local chain for scripts, tests and benchmarks: anvil, started, awaited and stopped."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tools.ports import free_port, port_is_free

ROOT = Path(__file__).resolve().parent.parent
CHAIN_ID = 31337
_STATES = 1000
"""Of a chain that may fork deeply: anvil moves states beyond its first 500 to disk, and a reorganisation onto one of
those leaves the chain without accounts. With this many in memory (a quarter of a megabyte each) it moves none."""
START_TIMEOUT = 30.0
STOP_TIMEOUT = 20.0
EPOCH = 1
"""Slots per epoch. The finalized block is two epochs behind the latest one, so far from its end the chain may fork."""
FINALITY = 2 * EPOCH


class DevnetError(Exception):
    """The local chain cannot run; the message says why and what to do."""


def find_anvil() -> Path:
    """The anvil on PATH, else the one from npm. Raises DevnetError when there is neither."""
    if on_path := shutil.which("anvil"):
        return Path(on_path)
    for path in sorted(ROOT.glob("node_modules/@foundry-rs/anvil-*/bin/anvil")):
        return path
    raise DevnetError("anvil is missing: run `make setup`, or install Foundry (https://getfoundry.sh).")


class Devnet:
    """An anvil process with chain id 31337; use it as a context manager.

    ``port`` None takes a free one. ``block_time`` (seconds) mines by the clock as well as per transaction; None mines
    per transaction only. ``epoch`` is how many slots it has: 1 makes blocks final quickly, 32 as late as on Ethereum.

    ``state`` is a file from which the chain resumes and into which it is written every five seconds and when it stops.
    It has no history of states: resuming mines two epochs, so that the finalized block is one that can be read.
    """

    def __init__(
        self, port: int | None = None, state: Path | None = None, block_time: int | None = None, epoch: int = EPOCH
    ) -> None:
        self.port = free_port() if port is None else port
        self.url = f"http://127.0.0.1:{self.port}"
        self._state = state
        self._block_time, self._epoch = block_time, epoch
        self._log: IO[bytes] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def finality(self) -> int:
        """How many blocks the finalized one is behind the latest, as soon as there are so many."""
        return 2 * self._epoch

    def start(self) -> None:
        """Start the chain and wait until it answers. Raises DevnetError."""
        if not port_is_free(self.port):
            raise DevnetError(f"Port {self.port} is taken: stop what listens there, or choose another port.")
        resumes = self._state is not None and self._state.exists()
        if self._state:
            self._state.parent.mkdir(parents=True, exist_ok=True)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen(
            self._command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            self._wait()
            if resumes:
                self.rpc("anvil_mine", hex(self.finality))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the chain, which writes its state; kill it when that takes too long."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._log:
            self._log.close()

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of one JSON-RPC call. Raises DevnetError with the node's message, OSError when it is silent."""
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url, body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise DevnetError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def send(self, transaction: dict[str, Any]) -> str:
        """Have the node sign and mine ``transaction``; its hash. Raises DevnetError when it is refused or not mined.

        The node may answer before it has mined, so the receipt is what is waited for.
        """
        sent: str = self.rpc("eth_sendTransaction", transaction)
        deadline = time.monotonic() + START_TIMEOUT
        while self.rpc("eth_getTransactionReceipt", sent) is None:
            if time.monotonic() > deadline:
                raise DevnetError(f"Transaction {sent} was not mined within {START_TIMEOUT:.0f} s.")
            time.sleep(0.01)
        return sent

    def output(self) -> str:
        """The last lines that anvil wrote to stderr."""
        if not self._log or self._log.closed:
            return ""
        start = max(0, os.fstat(self._log.fileno()).st_size - 2000)
        return os.pread(self._log.fileno(), 2000, start).decode(errors="replace").strip()

    def _command(self) -> list[str]:
        command = [str(find_anvil()), "--host", "127.0.0.1", "--port", str(self.port), "--chain-id", str(CHAIN_ID)]
        command += ["--hardfork", "osaka", "--slots-in-an-epoch", str(self._epoch)]
        if self._epoch > EPOCH:
            command += ["--prune-history", str(_STATES)]
        if self._block_time is not None:
            command += ["--block-time", str(self._block_time), "--mixed-mining"]
        if self._state:
            command += ["--state", str(self._state), "--state-interval", "5"]
        return command

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process and self.process.poll() is not None:
                hint = f"\nIf {self._state} is damaged, remove it to begin a new chain." if self._state else ""
                raise DevnetError(
                    f"anvil ended at once (exit {self.process.returncode}). It said:\n{self.output()}{hint}"
                )
            try:
                self.rpc("eth_chainId")
                return
            except OSError:
                time.sleep(0.05)
        raise DevnetError(f"anvil did not answer within {START_TIMEOUT:.0f} s. It said:\n{self.output()}")
