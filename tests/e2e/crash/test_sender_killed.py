"""Eight intents, each asked for twice at a time in four threads of one process, killed at random points: whoever asks
again has each of them mined exactly once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from faults import seed_of
from stage import SlowChain
from victims import Victims, effects_in

from countersign.canonical import to_hex
from countersign.chain.client import Client
from tools.deployment import deploy_local
from tools.devnet import Devnet

SEED = seed_of(8)
ACCOUNT, INTENTS = 3, 8


@pytest.fixture(scope="module")
def slow() -> Iterator[SlowChain]:
    with Devnet() as chain, SlowChain(chain) as proxy:
        deploy_local(chain)
        chain.rpc("evm_setAutomine", False)
        yield proxy


def nonce(chain: Devnet) -> int:
    return int(chain.rpc("eth_getTransactionCount", chain.rpc("eth_accounts")[ACCOUNT], "latest"), 16)


def seals_of(chain: Devnet, roots: list[str]) -> list[int]:
    registry = to_hex(Client(chain.url, 31337).contracts.registry)
    query = {"address": registry, "fromBlock": "0x0", "toBlock": "latest"}
    return [len(chain.rpc("eth_getLogs", query | {"topics": [None, "0x" + root]})) for root in roots]


def test_threads_of_a_killed_process_lose_nothing(
    slow: SlowChain, tmp_path: Path, many: int, covered: Callable[[str, int], None]
) -> None:
    with Victims() as victims:
        most = kills = 0
        for trial in range(many + 1):
            random = Random(f"{SEED}:{trial}")
            outbox, log = tmp_path / str(trial) / "outbox.sqlite", tmp_path / f"{trial}.log"
            roots, before = [os.urandom(32).hex() for _ in range(INTENTS)], nonce(slow.chain)
            arguments = [slow.url, str(outbox), ACCOUNT, roots]
            slow.late = random.random() < 0.5
            for _ in range(random.randint(1, 2) if most else 0):
                kills += victims.wait(victims.start("senders", arguments, log, random.randint(1, most))) == -9
            slow.late = False
            code = victims.wait(victims.start("senders", arguments, log))
            told = f"COUNTERSIGN_SEED={SEED}, trial {trial}: {log.read_text()}"
            assert code == 0, told
            assert seals_of(slow.chain, roots) == [1] * INTENTS, told
            assert nonce(slow.chain) == before + INTENTS, told
            most = most or effects_in(log)
        covered("sender in threads", kills)
        assert kills >= many // 2
