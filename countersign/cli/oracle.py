"""``oracle init|join|leave|withdraw|publish|run|check|attest|status``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, from_hex, model_id, request_hash, to_hex
from countersign.checks import NAMES, Check, Finding, Material, delivery_check
from countersign.cli.shell import Shell, command
from countersign.cli.units import ADDRESS, AMOUNT
from countersign.deal.brief import Brief, load_brief
from countersign.deal.words import COIN
from countersign.durable import make_private_folder, open_regular
from countersign.errors import ChainError, InputError, SignerError
from countersign.oracle.config import NodeConfig
from countersign.oracle.decide import Asked, SignedAttestation
from countersign.oracle.journal import Journal
from countersign.records import ZERO, Call, Node
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.chain.sender import Sender
    from countersign.keys.signer import Signer

__all__ = ["oracle_command"]

_KEY = "node-key.json"
_GWEI = 10**9
_PASS = 50
_LARGEST = 64 << 20


@click.group("oracle")
def oracle_command() -> None:
    """Run a node: judge deliveries with an AI check, sign what it finds, earn fees; lose stake for lying."""


@command(
    "init",
    """
countersign oracle init --home node1 --check intact-trees --listen 127.0.0.1:7101 --peer http://127.0.0.1:7102
countersign oracle init --home node1 --policy 0x…        later: serve a policy, keep the rest
""",
)
@click.option("--check", type=click.Choice(NAMES), help="What the node judges with.")
@click.option("--policy", "policies", multiple=True, type=ADDRESS, metavar="0x…", help="Serve this policy; repeatable.")
@click.option("--arbiter", "arbiters", multiple=True, type=ADDRESS, metavar="0x…",
              help="Serve every policy with this arbiter; repeatable.")  # fmt: skip
@click.option("--peer", "peers", multiple=True, metavar="URL", help="Another node's relay; repeatable.")
@click.option("--listen", metavar="HOST:PORT", help="Where this node's relay listens. [127.0.0.1:7101]")
@click.option("--files", type=click.Path(path_type=Path), help="Folder from which file: deliveries may be read.")
def _init(shell: Shell, check: str | None, files: Path | None, listen: str | None, **lists: tuple[Any, ...]) -> None:
    """Make a node in HOME: its key, unless one is given, and its file. Run again, it adds what is given."""
    home = shell.settings.home
    config = _config_or_new(shell, check)
    changes: dict[str, Any] = {
        name: tuple(dict.fromkeys((*getattr(config, name), *more))) for name, more in lists.items()
    }
    changes |= {"check": check, "listen": listen, "files": str(files.resolve()) if files else None}
    config = replace(config, **{name: value for name, value in changes.items() if value})
    path = config.save(home)
    facts = {"config": str(path), "address": checksum(_address(shell, config)), "key": config.key}
    shell.answer(facts, f"node {facts['address']}\nfile: {path}\nFund it, then: countersign oracle join --home {home}")


def _config_or_new(shell: Shell, check: str | None) -> NodeConfig:
    home = shell.settings.home
    if (home / "node.json").exists():
        config = NodeConfig.load(home)
        if shell.settings.key not in (None, config.key):
            raise InputError(f"The node in {home} has the key {config.key}.", "Use another home for another key.")
        return config
    if check is None:
        raise InputError("Nothing says what the node judges with.", f"Give --check, one of: {', '.join(NAMES)}.")
    return NodeConfig(check, shell.settings.key or _new_key(shell))


def _new_key(shell: Shell) -> str:
    """URI of the key in the home; a key that is there from an interrupted attempt is kept."""
    from countersign.keys.keystore import create

    path = shell.settings.home / _KEY
    if not path.exists():
        make_private_folder(path.parent)
        create(path, shell.new_passphrase())
    return f"keystore:{path.resolve()}"


def _address(shell: Shell, config: NodeConfig) -> bytes:
    """Without a passphrase where that is possible."""
    from countersign.keys.keystore import address_in

    scheme, _, path = config.key.partition(":")
    return address_in(Path(path)) if scheme == "keystore" else _signer(shell, config).address


def _signer(shell: Shell, config: NodeConfig | None = None) -> Signer:
    """The node's key, or --key."""
    key = shell.settings.key or (config or NodeConfig.load(shell.settings.home)).key
    return replace(shell, settings=replace(shell.settings, key=key)).signer()


# Stake


