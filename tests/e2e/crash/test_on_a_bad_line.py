"""Followers and nodes whose line to the chain delays, drops, doubles, cuts and refuses: they wait, and miss nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from committee import NODES, World, nodes_of, policy_of, until
from faults import FaultProxy, at_random, seed_of
from test_follower_killed import dump, seal_and_mine
from victims import Victims

from countersign.records import Outcome
from tools.deployment import deploy_local
from tools.devnet import Devnet

SEED = seed_of(7)
_FOLLOWER, _NODES = 0.12, 0.1
"""Faults per request."""


def test_a_follower_on_a_bad_line_misses_nothing(tmp_path: Path) -> None:
    with Devnet() as chain, FaultProxy(chain.url, at_random(SEED, _FOLLOWER)) as proxy, Victims() as victims:
        deploy_local(chain)

        def sync(home: str, url: str, *options: str) -> int:
            command = ["index", "sync", *options, "--rpc", url, "--home", str(tmp_path / home)]
            return victims.start("cli", command, tmp_path / f"{home}.log")

        follower = sync("followed", proxy.url, "--follow")
        while len(proxy.faults_met()) < 2:
            seal_and_mine(chain, 7)
        proxy.faults = at_random(SEED + 1, _FOLLOWER / 4)
        seal_and_mine(chain, 1)
        head = int(chain.rpc("eth_blockNumber"), 16)
        assert until(lambda: f"block {head}:" in (tmp_path / "followed.log").read_text(), 120)
        assert "Traceback" not in (tmp_path / "followed.log").read_text()
        _terminate(victims, follower)
        assert victims.wait(sync("fresh", chain.url)) == 0
        assert dump(tmp_path / "followed") == dump(tmp_path / "fresh")


def _terminate(victims: Victims, victim: int) -> None:
    os.kill(victim, 15)
    assert victims.wait(victim) == 0


def test_nodes_on_a_bad_line_reach_their_verdict_once(
    tmp_path: Path, faulty: Callable[..., FaultProxy], deep: bool
) -> None:
    with Devnet(block_time=1) as chain:
        deploy_local(chain)
        world = World(chain, policy_of(NODES[:2])).prepare()
        proxy = faulty(at_random(SEED, _NODES), chain.url)
        with nodes_of(world, tmp_path, started=False) as nodes:
            for node in nodes:
                node.start(proxy.url)
            subjects = [world.deliver(b"good", b"good") for _ in range(5 if deep else 1)]
            head = world.client.head().number
            asked = [world.request(subject) for subject in subjects]
            assert [world.judged(subject, 90) for subject in subjects] == [Outcome.PASS] * len(subjects), (
                proxy.faults_met()
            )
            assert len(subjects) <= world.submissions(head) <= 2 * len(subjects)
            assert all(len(node.events("signed", one)) == 1 for node in nodes for one in asked)
            assert proxy.faults_met() and all(node.process and node.process.poll() is None for node in nodes)
