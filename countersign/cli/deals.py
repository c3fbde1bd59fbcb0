"""``deal propose|open|deliver|release|refund|settle|dispute|expire|withdraw|show|list``, ``request``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, deal_id, from_address, from_hex, load_terms, subject_of, to_hex
from countersign.chain.sender import intent
from countersign.cli.reading import _own_address
from countersign.cli.shell import Shell, command, content_of, digest
from countersign.cli.units import ADDRESS, DURATION
from countersign.deal import flow
from countersign.deal.brief import Brief, dump_brief, load_brief
from countersign.deal.fetch import LIMIT, fetch
from countersign.deal.terms import (
    SUFFIX,
    TermsFile,
    default_verdict_by,
    inline,
    preview,
    propose,
    require_openable,
    unknown_policy,
    warnings,
)
from countersign.deal.timeline import STATUS, WHOLE, Option, Timeline
from countersign.deal.words import Currency, read_duration, read_time, show_duration, utc, when
from countersign.durable import make_private_folder, open_regular, write_durably
from countersign.errors import InputError, NoFunds, Reverted, Unreachable, WrongChain
from countersign.records import Call, Cause, Deal, Milestone, Outcome, State, Terms
from countersign.settings import LOCAL_CHAIN

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.chain.sender import Sender

__all__ = ["deal_command", "request_command"]

_PAUSE = 2.0
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


# Terms, wherever they come from


def _now(client: Client) -> int:
    """Second of the next block at the earliest: a local chain may be ahead of the clock."""
    return max(client.head().time, int(time.time()))


def _load(client: Client, path: Path) -> TermsFile:
    file = TermsFile.load(path)
    if file.contracts != client.deals:
        raise WrongChain(
            f"These terms are for chain {file.contracts.chain_id}.", f"Use --chain {file.contracts.chain_id}."
        )
    return file


def _terms(shell: Shell, client: Client, target: str) -> Terms:
    """Of a terms file, or of an open deal that the index knows by its id."""
    if not target.startswith("0x"):
        return _load(client, Path(target)).terms
    from countersign.cli.index import bring_up_to_date

    row = bring_up_to_date(shell).deal(from_hex(target, 32, "deal id"))
    if row is None:
        raise InputError(f"There is no open deal {target} on this chain.", "Give its terms file, or check --chain.")

    return load_terms(json.loads(row["terms"]))


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


# propose


@command(
    "propose",
    """