@command("join", "countersign oracle join --stake 1.0 --home node1")
@click.option("--stake", type=AMOUNT, default="1.0", metavar="COIN", help="What the node stakes in all. [1.0]")
def _join(shell: Shell, stake: int) -> None:
    """Serve, with at least this stake: adds what is missing. It can be slashed for saying two things."""
    from countersign.chain.codec import encode_call

    if stake % _GWEI:
        raise InputError("A stake is a whole number of gwei.", "Give at most 9 decimals.")
    signer, client = _signer(shell), shell.client()

    def call(node: Node) -> Call | None:
        missing = stake - node.stake * _GWEI
        if any(node.slasher) and not node.leaves_at and missing <= 0:
            return None
        data = encode_call("OracleNodes", "join", client.deals.oracle, ZERO)
        return Call(client.deals.nodes, data, max(missing, 0))

    node = _until_done(shell, client, signer, "join", call)
    facts = {"address": checksum(signer.address), "stake": str(node.stake * _GWEI)}
    shell.answer(facts, f"{facts['address']} serves with {COIN.show(node.stake * _GWEI)}")


@command("leave", "countersign oracle leave --home node1")
def _leave(shell: Shell) -> None:
    """Serve no new request. The stake can be withdrawn 14 days later; until then it still answers for what was said."""
    from countersign.chain.codec import encode_call

    signer, client = _signer(shell), shell.client()

    def call(node: Node) -> Call | None:
        return None if node.leaves_at else Call(client.deals.nodes, encode_call("OracleNodes", "leave"))

    node = _until_done(shell, client, signer, "leave", call)
    facts = {"address": checksum(signer.address), "withdrawableAt": node.leaves_at}
    shell.answer(facts, f"left; the stake can be withdrawn from {utc(node.leaves_at)}")


@command("withdraw", "countersign oracle withdraw --home node1")
def _withdraw(shell: Shell) -> None:
    """Take out rewards and, once it matured, the stake."""
    from countersign.chain.codec import encode_call
    from countersign.chain.sender import intent

    signer, client = _signer(shell), shell.client()
    call = Call(client.deals.nodes, encode_call("OracleNodes", "withdraw"))
    sender, name = shell.sender(client, signer), intent("withdraw-stake", signer.address)
    address, transaction = checksum(signer.address), None
    held = _held(client, signer.address)
    if any(held):
        receipt = shell.send(sender, call, name, "withdraw")
        if _held(client, signer.address) == held:  # what the journal remembered was an earlier occasion
            sender.forget(name)
            receipt = shell.send(sender, call, name, "withdraw")
        sender.forget(name)
        transaction = to_hex(receipt.transaction)
    text = "withdrawn" if transaction else "There is neither a stake nor a reward."
    shell.answer({"address": address, "transaction": transaction}, text)


def _held(client: Client, address: bytes) -> tuple[int, int]:
    """Stake and rewards."""
    return client.node_of(address).stake, client.reward_of(address)


def _until_done(
    shell: Shell, client: Client, signer: Signer, verb: str, call: Callable[[Node], Call | None]
) -> Node:  # fmt: skip
    """Send what ``call`` says is left to do. What an earlier life of the node sent does not count: it is done anew."""
    from countersign.chain.sender import intent

    sender: Sender = shell.sender(client, signer)
    for _ in range(3):
        node = client.node_of(signer.address)
        left = call(node)
        if left is None:
            return node
        name = intent(verb, signer.address, left.value)
        shell.send(sender, left, name, verb)
        sender.forget(name)
    raise ChainError(f"The node's record does not change with '{verb}'.", "Look at it: countersign oracle status.")


@command(
    "publish",
    "countersign oracle publish --home node1            prints the model id for policy create --seat NODE:MODEL",
)
@click.option("--check", type=click.Choice(NAMES), help="Another check than the node's.")
def _publish(shell: Shell, check: str | None) -> None:
    """Publish the node's check as a model: its weights, its card and licence. A seat names it by its id."""
    from hashlib import sha256

    from countersign import models
    from countersign.chain.sender import intent

    model = delivery_check(check or NodeConfig.load(shell.settings.home).check)
    signer, client = _signer(shell), shell.client()
    card = sha256(model.card.encode()).digest()
    described = models.describe(signer.address, model.weights, licence=model.licence, card=card)
    identifier = model_id(described)
    if not client.model_times(identifier).published_at:
        call = models.publish_call(client.contracts, described)
        shell.send(shell.sender(client, signer), call, intent("publish", identifier), "publish")
    manifest = shell.settings.home / f"{model.name}.model.json"
    make_private_folder(shell.settings.home)
    models.save_manifest(manifest, model.name, described)
    facts = {"modelId": to_hex(identifier), "address": checksum(signer.address), "manifest": str(manifest)}
    shell.answer(facts, f"seat {facts['address']}:{facts['modelId']}\nmanifest: {manifest}")


