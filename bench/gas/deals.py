"""Gas of a deal from its opening to the payment, beside Kleros' escrows."""

from __future__ import annotations

from bench.figures import Figure, gas_floor, packed
from bench.gas.committee import ARBITER, CHALLENGE, Committee, Member
from bench.gas.lab import Lab
from bench.gas.others import kleros, kleros_token
from countersign.canonical import deal_id, from_hex, keccak, subject_of
from countersign.chain.codec import tuple_of
from countersign.records import Terms

__all__ = ["figures"]

_PAYER, _PAYEE, _ANYONE = 1, 2, 3
_AMOUNT, _DAY = 10**16, 86_400
_COIN = bytes(20)
_BRIEF_URI = "https://buyer.example/briefs/42.json"
_DELIVERY_URI = "https://seller.example/works/42.jpg"
_STEADY = 3

_OPEN = packed(4 + 20 + 8, 12)
"""Selector, payee, amount and deadline; the rest of the terms as their hash would be known already."""
_DEAL = packed(4 + 32)
"""Selector, deal id."""


def figures(lab: Lab, members: list[Member]) -> list[Figure]:
    """``deal_eth_release``, ``deal_erc20_release``, ``deal_eth_verdict``."""
    coin, tokens = kleros(lab), kleros_token(lab)
    policy = Committee(lab, members[:5], 3)
    token = _token(lab)
    released = [_release(lab, policy.policy, _COIN, n) for n in range(_STEADY)][-1]
    moved = [_release(lab, policy.policy, token, n) for n in range(_STEADY)][-1]
    judged = [_verdict(lab, policy, n) for n in range(_STEADY, 2 * _STEADY)][-1]
    coin_floor, token_floor, verdict_floor = _coin_floor(), _token_floor(), _verdict_floor()
    return [
        Figure("deal_eth_release", released, "gas", coin_floor, {"Kleros v1 create+pay": coin}, 1.2 * coin_floor),
        Figure("deal_erc20_release", moved, "gas", token_floor, {"Kleros v1 create+pay, ERC-20": tokens},
               1.2 * token_floor),
        Figure("deal_eth_verdict", judged, "gas", verdict_floor, {"Kleros v1 create+pay (nobody judges)": coin},
               min(1.2 * verdict_floor, 135_000)),
    ]  # fmt: skip


def _token(lab: Lab) -> bytes:
    """An ERC-20 of which payer, payee and escrow have some and the escrow may take any amount."""
    holders = (lab.accounts[_PAYER], lab.accounts[_PAYEE], lab.web3.to_checksum_address(lab.client.deals.escrow))
    token = lab.token(*holders)
    lab.run(token.functions.approve(holders[-1], 2**256 - 1), _PAYER)
    return from_hex(token.address, 20)


def _terms(lab: Lab, policy: bytes, token: bytes, number: int) -> Terms:
    """Terms with everything but milestones: brief, policy, deadlines, arbiter."""
    now = lab.now()
    return Terms(
        payer=lab.account(_PAYER),
        payee=lab.account(_PAYEE),
        amount=_AMOUNT,
        deliver_by=now + _DAY,
        verdict_by=now + 2 * _DAY,
        token=token,
        policy=policy,
        brief=keccak(b"brief-%d" % number),
        dispute_time=_DAY,
        ruling_time=_DAY,
        arbiter=ARBITER,
        silence_share=5_000,
        salt=keccak(b"salt-%d" % number)[:8].rjust(32, b"\0"),  # as `deal propose` makes them
    )


def _open(lab: Lab, terms: Terms) -> int:
    value = _AMOUNT if terms.token == _COIN else 0
    return lab.do(terms.payer, "Escrow", "open", tuple_of(terms), _BRIEF_URI, value=value)


def _release(lab: Lab, policy: bytes, token: bytes, number: int) -> int:
    """Open, and the payer releases."""
    terms = _terms(lab, policy, token, number)
    return _open(lab, terms) + lab.do(terms.payer, "Escrow", "release", tuple_of(terms), 0)


def _verdict(lab: Lab, committee: Committee, number: int) -> int:
    """Open, deliver and settle, which the payee sends; request and verdict come in between and are measured alone."""
    terms, delivery = _terms(lab, committee.policy, _COIN, number), keccak(b"delivery-%d" % number)
    opened = _open(lab, terms)
    delivered = lab.do(terms.payee, "Escrow", "deliver", tuple_of(terms), 0, delivery, _DELIVERY_URI)
    subject = subject_of(deal_id(lab.client.deals, terms), 0, delivery)
    committee.request(terms.payee, subject)
    committee.submit(lab.account(_ANYONE), subject)
    lab.wait(CHALLENGE)
    return opened + delivered + lab.do(terms.payee, "Escrow", "settle", tuple_of(terms))


def _coin_floor() -> int:
    """One slot made and changed, one payment, two events; the terms travel as their hash."""
    opened = gas_floor(_OPEN, new_slots=1, logs=((4, 32),))
    return opened + gas_floor(_DEAL, updates=1, payments=1, logs=((2, 32),))


def _token_floor() -> int:
    """The same with a token's address and its two transfers."""
    opened = gas_floor(_OPEN + packed(20), new_slots=1, pulls=1, logs=((4, 32),))
    return opened + gas_floor(_DEAL, updates=1, pushes=1, logs=((2, 32),))


def _verdict_floor() -> int:
    """As for coin, and: opening names the policy; delivering brings a hash into the slot; settling reads one slot of
    the Oracle."""
    opened = gas_floor(_OPEN + packed(20), new_slots=1, logs=((4, 32),))
    delivered = gas_floor(_DEAL + packed(32), updates=1, logs=((2, 32),))
    return opened + delivered + gas_floor(_DEAL, updates=1, reads=1, accounts=1, payments=1, logs=((2, 32),))
