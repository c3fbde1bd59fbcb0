"""``index sync|status|rebuild``."""

from __future__ import annotations

import signal
import threading
from dataclasses import asdict
from typing import Any

import click

from countersign.cli.shell import Shell, command
from countersign.errors import Unreachable
from countersign.index.query import IndexStatus, Query
from countersign.index.store import Store
from countersign.index.sync import Progress, catch_up, follow

__all__ = ["bring_up_to_date", "index_command"]


@click.group("index")
def index_command() -> None:
    """The local index: finds what the chain decided."""


def bring_up_to_date(shell: Shell) -> Query:
    """The index after one catch-up; as it is when the node does not answer."""
    try:
        client = shell.client()
    except Unreachable:
        return Query(shell.settings.index_path)
    store = Store(shell.settings.index_path, client.contracts)
    catch_up(client, store)
    store.close()
    return Query(shell.settings.index_path)


@command("sync", "countersign index sync\ncountersign index sync --follow")
@click.option("--follow", "keep", is_flag=True, help="Go on until stopped; wait for a node that is away.")
def _sync(shell: Shell, keep: bool) -> None:
    """Bring the index up to the chain's head. Can be stopped and run again at any time."""
    from countersign.chain.client import Client

    client = Client(shell.settings.rpc, shell.settings.chain_id) if keep else shell.client()
    store = Store(shell.settings.index_path, client.contracts)
    if keep:
        _follow(shell, client, store)
    else:
        _catch_up(shell, client, store)
    store.close()


def _catch_up(shell: Shell, client: Any, store: Store) -> None:
    start = next((block.number for block in store.blocks()), -1)
    at = start
    with shell.progress(max(client.head().number - start, 1), "Indexing") as advance:

        def moved(progress: Progress) -> None:
            nonlocal at
            advance(progress.block - at)
            at = progress.block

        progress = catch_up(client, store, moved)
    text = f"indexed up to block {progress.block}, {progress.events} new events"
    shell.answer(asdict(progress), text)


def _follow(shell: Shell, client: Any, store: Store) -> None:
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())

    def moved(progress: Progress) -> None:
        if progress.events:
            shell.answer(asdict(progress), f"block {progress.block}: {progress.events} new events")

    follow(client, store, stop, moved, lambda error: shell.say(f"waiting: {error}"))


@command("status", "countersign index status --json")
def _status(shell: Shell) -> None:
    """How far the index is and what it holds."""
    status = Query(shell.settings.index_path).status()
    shell.answer(asdict(status), _status_text(shell, status))


def _status_text(shell: Shell, status: IndexStatus) -> str:
    return (
        f"{shell.settings.index_path}: chain {status.chain_id}, block {status.block}, "
        f"{status.seals} seals, {status.claims} claims, {status.models} models"
    )


@command("rebuild", "countersign index rebuild")
def _rebuild(shell: Shell) -> None:
    """Throw the index away and read the chain anew. Nothing is lost: the chain decides, the index only finds."""
    client = shell.client()
    path = shell.settings.index_path
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        name.unlink(missing_ok=True)
    store = Store(path, client.contracts)
    _catch_up(shell, client, store)
    store.close()


for _command in (_sync, _status, _rebuild):
    index_command.add_command(_command)
