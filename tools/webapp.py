"""The web app on a local chain of its own: for its browser tests and for screenshots."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tools.create2 import ROOT
from tools.deployment import deploy_local
from tools.devnet import Devnet
from tools.ports import free_port

START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0


class WebApp:
    """Chain, contracts and web server; use it as a context manager. ``home`` is a folder for run state."""

    def __init__(self, home: Path, block_time: int = 1) -> None:
        self.chain = Devnet(block_time=block_time)
        self.url = f"http://127.0.0.1:{free_port()}"
        self._home = home
        self._log: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.chain.start()
        try:
            deploy_local(self.chain)
            self._serve()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """Process id of the web server."""
        assert self._process, "it is not started"
        return self._process.pid

    def stop(self) -> None:
        """Stop web server and chain."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(STOP_TIMEOUT)
        if self._log:
            self._log.close()
        self.chain.stop()

    def _serve(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "serve.py"), "--server.port", port]
        env = {**os.environ, "COUNTERSIGN_HOME": str(self._home), "COUNTERSIGN_RPC": self.chain.url}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self._process and self._process.poll() is not None:
                raise RuntimeError(f"The web app ended at once: {self.output()}")
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"The web app did not answer within {START_TIMEOUT:.0f} s: {self.output()}")

    def output(self) -> str:
        """The last lines that the server wrote."""
        if not self._log or self._log.closed:
            return ""
        start = max(0, os.fstat(self._log.fileno()).st_size - 3000)
        return os.pread(self._log.fileno(), 3000, start).decode(errors="replace")
