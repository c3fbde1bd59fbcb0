"""The demo story as steps: what its people type, and what they type again after a crash."""

from __future__ import annotations

from typing import Any

from dealing import NODES, address
from stage import Stage, Step

from countersign.canonical import checksum, from_address, policy_address, subject_of, to_hex
from countersign.certificate import path_beside
from countersign.chain.codec import encode_call
from countersign.deal import flow
from countersign.deal.terms import TermsFile
from countersign.records import ZERO, Call

MAKER, SELLER, OTHER, NODE = ("test:1", "test:2", "test:3", "test:4")
PAYEE = checksum(address(2))
WORKS = ("a.txt", "b.txt", "c.txt")


def by(key: str, *command: Any) -> Any:
    """A command with paths by their names in the story's folder, by this key."""

    def said(stage: Stage) -> list[Any]:
        return [stage.path(part.name) if isinstance(part, File) else part for part in command] + ["--key", key]

    return said


class File:
    """A file of the story."""

    def __init__(self, name: str) -> None:
        self.name = name


PHOTO, MILL, DOLLARS = File("photo.jpg"), File("mill.terms.json"), File("dollars.terms.json")


# What has to be there, and what a person does after a crash


def write(stage: Stage, *names: str) -> None:
    for name in names:
        stage.path(name).write_bytes(f"the bytes of {name}".encode() * 50)


def seal_again(stage: Stage, *names: str) -> list[list[Any]]:
    """Go on with the drafts that are there, seal what has none."""
    files = [stage.path(name) for name in names]
    drafted = [file for file in files if path_beside(file).exists()]
    rest = [file for file in files if file not in drafted]
    commands = [["seal", *drafted, "--resume", "--key", MAKER]] if drafted else []
    return commands + ([["seal", *rest, "--origin", "digitalCapture", "--key", MAKER]] if rest else [])


def each_root_once(stage: Stage, facts: dict[str, Any]) -> dict[str, Any]:
    """A kill between two drafts splits a batch: the drafts that are there are resumed, the rest is sealed anew."""
    seals = sum(facts["events"].values())
    per_seal = {"beyond seals": (facts["nonces"][1] - seals, facts["roots"] - seals)}
    return {name: facts[name] for name in ("files", "states", "money")} | per_seal


def unless(name: str, command: Any) -> Any:
    """The command, unless its file is there."""
    return lambda stage: [] if stage.path(name).exists() else [command(stage)]


def let_nodes_join(stage: Stage) -> None:
    place = stage.place
    for node in NODES:
        deals = place.client.deals
        place.send(node, Call(deals.nodes, encode_call("OracleNodes", "join", deals.oracle, ZERO), 10**18))
    stage.policy = checksum(policy_address(place.client.deals, place.policy()))


def create_policy(stage: Stage) -> list[Any]:
    seats = [part for node in NODES for part in ("--seat", f"{checksum(address(node))}:{to_hex(ZERO)}")]
    times = ["--k", "2", "--submit-time", "1m", "--challenge-time", "20s", "--fee", "0.000000000000001"]
    return ["policy", "create", *seats, *times, "--key", MAKER]


def propose(stage: Stage) -> list[Any]:
    said = ["--payee", PAYEE, "--amount", "0.5", "--policy", stage.policy, "--deliver-by", "1d", "--title", "Mill"]
    return ["deal", "propose", stage.path("mill"), *said, "--key", MAKER]


def judge(stage: Stage) -> None:
    terms, place = TermsFile.load(stage.path(MILL.name)), stage.place
    deal = place.client.deal_of(terms.deal_id)
    place.submit(subject_of(terms.deal_id, 0, deal.delivery), from_address(stage.policy), 90)
    stage.chain.rpc("anvil_mine", "0x1e")


def propose_in_dollars(stage: Stage) -> None:
    """An allowance is left from another deal, and this token changes one only to zero."""
    token = checksum(stage.place.deploy("Dollar"))
    stage.place.mint(from_address(token), address(1), 10**9)
    stage.place.send(1, flow.approve_call(stage.place.client.deals, from_address(token), 5))
    said = ["--payee", PAYEE, "--amount", "90", "--token", token, "--deliver-by", "1d", "--verdict-by", "2d"]
    command = ["deal", "propose", stage.path("dollars"), *said, "--title", "Mill", "--key", MAKER]
    assert stage.run(Step("propose in dollars", lambda _: command), command) == 0, stage.said()


def mature(stage: Stage) -> None:
    stage.chain.rpc("evm_setNextBlockTimestamp", hex(stage.place.now + 15 * 86400))
    stage.chain.rpc("anvil_mine", "0x1")


def _step(name: str, command: Any, **more: Any) -> Step:
    return Step(name, command, **more)


STEPS = (
    _step("keys new", by(MAKER, "keys", "new", File("me.json")), kind="cli with passphrase",
          leading=("long enough",), share=5, again=unless("me.json", by(MAKER, "keys", "new", File("me.json")))),
    _step("seal", by(MAKER, "seal", PHOTO, "--origin", "digitalCapture"), before=lambda s: write(s, "photo.jpg"),
          again=lambda s: seal_again(s, "photo.jpg")),
    _step("seal --no-wait, --resume", by(MAKER, "seal", File("later.txt"), "--no-wait"),
          before=lambda s: write(s, "later.txt"), again=lambda s: seal_again(s, "later.txt")),
    _step("seal many", by(MAKER, "seal", *map(File, WORKS), "--origin", "digitalCapture"),
          before=lambda s: write(s, *WORKS), again=lambda s: seal_again(s, *WORKS), compared=each_root_once),
    _step("claim", by(MAKER, "claim", PHOTO)),
    _step("retract", by(MAKER, "retract", PHOTO)),
    _step("retract --undo", by(MAKER, "retract", PHOTO, "--undo")),
    _step("object", by(OTHER, "object", PHOTO, "--evidence", PHOTO)),
    _step("index sync", by(MAKER, "index", "sync")),
    _step("model publish", by(MAKER, "model", "publish", File("weights"), "--licence", "MIT"),
          before=lambda s: write(s, "weights")),
    _step("oracle init", by(NODE, "oracle", "init", "--check", "file-type", "--home", File("node"))),
    _step("oracle join", by(NODE, "oracle", "join", "--stake", "2.0", "--home", File("node"))),
    _step("policy create", create_policy, before=let_nodes_join),
    _step("deal propose", propose, again=unless(MILL.name, propose)),
    _step("deal open", by(MAKER, "deal", "open", MILL)),
    _step("deal deliver", by(SELLER, "deal", "deliver", MILL, PHOTO)),
    _step("deal settle", by(OTHER, "deal", "settle", MILL), before=judge),
    _step("deal open in a token", by(MAKER, "deal", "open", DOLLARS), before=propose_in_dollars),
    _step("deal deliver --no-request", by(SELLER, "deal", "deliver", DOLLARS, PHOTO, "--no-request")),
    _step("request", lambda s: by(OTHER, "request", DOLLARS, "--policy", s.policy)(s)),
    _step("deal release", by(MAKER, "deal", "release", DOLLARS)),
    _step("oracle leave", by(NODE, "oracle", "leave", "--home", File("node"))),
    _step("oracle withdraw", by(NODE, "oracle", "withdraw", "--home", File("node")), before=mature),
)  # fmt: skip
