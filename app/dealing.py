"""A deal as the pages see it: its terms and brief, where it stands, who may do what, and the transaction for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.account import Account
from app.chain import client, currency_of, now
from app.sending import Action
from app.ui import Possible, short
from countersign.canonical import checksum, deal_id, load_terms, subject_of, to_hex
from countersign.chain.codec import encode_call
from countersign.chain.sender import intent
from countersign.deal import flow
from countersign.deal.brief import MAX_BYTES, Brief, load_brief
from countersign.deal.fetch import fetch
from countersign.deal.terms import TermsFile
from countersign.deal.timeline import Option, Timeline
from countersign.deal.words import Currency, show_duration, when
from countersign.errors import CountersignError, InputError
from countersign.records import Call, Deal, Policy, State, Terms

__all__ = [
    "VERBS",
    "Agreed",
    "Standing",
    "action_for",
    "agreed_of",
    "challenge_action",
    "is_over",
    "look",
    "opening",
    "rows_of",
    "withdrawal",
]

VERBS = {
    "open": "Pay into the escrow",
    "deliver": "Deliver",
    "request": "Request a verdict",
    "settle": "Settle",
    "challenge": "Challenge the verdict",
    "dispute": "Dispute",
    "expire": "Expire the deal",
    "release": "Release the money",
    "refund": "Refund the payer",
    "withdraw": "Withdraw the credit",
}
"""What a visitor can do, as buttons say it."""

_WHO = {
    "payer": "The payer",
    "payee": "The payee",
    "party": "Payer or payee",
    "arbiter": "The arbiter",
    "committee": "The committee",
    "anyone": "Anyone",
}
_MAY = {
    "open": "pay into the escrow",
    "request": "request a verdict",
    "submit": "submit a verdict",
    "settle": "settle",
    "challenge": "challenge the verdict",
    "expire": "expire the deal",
    "release": "release the money",
    "refund": "refund the payer",
}


@dataclass(frozen=True)
class Agreed:
    """Terms, the brief's document (None where this page does not have it) and its URI."""

    terms: Terms
    document: bytes | None
    brief_uri: str

    @property
    def deal_id(self) -> bytes:
        """Names the deal."""
        return deal_id(client().deals, self.terms)

    @property
    def brief(self) -> Brief | None:
        """What is ordered; None when it is not known here, or no brief."""
        try:
            return load_brief(self.document) if self.document is not None else None
        except InputError:
            return None

    @property
    def title(self) -> str:
        """What is ordered, in a few words."""
        brief = self.brief
        return " ".join(brief.title.split()) if brief and brief.title.strip() else f"Deal {short(self.deal_id)}"

    @property
    def file(self) -> TermsFile | None:
        """The file to share; None without the brief."""
        return TermsFile(client().deals, self.terms, self.document, self.brief_uri) if self.document else None


def agreed_of(row: dict[str, Any]) -> Agreed:
    """A deal of the index. Only a brief inside its URI is read: this server visits no address that strangers name."""
    terms, uri = load_terms(json.loads(row["terms"])), row["brief_uri"]
    try:
        document = fetch(uri, terms.brief, limit=MAX_BYTES) if uri.startswith("data:") else None
    except CountersignError:
        document = None
    return Agreed(terms, document, uri)


@dataclass(frozen=True)
class Standing:
    """Where a deal stands as of second ``now``."""

    deal: Deal
    line: Timeline
    now: int
    currency: Currency

    def open_to(self, account: Account | None, terms: Terms) -> list[Option]:
        """What the account may do now, by a button."""
        roles = _roles(account, terms)
        return [o for o in self.line.options if o.verb in VERBS and o.who in roles and o.open_at(self.now)]

    def sign(self, account: Account | None, terms: Terms) -> tuple[Any, ...]:
        """Changes when what was drawn is no longer what holds."""
        verbs = tuple(option.verb for option in self.open_to(account, terms))
        return self.line.status, self.deal.milestone, self.deal.ruling_by, verbs


def look(agreed: Agreed) -> Standing:
    """Ask the chain. Raises ChainError."""
    time, currency = now(), currency_of(agreed.terms.token)
    deal, _, line = flow.timeline_on(client(), agreed.terms, time, currency)
    return Standing(deal, line, time, currency)


def _roles(account: Account | None, terms: Terms) -> set[str]:
    if account is None:
        return set()
    party = {terms.payer: {"payer", "party"}, terms.payee: {"payee", "party"}}
    return {"anyone"} | party.get(account.address, set())


def rows_of(standing: Standing, account: Account | None, terms: Terms) -> Iterator[Possible]:
    """The timeline for the eye."""
    roles = _roles(account, terms) - {"anyone"}
    for option in standing.line.options:
        own = option.who in roles
        who = f"You ({_WHO[option.who].lower().removeprefix('the ')})" if own else _WHO[option.who]
        open_now = option.open_at(standing.now)
        what = _MAY.get(option.verb, option.verb)
        yield Possible(who, what, _span(option, standing.now), _sentence(option.effect), open_now, own)


def _span(o: Option, time: int) -> str:
    if o.opens > time:
        return f"from {when(o.opens, time)}"
    return f"now, until {when(o.closes, time)}" if o.closes is not None else "now"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


