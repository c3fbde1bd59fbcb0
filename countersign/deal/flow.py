"""Transactions of a deal and of its verdicts, and the facts on chain that they depend on."""

from __future__ import annotations

from typing import Any

from countersign.canonical import checksum, deal_id, keccak, subject_of, to_hex
from countersign.chain.client import Client
from countersign.chain.codec import encode_call, tuple_of
from countersign.deal.timeline import Judged, Timeline, timeline
from countersign.deal.words import COIN, Currency
from countersign.errors import ChainError, InputError, Reverted, Unreachable
from countersign.records import Call, Deal, DealContracts, Policy, Stage, State, Terms

__all__ = [
    "allowance_of",
    "amend_call",
    "approve_call",
    "balance_of",
    "currency_of",
    "deal_call",
    "judged_on",
    "open_call",
    "policy_call",
    "policy_or_none",
    "request_call",
    "timeline_on",
    "withdraw_call",
]

_MAX_DECIMALS = 77
_SYMBOL = 12


def deal_call(contracts: DealContracts, verb: str, terms: Terms, *arguments: Any, value: int = 0) -> Call:
    """``verb`` of contracts/interfaces/IEscrow.sol with the terms and what follows them there: ``deliver`` (milestone,
    delivery, uri), ``release`` (milestone), ``refund``, ``settle``, ``expire``, ``dispute`` (reason; ``value`` is the
    arbitration cost)."""
    return Call(contracts.escrow, encode_call("Escrow", verb, tuple_of(terms), *arguments), value)


def open_call(contracts: DealContracts, terms: Terms, brief_uri: str) -> Call:
    """Opens a deal with the sender's money. A token must be approved first: :func:`approve_call`."""
    return deal_call(contracts, "open", terms, brief_uri, value=0 if any(terms.token) else terms.amount)


def amend_call(
    contracts: DealContracts, terms: Terms, changed: Terms, brief_uri: str, payer_signed: bytes, payee_signed: bytes
) -> Call:
    """Ends a deal and opens ``changed`` with its unpaid money; signatures of ``canonical.amendment_digest``, empty for
    the party that sends."""
    return deal_call(contracts, "amend", terms, tuple_of(changed), brief_uri, payer_signed, payee_signed)


def withdraw_call(contracts: DealContracts, token: bytes, account: bytes) -> Call:
    """Pays what was credited because a payment failed."""
    return Call(contracts.escrow, encode_call("Escrow", "withdraw", token, account))


def policy_call(contracts: DealContracts, policy: Policy) -> Call:
    """Creates a policy, at ``canonical.policy_address``."""
    return Call(contracts.oracle, encode_call("Oracle", "createPolicy", tuple_of(policy)))


def request_call(contracts: DealContracts, subject: bytes, address: bytes, policy: Policy) -> Call:
    """Asks the committee of the policy at ``address``, with its fee."""
    return Call(contracts.oracle, encode_call("Oracle", "request", subject, address), policy.fee)


# What the chain knows


def policy_or_none(client: Client, address: bytes) -> Policy | None:
    """The policy at an address; None for the zero address and where this chain's Oracle created none."""
    try:
        return client.policy_of(address) if any(address) else None
    except Reverted:
        return None


def judged_on(client: Client, subject: bytes, policy: bytes) -> Judged:
    """What Oracle says now of a subject."""
    record = client.verdict(subject, policy)
    said = client.verdict_of(subject, policy)
    return Judged(*said, requested_at=record.requested_at, challenged=record.stage != Stage.UNCHALLENGED)


def timeline_on(client: Client, terms: Terms, now: int, currency: Currency) -> tuple[Deal, Judged, Timeline]:
    """A deal as it stands on chain, with its timeline as of second ``now``."""
    identifier = deal_id(client.deals, terms)
    deal, policy = client.deal_of(identifier), policy_or_none(client, terms.policy)
    judged = Judged()
    if policy and deal.state == State.DELIVERED:
        judged = judged_on(client, subject_of(identifier, deal.milestone, deal.delivery), terms.policy)
    return deal, judged, timeline(terms, deal, judged, policy, now, currency.show)


# Tokens (ERC-20)


def currency_of(client: Client, token: bytes) -> Currency:
    """The coin, or a token that must have code and decimals. Its symbol is its own word and proves nothing."""
    if not any(token):
        return COIN
    if not client.has_code(token):
        raise InputError(f"{checksum(token)} is not a token: there is no code.", "Check the address and the chain.")
    decimals = _number(client, token, "decimals()")
    if decimals is None or decimals > _MAX_DECIMALS:
        raise InputError(f"{checksum(token)} does not say its decimals.", "Use an ERC-20 token that does.")
    return Currency(token, _symbol(client, token), decimals)


def balance_of(client: Client, token: bytes, owner: bytes) -> int:
    """What ``owner`` has of a token, or of the coin."""
    if not any(token):
        return client.balance(owner)
    return _number(client, token, "balanceOf(address)", owner) or 0


def allowance_of(client: Client, token: bytes, owner: bytes) -> int:
    """How much of a token the escrow may take from ``owner``."""
    return _number(client, token, "allowance(address,address)", owner, client.deals.escrow) or 0


def approve_call(contracts: DealContracts, token: bytes, amount: int) -> Call:
    """Lets the escrow take exactly ``amount`` of a token."""
    return Call(token, _calldata("approve(address,uint256)", contracts.escrow, amount.to_bytes(32, "big")))


def _calldata(signature: str, *words: bytes) -> bytes:
    return keccak(signature.encode())[:4] + b"".join(word.rjust(32, b"\0") for word in words)


def _view(client: Client, token: bytes, signature: str, *words: bytes) -> bytes:
    call = {"to": to_hex(token), "data": to_hex(_calldata(signature, *words))}
    try:
        return bytes.fromhex(client.rpc("eth_call", call, "latest").removeprefix("0x"))
    except Unreachable:
        raise
    except ChainError:
        return b""


def _number(client: Client, token: bytes, signature: str, *words: bytes) -> int | None:
    data = _view(client, token, signature, *words)
    return int.from_bytes(data[:32], "big") if len(data) >= 32 else None


def _symbol(client: Client, token: bytes) -> str:
    """A string, or the 32 bytes of older tokens; only what cannot mislead a terminal."""
    data = _view(client, token, "symbol()")
    raw = data[64 : 64 + int.from_bytes(data[32:64], "big")] if len(data) >= 96 else data[:32]
    text = "".join(c for c in raw[:64].decode(errors="ignore") if c.isalnum() or c in "-._$")
    return text[:_SYMBOL] or checksum(token)
