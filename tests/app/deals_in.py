"""A deal in every state, for pages that must show each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mocks import call, deploy
from pages import wait

from countersign.canonical import keccak, to_hex
from countersign.chain.codec import encode_call
from countersign.deal.flow import deal_call
from countersign.deal.terms import TermsFile
from countersign.records import Call, State
from tools.devnet import Devnet
from tools.market import BUYER, Market

WINDOW = 300
"""Seconds in which a verdict can be challenged."""
_PRICE = 10**16
_PAY, _REFUND, _HALF = 1, 2, 3
UPHOLD, ANNUL, OVERTURN = 1, 2, 3


def court_on(chain: Devnet) -> Market:
    """A market whose verdicts can be challenged."""
    return Market(chain, WINDOW, deploy(chain, "Arbiter", _PRICE))


def challenge(court: Market, subject: bytes) -> None:
    """The buyer challenges a verdict."""
    data = encode_call("Oracle", "challenge", subject, court.address, "It is a copy.")
    court.send(BUYER, Call(court.client.deals.oracle, data, court.policy.bond + _PRICE))


def rule(court: Market, ruling: int) -> None:
    """The arbiter's answer to the newest dispute."""
    count = {"to": to_hex(court.arbiter), "data": to_hex(keccak(b"disputes()")[:4])}
    newest = int(court.chain.rpc("eth_call", count, "latest"), 16)
    court.send(BUYER, Call(court.arbiter, call("give(uint256,uint256)", newest, ruling)))


def disputed(court: Market) -> TermsFile:
    """Nobody judged the delivery, and the payer asked the deal's arbiter."""
    file, _ = court.delivered(arbiter=court.arbiter, dispute_time=600, ruling_time=600)
    wait(court.chain, 7202)
    court.send(BUYER, deal_call(court.client.deals, "dispute", file.terms, "Another mill.", value=_PRICE))
    return file


def _later(seconds: int, make: Callable[[Market], TermsFile]) -> Callable[[Market], TermsFile]:
    def made(court: Market) -> TermsFile:
        file = make(court)
        wait(court.chain, seconds)
        return file

    return made


def _ruled(ruling: int) -> Callable[[Market], TermsFile]:
    def made(court: Market) -> TermsFile:
        file = disputed(court)
        rule(court, ruling)
        return file

    return made


def _judged(score: int) -> Callable[[Market], TermsFile]:
    return lambda court: court.judged(score)[0]


def _annulled(court: Market) -> TermsFile:
    file, subject = court.judged()
    challenge(court, subject)
    rule(court, ANNUL)
    return file


def _ended(court: Market) -> TermsFile:
    file = court.opened()
    court.act(BUYER, "release", file, 0)
    return file


@dataclass(frozen=True)
class Case:
    """A state and a status, how a deal gets there, and the verbs that the page then offers to whom, beside ``release``
    and ``refund``."""

    state: State
    status: str
    make: Callable[[Market], TermsFile]
    anyone: tuple[str, ...] = ()
    payer: tuple[str, ...] = ()
    payee: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.state.name}: {self.status}"


CASES = (
    Case(State.NONE, "not open", Market.terms, payer=("open",)),
    Case(State.STARTED, "awaiting delivery", Market.opened, payee=("deliver",)),
    Case(State.STARTED, "overdue", _later(3602, Market.opened), anyone=("expire",)),
    Case(State.DELIVERED, "delivered", lambda court: court.delivered()[0], anyone=("request",)),
    Case(State.DELIVERED, "judging", lambda court: court.requested()[0]),
    Case(State.DELIVERED, "lapsed", _later(602, lambda court: court.requested()[0]), anyone=("request",)),
    Case(State.DELIVERED, "passing", _judged(90), anyone=("challenge",)),
    Case(State.DELIVERED, "failing", _judged(10), anyone=("challenge",)),
    Case(State.DELIVERED, "passed", _later(WINDOW + 2, _judged(90)), anyone=("settle",)),
    Case(State.DELIVERED, "failed", _later(WINDOW + 2, _judged(10)), anyone=("settle",)),
    Case(State.DELIVERED, "annulled", _annulled),
    Case(State.DELIVERED, "unjudged", _later(7202, lambda court: court.delivered()[0]), anyone=("expire",)),
    Case(State.DISPUTED, "disputed", disputed),
    Case(State.RULED_PAY, "ruled", _ruled(_PAY), anyone=("settle",)),
    Case(State.RULED_REFUND, "ruled", _ruled(_REFUND), anyone=("settle",)),
    Case(State.RULED_HALF, "ruled", _ruled(_HALF), anyone=("settle",)),
    Case(State.ENDED, "ended", _ended),
)
