"""Run everything: local chain, contracts, index, five oracle nodes and web app. Ctrl-C stops all of it; the next run
resumes.

Ports: COUNTERSIGN_RPC_PORT (8545) and COUNTERSIGN_WEB_PORT (8501). State and logs: COUNTERSIGN_HOME (.countersign/).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from countersign.canonical import checksum
from countersign.chain.client import Client
from countersign.errors import CountersignError
from scripts.committee import CHECKS, NodeProcess, found, local_key
from tools.create2 import ROOT, BuildError, read_build
from tools.devnet import CHAIN_ID, Devnet, DevnetError
from tools.export_abi import CREATE2_FILE, exported
from tools.ports import PortError, chosen_port, free_port

HOME = Path(os.environ.get("COUNTERSIGN_HOME") or ROOT / ".countersign").resolve()
RECORD = HOME / "deployments" / f"{CHAIN_ID}.json"
LOGS = HOME / "logs"
BLOCK_TIME = 2
SUBMIT_TIME, CHALLENGE_TIME = 120, 20
"""Of the local policy, in seconds: long enough to look, short enough to wait for."""
START_TIMEOUT = 60.0
STOP_TIMEOUT = 15.0
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class UpError(Exception):
    """Something does not run; the message says what."""


class Stop(BaseException):
    """The user, or the system, asks us to stop."""


class Child:
    """A process whose output goes to a log file. It has a session of its own: only we decide when it stops."""

    def __init__(self, name: str, command: list[str], env: dict[str, str]) -> None:
        self.name = name
        self.log = LOGS / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self) -> None:
        """Ask it to end, then make it end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def check(self) -> None:
        """Raises UpError with the end of the log when the process has ended."""
        if self.process.poll() is not None:
            end = f"The end of {_short(self.log)}:\n{_tail(self.log)}"
            raise UpError(f"{self.name} ended (exit {self.process.returncode}). {end}")

    def finish(self) -> None:
        """Wait for its end. Raises UpError unless it is a success."""
        if self.process.wait() != 0:
            self.check()


def main() -> int:
    """Run until told to stop (0) or until a part fails (1)."""
    for number in STOP_SIGNALS:
        signal.signal(number, _stop)
    try:
        with ExitStack() as running:
            try:
                _run(running)
            finally:
                _ignore_signals()
    except Stop:
        _say("Stopped. `make up` resumes.")
        return 0
    except (UpError, PortError, DevnetError, BuildError, CountersignError) as error:
        print(f"countersign: {error}", file=sys.stderr)
        return 1


def _run(running: ExitStack) -> NoReturn:
    """Start each part on top of the one before; what is in ``running`` stops in reverse order."""
    rpc_port, web_port = chosen_port("COUNTERSIGN_RPC_PORT"), chosen_port("COUNTERSIGN_WEB_PORT")
    LOGS.mkdir(parents=True, exist_ok=True)
    chain = running.enter_context(Devnet(rpc_port, HOME / "chain" / "state.json", BLOCK_TIME))
    _say(f"Chain      {chain.url} (id {CHAIN_ID}, block {int(chain.rpc('eth_blockNumber'), 16)})")
    env = _environment(chain)
    _deploy(running, env)
    children = [_start(running, "index", _index_command(), env), _start(running, "app", _app_command(web_port), env)]
    nodes = _nodes(running, chain)
    url = f"http://127.0.0.1:{web_port}"
    _wait_for(url, children)
    _wait_for_nodes(nodes)
    _say(f"Logs       {_short(LOGS)}\n\nOpen {url} (Ctrl-C stops)")
    while True:
        time.sleep(0.5)
        _check(chain, children)
        _check_nodes(nodes)


def _nodes(running: ExitStack, chain: Devnet) -> list[NodeProcess]:
    """Five oracle nodes with keys of their own and the policy that names them."""
    _say("Oracles    models, keys and stakes (the first time takes half a minute)")
    folder, store = HOME / "nodes", HOME / "store"
    for path in (folder, store):
        path.mkdir(parents=True, exist_ok=True)
    keys = [local_key(folder / f"node-{number + 1}") for number in range(len(CHECKS))]
    client = Client(chain.url, CHAIN_ID)
    times = {"submit_time": SUBMIT_TIME, "challenge_time": CHALLENGE_TIME}
    ports = [free_port() for _ in keys]
    policy, nodes = found(client, folder, keys, ports, store, HOME / "outbox-committee.sqlite", **times)
    for node in nodes:
        node.log = LOGS / f"{node.home.name}.log"
        node.start(chain.url)
        running.callback(node.stop)
    _say(f"Policy     {checksum(policy)} (3 of 5 decide)")
    return nodes


def _wait_for_nodes(nodes: list[NodeProcess]) -> None:
    try:
        for node in nodes:
            node.wait_up()
            _say(f"Oracle     {node.url} {node.check}")
    except TimeoutError as error:
        raise UpError(str(error)) from error


def _check_nodes(nodes: list[NodeProcess]) -> None:
    for node in nodes:
        if node.process and node.process.poll() is not None:
            end = f"The end of {_short(node.log)}:\n{_tail(node.log)}"
            raise UpError(f"{node.home.name} ended (exit {node.process.returncode}). {end}")


def _environment(chain: Devnet) -> dict[str, str]:
    ours = {"COUNTERSIGN_HOME": str(HOME), "COUNTERSIGN_RPC": chain.url, "COUNTERSIGN_CHAIN": str(CHAIN_ID)}
    return {**os.environ, **ours, "APE_FOUNDRY_HOST": chain.url, "PYTHONUNBUFFERED": "1"}


def _deploy(running: ExitStack, env: dict[str, str]) -> None:
    """Compile, and deploy what the chain does not have."""
    options = ["--network", "ethereum:local:foundry", "--account", "TEST::0", "--record", str(RECORD)]
    _start(running, "deploy", [_program("ape"), "run", "deploy", *options], env).finish()
    if exported(read_build())[CREATE2_FILE] != (ROOT / CREATE2_FILE).read_text():
        raise UpError(f"The contracts differ from {CREATE2_FILE}: run `make abi`, then `make up`.")
    for name, contract in json.loads(RECORD.read_text())["contracts"].items():
        _say(f"Contract   {contract['address']} {name}")


def _index_command() -> list[str]:
    return [_program("countersign"), "index", "sync", "--follow"]


def _app_command(port: int) -> list[str]:
    options = {"address": "127.0.0.1", "port": str(port), "headless": "true"}
    flags = [part for name, value in options.items() for part in (f"--server.{name}", value)]
    return [_program("streamlit"), "run", "app/serve.py", *flags, "--browser.gatherUsageStats", "false"]


def _start(running: ExitStack, name: str, command: list[str], env: dict[str, str]) -> Child:
    child = Child(name, command, env)
    running.callback(child.stop)
    return child


def _wait_for(url: str, children: list[Child]) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        for child in children:
            child.check()
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise UpError(f"The web app did not answer within {START_TIMEOUT:.0f} s: see {_short(LOGS)}.")


def _check(chain: Devnet, children: list[Child]) -> None:
    if chain.process and chain.process.poll() is not None:
        raise UpError(f"The chain ended (exit {chain.process.returncode}). It said:\n{chain.output()}")
    for child in children:
        child.check()


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _tail(path: Path, lines: int = 15) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def _short(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _say(text: str) -> None:
    print(text, flush=True)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    _ignore_signals()
    raise Stop


def _ignore_signals() -> None:
    """Stopping takes bounded time and must end with the chain's state on disk: a second Ctrl-C changes nothing."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
