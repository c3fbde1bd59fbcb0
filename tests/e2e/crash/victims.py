"""Processes that die where they are told. Run as a script, it is their parent: it has imported what is slow, and forks.

A victim counts its *effects*: HTTP requests sent, SQL statements that change something, files opened for writing,
renamed, linked, removed, locked, folders made. It kills itself (SIGKILL) just before the one it is told. The product
knows nothing of this: the interpreter's audit events (PEP 578) tell.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[3]
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_FILES = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate", "fcntl.flock"}
SLOW = (
    "committee", "eth_account", "requests", "web3",
    *(f"countersign.cli.{name}" for name in ("deals", "doctor", "index", "keys", "models", "oracle", "policies",
                                             "proposals", "reading", "works")),
)  # fmt: skip
_CONNECT = sqlite3.connect
_LOOKING = re.compile(rb"eth_(getBlockByNumber|getLogs|chainId|getCode)")
_HARMLESS = ("SELECT", "PRAGMA", "--")


# The parent, as the tests see it


class Victims:
    """A warm parent process and its victims; a context manager, used by one thread at a time."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-B", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def start(self, kind: str, arguments: list[Any], log: Path, kill_at: int = 0) -> int:
        """Start one of ``KINDS``; its process id. ``kill_at`` numbers effects from 1; 0 lets it live."""
        return int(self._ask("start", kind, arguments, str(log), kill_at))

    def wait(self, victim: int) -> int:
        """Its exit code, -9 when it was killed."""
        return int(self._ask("wait", victim))

    def ended(self, victim: int) -> bool:
        """Whether it has ended, still to be waited for."""
        return bool(self._ask("ended", victim))

    def _ask(self, *job: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(job), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())


def effects_in(log: Path) -> int:
    """How many effects a victim that ended by itself had."""
    return int(log.with_suffix(".effects").read_text())


# The victims


class _Effects:
    """Counts. ``idling``: leaves out what a process does that only looks at the chain again and again."""

    def __init__(self, kill_at: int, idling: bool) -> None:
        self.count, self._kill_at, self._idling, self._lock = 0, kill_at, idling, threading.Lock()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One audit event."""
        if event == "open":
            happens = isinstance(arguments[2], int) and arguments[2] & _WRITING
        elif event == "http.client.send":
            happens = b'"jsonrpc"' in arguments[1] and not (self._idling and _LOOKING.search(arguments[1]))
        else:
            happens = event in _FILES
        if happens:
            self._happens()

    def connect(self, path: Any, *arguments: Any, **options: Any) -> sqlite3.Connection:
        """sqlite3.connect, statements counted: the audit event comes before a connection can be traced."""
        made = _CONNECT(path, *arguments, **options)
        if not (self._idling and Path(path).name.startswith("node-")):
            made.set_trace_callback(self._statement)
        return made

    def _statement(self, statement: str) -> None:
        if not statement.lstrip().upper().startswith(_HARMLESS):
            self._happens()

    def _happens(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def _run_cli(*arguments: str) -> None:
    from countersign.cli import main

    main(list(arguments))


def _run_cli_with_passphrase(passphrase: str, *arguments: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, passphrase.encode() + b"\n")
    os.close(writing)
    _run_cli(*arguments, "--passphrase-fd", str(reading))


def _run_node(*arguments: str) -> None:
    import committee

    committee.main(*arguments)


def _run_senders(rpc: str, outbox: str, account: int, names: list[str]) -> None:
    """Each name twice at a time, as two terminals would: seals of the roots that the names are."""
    from concurrent.futures import ThreadPoolExecutor

    from countersign.chain.client import Client
    from countersign.chain.codec import encode_call
    from countersign.chain.sender import Sender
    from countersign.keys.signer import open_signer
    from countersign.records import Call

    def send(name: str) -> None:
        client = Client(rpc, 31337)
        call = Call(client.contracts.registry, encode_call("ContentRegistry", "seal", bytes.fromhex(name)))
        assert Sender(client, open_signer(f"test:{account}", 31337, str), Path(outbox)).send(call, name).ok

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, [*names, *names]))


KINDS: dict[str, Callable[..., None]] = {
    "cli": _run_cli, "cli with passphrase": _run_cli_with_passphrase, "node": _run_node, "senders": _run_senders,
}  # fmt: skip


def _be(kind: str, arguments: list[Any], log: str, kill_at: int) -> None:
    """In the forked child, for the rest of its life."""
    with Path(log).open("ab", buffering=0) as output, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    effects, code = _Effects(kill_at, kind == "node"), 0
    sqlite3.connect = effects.connect  # type: ignore[assignment]
    sys.addaudithook(effects.hear)
    try:
        KINDS[kind](*arguments)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 70
    count = effects.count
    Path(log).with_suffix(".effects").write_text(str(count))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _start(kind: str, arguments: list[Any], log: str, kill_at: int) -> int:
    child = os.fork()
    if child == 0:
        _be(kind, arguments, log, kill_at)
    return child


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _ended(child: int) -> int:
    return int(os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)


def _parent() -> None:
    verbs: dict[str, Callable[..., int]] = {"start": _start, "wait": _wait, "ended": _ended}
    for line in sys.stdin:
        verb, *job = json.loads(line)
        print(verbs[verb](*job), flush=True)


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]
    for name in ("HOME", "RPC", "CHAIN", "KEY"):
        os.environ.pop(f"COUNTERSIGN_{name}", None)
    for module in SLOW:
        import_module(module)
    _parent()
