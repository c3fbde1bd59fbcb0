"""Somebody's earlier work, claimed by another: objection, answer, three real nodes, and what is shown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commandline import Cli, Outcome
from committee import NODES, NodeProcess, World, address
from PIL import Image, ImageFilter

from countersign.canonical import checksum, text_hash
from countersign.records import Outcome as Verdict
from countersign.records import Policy, Seat
from tools.deployment import deploy_local
from tools.devnet import Devnet
from tools.ports import free_port

OWNER, CLAIMANT, STRANGER = "test:6", "test:7", "test:8"


def done(outcome: Outcome) -> Any:
    assert outcome.code == 0, outcome
    return outcome.json


def picture(path: Path, made: Image.Image) -> Path:
    made.save(path, quality=70)
    return path


def painted() -> Image.Image:
    """A picture nobody else has: broad patches, as photographs have them."""
    patches = Image.frombytes("RGB", (9, 9), os.urandom(243))
    return patches.resize((360, 360), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(4))


@pytest.fixture(scope="module")
def chain(mining: Callable[[Devnet], Any]) -> Iterator[Devnet]:
    """One of its own: who has sealed anything before matters here."""
    with Devnet() as own:
        deploy_local(own)
        with mining(own):
            yield own


@pytest.fixture(scope="module")
def house(chain: Devnet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A policy that asks ``objection/1``, and its three nodes as processes of the command line."""
    folder = tmp_path_factory.mktemp("house")
    ports = {key: free_port() for key in NODES[:3]}
    nodes = {key: NodeProcess(key, port, folder / f"node{key}") for key, port in ports.items()}
    seats = []
    for key, port in ports.items():
        cli = Cli(chain.url, nodes[key].home)
        peers = [word for other in ports.values() if other != port for word in ("--peer", f"http://127.0.0.1:{other}")]
        files = ("--files", folder / "store")
        listen = f"127.0.0.1:{port}"
        made = cli("oracle", "init", "--check", "prior-work", "--listen", listen, *peers, *files, key=f"test:{key}")
        assert made.code == 0, made
        seats.append(Seat(address(key), bytes.fromhex(done(cli("oracle", "publish", "--json"))["modelId"][2:])))
    seats.sort(key=lambda seat: seat.node)
    world = World(chain, Policy(text_hash("objection/1"), tuple(seats), 2, 50, 600, 1, fee=6, slash=10**17)).prepare()
    try:
        for node in nodes.values():
            cli = Cli(chain.url, node.home)
            assert cli("oracle", "init", "--policy", checksum(world.policy_address)).code == 0
            command = [sys.executable, "-m", "countersign", "oracle", "run", "--home", str(node.home), "--json"]
            with node.log.open("ab") as log:
                node.process = subprocess.Popen([*command, "--rpc", chain.url], stdout=log, stderr=log)
        for node in nodes.values():
            node.wait_up()
        yield world
    finally:
        for node in nodes.values():
            if node.process and node.process.poll() is None:
                node.stop(signal.SIGTERM)


