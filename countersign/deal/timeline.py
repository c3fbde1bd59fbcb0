"""Who may do what with a deal, from which second to which, and what comes of it.

Pure, and exactly what contracts/interfaces/IEscrow.sol says: a transaction in a block of second t succeeds when the
option is open at t, as far as the facts known here do not change until then. ``amend`` is left out: it needs both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from countersign.records import Deal, Milestone, Outcome, Policy, State, Terms

__all__ = [
    "STATUS",
    "WHOLE",
    "Judged",
    "Option",
    "Timeline",
    "amount_of",
    "deliver_by",
    "milestones_of",
    "silence_effect",
    "timeline",
    "unpaid",
    "verdict_by",
]

WHOLE = 10_000
"""Basis points of everything."""

STATUS = {
    "not open": "Nobody has paid for it yet.",
    "awaiting delivery": "The money is in the escrow; the payee may deliver.",
    "overdue": "Nothing was delivered in time.",
    "delivered": "Delivered; nobody was asked to judge it yet.",
    "judging": "The committee was asked and may answer.",
    "lapsed": "The committee did not answer in time; it may be asked again.",
    "passing": "The committee says Pass; that can still change.",
    "failing": "The committee says Fail; that can still change.",
    "passed": "The verdict is Pass, for good.",
    "failed": "The verdict is Fail, for good.",
    "annulled": "The arbiter annulled the verdict.",
    "unjudged": "No verdict counts, and none can any more.",
    "disputed": "The arbiter was asked.",
    "ruled": "The arbiter has ruled.",
    "ended": "All money was paid out.",
}
"""Every status, in a sentence."""


@dataclass(frozen=True)
class Judged:
    """What Oracle says of the current delivery: ``verdictOf``, when it was requested (0: not), whether challenged."""

    outcome: Outcome = Outcome.NONE
    final_at: int = 0
    effective_at: int = 0
    requested_at: int = 0
    challenged: bool = False


@dataclass(frozen=True)
class Option:
    """``who`` (payer, payee, party, arbiter, committee or anyone) may do ``verb`` in blocks of the seconds ``opens`` …
    ``closes``, both included; ``closes`` None: until something else happens."""

    who: str
    verb: str
    opens: int
    closes: int | None
    effect: str

    def open_at(self, time: int) -> bool:
        """Whether a block of that second may hold it."""
        return self.opens <= time and (self.closes is None or time <= self.closes)


@dataclass(frozen=True)
class Timeline:
    """A status of :data:`STATUS` and what may come, the next first. Without options the deal is over."""

    status: str
    options: tuple[Option, ...]

    def next_change(self, now: int) -> int | None:
        """The next second at which something becomes possible or impossible."""
        times = [t for o in self.options for t in (o.opens, o.closes + 1 if o.closes is not None else 0)]
        return min((time for time in times if time > now), default=None)


# Money and deadlines


def milestones_of(terms: Terms) -> tuple[int, ...]:
    """Amount of each milestone; the first gets what the later ones leave."""
    later = tuple(milestone.amount for milestone in terms.milestones)
    return terms.amount - sum(later), *later


def amount_of(terms: Terms, milestone: int) -> int:
    """What a milestone is worth; they count from 0."""
    return milestones_of(terms)[milestone]


def unpaid(terms: Terms, milestone: int) -> int:
    """What is left to pay from ``milestone`` on."""
    return sum(milestones_of(terms)[milestone:])


def _later(terms: Terms, deal: Deal) -> Milestone | None:
    return terms.milestones[deal.milestone - 1] if deal.milestone else None


def deliver_by(terms: Terms, deal: Deal) -> int:
    """The last second to deliver the current milestone, while it is not delivered."""
    later = _later(terms, deal)
    return deal.delivered_at + later.deliver_time if later else terms.deliver_by


def verdict_by(terms: Terms, deal: Deal) -> int:
    """A verdict counts when its challenge window ends at this second or before."""
    later = _later(terms, deal)
    return deal.delivered_at + later.verdict_time if later else terms.verdict_by


# Effects


class _Effects:
    """What comes of each verb, in words."""

    def __init__(self, terms: Terms, milestone: int, show: Callable[[int], str]) -> None:
        self._terms, self._milestone, self.show = terms, milestone, show
        self._amount, self._unpaid = amount_of(terms, milestone), unpaid(terms, milestone)

    def pay(self) -> str:
        last = self._milestone == len(self._terms.milestones)
        then = "" if last else f", milestone {self._milestone + 2} starts"
        return f"the payee gets {self.show(self._amount)}{then}"

    def refund(self) -> str:
        return f"the payer gets {self.show(self._unpaid)} back"

    def split(self, share: int) -> str:
        to_payee = self._amount * share // WHOLE
        return f"the payee gets {self.show(to_payee)}, the payer {self.show(self._unpaid - to_payee)}"

    def silence(self) -> str:
        share = self._terms.silence_share
        return self.pay() if share == WHOLE else self.split(share) if share else self.refund()

    def ruling(self, state: State) -> str:
        return {State.RULED_PAY: self.pay, State.RULED_REFUND: self.refund}.get(state, lambda: self.split(WHOLE // 2))()


def silence_effect(terms: Terms, milestone: int, show: Callable[[int], str]) -> str:
    """What comes of a milestone that was delivered and that nobody judged."""
    return _Effects(terms, milestone, show).silence()


# The timeline


@dataclass(frozen=True)
class _Facts:
    terms: Terms
    deal: Deal
    judged: Judged
    policy: Policy | None
    now: int
    effects: _Effects

    @property
    def counts(self) -> bool:
        """Whether there is a verdict, in time."""
        judged = self.policy is not None and self.judged.outcome != Outcome.NONE
        return judged and self.judged.final_at <= verdict_by(self.terms, self.deal)

    @property
    def asked_until(self) -> int:
        """The last second of the open request; 0 without one."""
        asked = self.policy is not None and self.judged.requested_at
        return self.judged.requested_at + self.policy.submit_time if self.policy and asked else 0


def timeline(
    terms: Terms, deal: Deal, judged: Judged, policy: Policy | None, now: int, show: Callable[[int], str] = str
) -> Timeline:
    """The timeline as of second ``now``. ``policy`` is that of the terms, None when they name none or none exists;
    ``judged`` is about the current delivery; ``show`` writes an amount."""
    facts = _Facts(terms, deal, judged, policy, now, _Effects(terms, deal.milestone, show))
    options = [option for option in _OPTIONS[deal.state](facts) if option.closes is None or option.closes >= now]
    if deal.state not in (State.NONE, State.ENDED):
        options += _by_consent(facts)
    return Timeline(_status(facts), tuple(sorted(options, key=lambda option: max(option.opens, now))))


def _status(f: _Facts) -> str:
    if f.deal.state == State.STARTED:
        return "awaiting delivery" if f.now <= deliver_by(f.terms, f.deal) else "overdue"
    return _status_of_delivery(f) if f.deal.state == State.DELIVERED else _STATUS_OF[f.deal.state]


_STATUS_OF = {
    State.NONE: "not open",
    State.DISPUTED: "disputed",
    State.RULED_PAY: "ruled",
    State.RULED_REFUND: "ruled",
    State.RULED_HALF: "ruled",
    State.ENDED: "ended",
}


def _status_of_delivery(f: _Facts) -> str:
    if f.counts:
        changing, fixed = _VERDICT_STATUS[f.judged.outcome]
        return changing if f.now < f.judged.effective_at else fixed
    if f.judged.outcome != Outcome.NONE or f.now > verdict_by(f.terms, f.deal):
        return "unjudged"
    if not f.asked_until:
        return "delivered"
    return "judging" if f.now <= f.asked_until else "lapsed"


_VERDICT_STATUS = {
    Outcome.PASS: ("passing", "passed"),
    Outcome.FAIL: ("failing", "failed"),
    Outcome.VOID: ("annulled", "annulled"),
}


def _by_consent(f: _Facts) -> Iterator[Option]:
    yield Option("payer", "release", 0, None, f.effects.pay())
    yield Option("payee", "refund", 0, None, f.effects.refund())


def _unopened(f: _Facts) -> Iterator[Option]:
    effect = f"the escrow takes {f.effects.show(f.terms.amount)}"
    yield Option("payer", "open", 0, f.terms.deliver_by - 1, effect)


def _started(f: _Facts) -> Iterator[Option]:
    deadline = deliver_by(f.terms, f.deal)
    yield Option("payee", "deliver", 0, deadline, "the delivery can be judged")
    yield Option("anyone", "expire", deadline + 1, None, f.effects.refund())


def _delivered(f: _Facts) -> Iterator[Option]:
    if not f.counts:
        yield from _to_judge(f)
        yield from _silent(f, verdict_by(f.terms, f.deal))
    elif f.judged.outcome == Outcome.VOID:
        yield from _silent(f, max(verdict_by(f.terms, f.deal), f.judged.effective_at))
    else:
        yield from _decided(f)


def _decided(f: _Facts) -> Iterator[Option]:
    policy, judged = f.policy, f.judged
    if policy and any(policy.arbiter) and not judged.challenged:
        yield Option("anyone", "challenge", 0, judged.final_at - 1, "the policy's arbiter reviews the verdict")
    effect = f.effects.pay() if judged.outcome == Outcome.PASS else f.effects.refund()
    yield Option("anyone", "settle", judged.effective_at, None, effect)


def _to_judge(f: _Facts) -> Iterator[Option]:
    """What is too late to count is left out, possible as it may be."""
    if f.policy is None or f.judged.outcome != Outcome.NONE:
        return
    last = verdict_by(f.terms, f.deal) - f.policy.challenge_time
    if f.asked_until:
        yield Option("committee", "submit", 0, min(f.asked_until, last), "Pass pays, Fail refunds")
    if f.asked_until < last:
        opens = f.asked_until + 1 if f.asked_until else 0
        yield Option("anyone", "request", opens, last, "the committee is asked to judge")


def _silent(f: _Facts, since: int) -> Iterator[Option]:
    """Nobody's verdict counts after ``since``."""
    end = since + f.terms.dispute_time
    unless = ", unless a verdict counts by then" if f.policy and f.now <= since and not f.counts else ""
    if any(f.terms.arbiter):
        yield Option("party", "dispute", since + 1, end, f"the arbiter decides{unless}")
    yield Option("anyone", "expire", end + 1, None, f.effects.silence() + unless)


def _disputed(f: _Facts) -> Iterator[Option]:
    yield Option("arbiter", "rule", 0, f.deal.ruling_by, "pay, refund or half")
    yield Option("anyone", "expire", f.deal.ruling_by + 1, None, f.effects.silence())


def _ruled(f: _Facts) -> Iterator[Option]:
    yield Option("anyone", "settle", 0, None, f.effects.ruling(f.deal.state))


def _ended(_: _Facts) -> Iterator[Option]:
    return iter(())


_OPTIONS: dict[State, Callable[[_Facts], Iterator[Option]]] = {
    State.NONE: _unopened,
    State.STARTED: _started,
    State.DELIVERED: _delivered,
    State.DISPUTED: _disputed,
    State.RULED_PAY: _ruled,
    State.RULED_REFUND: _ruled,
    State.RULED_HALF: _ruled,
    State.ENDED: _ended,
}
