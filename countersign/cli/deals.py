"""``deal propose|open|deliver|release|refund|settle|dispute|expire|withdraw|show|list``, ``request``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, deal_id, from_hex, subject_of, text_hash, to_hex
from countersign.certificate import Certificate, path_beside
from countersign.chain.sender import intent
from countersign.cli.agreed import keep, load_file, now_on, require_served, terms_of
from countersign.cli.dealview import list_command, show_command
from countersign.cli.proposals import propose_command
from countersign.cli.shell import Shell, command, digest
from countersign.cli.units import ADDRESS
from countersign.deal import flow
from countersign.deal.brief import load_brief
from countersign.deal.terms import TermsFile, preview, require_openable
from countersign.deal.timeline import deliver_by
from countersign.deal.words import Currency
from countersign.errors import InputError, NoFunds, NotFinal, Reverted
from countersign.oracle.decide import OBJECTION
from countersign.records import Call, Deal, Outcome, State, Terms
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.chain.sender import Sender

__all__ = ["deal_command", "request_command"]

_TARGET = click.argument("target", metavar="TERMS|0x…")
_MILESTONE = click.option(
    "--milestone", type=click.IntRange(1, 256), metavar="N", help="Which one, from 1; needed where there are several."
)


@click.group("deal")
def deal_command() -> None:
    """Deals: money under agreed terms, released by verdict, person or time.

    \b
    The flow:
      countersign deal propose mill --payee 0x… --amount 0.5 --policy 0x… --deliver-by 3d --title "The old mill"
      countersign deal open mill.terms.json              the buyer pays into the escrow
      countersign deal deliver mill.terms.json mill.jpg  the seller delivers; the committee is asked
      countersign deal settle mill.terms.json            anybody has the verdict carried out
      countersign deal show mill.terms.json --watch      who can do what next, and until when
    """


def _number(terms: Terms, deal: Deal, said: int | None) -> int:
    """The milestone that is meant, from 0. A repeated command must not hit the next one: where there are several it
    has to be named."""
    if said is None and terms.milestones:
        raise InputError(
            f"This deal has {len(terms.milestones) + 1} milestones, number {deal.milestone + 1} is the current one.",
            "Say which one you mean: --milestone N.",
        )
    number = (said or 1) - 1
    if number > deal.milestone:
        raise InputError(f"Milestone {number + 1} has not started.", f"The current one is {deal.milestone + 1}.")
    return number


# open


@command(
    "open", "countersign deal open mill.terms.json --key keystore:me.json\ncountersign deal open mill.terms.json --json"
)
@click.argument("path", metavar="TERMS", type=click.Path(path_type=Path))
def _open(shell: Shell, path: Path) -> None:
    """Pay into the escrow. By the payer; a token is approved first, for exactly the amount. Twice pays once."""
    signer, client = shell.signer(), shell.client()
    file, sender = load_file(client, path), shell.sender(client, signer)
    terms, transaction = file.terms, None
    if client.deal_of(file.deal_id).state == State.NONE:
        now = now_on(client)
        policy, currency = require_openable(client, terms, now)
        shell.say("\n".join(preview(terms, policy, load_brief(file.brief), currency, now)))
        _require_party(signer.address, terms.payer, "payer")
        _require_money(client, terms, currency)
        if any(terms.token):
            _approve(shell, client, sender, file)
        call = flow.open_call(client.deals, terms, file.brief_uri)
        transaction = shell.send(sender, call, intent("open", file.deal_id), "open").transaction
    facts = {"dealId": to_hex(file.deal_id), "transaction": to_hex(transaction) if transaction else None}
    shell.answer(facts, f"{'open' if transaction else 'open already'}: {to_hex(file.deal_id)}")


def _require_party(signer: bytes, party: bytes, role: str) -> None:
    if signer != party:
        raise InputError(f"{checksum(signer)} is not the {role} of these terms.", f"Use the key of {checksum(party)}.")


def _require_money(client: Client, terms: Terms, currency: Currency) -> None:
    has = flow.balance_of(client, terms.token, terms.payer)
    if has < terms.amount:
        raise NoFunds(
            f"{checksum(terms.payer)} has {currency.show(has)}; the deal takes {currency.show(terms.amount)}.",
            "Send it some first.",
        )


def _approve(shell: Shell, client: Client, sender: Sender, file: TermsFile) -> None:
    """Some tokens change an allowance only from or to zero."""
    token, amount = file.terms.token, file.terms.amount

    def allowed() -> int:
        return flow.allowance_of(client, token, sender.address)

    if 0 < allowed() < amount:
        zero = flow.approve_call(client.deals, token, 0)
        _until(shell, sender, zero, intent("approve", token, 0), "approve 0", lambda: allowed() == 0)
    call = flow.approve_call(client.deals, token, amount)
    _until(shell, sender, call, intent("approve", token, file.deal_id), "approve", lambda: allowed() >= amount)


def _until(
    shell: Shell, sender: Sender, call: Call, name: str, doing: str, done: Callable[[], bool]
) -> None:  # fmt: skip
    """Send unless it is done. What the journal remembers may be an earlier occasion: then it is sent anew."""
    if not done():
        shell.send(sender, call, name, doing)
    if not done():
        sender.forget(name)
        shell.send(sender, call, name, doing)


# deliver and request


@command(
    "deliver",
    """