@pytest.fixture
def desk(house: World, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """What the local command line keeps for the nodes, they find: one folder."""
    folder = next(path for path in tmp_path_factory.getbasetemp().iterdir() if path.name.startswith("house"))
    return Cli(cli.url, folder)


def claimed(cli: Cli, key: str, *files: Path) -> None:
    done(cli("seal", *files, "--json", key=key))
    done(cli("claim", *files, "--json", key=key))


def judged(house: World, cli: Cli, objection: str) -> Verdict:
    done(cli("request", objection, "--objection", "--policy", checksum(house.policy_address), "--json", key=STRANGER))
    return house.judged(bytes.fromhex(objection[2:]), timeout=60)


def step(cli: Cli, work: Path) -> dict[str, Any]:
    shown = done(cli("verify", work, "--json"))
    assert shown["outcome"] == "verified"
    return next(one for one in shown["steps"] if one["name"] == "objections")


def test_an_earlier_work_is_upheld_another_one_is_not(house: World, desk: Cli, tmp_path: Path) -> None:
    original = painted()
    mine = picture(tmp_path / "mine.png", original)
    theirs = picture(tmp_path / "theirs.jpg", original.resize((300, 300)))
    other = picture(tmp_path / "other.jpg", painted())
    claimed(desk, OWNER, mine)
    claimed(desk, CLAIMANT, theirs, other)
    assert step(desk, theirs)["state"] == "pass"

    for_nothing = desk("object", theirs, "--statement", "I do not like\x1b[31m it.\nobjection 0x00", key=STRANGER)
    assert for_nothing.code == 0, for_nothing
    objected = [
        done(desk("object", work, "--my-work", mine, "--statement", "Mine, and first.", "--json", key=OWNER))
        for work in (theirs, other)
    ]
    assert all(one["warnings"] == [] and one["uri"].startswith("data:") for one in objected)
    again = done(desk("object", theirs, "--my-work", mine, "--statement", "Mine, and first.", "--json", key=OWNER))
    assert again["transaction"] == objected[0]["transaction"]
    assert [judged(house, desk, one["objection"]) for one in objected] == [Verdict.PASS, Verdict.FAIL]

    said = ("--to", objected[0]["objection"], "--statement", "You sold it to me.")
    assert "would be an objection" in desk("answer", theirs, *said, key=OWNER).err
    assert "no objection to this claim" in desk("answer", other, *said, key=CLAIMANT).err
    done(desk("answer", theirs, *said, "--json", key=CLAIMANT))

    found = done(desk("objections", theirs, "--json"))
    assert [one["objector"] for one in found] == [checksum(address(6)), checksum(address(8))]  # upheld goes first
    first, second = found
    assert first["verdicts"][0]["outcome"] == "upheld" and first["statement"] == "Mine, and first."
    assert [one["statement"] for one in first["answers"]] == ["You sold it to me."] and second["answers"] == []
    assert first["sealedEarlier"] and not second["sealedEarlier"]
    text = desk("objections", theirs).out
    assert "a committee of 3" in text and "upheld it on" in text and "\x1b[31m it" not in text
    assert text.count("\nobjection ") + text.startswith("objection ") == 2  # no line of the stranger's making

    seen = step(desk, theirs)
    assert seen["state"] == "warn" and "2 objections against the claim, 1 unanswered" in seen["detail"]
    assert f"(policy {checksum(house.policy_address)}, 0.1 coin at stake each) upheld it on" in seen["detail"]
    assert "did not uphold it on" in step(desk, other)["detail"]
    assert "answered" in desk("show", theirs).out


def test_a_later_work_loses_and_its_owner_is_warned(house: World, desk: Cli, tmp_path: Path) -> None:
    original = painted()
    first, later = picture(tmp_path / "a.png", original), picture(tmp_path / "b.jpg", original)
    claimed(desk, CLAIMANT, first)
    claimed(desk, OWNER, later)
    objected = done(desk("object", first, "--my-work", later, "--json", key=OWNER))
    assert len(objected["warnings"]) == 1 and "is not earlier" in objected["warnings"][0]
    assert judged(house, desk, objected["objection"]) == Verdict.FAIL


def test_a_committee_is_asked_its_own_question_only(house: World, desk: Cli, tmp_path: Path) -> None:
    work, policy = picture(tmp_path / "w.png", painted()), checksum(house.policy_address)
    claimed(desk, CLAIMANT, work)
    objected = done(desk("object", work, "--statement", "No.", "--json", key=STRANGER))["objection"]
    other = World(house.chain, Policy(text_hash("delivery/1"), house.policy.seats, 2, 50, 600)).prepare()
    asked = ("request", objected, "--objection", "--policy")
    wrong = desk(*asked, checksum(other.policy_address), key=STRANGER)
    assert wrong.code == 2 and "objection/1" in wrong.err
    unknown = desk("request", "0x" + "12" * 32, "--objection", "--policy", policy, key=STRANGER)
    assert unknown.code == 2 and "no objection on this chain" in unknown.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("object",), "Say why, in one way"),
        (("object", "--statement", "a", "--evidence", "0x" + "12" * 32), "Say why, in one way"),
        (("object", "--statement", "a" * 5000), "too long to travel in its own URI"),
        (("object", "--statement", "a", "--uri", "https://e.example"), "travels in its own URI"),
        (("object", "--my-work", "nothing.png"), "no certificate beside"),
        (("object", "--evidence", "0x" + "12" * 32, "--uri", "data:,x"), "serves other bytes"),
        (("answer", "--to", "0x12"), "is not 32 bytes"),
        (("answer", "--to", "0x" + "12" * 32), "There is no answer"),
        (("answer", "--to", "0x" + "12" * 32, "--statement", "a"), "Nobody claims"),
    ],
)
def test_bad_input_gets_a_sentence(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    verb, *rest = arguments
    refused = cli(verb, "0x" + "ab" * 32, *rest, key=STRANGER)
    assert refused.code == 2 and words in refused.err, refused