# Running


@command(
    "run", "countersign oracle run --home node1\ncountersign oracle run --home node1 --passphrase-fd 3 3<secret.txt"
)
@click.option("--pause", type=click.FloatRange(0.05, 60), default=0.3, metavar="S", help="Between two looks. [0.3]")
@click.option("--stagger", type=click.FloatRange(0, 600), metavar="S",
              help="What one submitter gives the one before it. [2 on the local chain, else 15]")  # fmt: skip
@click.option("--limit", type=click.FloatRange(1, 600), default=60, metavar="S", help="Time of one check. [60]")
def _run(shell: Shell, pause: float, stagger: float | None, limit: float) -> None:
    """Judge what is asked of this node's policies until Ctrl-C or SIGTERM. May be stopped or killed at any time."""
    import asyncio
    from functools import partial

    from countersign.chain.client import Client
    from countersign.oracle.isolated import Isolated
    from countersign.oracle.node import Node, Options
    from countersign.settings import LOCAL_CHAIN

    settings = shell.settings
    config = NodeConfig.load(settings.home)
    signer = _signer(shell, config)
    options = Options(
        allowed=config.allowed,
        peers=config.peers,
        listen=config.listen,
        files=Path(config.files) if config.files else None,
        pause=pause,
        stagger=stagger if stagger is not None else 2.0 if settings.chain_id == LOCAL_CHAIN else 15.0,
    )
    check = Isolated(partial(delivery_check, config.check), limit)
    try:
        client = Client(settings.rpc, settings.chain_id)
        node = Node(settings, options, client, signer, check, _printer(shell))
        asyncio.run(_until_stopped(node, check))
    finally:
        check.close()


async def _until_stopped(node: Any, check: Any) -> None:
    import asyncio
    import signal

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await node.run(stop)
    finally:
        check.close()  # a check under way would hold up the end


def _printer(shell: Shell) -> Callable[[str, dict[str, Any]], None]:
    """One line for each event: time, event, name=value; with --json one document."""

    def log(event: str, facts: dict[str, Any]) -> None:
        words = " ".join(f"{name}={json.dumps(value)}" for name, value in facts.items())
        shell.answer({"event": event, "at": time.time(), **facts}, f"{utc(int(time.time()))}  {event}  {words}")

    return log


