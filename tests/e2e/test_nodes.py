"""Five nodes in five processes judge deliveries: alive, dead, killed, lying, and lied to."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from committee import World, nodes_of, policy_of

from countersign.records import Outcome
from tools.deployment import deploy_local
from tools.devnet import Devnet


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A chain that mines each transaction and a block a second, as `make up` does."""
    with Devnet(block_time=1) as chain:
        deploy_local(chain)
        yield World(chain, policy_of()).prepare()


def test_five_nodes_judge_within_five_seconds(world: World, tmp_path: Path) -> None:
    with nodes_of(world, tmp_path):
        for content, outcome in ((b"good", Outcome.PASS), (b"damaged", Outcome.FAIL)):
            subject = world.deliver(content, b"good")
            head, start = world.client.head().number, time.monotonic()
            world.request(subject)
            assert world.judged(subject) == outcome
            took = time.monotonic() - start
            print(f"{outcome.name}: {took:.2f} s")
            assert took <= 5
            time.sleep(3)
            assert world.submissions(head) == 1
