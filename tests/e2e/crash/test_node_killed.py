"""A node of a committee of two, without which there is no verdict, killed at random points while it judges: started
again it says the same again, to everybody, and the verdict is there once."""

from __future__ import annotations

import json
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from random import Random
from typing import Any

import pytest
from committee import NODES, NodeProcess, World, nodes_of, policy_of, until
from faults import seed_of
from victims import Victims, effects_in

from countersign.canonical import request_hash
from countersign.oracle.decide import Asked
from countersign.oracle.journal import Journal
from countersign.oracle.relay import load
from countersign.records import Outcome
from tools.deployment import deploy_local
from tools.devnet import Devnet

SEED = seed_of(5)
_LOGGED = ("started", "signed", "submitted", "not submitted")


class Spy(HTTPServer):
    """A peer that remembers every signature it was ever sent, by node and request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listening)
        self.heard: dict[tuple[bytes, bytes, int], set[bytes]] = defaultdict(set)

    def __enter__(self) -> Spy:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.shutdown()
        super().__exit__(*error)


class _Listening(BaseHTTPRequestHandler):
    server: Spy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        for said in map(load, json.loads(body)["attestations"]):
            a = said.attestation
            self.server.heard[request_hash(a.request), a.evidence, a.issued_at].add(said.signature)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@dataclass
class Committee:
    """Two nodes: one that stays, and the one that is killed, with a spy among its peers."""

    world: World
    mortal: NodeProcess
    spy: Spy
    victims: Victims
    most: int = field(default=0)

    def start(self, kill_at: int = 0, **changes: Any) -> int:
        """Start the mortal one."""
        peers = [*self.mortal.options["peers"], f"http://127.0.0.1:{self.spy.server_port}"]
        options = self.mortal.options | {"peers": peers} | changes
        arguments = [str(self.mortal.home), self.world.chain.url, json.dumps(options)]
        return self.victims.start("node", arguments, self.mortal.log, kill_at)

    def stop(self, victim: int, number: int = 15) -> int:
        """Stop it; its exit code."""
        if not self.victims.ended(victim):
            os.kill(victim, number)
        return self.victims.wait(victim)

    def ask(self) -> Asked:
        """A delivery that is good, and a request about it."""
        return self.world.request(self.world.deliver(b"good", b"good"))


@pytest.fixture(scope="module")
def committee(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Committee]:
    folder = tmp_path_factory.mktemp("committee")
    with Devnet(block_time=1) as chain, Victims() as victims, Spy() as spy:
        deploy_local(chain)
        world = World(chain, policy_of(NODES[:2])).prepare()
        with nodes_of(world, folder, started=False, stagger=0.3) as (staying, mortal):
            staying.start(chain.url)
            staying.wait_up()
            yield Committee(world, mortal, spy, victims)


def count(committee: Committee) -> int:
    """Effects of a node's life with one request in it."""
    victim, asked = committee.start(), committee.ask()
    assert committee.world.judged(asked.request.subject) == Outcome.PASS
    assert committee.stop(victim) == 0
    return effects_in(committee.mortal.log)


def test_a_killed_node_never_says_another_thing(
    committee: Committee, many: int, covered: Callable[[str, int], None]
) -> None:
    most, world = count(committee), committee.world
    for trial in range(many):
        random = Random(f"{SEED}:{trial}")
        head = world.client.head().number
        asked = kill(committee, random, most)
        victim = committee.start()
        told = f"COUNTERSIGN_SEED={SEED}, trial {trial}: {committee.mortal.log.read_text()[-3000:]}"
        assert world.judged(asked.request.subject) == Outcome.PASS, told
        assert world.submissions(head) in (1, 2), told
        require_one_voice(committee, asked)
        committee.stop(victim, 9)
    covered("node", many)


def kill(committee: Committee, random: Random, most: int) -> Asked:
    """Kill the node, at an effect or where it would log, once or twice while a request is open."""
    asked = None
    for _ in range(random.randint(1, 2)):
        at_log = random.random() < 0.3
        how = {"stop_at": random.choice(_LOGGED)} if at_log else {"kill_at": random.randint(1, most)}
        victim = committee.start(**how)
        asked = asked or committee.ask()
        subject = asked.request.subject
        until(lambda v=victim, s=subject: committee.victims.ended(v) or committee.world.verdict(s).final_at, 20)
        assert committee.stop(victim, 9) == -9
    assert asked
    return asked


def require_one_voice(committee: Committee, asked: Asked) -> None:
    """One attestation in the journal, its evidence on the shelf, no other signature anywhere, nothing half-written."""
    home = committee.mortal.home
    journal = Journal(home / "journal-31337.sqlite")
    mine = [said for said in journal.all() if request_hash(said.attestation.request) == asked.key[0]]
    journal.close()
    assert len(mine) == 1
    evidence = mine[0].attestation.evidence
    assert (home / "evidence" / f"{evidence.hex()}.json").exists()
    heard = {name: signatures for name, signatures in committee.spy.heard.items() if name[0] == asked.key[0]}
    by_me = [signatures for name, signatures in heard.items() if name[1] == evidence]
    assert all(len(signatures) == 1 for signatures in heard.values()) and len(heard) <= 2
    assert by_me in ([], [{mine[0].signature}])
    assert not list(home.rglob(".countersign*"))
