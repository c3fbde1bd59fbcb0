"""``doctor``: what works here, what does not, and what to do about it."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from countersign.canonical import checksum
from countersign.cli.shell import Shell, command
from countersign.errors import CountersignError

__all__ = ["doctor_command"]

_Finding = tuple[str, bool, str]
"""What was looked at, whether it is well, and a sentence."""


@command("doctor", "countersign doctor\ncountersign doctor --rpc https://… --chain 1 --json")
def doctor_command(shell: Shell) -> int:
    """Explain the state of machine, key, chain, deployment and index. Exit code 0 when all is well."""
    findings = list(_findings(shell))
    facts = [{"subject": subject, "ok": ok, "detail": detail} for subject, ok, detail in findings]
    shell.answer(facts, "\n".join(_line(*finding) for finding in findings))
    return 0 if all(ok for _, ok, _ in findings) else 1


def _line(subject: str, ok: bool, detail: str) -> str:
    mark = click.style("✓", fg="green") if ok else click.style("✗", fg="red")
    return f"{mark} {subject:<11} {detail}"


def _findings(shell: Shell) -> Iterator[_Finding]:
    yield "python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.platform()}"
    yield _tool("anvil", "the local chain needs it")
    yield _tool("forge", "the contracts' invariant tests need it")
    yield "home", True, str(shell.settings.home)
    yield _asked("key", lambda: _key(shell))
    yield _asked("chain", lambda: _chain(shell))
    yield _asked("deployment", lambda: _deployment(shell))
    yield _asked("index", lambda: _index(shell))


def _tool(name: str, purpose: str) -> _Finding:
    """Needed in a checkout only, where they may also lie in node_modules."""
    found = shutil.which(name) or next(
        iter(map(str, Path("node_modules/@foundry-rs").glob(f"{name}-*/bin/{name}"))), None
    )
    return name, True, found or f"not on PATH: only {purpose}"


def _asked(subject: str, ask: Callable[[], str]) -> _Finding:
    try:
        return subject, True, ask()
    except CountersignError as error:
        return subject, False, str(error)


def _key(shell: Shell) -> str:
    from countersign.keys.keystore import address_in

    uri = shell.settings.key
    if uri is None:
        return "none given: reading works without; --key or COUNTERSIGN_KEY names one for writing"
    scheme, _, rest = uri.partition(":")
    address = address_in(Path(rest).expanduser()) if scheme == "keystore" else shell.signer().address
    return f"{uri}: {checksum(address)}"


def _unchecked_client(shell: Shell) -> Any:
    from countersign.chain.client import Client

    return Client(shell.settings.rpc, shell.settings.chain_id)


def _chain(shell: Shell) -> str:
    client = _unchecked_client(shell)
    head, finalized = client.head(), client.finalized()
    return f"{client.host}: block {head.number}, final up to {finalized.number}"


def _deployment(shell: Shell) -> str:
    client = shell.client()
    return f"registry {checksum(client.contracts.registry)} on chain {client.chain_id}"


def _index(shell: Shell) -> str:
    from countersign.index.query import Query

    status = Query(shell.settings.index_path).status()
    behind = _unchecked_client(shell).head().number - status.block
    return f"{shell.settings.index_path}: block {status.block}, {max(behind, 0)} behind, {status.claims} claims"