@command(
    "check",
    """
countersign oracle check photo.jpg --brief brief.json --reference dispatched.jpg --check intact-trees
countersign oracle check photo.jpg --home node1
""",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--brief", type=click.Path(path_type=Path), help="The brief; without one nothing is asked for.")
@click.option("--reference", type=click.Path(path_type=Path), help="What the brief compares with.")
@click.option("--check", type=click.Choice(NAMES), help="Another check than the node's.")
def _check(shell: Shell, file: Path, brief: Path | None, reference: Path | None, check: str | None) -> int:
    """Run the node's check on FILE, here and now: nothing is signed or sent. Exit 0 when it would pass at 50."""
    chosen = delivery_check(check or NodeConfig.load(shell.settings.home).check)
    asked = load_brief(_read(brief)) if brief else Brief("")
    finding = chosen.run(Material(_read(file), asked, _read(reference) if reference else None))
    facts = {"score": finding.score, "reason": finding.reason, "details": finding.details}
    shell.answer(_about(chosen) | facts, f"{finding.score} of 100: {finding.reason}")
    return 0 if finding.score >= _PASS else 1


def _about(check: Check) -> dict[str, str]:
    return {"check": check.name, "weights": to_hex(check.weights)}


def _read(path: Path) -> bytes:
    """A file no larger than what a node fetches. Raises InputError."""
    with open_regular(path) as file:
        content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise InputError(f"{path} is larger than {_LARGEST >> 20} MiB.", "Nodes judge no larger deliveries.")
    return content


@command(
    "attest",
    """
countersign oracle attest 0xSUBJECT --score 80 --reason "Looked at it myself." --home node1
""",
)
@click.argument("target", metavar="REQUEST|SUBJECT")
@click.option("--score", type=click.IntRange(0, 100), required=True, help="0 (no) to 100 (yes).")
@click.option("--reason", default="Judged by hand.", metavar="TEXT", help="For the evidence.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def _attest(shell: Shell, target: str, score: int, reason: str, yes: bool) -> None:
    """Sign one open request by hand, for good, with evidence that says so. The running node, or its peers, get it."""
    from countersign.oracle.evidence import Shelf
    from countersign.oracle.node import attest, journal_path, shelf_path

    config, client = NodeConfig.load(shell.settings.home), shell.client()
    signer = _signer(shell, config)
    asked = _open_request(shell, client, from_hex(target, 32, "request or subject"))
    _require_mine(asked, signer.address, config)
    side = "pass" if score >= asked.policy.pass_score else "fail"
    question = f"Attest {score} of 100 ({side}) for request {to_hex(asked.key[0])}? It cannot be taken back"
    if not yes and not click.confirm(question, err=True):
        raise click.Abort
    journal = Journal(journal_path(shell.settings))
    said = journal.of(asked.key)
    if said is None or said.attestation.score != score:
        by_hand = {"name": "by hand", "weights": to_hex(ZERO)}
        shelf = Shelf(shelf_path(shell.settings))
        said = attest(journal, shelf, signer, client.deals, asked, by_hand, Finding(score, reason))
    told = _tell(config, said)
    facts = {"request": to_hex(asked.key[0]), "score": score, "evidence": to_hex(said.attestation.evidence)}
    shell.answer(facts | {"told": told}, f"attested {score} ({side}); {told} node(s) told")


def _open_request(shell: Shell, client: Client, named: bytes) -> Asked:
    from countersign.oracle.sight import Sight

    sight = Sight(client, shell.settings.index_path)
    found = [asked for asked in sight.look() if named in (asked.request.subject, asked.key[0])]
    sight.close()
    if len(found) != 1:
        what = "No open request is" if not found else "Several open requests are"
        raise InputError(f"{what} named {to_hex(named)}.", "See: countersign oracle status.")
    return found[0]


def _require_mine(asked: Asked, me: bytes, config: NodeConfig) -> None:
    seat = asked.seat_of(me)
    if seat is None or not asked.may_sign(seat):
        raise SignerError(f"{checksum(me)} may not sign this request.", "It has no seat, or the seat is suspended.")
    if not config.allowed.serves(asked):
        address = checksum(asked.request.policy)
        raise InputError(
            f"The policy {address} is not on this node's list.", f"Add it: countersign oracle init --policy {address}."
        )


def _tell(config: NodeConfig, said: SignedAttestation) -> int:
    import asyncio

    from countersign.oracle.relay import push

    return asyncio.run(push((f"http://{config.listen}", *config.peers), said))


@command("status", "countersign oracle status --home node1 --json")
def _status(shell: Shell) -> None:
    """The node's stake, list, peers, open requests and what it signed."""
    from countersign.oracle.node import journal_path
    from countersign.oracle.sight import Sight

    config, client = NodeConfig.load(shell.settings.home), shell.client()
    me = _address(shell, config)
    node, sight = client.node_of(me), Sight(client, shell.settings.index_path)
    journal = Journal(journal_path(shell.settings))
    asked = [_request_facts(one, journal) for one in sight.look() if one.seat_of(me) is not None]
    sight.close()
    facts = {
        "address": checksum(me),
        "check": config.check,
        "serves": node.slasher == client.deals.oracle and not node.leaves_at,
        "stake": str(node.stake * _GWEI),
        "reward": str(client.reward_of(me)),
        "balance": str(client.balance(me)),
        "policies": [*map(checksum, config.policies)],
        "arbiters": [*map(checksum, config.arbiters)],
        "peers": [*config.peers],
        "listen": config.listen,
        "signed": len(journal.all()),
        "open": asked,
    }
    shell.answer(facts, _status_text(facts))


def _request_facts(asked: Asked, journal: Journal) -> dict[str, Any]:
    said = journal.of(asked.key)
    return {
        "request": to_hex(request_hash(asked.request)),
        "subject": to_hex(asked.request.subject),
        "policy": checksum(asked.request.policy),
        "deadline": asked.deadline,
        "score": said.attestation.score if said else None,
    }


def _status_text(facts: dict[str, Any]) -> str:
    money = {name: COIN.show(int(facts[name])) for name in ("stake", "reward", "balance")}
    shown = facts | money | {"serves": "yes" if facts["serves"] else "no: countersign oracle join"}
    lines = [f"{name:<9} {_shown(value)}" for name, value in shown.items() if name != "open"]
    for one in facts["open"]:
        said = "not signed" if one["score"] is None else f"signed {one['score']}"
        lines.append(f"open      {one['request']} until {utc(one['deadline'])}, {said}")
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


for _command in (_init, _join, _leave, _withdraw, _publish, _run, _check, _attest, _status):
    oracle_command.add_command(_command)
