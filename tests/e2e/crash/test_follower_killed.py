"""`index sync --follow`, killed at random points while seals are made and blocks mined: whoever goes on has the index
that a fresh rebuild gives."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from faults import seed_of
from victims import Victims, effects_in

from countersign.canonical import to_hex
from countersign.chain.client import Client
from countersign.chain.codec import encode_call
from tools.deployment import deploy_local
from tools.devnet import Devnet

SEED = seed_of(13)


@pytest.fixture(scope="module")
def busy() -> Iterator[Devnet]:
    """A chain that has lived a while."""
    with Devnet() as chain:
        deploy_local(chain)
        for _ in range(4):
            seal_and_mine(chain, 60)
        yield chain


def seal_and_mine(chain: Devnet, blocks: int) -> None:
    data = encode_call("ContentRegistry", "seal", os.urandom(32))
    account, registry = chain.rpc("eth_accounts")[3], Client(chain.url, 31337).contracts.registry
    chain.send({"from": account, "to": to_hex(registry), "data": to_hex(data)})
    chain.rpc("anvil_mine", hex(blocks))


def dump(home: Path) -> str:
    """Everything in an index that is whole; of the blocks it remembers the cursor: the others tell when it looked."""
    with closing(sqlite3.connect(home / "index-31337.sqlite")) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.execute("DELETE FROM blocks WHERE number < (SELECT max(number) FROM blocks)")
        return "\n".join(db.iterdump())


def test_a_killed_follower_goes_on(
    busy: Devnet, tmp_path: Path, many: int, covered: Callable[[str, int], None]
) -> None:
    with Victims() as victims:

        def sync(home: Path, *options: str, kill_at: int = 0) -> int:
            command = ["index", "sync", *options, "--rpc", busy.url, "--home", str(home)]
            return victims.start("cli", command, home.with_suffix(".log"), kill_at)

        assert victims.wait(sync(tmp_path / "first")) == 0
        most = effects_in(tmp_path / "first.log")
        for trial in range(many):
            random = Random(f"{SEED}:{trial}")
            home, fresh = tmp_path / str(trial), tmp_path / f"fresh{trial}"
            for _ in range(random.randint(1, 2)):
                follower = sync(home, "--follow", kill_at=random.randint(1, most * 3 // 2))
                while not victims.ended(follower):
                    seal_and_mine(busy, random.randint(1, 9))
                assert victims.wait(follower) == -9
            assert [victims.wait(sync(folder)) for folder in (home, fresh)] == [0, 0]
            assert dump(home) == dump(fresh), f"COUNTERSIGN_SEED={SEED}, trial {trial}"
        covered("index follower", many)