countersign deal deliver mill.terms.json mill.jpg --key keystore:me.json       on the local chain
countersign deal deliver mill.terms.json mill.jpg --uri https://example.org/mill.jpg
countersign deal deliver 0xDEALID part2.jpg --milestone 2 --no-request
""",
)
@_TARGET
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--uri", help="Where FILE is served. [a local copy, on the local chain]")
@click.option("--request/--no-request", default=True, help="Ask the committee, with its fee (default).")
@click.option(
    "--reveal-unsealed",
    is_flag=True,
    help="Deliver though the seal of FILE is not final: all can see it then, and others may seal or claim it first.",
)
@_MILESTONE
def _deliver(
    shell: Shell, target: str, file: Path, uri: str | None, request: bool, reveal_unsealed: bool, milestone: int | None
) -> None:
    """Deliver FILE, once, and ask the committee to judge it. By the payee. Twice changes nothing."""
    content = digest(shell, file).sha256
    signer, client = shell.signer(), shell.client()
    terms, sender = terms_of(shell, client, target), shell.sender(client, signer)
    identifier = deal_id(client.deals, terms)
    deal = client.deal_of(identifier)
    number = _number(terms, deal, milestone)
    if number < deal.milestone:
        raise InputError(f"Milestone {number + 1} is paid already.", f"The current one is {deal.milestone + 1}.")
    _require_party(signer.address, terms.payee, "payee")
    facts: dict[str, Any] = {"dealId": to_hex(identifier), "delivery": to_hex(content), "milestone": number + 1}
    if deal.delivery != content[:20]:
        if not reveal_unsealed:
            _require_final_seal(file, deliver_by(terms, deal))
        uri = uri or keep(shell, file, content)
        require_served(shell, uri, content)
        call = flow.deal_call(client.deals, "deliver", terms, number, content, uri)
        shell.send(sender, call, intent("deliver", identifier, number, content), "deliver")
        facts["uri"] = uri
    deal = client.deal_of(identifier)
    if request and any(terms.policy) and (deal.milestone, deal.state) == (number, State.DELIVERED):
        facts["request"] = _ask(shell, client, sender, subject_of(identifier, number, content), terms.policy)
    asked = f"\nverdict {facts['request']}" if "request" in facts else ""
    shell.answer(facts, f"delivered {to_hex(content)}{asked}")


def _require_final_seal(file: Path, due: int) -> None:
    """A delivery is public, and nodes get the work: what is about to be sealed stays secret until the seal is final."""
    path = path_beside(file)
    if path.exists() and Certificate.load(path).proof is None:
        raise NotFinal(
            f"{file} is not sealed for good yet: {path.name} beside it is still a draft.",
            f"Wait for the seal first: countersign seal {file} --resume. The delivery is due until {utc(due)}; if that "
            "cannot wait, --reveal-unsealed delivers now.",
        )


@command(
    "request",
    """
