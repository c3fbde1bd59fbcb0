"""``deal show|list``: who can do what next and until when, and what happened."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, deal_id, from_address, load_terms, to_hex
from countersign.cli.agreed import now_on, terms_of
from countersign.cli.shell import Shell, command
from countersign.deal import flow
from countersign.deal.timeline import STATUS, Option, Timeline
from countersign.deal.words import Currency, show_duration, when
from countersign.errors import ChainError, NoContract, Unreachable
from countersign.records import Cause, Deal, Outcome, State, Terms
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["list_command", "show_command"]

_PAUSE = 2.0
_DOUBTS = {
    True: [],
    False: ["not final  The chain may still take the last step back: rely on it once this line is gone."],
    None: ["final?     Nothing is known of it: this node does not say what the chain may still take back."],
}
_TARGET = click.argument("target", metavar="TERMS|0x…")


@command(
    "show",
    """
countersign deal show mill.terms.json
countersign deal show 0xDEALID --watch        until the deal ends
""",
)
@_TARGET
@click.option("--watch", is_flag=True, help="Redraw every two seconds until the deal has ended for good.")
def show_command(shell: Shell, target: str, watch: bool) -> int:
    """Where a deal stands: who can do what next and until when, whether that is final, and what happened."""
    client = shell.client()
    terms = terms_of(shell, client, target)
    currency = flow.currency_of(client, terms.token)
    return _watch(shell, client, terms, currency) if watch else _look(shell, client, terms, currency)


@dataclass(frozen=True)
class _Seen:
    """A deal as of second ``now``; ``final``: the newest final block holds it so, None where the node cannot tell."""

    deal: Deal
    line: Timeline
    final: bool | None
    now: int


def _see(client: Client, terms: Terms, currency: Currency) -> _Seen:
    now = now_on(client)
    deal, _, line = flow.timeline_on(client, terms, now, currency)
    return _Seen(deal, line, _is_final(client, deal_id(client.deals, terms), deal), now)


def _is_final(client: Client, identifier: bytes, deal: Deal) -> bool | None:
    try:
        return client.deal_of(identifier, at="finalized") == deal
    except NoContract:  # a chain so young that its final block is older than the escrow
        return deal.state == State.NONE
    except Unreachable:
        raise
    except ChainError:  # nodes forget old states, and some know no finality
        return None


def _look(shell: Shell, client: Client, terms: Terms, currency: Currency) -> int:
    identifier, seen = deal_id(client.deals, terms), _see(client, terms, currency)
    history = _history(shell, identifier, currency)
    facts = _facts(identifier, terms, seen) | {"history": [_plain(event) for event, _ in history]}
    shell.answer(facts, "\n".join(_text(identifier, terms, seen, currency) + [text for _, text in history]))
    return 0 if seen.deal.state != State.NONE else 1


def _watch(shell: Shell, client: Client, terms: Terms, currency: Currency) -> int:
    """On a terminal the picture is redrawn; elsewhere it is printed whenever something changed."""
    identifier, last = deal_id(client.deals, terms), None
    redraw = sys.stdout.isatty() and not shell.as_json
    while True:
        seen = _see_at_last(shell, client, terms, currency)
        if redraw:
            click.clear()
        if redraw or (seen.line, seen.final) != last:
            text = [*_text(identifier, terms, seen, currency), _coming(seen)]
            shell.answer(_facts(identifier, terms, seen), "\n".join(text))
        last = seen.line, seen.final
        if not seen.line.options and not _may_return(seen):
            return 0 if seen.deal.state == State.ENDED else 1
        time.sleep(_PAUSE)


def _see_at_last(shell: Shell, client: Client, terms: Terms, currency: Currency) -> _Seen:
    while True:
        try:
            return _see(client, terms, currency)
        except Unreachable as error:
            shell.say(f"waiting: {error.message}")
            time.sleep(_PAUSE)


def _may_return(seen: _Seen) -> bool:
    """Whether the chain may still take the end of the deal back."""
    return seen.deal.state == State.ENDED and seen.final is False


def _coming(seen: _Seen) -> str:
    if _may_return(seen):
        return "waiting until that is final"
    change = seen.line.next_change(seen.now)
    return f"next change in {show_duration(change - seen.now)}" if change else "no clock is running"


def _facts(identifier: bytes, terms: Terms, seen: _Seen) -> dict[str, Any]:
    deal, line = seen.deal, seen.line
    return {
        "dealId": to_hex(identifier),
        "status": line.status,
        "state": deal.state.name.lower(),
        "final": seen.final,
        "milestone": deal.milestone + 1,
        "milestones": len(terms.milestones) + 1,
        "payer": checksum(terms.payer),
        "payee": checksum(terms.payee),
        "amount": str(terms.amount),
        "token": checksum(terms.token) if any(terms.token) else None,
        "policy": checksum(terms.policy) if any(terms.policy) else None,
        "options": [_plain_option(option) for option in line.options],
    }


def _plain_option(o: Option) -> dict[str, Any]:
    return {"who": o.who, "verb": o.verb, "from": o.opens, "until": o.closes, "effect": o.effect}


def _text(identifier: bytes, terms: Terms, seen: _Seen, currency: Currency) -> list[str]:
    deal, line = seen.deal, seen.line
    head = [
        f"deal       {to_hex(identifier)}",
        f"payer      {checksum(terms.payer)}",
        f"payee      {checksum(terms.payee)}",
        f"amount     {currency.show(terms.amount)}",
    ]
    if terms.milestones:
        head.append(f"milestone  {deal.milestone + 1} of {len(terms.milestones) + 1}")
    status = f"status     {click.style(line.status, bold=True)}: {STATUS[line.status]}"
    return [*head, status, *_DOUBTS[seen.final], *(_option(option, seen.now) for option in line.options)]


def _option(o: Option, now: int) -> str:
    """One line of "who can do what next and until when"."""
    if o.opens > now:
        span = f"from {when(o.opens, now)}"
    elif o.closes is None:
        span = "now"
    else:
        span = f"now, until {when(o.closes, now)}"
    return f"  {o.who:<9} may {o.verb:<9} {span}: {o.effect}"


def _history(shell: Shell, identifier: bytes, currency: Currency) -> list[tuple[dict[str, Any], str]]:
    """What the index knows, if there is one."""
    if not shell.settings.index_path.exists():
        return []
    from countersign.cli.index import bring_up_to_date

    events = bring_up_to_date(shell).deal_events(identifier)
    return [(e, f"{utc(e['time'])}  {_EVENTS[e['kind']](e, currency)}  {to_hex(e['tx'])}") for e in events]


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {name: to_hex(value) if isinstance(value, bytes) else value for name, value in event.items()}


_EVENTS: dict[str, Callable[[dict[str, Any], Currency], str]] = {
    "deals": lambda e, currency: f"opened with {currency.show(int(e['amount']))}",
    "deliveries": lambda e, _: f"milestone {e['milestone'] + 1} delivered",
    "requests": lambda e, _: f"verdict requested, round {e['round'] + 1}",
    "verdicts": lambda e, _: f"verdict {Outcome(e['outcome']).name.capitalize()}, bound {e['bound']}",
    "challenges": lambda e, _: f"verdict challenged by {checksum(e['challenger'])}",
    "deal_disputes": lambda e, _: f"disputed by {checksum(e['by'])}",
    "deal_rulings": lambda e, _: f"ruled: {State(e['state']).name.removeprefix('RULED_').lower()}",
    "deal_payments": lambda e, currency: (
        f"{Cause(e['cause']).name.lower()}: {currency.show(int(e['to_payee']))} to the payee, "
        f"{currency.show(int(e['to_payer']))} to the payer"
    ),
}


@command("list", "countersign deal list --key keystore:me.json\ncountersign deal list --address 0x… --json")
@click.option("--address", metavar="0x…", help="Whose deals; default: those of --key.")
def list_command(shell: Shell, address: str | None) -> None:
    """Your deals, newest first, with their status."""
    from countersign.cli.index import bring_up_to_date

    who = from_address(address) if address else shell.own_address()
    client = shell.client()
    deals = [_listed(client, row, who) for row in bring_up_to_date(shell).deals_of(who)]
    lines = [f"{d['dealId']}  {d['role']}  {d['amount']}  {d['status']}" for d in deals]
    shell.answer(deals, "\n".join(lines) or f"{checksum(who)} has no deals yet.")


def _listed(client: Client, row: dict[str, Any], who: bytes) -> dict[str, Any]:

    terms = load_terms(json.loads(row["terms"]))
    currency = flow.currency_of(client, terms.token)
    _, _, line = flow.timeline_on(client, terms, now_on(client), currency)
    role = "payer" if terms.payer == who else "payee"
    other = terms.payee if role == "payer" else terms.payer
    return {"dealId": to_hex(row["deal_id"]), "role": role, "with": checksum(other),
            "amount": currency.show(terms.amount), "status": line.status}  # fmt: skip