countersign deal propose mill --payee 0x… --amount 0.5 --policy 0x… --deliver-by 3d --title "The old mill" --show mill
countersign deal propose mill --payee 0x… --amount 90 --token 0x… --brief mill.brief.json --deliver-by 2030-12-31T18:00Z
countersign deal propose site --payee 0x… --amount 3 --milestone 1:5d:2d --deliver-by 3d --verdict-by 5d --title Site
""",
)
@click.argument("name")
@click.option("--payee", type=ADDRESS, required=True, metavar="0x…", help="Who delivers and is paid.")
@click.option("--payer", type=ADDRESS, metavar="0x…", help="Who pays. [you]")
@click.option("--amount", required=True, metavar="N", help="Of all milestones, in coin or --token, e.g. 0.5.")
@click.option("--token", type=ADDRESS, default=bytes(20), metavar="0x…", help="ERC-20 to pay with. [the chain's coin]")
@click.option("--policy", type=ADDRESS, default=bytes(20), metavar="0x…", help="Who judges. [nobody]")
@click.option("--deliver-by", required=True, metavar="TIME", help="3d from now, or 2030-12-31T18:00Z.")
@click.option("--verdict-by", metavar="TIME", help="Likewise. [--deliver-by and time for three rounds of --policy]")
@click.option(
    "--arbiter", type=ADDRESS, default=bytes(20), metavar="0x…", help="ERC-792, for disputes. [nobody]"
)
@click.option(
    "--dispute-time", type=DURATION, default=0, metavar="TIME", help="To ask it, after --verdict-by."
)
@click.option("--ruling-time", type=DURATION, default=0, metavar="TIME", help="For it to rule.")
@click.option("--silence-share", type=float, default=0, metavar="PERCENT",
              help="What the payee gets when nobody judges: 0 refunds, 100 pays. [0]")  # fmt: skip
@click.option("--milestone", "milestones", multiple=True, metavar="AMOUNT:DELIVER:VERDICT",
              help="A later milestone with its times, e.g. 0.2:5d:2d; repeatable.")  # fmt: skip
@click.option("--brief", type=click.Path(path_type=Path), help="The brief's file, instead of the options below.")
@click.option("--brief-uri", help="Where the brief is served. [inside the transaction]")
@click.option("--title", help="What is ordered, in a few words.")
@click.option("--text", help="More words for people.")
@click.option("--type", "media_types", multiple=True, metavar="TYPE", help="Allowed, e.g. image/jpeg; repeatable.")
@click.option("--show", "must_show", multiple=True, metavar="WORDS", help="Must be readable in it; repeatable.")
@click.option("--reference", metavar="FILE|0x…", help="The picture it is compared with.")
@click.option("--reference-uri", help="Where the reference is served. [a local copy, on the local chain]")
def _propose(shell: Shell, name: str, payer: bytes | None, brief: Path | None, brief_uri: str | None,
             **said: Any) -> None:  # fmt: skip
    """Write NAME.terms.json, to be shared with the other party, and NAME.brief.json. Nothing is sent or paid."""
    path = Path(name.removesuffix(SUFFIX) + SUFFIX)
    if path.exists():
        raise InputError(f"{path} exists already.", "Open it, move it away, or choose another name.")
    client = shell.client()
    now, currency = _now(client), flow.currency_of(client, said["token"])
    draft = _draft(client, payer or _own_address(shell), currency, now, said)
    document = _brief(shell, brief, said)
    file = propose(client, draft, document, brief_uri or inline(document), now)
    if brief_uri:
        _require_served(shell, brief_uri, file.terms.brief)
    if brief is None:
        write_durably(path.with_name(path.name.removesuffix(SUFFIX) + ".brief.json"), document)
    file.save(path)
    policy = flow.policy_or_none(client, file.terms.policy)
    lines = preview(file.terms, policy, load_brief(document), currency, now)
    facts = {"file": str(path), "dealId": to_hex(file.deal_id), "preview": lines,
             "warnings": warnings(file.terms, policy)}  # fmt: skip
    shell.answer(facts, "\n".join([*lines, "", f"deal {to_hex(file.deal_id)}", f"terms: {path}"]))


def _draft(client: Client, payer: bytes, currency: Currency, now: int, said: dict[str, Any]) -> Terms:
    """Terms as said, still without brief and salt."""
    deliver_by = read_time(said["deliver_by"], now)
    return Terms(
        payer=payer,
        payee=said["payee"],
        amount=currency.read(said["amount"]),
        deliver_by=deliver_by,
        verdict_by=_verdict_by(client, deliver_by, now, said),
        token=said["token"],
        policy=said["policy"],
        arbiter=said["arbiter"],
        dispute_time=said["dispute_time"],
        ruling_time=said["ruling_time"],
        silence_share=_basis_points(said["silence_share"]),
        milestones=tuple(_milestone(text, currency) for text in said["milestones"]),
    )


def _verdict_by(client: Client, deliver_by: int, now: int, said: dict[str, Any]) -> int:
    if said["verdict_by"]:
        return read_time(said["verdict_by"], now)
    policy = flow.policy_or_none(client, said["policy"])
    if policy is None and any(said["policy"]):
        raise InputError(
            f"There is no policy {checksum(said['policy'])} on this chain.", "See: countersign policy list."
        )
    if policy is None:
        raise InputError("Nothing says when the deal ends after a delivery.", "Give --verdict-by, or a --policy.")
    return default_verdict_by(deliver_by, policy)


def _basis_points(percent: float) -> int:
    points = round(percent * 100)
    if not 0 <= points <= WHOLE or abs(points - percent * 100) > 1e-6:
        raise InputError(
            f"A silence share of {percent} percent is not possible.", "Give 0 to 100, like 33.33."
        )
    return points


def _milestone(text: str, currency: Currency) -> Milestone:
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError(f"'{text}' is not a milestone.", "Write AMOUNT:DELIVER:VERDICT, such as 0.2:5d:2d.")
    return Milestone(currency.read(parts[0]), read_duration(parts[1]), read_duration(parts[2]))


def _brief(shell: Shell, path: Path | None, said: dict[str, Any]) -> bytes:
    """The brief's document: the file, or one made of the options."""
    if path is None and not said["title"]:
        raise InputError("Nothing is ordered.", "Give --title, or --brief FILE.")
    if path is None:
        reference, uri = _reference(shell, said)
        words = (said["title"], said["text"] or "", said["media_types"], said["must_show"])
        return dump_brief(Brief(*words, reference, uri))
    if any(said[name] for name in ("title", "text", "media_types", "must_show", "reference", "reference_uri")):
        raise InputError("The brief's file says already what is ordered.", "Leave the other options out with --brief.")
    with open_regular(path) as file:
        return file.read(LIMIT)


def _reference(shell: Shell, said: dict[str, Any]) -> tuple[bytes, str]:
    if not said["reference"]:
        return bytes(32), ""
    reference = content_of(shell, said["reference"])
    uri = said["reference_uri"] or _keep(shell, Path(said["reference"]), reference)
    _require_served(shell, uri, reference)
    return reference, uri


# Content that others fetch


def _store(shell: Shell) -> Path:
    return shell.settings.home / "store"