countersign request mill.terms.json --key keystore:me.json
countersign request 0xDEALID                            a deal that the index knows
countersign request 0xOBJECTION --objection --policy 0x…   is it justified? countersign objections names it
countersign request 0xSUBJECT --policy 0x…              anything else that nodes can judge
""",
)
@click.argument("target", metavar="TERMS|0x…")
@click.option("--policy", type=ADDRESS, metavar="0x…", help="Whom to ask. [the deal's policy]")
@click.option("--objection", is_flag=True, help="TARGET is the id of an objection.")
def request_command(shell: Shell, target: str, policy: bytes | None, objection: bool) -> None:
    """Ask a committee to judge, with its fee. What is asked or decided already is not paid again; after a lapse the
    next round is asked for."""
    signer, client = shell.signer(), shell.client()
    find = _objection if objection else _subject
    subject, policy = find(shell, client, target, policy)
    state = _ask(shell, client, shell.sender(client, signer), subject, policy)
    shell.answer({"subject": to_hex(subject), "policy": checksum(policy), "request": state}, f"verdict {state}")


def _objection(shell: Shell, client: Client, target: str, policy: bytes | None) -> tuple[bytes, bytes]:
    """Whoever is asked the wrong question does not answer: nothing is paid for that."""
    from countersign.cli.index import bring_up_to_date

    subject = from_hex(target, 32, "objection")
    if bring_up_to_date(shell).objection(subject) is None:
        raise InputError(f"{target} is no objection on this chain.", "See: countersign objections FILE.")
    if policy is None or client.policy_of(policy).check != text_hash(OBJECTION):
        raise InputError("No policy is named whose question is an objection.", f"Give --policy; it asks {OBJECTION}.")
    return subject, policy


def _subject(shell: Shell, client: Client, target: str, policy: bytes | None) -> tuple[bytes, bytes]:
    plain = from_hex(target, 32, "deal id or subject") if target.startswith("0x") else None
    if plain and client.deal_of(plain).state == State.NONE:
        if policy is None:
            raise InputError(f"{target} is no deal.", "Give its terms file, or for another subject --policy.")
        return plain, policy
    terms = terms_of(shell, client, target)
    identifier = deal_id(client.deals, terms)
    deal = client.deal_of(identifier)
    if not any(deal.delivery):
        raise InputError("Nothing is delivered that could be judged.", "Deliver first: countersign deal deliver.")
    if policy is None and not any(terms.policy):
        raise InputError("The terms name no policy.", "Nobody judges this deal.")
    return subject_of(identifier, deal.milestone, deal.delivery), policy or terms.policy


def _ask(shell: Shell, client: Client, sender: Sender, subject: bytes, address: bytes) -> str:
    """Request a verdict unless one is asked for or there; what came of it."""
    policy, record = client.policy_of(address), client.verdict(subject, address)
    if record.outcome != Outcome.NONE:
        return f"decided: {record.outcome.name.capitalize()}"
    if record.requested_at and now_on(client) <= record.requested_at + policy.submit_time:
        return "requested already"
    number = record.round + 1 if record.requested_at else 0
    call = flow.request_call(client.deals, subject, address, policy)
    try:
        shell.send(sender, call, intent("request", subject, address, number), "request")
    except Reverted as error:
        if error.name != "AlreadyRequested":  # somebody else was faster: nothing was paid
            raise
    return f"requested, round {number + 1}"


# Ending a deal


def _act(shell: Shell, target: str, verb: str, milestone: int | None = None, *, named: bool = False) -> None:
    """A verb that needs only the terms (and, ``named``, the milestone)."""
    signer, client = shell.signer(), shell.client()
    terms = terms_of(shell, client, target)
    currency, identifier = flow.currency_of(client, terms.token), deal_id(client.deals, terms)
    deal, _, before = flow.timeline_on(client, terms, now_on(client), currency)
    number = _number(terms, deal, milestone) if named else deal.milestone
    call = flow.deal_call(client.deals, verb, terms, *((number,) if named else ()))
    receipt = shell.send(shell.sender(client, signer), call, intent(verb, identifier, number), verb)
    effect = next((option.effect for option in before.options if option.verb == verb), "done")
    facts = {"dealId": to_hex(identifier), "verb": verb, "milestone": number + 1, "effect": effect}
    shell.answer(facts | {"transaction": to_hex(receipt.transaction)}, f"{verb}: {effect}")


@command("release", "countersign deal release mill.terms.json\ncountersign deal release 0xDEALID --milestone 2")
@_TARGET
@_MILESTONE
def _release(shell: Shell, target: str, milestone: int | None) -> None:
    """Pay the current milestone, whatever anybody says. By the payer."""
    _act(shell, target, "release", milestone, named=True)


@command("refund", "countersign deal refund mill.terms.json")
@_TARGET
def _refund(shell: Shell, target: str) -> None:
    """Give all that is unpaid back. By the payee."""
    _act(shell, target, "refund")


@command("settle", "countersign deal settle mill.terms.json")
@_TARGET
def _settle(shell: Shell, target: str) -> None:
    """Have the verdict or the ruling carried out. By anyone."""
    _act(shell, target, "settle")


@command("expire", "countersign deal expire mill.terms.json")
@_TARGET
def _expire(shell: Shell, target: str) -> None:
    """End what nobody delivered or judged in time, as the terms say. By anyone."""
    _act(shell, target, "expire")


@command("dispute", 'countersign deal dispute mill.terms.json --reason "It shows another mill."')
@_TARGET
@click.option("--reason", required=True, help="Why, in public.")
def _dispute(shell: Shell, target: str, reason: str) -> None:
    """Ask the arbiter, where no verdict counts. By payer or payee, who pays what the arbiter costs."""
    signer, client = shell.signer(), shell.client()
    terms = terms_of(shell, client, target)
    identifier = deal_id(client.deals, terms)
    deal = client.deal_of(identifier)
    if not any(terms.arbiter):
        raise InputError("The terms name no arbiter.", "Wait, then: countersign deal expire.")
    cost = client.arbitration_cost(terms.arbiter)
    call = flow.deal_call(client.deals, "dispute", terms, reason, value=cost)
    receipt = shell.send(shell.sender(client, signer), call, intent("dispute", identifier, deal.milestone), "dispute")
    facts = {"dealId": to_hex(identifier), "cost": cost, "transaction": to_hex(receipt.transaction)}
    until = client.deal_of(identifier).ruling_by
    shell.answer(facts | {"rulingBy": until}, f"disputed; the arbiter may rule until {utc(until)}")


@command(
    "withdraw", "countersign deal withdraw --key keystore:me.json\ncountersign deal withdraw --token 0x… --account 0x…"
)
@click.option("--token", type=ADDRESS, default=bytes(20), metavar="0x…", help="[the chain's coin]")
@click.option("--account", type=ADDRESS, metavar="0x…", help="Whose credit; anyone may have it paid. [yours]")
def _withdraw(shell: Shell, token: bytes, account: bytes | None) -> None:
    """Take what was credited because a payment had failed."""
    signer, client = shell.signer(), shell.client()
    owner, currency = account or signer.address, flow.currency_of(client, token)
    credit = client.credit_of(token, owner)
    call = flow.withdraw_call(client.deals, token, owner)
    name = intent("withdraw", token, owner)
    _until(shell, shell.sender(client, signer), call, name, "withdraw", lambda: client.credit_of(token, owner) == 0)
    text = f"withdrawn: {currency.show(credit)} for {checksum(owner)}" if credit else "Nothing is credited."
    shell.answer({"account": checksum(owner), "withdrawn": str(credit)}, text)


for _command in (propose_command, _open, _deliver, _release, _refund, _settle, _dispute, _expire, _withdraw,
                 show_command, list_command):  # fmt: skip
    deal_command.add_command(_command)