# Transactions


def opening(account: Account, agreed: Agreed, standing: Standing) -> Action:
    """The next transaction on the way to an open deal: allowing the escrow to take a token comes first."""
    terms = agreed.terms
    flow_words = f"The escrow takes {standing.currency.show(terms.amount)} from you, until the terms say who gets it."
    if any(terms.token):
        allowed = flow.allowance_of(client(), terms.token, account.address)
        if allowed < terms.amount:
            return _approval(agreed, standing, allowed)
    call = flow.open_call(client().deals, terms, agreed.brief_uri)
    return Action(intent("open", agreed.deal_id), VERBS["open"], call, (flow_words, _PUBLIC))


def _approval(agreed: Agreed, standing: Standing, allowed: int) -> Action:
    """Some tokens change an allowance only from or to zero."""
    token, currency = agreed.terms.token, standing.currency
    amount = 0 if allowed else agreed.terms.amount
    words = (
        f"First step: allow the escrow to take {currency.show(amount)}, and no more. Nothing moves yet."
        if amount
        else f"First step: set the old allowance of {currency.show(allowed)} to zero. Nothing moves yet."
    )
    name = intent("approve", token, agreed.deal_id, amount)
    label = f"Allow {currency.show(amount)}"
    return Action(name, label, flow.approve_call(client().deals, token, amount), (words,))


_PUBLIC = "Everybody can see it, and it cannot be undone."


def action_for(option: Option, agreed: Agreed, standing: Standing, said: tuple[Any, ...] = ()) -> Action:
    """The transaction of an option that is open. ``said``: delivery and URI, or the reason of a dispute or challenge.
    Raises ChainError."""
    subject = subject_of(agreed.deal_id, standing.deal.milestone, standing.deal.delivery)
    if option.verb == "request":
        return _request(agreed, subject)
    if option.verb == "challenge":
        return challenge_action(subject, agreed.terms.policy, client().policy_of(agreed.terms.policy), said[0])
    value = client().arbitration_cost(agreed.terms.arbiter) if option.verb == "dispute" else 0
    number = standing.deal.milestone
    arguments = (number, *said) if option.verb in ("deliver", "release") else said
    call = flow.deal_call(client().deals, option.verb, agreed.terms, *arguments, value=value)
    name = intent(option.verb, agreed.deal_id, number)
    return Action(name, VERBS[option.verb], call, (_sentence(option.effect), *_words(option.verb, said), _PUBLIC))


def _words(verb: str, said: tuple[Any, ...]) -> tuple[str, ...]:
    more = {
        "release": ("This is your own decision: no verdict is needed, and none can take it back.",),
        "refund": ("This is your own decision: you give up what is unpaid.",),
        "dispute": ("You pay what the arbiter asks for, whoever wins.",),
    }
    if verb == "deliver":
        return f"What you deliver has the SHA-256 {to_hex(said[0])}.", f"Nodes fetch it from {said[1]}."
    return more.get(verb, ())


def _request(agreed: Agreed, subject: bytes) -> Action:
    policy = client().policy_of(agreed.terms.policy)
    record = client().verdict(subject, agreed.terms.policy)
    call = flow.request_call(client().deals, subject, agreed.terms.policy, policy)
    name = intent("request", subject, agreed.terms.policy, record.round + 1 if record.requested_at else 0)
    words = (
        f"A committee of {len(policy.seats)} has {show_duration(policy.submit_time)} to judge the delivery.",
        f"Its fee goes to those who sign the verdict: {_eth(policy.fee)}. After a lapse it comes back to you.",
    )
    return Action(name, VERBS["request"], call, words)


def challenge_action(subject: bytes, address: bytes, policy: Policy, reason: str) -> Action:
    """Asks the policy's arbiter to review a verdict, with the bond. Raises ChainError."""
    cost = client().arbitration_cost(policy.arbiter)
    data = encode_call("Oracle", "challenge", subject, address, reason)
    words = (
        f"The arbiter {checksum(policy.arbiter)} has {show_duration(policy.ruling_time)} to rule.",
        f"You send a bond of {_eth(policy.bond)} and the arbiter's price of {_eth(cost)}.",
        "If the verdict is upheld, the bond goes to its signers; if it is annulled or overturned, the bond comes back.",
    )
    name = intent("challenge", subject, address)
    return Action(name, VERBS["challenge"], Call(client().deals.oracle, data, policy.bond + cost), words)


def withdrawal(account: Account, token: bytes) -> tuple[str, Action] | None:
    """What a failed payment left for the account, and the transaction that takes it; None when there is nothing."""
    credit = client().credit_of(token, account.address)
    if not credit:
        return None
    shown = currency_of(token).show(credit)
    call = flow.withdraw_call(client().deals, token, account.address)
    name = intent("withdraw", token, account.address)
    return shown, Action(name, VERBS["withdraw"], call, (f"The escrow pays you {shown}.",))


def _eth(amount: int) -> str:
    return currency_of(bytes(20)).show(amount)


def is_over(standing: Standing) -> bool:
    """Whether nothing can change any more."""
    return standing.deal.state == State.ENDED