def _keep(shell: Shell, path: Path, content: bytes) -> str:
    """Copy a file, by its SHA-256, to where the nodes of the local chain find it; its URI."""
    if shell.settings.chain_id != LOCAL_CHAIN:
        raise InputError("Nodes cannot read files on this machine.", "Serve the file over https, and give its URI.")
    if not path.is_file():
        raise InputError(f"{path} is not a file.", "Give the file, or the URI where it is served.")
    with open_regular(path) as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise InputError(f"{path} is larger than {LIMIT >> 20} MiB.", "Nodes do not fetch more.")
    folder = _store(shell).absolute()
    make_private_folder(folder)
    kept = folder / (content.hex() + path.suffix)
    write_durably(kept, data)
    return kept.as_uri()


def _require_served(shell: Shell, uri: str, content: bytes) -> None:
    """Before anything is promised on chain: nodes will find these very bytes there."""
    local = shell.settings.chain_id == LOCAL_CHAIN
    fetch(uri, content, files=_store(shell) if local else None, allow_local=local)


# open


@command(
    "open", "countersign deal open mill.terms.json --key keystore:me.json\ncountersign deal open mill.terms.json --json"
)
@click.argument("path", metavar="TERMS", type=click.Path(path_type=Path))
def _open(shell: Shell, path: Path) -> None:
    """Pay into the escrow. By the payer; a token is approved first, for exactly the amount. Twice pays once."""
    signer, client = shell.signer(), shell.client()
    file, sender = _load(client, path), shell.sender(client, signer)
    terms, transaction = file.terms, None
    if client.deal_of(file.deal_id).state == State.NONE:
        now = _now(client)
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
@_MILESTONE
def _deliver(shell: Shell, target: str, file: Path, uri: str | None, request: bool, milestone: int | None) -> None:
    """Deliver FILE, once, and ask the committee to judge it. By the payee. Twice changes nothing."""
    content = digest(shell, file).sha256
    signer, client = shell.signer(), shell.client()
    terms, sender = _terms(shell, client, target), shell.sender(client, signer)
    identifier = deal_id(client.deals, terms)
    deal = client.deal_of(identifier)
    number = _number(terms, deal, milestone)
    if number < deal.milestone:
        raise InputError(f"Milestone {number + 1} is paid already.", f"The current one is {deal.milestone + 1}.")
    _require_party(signer.address, terms.payee, "payee")
    facts: dict[str, Any] = {"dealId": to_hex(identifier), "delivery": to_hex(content), "milestone": number + 1}
    if deal.delivery != content[:20]:
        uri = uri or _keep(shell, file, content)
        _require_served(shell, uri, content)
        call = flow.deal_call(client.deals, "deliver", terms, number, content, uri)
        shell.send(sender, call, intent("deliver", identifier, number, content), "deliver")
        facts["uri"] = uri
    if request and any(terms.policy):
        facts["request"] = _ask(shell, client, sender, subject_of(identifier, number, content), terms.policy)
    shell.answer(
        facts, f"delivered {to_hex(content)}" + (f"\nverdict {facts['request']}" if "request" in facts else "")
    )


@command(
    "request",
    """
countersign request mill.terms.json --key keystore:me.json
countersign request 0xDEALID                            a deal that the index knows
countersign request 0xSUBJECT --policy 0x…              anything that nodes can judge
""",
)
@click.argument("target", metavar="TERMS|0x…")
@click.option("--policy", type=ADDRESS, metavar="0x…", help="Whom to ask. [the deal's policy]")
def request_command(shell: Shell, target: str, policy: bytes | None) -> None:
    """Ask a committee to judge, with its fee. What is asked or decided already is not paid again; after a lapse the
    next round is asked for."""
    signer, client = shell.signer(), shell.client()
    subject, policy = _subject(shell, client, target, policy)
    state = _ask(shell, client, shell.sender(client, signer), subject, policy)
    shell.answer({"subject": to_hex(subject), "policy": checksum(policy), "request": state}, f"verdict {state}")


def _subject(shell: Shell, client: Client, target: str, policy: bytes | None) -> tuple[bytes, bytes]:
    plain = from_hex(target, 32, "deal id or subject") if target.startswith("0x") else None
    if plain and client.deal_of(plain).state == State.NONE:
        if policy is None:
            raise InputError(f"{target} is no deal.", "Give its terms file, or for another subject --policy.")
        return plain, policy
    terms = _terms(shell, client, target)
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
    if record.requested_at and _now(client) <= record.requested_at + policy.submit_time:
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
    """A verb that only needs the terms (and, ``named``, the milestone)."""
    signer, client = shell.signer(), shell.client()
    terms = _terms(shell, client, target)
    currency, identifier = flow.currency_of(client, terms.token), deal_id(client.deals, terms)
    deal, _, before = flow.timeline_on(client, terms, _now(client), currency)
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
    terms = _terms(shell, client, target)
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
    facts = {"account": checksum(owner), "withdrawn": str(credit)}
    shell.answer(
        facts, f"withdrawn: {currency.show(credit)} for {checksum(owner)}" if credit else "Nothing is credited."
    )


