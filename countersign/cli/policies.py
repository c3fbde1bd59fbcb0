"""``policy create|show|list``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, from_address, from_hex, policy_address, text_hash, to_hex
from countersign.chain.sender import intent
from countersign.cli.shell import Shell, command
from countersign.cli.units import ADDRESS, AMOUNT, DURATION
from countersign.deal.flow import policy_call, policy_or_none
from countersign.deal.words import COIN, show_duration
from countersign.errors import InputError
from countersign.oracle.decide import OBJECTION
from countersign.records import Policy, Seat

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["policy_command"]

_CHECK = "delivery/1"
_DEFAULTS: dict[str, Any] = {"check": _CHECK, "pass": 50, "submitTime": 3600}
_FIELDS = {"policy", "check", "seats", "k", "pass", "submitTime", "challengeTime", "rulingTime", "fee", "bond", "slash",
           "arbiter"}  # fmt: skip
_GWEI = 10**9


@click.group("policy")
def policy_command() -> None:
    """Policies: who judges deliveries, how many must agree, how long, for which fee."""


@command(
    "create",
    """
countersign policy create --seat 0xNODE:0xMODEL --seat 0xNODE:0xMODEL --seat 0xNODE:0xMODEL --k 2 --fee 0.001
countersign policy create --seat … --submit-time 10m --challenge-time 2h --ruling-time 3d --arbiter 0x… --bond 0.1
countersign policy create --from policy.json       what 'policy show --json' prints; options given win
""",
)
@click.option("--from", "source", type=click.Path(path_type=Path), help="JSON with the fields of 'policy show --json'.")
@click.option("--check", metavar="NAME", help=f"The question that nodes answer: {_CHECK} or {OBJECTION}. [{_CHECK}]")
@click.option("--seat", "seats", multiple=True, metavar="NODE:MODEL", help="A node and its model id; repeatable.")
@click.option("--k", type=click.IntRange(1, 32), help="How many must pass it. [more than half]")
@click.option("--pass", type=click.IntRange(1, 100), help="Scores from here on pass. [50]")
@click.option("--submit-time", "submitTime", type=DURATION, metavar="TIME", help="Time to answer. [1h]")
@click.option("--challenge-time", "challengeTime", type=DURATION, metavar="TIME", help="Time to challenge. [0]")
@click.option("--ruling-time", "rulingTime", type=DURATION, metavar="TIME", help="Time of the arbiter to rule. [0]")
@click.option("--fee", type=AMOUNT, metavar="COIN", help="Paid with each request, to those who sign. [0]")
@click.option("--bond", type=AMOUNT, metavar="COIN", help="What a challenger risks. [0]")
@click.option("--slash", type=AMOUNT, metavar="COIN", help="Stake that a seat must hold, and can lose. [0]")
@click.option("--arbiter", type=ADDRESS, metavar="0x…", help="ERC-792 contract that rules on challenges. [nobody]")
def _create(shell: Shell, source: Path | None, **options: Any) -> None:
    """Create a policy, for good: its address is its id. Creating it twice changes nothing."""
    given = {name: value for name, value in options.items() if value not in (None, ())}
    policy = _policy(_DEFAULTS | (_load(source) if source else {}) | given)
    signer, client = shell.signer(), shell.client()
    address = policy_address(client.deals, policy)
    if policy_or_none(client, address) is None:
        call = policy_call(client.deals, policy)
        shell.send(shell.sender(client, signer), call, intent("policy", address), "policy")
    warnings = list(_warnings(client, policy))
    text = [f"policy {checksum(address)}", *(f"Note: {warning}" for warning in warnings)]
    shell.answer(_facts(address, policy) | {"warnings": warnings}, "\n".join(text))


def _load(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}.", "Give what 'policy show --json' prints.") from error
    fields = set(document) - {"warnings", "nodes"} if isinstance(document, dict) else {""}
    if not fields <= _FIELDS:
        raise InputError(f"{path} is not a policy.", f"Its fields are: {', '.join(sorted(_FIELDS))}.")
    return {name: document[name] for name in fields if name != "policy"}


def _policy(said: dict[str, Any]) -> Policy:
    listed, arbiter = said.get("seats", ()), said.get("arbiter") or bytes(20)
    if not isinstance(listed, list | tuple) or not isinstance(arbiter, bytes | str):
        raise InputError("'seats' must be a list, 'arbiter' an address.", "Give what 'policy show --json' prints.")
    seats = tuple(sorted(map(_seat, listed), key=lambda seat: seat.node))
    if not seats:
        raise InputError("The policy has no seat.", "Give at least one --seat NODE:MODEL.")
    if len({seat.node for seat in seats}) < len(seats):
        raise InputError("A node has two seats.", "Give every node once.")
    submit, challenge, ruling = (
        _number(said, name, DURATION) for name in ("submitTime", "challengeTime", "rulingTime")
    )
    fee, bond, slash = (_number(said, name, AMOUNT) for name in ("fee", "bond", "slash"))
    k, score = said.get("k", len(seats) // 2 + 1), said["pass"]
    if not (_is_byte(k) and _is_byte(score) and len(seats) <= 32):
        raise InputError("These numbers make no policy.", "At most 32 seats, k of them, a pass score of 1 to 100.")
    return Policy(_check(said["check"]), seats, k, score, submit, challenge, ruling, fee, bond, slash,
                  ADDRESS.convert(arbiter, None, None))  # fmt: skip


def _is_byte(value: Any) -> bool:
    return type(value) is int and 0 < value <= 100


def _number(said: dict[str, Any], name: str, unit: click.ParamType) -> int:
    value = unit.convert(said.get(name, 0), None, None)
    limit = 1 << (96 if unit is AMOUNT else 32)
    if type(value) is not int or not 0 <= value < limit:
        raise InputError(f"'{name}' is {value!r}.", "Write times like 10m, amounts like 0.01.")
    return value


def _seat(text: Any) -> Seat:
    node, colon, model = str(text).partition(":")
    if not colon:
        raise InputError(f"'{text}' is not a seat.", "Write NODE:MODEL, an address and a model id.")
    return Seat(from_address(node), from_hex(model, 32, "model id"))


def _check(name: Any) -> bytes:
    text = str(name)
    return from_hex(text, 32, "check") if text.startswith("0x") else text_hash(text)


def _warnings(client: Client, policy: Policy) -> Iterator[str]:
    """What would keep seats from signing."""
    for seat in policy.seats:
        model = client.model_times(seat.model)
        if not _serves(client, seat.node, policy):
            yield f"{checksum(seat.node)} does not serve here, or holds less than {COIN.show(policy.slash)}."
        if not model.published_at or model.revoked_at:
            yield f"The model {to_hex(seat.model)} is not published, or revoked."
    if any(policy.arbiter) and not client.has_code(policy.arbiter):
        yield f"The arbiter {checksum(policy.arbiter)} is no contract: challenges will fail."


def _serves(client: Client, address: bytes, policy: Policy) -> bool:
    node = client.node_of(address)
    return node.slasher == client.deals.oracle and not node.leaves_at and node.stake * _GWEI >= policy.slash


def _facts(address: bytes, policy: Policy) -> dict[str, Any]:
    """As 'policy create --from' takes it."""
    money = {name: COIN.show(getattr(policy, name)).split()[0] for name in ("fee", "bond", "slash")}
    return {
        "policy": checksum(address),
        "check": _check_name(policy.check),
        "seats": [f"{checksum(seat.node)}:{to_hex(seat.model)}" for seat in policy.seats],
        "k": policy.k,
        "pass": policy.pass_score,
        "submitTime": policy.submit_time,
        "challengeTime": policy.challenge_time,
        "rulingTime": policy.ruling_time,
        **money,
        "arbiter": checksum(policy.arbiter) if any(policy.arbiter) else None,
    }


def _check_name(check: bytes) -> str:
    """The chain holds only the hash of the name."""
    return next((name for name in (_CHECK, OBJECTION) if check == text_hash(name)), to_hex(check))


@command("show", "countersign policy show 0x…\ncountersign policy show 0x… --json > policy.json")
@click.argument("address", type=ADDRESS)
def _show(shell: Shell, address: bytes) -> int:
    """What a policy says, and which of its nodes serve now."""
    client = shell.client()
    policy = policy_or_none(client, address)
    if policy is None:
        shell.answer({"policy": checksum(address), "exists": False}, f"There is no policy {checksum(address)} here.")
        return 1
    serving = [_serves(client, seat.node, policy) for seat in policy.seats]
    shell.answer(_facts(address, policy) | {"nodes": serving}, "\n".join(_text(address, policy, serving)))
    return 0


def _text(address: bytes, p: Policy, serving: list[bool]) -> Iterator[str]:
    yield f"policy     {checksum(address)}"
    yield f"check      {_check_name(p.check)}"
    yield f"committee  {p.k} of {len(p.seats)} must give {p.pass_score} or more of 100"
    yield f"answers    within {show_duration(p.submit_time)}, for {COIN.show(p.fee)}"
    if p.challenge_time:
        yield f"challenge  within {show_duration(p.challenge_time)}, bond {COIN.show(p.bond)}"
    if any(p.arbiter):
        yield f"arbiter    {checksum(p.arbiter)}, rules within {show_duration(p.ruling_time)}"
    yield f"stake      {COIN.show(p.slash)} for each seat"
    for number, (seat, serves) in enumerate(zip(p.seats, serving, strict=True)):
        state = "serves" if serves else "does not serve"
        yield f"seat {number:<5} {checksum(seat.node)} {state}, model {to_hex(seat.model)}"


@command("list", "countersign policy list\ncountersign policy list --json")
def _list(shell: Shell) -> None:
    """Every policy on this chain, newest first."""
    from countersign.cli.index import bring_up_to_date

    rows = bring_up_to_date(shell).policies()
    facts = [{"policy": checksum(row["policy"]), "check": _check_name(row["check_hash"]), "k": row["k"],
              "seats": len(row["seats"]) // 52, "fee": COIN.show(int(row["fee"]))} for row in rows]  # fmt: skip
    lines = [f"{f['policy']}  {f['k']} of {f['seats']}  {f['check']}  fee {f['fee']}" for f in facts]
    shell.answer(facts, "\n".join(lines) or "There is no policy yet. Make one: countersign policy create.")


for _command in (_create, _show, _list):
    policy_command.add_command(_command)
