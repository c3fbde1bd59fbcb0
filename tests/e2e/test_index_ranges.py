"""The index is the same however the chain was read: in one range or many, ahead of the store, with times or without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any

import pytest

from bench.index.chain import EVENTS_PER_ROUND, Chain, fill
from countersign.chain import transport
from countersign.chain.client import Client
from countersign.chain.codec import Log
from countersign.errors import ChainError, TooLarge
from countersign.index import sync
from countersign.index.store import Store
from countersign.index.sync import Progress, catch_up

ROUNDS = 2
EVENTS = ROUNDS * EVENTS_PER_ROUND + 1

Logs = Callable[[int, int], list[Log]]


@pytest.fixture(scope="module")
def busy() -> Iterator[str]:
    """URL of a chain with events in some of its blocks."""
    with Chain() as chain:
        fill(chain, ROUNDS)
        yield chain.url


@pytest.fixture
def client(busy: str) -> Client:
    return Client(busy, 31337)


def indexed(client: Client, path: Path) -> tuple[list[str], list[Progress]]:
    """A new index as SQL, and how it came about."""
    steps: list[Progress] = []
    store = Store(path, client.contracts)
    with closing(store):
        catch_up(client, store, steps.append)
        return list(store._db.iterdump()), steps


def watched(client: Client, look: Callable[[Logs, int, int], list[Log]]) -> None:
    whole = client.logs
    client.logs = lambda first, last: look(whole, first, last)  # type: ignore[method-assign]


@pytest.fixture
def expected(client: Client, tmp_path: Path) -> list[str]:
    dump, steps = indexed(client, tmp_path / "expected.sqlite")
    assert steps[-1].events == EVENTS and steps[-1].block == steps[-1].head
    return dump


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small ranges."""
    monkeypatch.setattr(sync, "_RANGE", 10)
    monkeypatch.setattr(sync, "_WIDEST", 10)


@pytest.mark.usefixtures("narrow")
def test_many_ranges_give_the_index_that_one_gives(client: Client, tmp_path: Path, expected: list[str]) -> None:
    dump, steps = indexed(client, tmp_path / "index.sqlite")
    assert dump == expected
    assert len(steps) > 5 and [step.block for step in steps] == sorted({step.block for step in steps})


@pytest.mark.usefixtures("narrow")
def test_the_next_range_is_read_while_one_is_stored_but_never_the_tail(client: Client, tmp_path: Path) -> None:
    by_main: dict[int, bool] = {}

    def look(whole: Logs, first: int, last: int) -> list[Log]:
        by_main[last] = current_thread() is main_thread()
        return whole(first, last)

    watched(client, look)
    _, steps = indexed(client, tmp_path / "index.sqlite")
    quiet = [step.block for step in steps if step.block <= step.head - sync._TAIL]
    tail = [step.block for step in steps if step.block > step.head - sync._TAIL]
    assert len(quiet) > 2 and [by_main[block] for block in quiet] == [True] + [False] * (len(quiet) - 1)
    assert tail and all(by_main[block] for block in tail)


def test_a_node_that_gives_no_times_is_asked_for_them(client: Client, tmp_path: Path, expected: list[str]) -> None:
    watched(client, lambda whole, first, last: [log._replace(time=None) for log in whole(first, last)])
    assert indexed(client, tmp_path / "index.sqlite")[0] == expected


def test_times_that_a_node_gives_cost_no_request(client: Client, tmp_path: Path) -> None:
    asked, whole = [], client.rpc

    def count(method: str, *parameters: Any) -> Any:
        asked.append(method)
        return whole(method, *parameters)

    client.rpc = count  # type: ignore[method-assign]
    indexed(client, tmp_path / "index.sqlite")
    assert asked.count("eth_getBlockByNumber") <= sync._TAIL + 8


@pytest.mark.parametrize(("width", "many", "bounds"), [(4, 100_000, (4, 20)), (48, 40, (24, 48))])
def test_empty_ranges_become_wide_and_full_ones_narrow(
    client: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    expected: list[str],
    width: int,
    many: int,
    bounds: tuple[int, int],
) -> None:
    monkeypatch.setattr(sync, "_RANGE", width)
    monkeypatch.setattr(sync, "_MANY", many)
    dump, steps = indexed(client, tmp_path / "index.sqlite")
    ends = [-1, *(step.block for step in steps if step.block < step.head - sync._TAIL)]
    widths = [last - before for before, last in pairwise(ends)]
    assert dump == expected
    assert min(widths) <= bounds[0] and max(widths) >= bounds[1] and widths[0] == width


@pytest.mark.usefixtures("narrow")
def test_trouble_ahead_keeps_what_is_stored(client: Client, tmp_path: Path, expected: list[str]) -> None:
    """It is said when its turn comes; the next run goes on there."""

    def fails(whole: Logs, first: int, last: int) -> list[Log]:
        if last >= 30:
            raise ChainError("The node refused eth_getLogs: out of memory.", "Use another node.")
        return whole(first, last)

    watched(client, fails)
    path = tmp_path / "halted.sqlite"
    with pytest.raises(ChainError, match="out of memory"):
        indexed(client, path)
    del client.__dict__["logs"]
    with closing(Store(path, client.contracts)) as store:
        assert store.blocks()[0].number == 29
        catch_up(client, store)
        assert list(store._db.iterdump()) == expected


@pytest.mark.usefixtures("narrow")
def test_a_range_that_is_refused_is_halved(client: Client, tmp_path: Path, expected: list[str]) -> None:
    def refuses(whole: Logs, first: int, last: int) -> list[Log]:
        if last - first >= 6:
            raise ChainError("The node refused eth_getLogs: too many blocks.", "Use another node.")
        return whole(first, last)

    watched(client, refuses)
    assert indexed(client, tmp_path / "index.sqlite")[0] == expected


def test_answers_that_are_too_long_are_asked_for_in_parts(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[str]
) -> None:
    """Through the connection as it is, down to the blocks that hold most; where one block is too much, it is said."""
    head = client.head().number
    longest = max(len(str(client.rpc("eth_getLogs", {"fromBlock": hex(at), "toBlock": hex(at)}))) for at in range(head))
    monkeypatch.setattr(transport, "_LARGEST", longest + 2_000)
    with pytest.raises(TooLarge, match="too long"):
        client.logs(0, head)
    assert indexed(client, tmp_path / "index.sqlite")[0] == expected
    monkeypatch.setattr(transport, "_LARGEST", longest // 2)
    with pytest.raises(TooLarge):
        indexed(client, tmp_path / "never.sqlite")