# Looking


@command(
    "show",
    """
countersign deal show mill.terms.json
countersign deal show 0xDEALID --watch        until the deal ends
""",
)
@_TARGET
@click.option("--watch", is_flag=True, help="Redraw every two seconds until the deal ends.")
def _show(shell: Shell, target: str, watch: bool) -> int:
    """Where a deal stands: who can do what next and until when, and what happened."""
    client = shell.client()
    terms = _terms(shell, client, target)
    currency = flow.currency_of(client, terms.token)
    return _watch(shell, client, terms, currency) if watch else _look(shell, client, terms, currency)


def _look(shell: Shell, client: Client, terms: Terms, currency: Currency) -> int:
    now = _now(client)
    deal, _, line = flow.timeline_on(client, terms, now, currency)
    identifier = deal_id(client.deals, terms)
    history = _history(shell, identifier, currency)
    facts = _facts(identifier, terms, deal, line) | {"history": [_plain(event) for event, _ in history]}
    shell.answer(facts, "\n".join(_text(identifier, terms, deal, line, currency, now) + [text for _, text in history]))
    return 0 if deal.state != State.NONE else 1


def _watch(shell: Shell, client: Client, terms: Terms, currency: Currency) -> int:
    """On a terminal the picture is redrawn; elsewhere it is printed whenever something changed."""
    identifier, last = deal_id(client.deals, terms), None
    redraw = sys.stdout.isatty() and not shell.as_json
    while True:
        try:
            now = _now(client)
            deal, _, line = flow.timeline_on(client, terms, now, currency)
        except Unreachable as error:
            shell.say(f"waiting: {error.message}")
            time.sleep(_PAUSE)
            continue
        if redraw:
            click.clear()
        if redraw or (line.status, line.options) != last:
            text = _text(identifier, terms, deal, line, currency, now)
            shell.answer(_facts(identifier, terms, deal, line), "\n".join([*text, _countdown(line, now)]))
        last = line.status, line.options
        if not line.options:
            return 0 if deal.state == State.ENDED else 1
        time.sleep(_PAUSE)


def _countdown(line: Timeline, now: int) -> str:
    change = line.next_change(now)
    return f"next change in {show_duration(change - now)}" if change else "no clock is running"


def _facts(identifier: bytes, terms: Terms, deal: Deal, line: Timeline) -> dict[str, Any]:
    options = [
        {"who": o.who, "verb": o.verb, "from": o.opens, "until": o.closes, "effect": o.effect} for o in line.options
    ]
    return {
        "dealId": to_hex(identifier),
        "status": line.status,
        "state": deal.state.name.lower(),
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


def _text(identifier: bytes, terms: Terms, deal: Deal, line: Timeline, currency: Currency, now: int) -> list[str]:
    head = [
        f"deal       {to_hex(identifier)}",
        f"payer      {checksum(terms.payer)}",
        f"payee      {checksum(terms.payee)}",
        f"amount     {currency.show(terms.amount)}",
    ]
    if terms.milestones:
        head.append(f"milestone  {deal.milestone + 1} of {len(terms.milestones) + 1}")
    status = f"status     {click.style(line.status, bold=True)}: {STATUS[line.status]}"
    return [*head, status, *(_option(option, now) for option in line.options)]


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
def _list(shell: Shell, address: str | None) -> None:
    """Your deals, newest first, with their status."""
    from countersign.cli.index import bring_up_to_date

    who = from_address(address) if address else _own_address(shell)
    client = shell.client()
    deals = [_listed(client, row, who) for row in bring_up_to_date(shell).deals_of(who)]
    lines = [f"{d['dealId']}  {d['role']}  {d['amount']}  {d['status']}" for d in deals]
    shell.answer(deals, "\n".join(lines) or f"{checksum(who)} has no deals yet.")


def _listed(client: Client, row: dict[str, Any], who: bytes) -> dict[str, Any]:

    terms = load_terms(json.loads(row["terms"]))
    currency = flow.currency_of(client, terms.token)
    _, _, line = flow.timeline_on(client, terms, _now(client), currency)
    role = "payer" if terms.payer == who else "payee"
    other = terms.payee if role == "payer" else terms.payer
    return {"dealId": to_hex(row["deal_id"]), "role": role, "with": checksum(other),
            "amount": currency.show(terms.amount), "status": line.status}  # fmt: skip


for _command in (_propose, _open, _deliver, _release, _refund, _settle, _dispute, _expire, _withdraw, _show, _list):
    deal_command.add_command(_command)
