"""The timeline against the rules of contracts/interfaces/IEscrow.sol, written down here a second time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from countersign.canonical import text_hash
from countersign.deal.timeline import (
    STATUS,
    WHOLE,
    Judged,
    Option,
    amount_of,
    milestones_of,
    silence_effect,
    timeline,
    unpaid,
)
from countersign.records import ZERO, Deal, Milestone, Outcome, Policy, Seat, State, Terms

NOW = 1_000
PAYER, PAYEE, ARBITER, POLICY = (bytes([n]) * 20 for n in range(1, 5))
VERBS = ("open", "deliver", "release", "refund", "settle", "dispute", "expire")
TIMES = st.integers(min_value=NOW - 300, max_value=NOW + 300)
SPANS = st.integers(min_value=1, max_value=200)


@st.composite
def terms_of_any_kind(draw: st.DrawFn) -> Terms:
    """Sound terms, with or without policy, arbiter and later milestones; some deadlines are over."""
    deliver_by = draw(TIMES)
    arbitrated = draw(st.booleans())
    later = tuple(Milestone(draw(SPANS), draw(SPANS), draw(SPANS)) for _ in range(draw(st.integers(0, 2))))
    return Terms(
        PAYER, PAYEE, sum(m.amount for m in later) + draw(SPANS), deliver_by, deliver_by + draw(SPANS),
        policy=draw(st.sampled_from([POLICY, bytes(20)])), arbiter=ARBITER if arbitrated else bytes(20),
        dispute_time=draw(SPANS) if arbitrated else 0, ruling_time=draw(SPANS) if arbitrated else 0,
        silence_share=draw(st.integers(0, WHOLE)), milestones=later,
    )  # fmt: skip


@st.composite
def situations(draw: st.DrawFn) -> tuple[Terms, Deal, Judged, Policy | None]:
    """Terms, a deal in any state, and a verdict in any state."""
    terms = draw(terms_of_any_kind())
    number = draw(st.integers(0, len(terms.milestones)))
    state = draw(st.sampled_from([*State, *[State.DELIVERED] * 8]))
    deal = Deal(b"x" * 20, draw(TIMES), draw(TIMES), number, state)
    arbiter = draw(st.sampled_from([ARBITER, bytes(20)]))
    policy = Policy(text_hash("delivery/1"), (Seat(PAYER, ZERO),), 1, 50, draw(SPANS), draw(SPANS), arbiter=arbiter)
    outcome = draw(st.sampled_from(Outcome))
    final_at = verdict_by(terms, deal) + draw(st.integers(-60, 3)) if outcome else 0
    effective_at = final_at + draw(st.integers(-100, 100)) if outcome else 0
    judged = Judged(outcome, final_at, effective_at, draw(st.sampled_from([0, NOW - 5])), draw(st.booleans()))
    return terms, deal, judged, policy if any(terms.policy) else None


# The rules, as the contract has them


class Refused(Exception):
    """A ``require`` that does not hold."""


def require(condition: bool) -> None:
    if not condition:
        raise Refused


def verdict_by(terms: Terms, deal: Deal) -> int:
    if deal.milestone == 0:
        return terms.verdict_by
    return deal.delivered_at + terms.milestones[deal.milestone - 1].verdict_time


def deliver_by(terms: Terms, deal: Deal) -> int:
    if deal.milestone == 0:
        return terms.deliver_by
    return deal.delivered_at + terms.milestones[deal.milestone - 1].deliver_time


def counting(terms: Terms, deal: Deal, judged: Judged) -> tuple[Outcome, int]:
    if not any(terms.policy) or judged.final_at > verdict_by(terms, deal):
        return Outcome.NONE, 0
    return judged.outcome, judged.effective_at


def silent_from(terms: Terms, deal: Deal, judged: Judged) -> int:
    since = verdict_by(terms, deal)
    outcome, effective_at = counting(terms, deal, judged)
    if outcome == Outcome.NONE:
        return since
    require(outcome == Outcome.VOID)
    return max(effective_at, since)


def contract(verb: str, who: str, time: int, terms: Terms, deal: Deal, judged: Judged) -> None:
    """Raises Refused where Escrow reverts."""
    if verb == "open":
        require(deal.state == State.NONE and terms.deliver_by > time and terms.verdict_by > terms.deliver_by)
        return require(who == "payer")  # the contract takes anybody's money; the timeline names who is meant to pay
    require(deal.state not in (State.NONE, State.ENDED))
    if verb == "deliver":
        require(who == "payee" and deal.state == State.STARTED and time <= deliver_by(terms, deal))
    if verb == "release":
        require(who == "payer")
    if verb == "refund":
        require(who == "payee")
    if verb == "settle":
        settle(time, terms, deal, judged)
    if verb == "dispute":
        require(who in ("payer", "payee") and deal.state == State.DELIVERED and any(terms.arbiter))
        since = silent_from(terms, deal, judged)
        require(since < time <= since + terms.dispute_time)
    if verb == "expire":
        expire(time, terms, deal, judged)


def settle(time: int, terms: Terms, deal: Deal, judged: Judged) -> None:
    if deal.state in (State.RULED_PAY, State.RULED_REFUND, State.RULED_HALF):
        return
    require(deal.state == State.DELIVERED)
    outcome, effective_at = counting(terms, deal, judged)
    require(outcome in (Outcome.PASS, Outcome.FAIL) and time >= effective_at)


def expire(time: int, terms: Terms, deal: Deal, judged: Judged) -> None:
    if deal.state == State.STARTED:
        return require(time > deliver_by(terms, deal))
    require(deal.state in (State.DISPUTED, State.DELIVERED))
    disputed = deal.state == State.DISPUTED
    require(time > (deal.ruling_by if disputed else silent_from(terms, deal, judged) + terms.dispute_time))


def is_possible(verb: str, who: str, time: int, terms: Terms, deal: Deal, judged: Judged) -> bool:
    try:
        contract(verb, who, time, terms, deal, judged)
    except Refused:
        return False
    return True


def may(role: str, option: Option) -> bool:
    return option.who in (role, "anyone") or (option.who == "party" and role != "stranger")


@given(situations(), st.integers(0, 700))
@example((Terms(PAYER, PAYEE, 9, NOW, NOW + 9), Deal(b"x" * 20, 0, 0, 0, State.DELIVERED), Judged(), None), 10)
def test_what_it_says_is_what_the_contract_does(
    situation: tuple[Terms, Deal, Judged, Policy | None], later: int
) -> None:
    terms, deal, judged, policy = situation
    line = timeline(terms, deal, judged, policy, NOW)
    edges = {t + d for o in line.options for t in (o.opens, o.closes or NOW) for d in (-1, 0, 1)} | {NOW, NOW + later}
    for time in (edge for edge in edges if edge >= NOW):
        for verb in VERBS:
            for role in ("payer", "payee", "stranger"):
                said = any(o.verb == verb and may(role, o) and o.open_at(time) for o in line.options)
                assert said == is_possible(verb, role, time, terms, deal, judged), (verb, role, time)


@given(situations())
def test_everything_ends_by_time(situation: tuple[Terms, Deal, Judged, Policy | None]) -> None:
    """In every state but the first and the last, anyone may end it from some second on."""
    terms, deal, judged, policy = situation
    line = timeline(terms, deal, judged, policy, NOW)
    assert line.status in STATUS
    forever = [o for o in line.options if o.who == "anyone" and o.verb in ("settle", "expire") and o.closes is None]
    assert bool(forever) == (deal.state not in (State.NONE, State.ENDED))
    assert bool(line.options) or deal.state in (State.NONE, State.ENDED)
    opens = [max(option.opens, NOW) for option in line.options]
    assert opens == sorted(opens)


@given(terms_of_any_kind(), st.data())
def test_money_adds_up(terms: Terms, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(terms.milestones)))
    assert unpaid(terms, 0) == terms.amount == sum(milestones_of(terms))
    assert amount_of(terms, number) == unpaid(terms, number) - sum(milestones_of(terms)[number + 1 :])
    q, r = divmod(amount_of(terms, number), WHOLE)
    share = q * terms.silence_share + r * terms.silence_share // WHOLE  # as the contract rounds
    said = silence_effect(terms, number, lambda amount: f"<{amount}>")
    if terms.silence_share == WHOLE:
        assert said.startswith(f"the payee gets <{amount_of(terms, number)}>")
        assert ("starts" in said) == (number < len(terms.milestones))
    elif terms.silence_share == 0:
        assert said == f"the payer gets <{unpaid(terms, number)}> back"
    else:
        assert said == f"the payee gets <{share}>, the payer <{unpaid(terms, number) - share}>"


TERMS = Terms(PAYER, PAYEE, 1000, NOW + 100, NOW + 200, policy=POLICY)
JUDGES = Policy(text_hash("delivery/1"), (Seat(PAYER, ZERO),), 1, 50, 30, 20, arbiter=ARBITER)
DELIVERED = Deal(b"x" * 20, NOW, 0, 0, State.DELIVERED)


def status(judged: Judged, now: int = NOW, deal: Deal = DELIVERED, terms: Terms = TERMS) -> str:
    return timeline(terms, deal, judged, JUDGES, now).status


def test_statuses() -> None:
    passed, failed = Judged(Outcome.PASS, NOW + 50, NOW + 50, NOW), Judged(Outcome.FAIL, NOW + 50, NOW + 70, NOW)
    assert status(Judged()) == "delivered"
    assert status(Judged(requested_at=NOW), NOW + 30) == "judging"
    assert status(Judged(requested_at=NOW), NOW + 31) == "lapsed"
    assert status(passed, NOW + 49) == "passing" and status(passed, NOW + 50) == "passed"
    assert status(failed, NOW + 69) == "failing" and status(failed, NOW + 70) == "failed"
    assert status(Judged(Outcome.VOID, NOW + 50, NOW + 60, NOW)) == "annulled"
    assert status(Judged(Outcome.PASS, NOW + 201, NOW + 201, NOW)) == "unjudged"
    assert status(Judged(), NOW + 200) == "delivered" and status(Judged(), NOW + 201) == "unjudged"
    started = replace(DELIVERED, state=State.STARTED)
    assert status(Judged(), NOW + 100, started) == "awaiting delivery"
    assert status(Judged(), NOW + 101, started) == "overdue"
    assert status(Judged(), deal=replace(DELIVERED, state=State.RULED_HALF)) == "ruled"


def option(verb: str, judged: Judged, now: int = NOW) -> Option | None:
    line = timeline(TERMS, DELIVERED, judged, JUDGES, now)
    return next((o for o in line.options if o.verb == verb), None)


def test_asking_the_committee_ends_when_its_answer_could_not_count() -> None:
    asked = Judged(requested_at=NOW)
    assert option("request", Judged()) == Option("anyone", "request", 0, NOW + 180, "the committee is asked to judge")
    again, submit = option("request", asked), option("submit", asked)
    assert again and (again.opens, again.closes) == (NOW + 31, NOW + 180)
    assert submit and submit.closes == NOW + 30
    late = option("submit", Judged(requested_at=NOW + 170))
    assert late and late.closes == NOW + 180
    assert option("request", Judged(requested_at=NOW + 170)) is None
    assert option("request", Judged(), NOW + 181) is None
    assert option("request", Judged(Outcome.FAIL, NOW + 20, NOW + 20, NOW)) is None


def test_the_last_second_in_which_a_verdict_counts() -> None:
    def settles(final_at: int) -> bool:
        return option("settle", Judged(Outcome.PASS, final_at, final_at, NOW)) is not None

    assert settles(NOW + 200) and not settles(NOW + 201)


def test_an_annulment_after_the_deadline_moves_what_follows() -> None:
    expire = option("expire", Judged(Outcome.VOID, NOW + 200, NOW + 290, NOW, challenged=True))
    assert expire and expire.opens == NOW + 291
    early = option("expire", Judged(Outcome.VOID, NOW + 20, NOW + 90, NOW, challenged=True))
    assert early and early.opens == NOW + 201


def test_a_challenge_is_open_until_the_verdict_is_final() -> None:
    verdict = Judged(Outcome.PASS, NOW + 20, NOW + 20, NOW)
    challenge = option("challenge", verdict)
    assert challenge and challenge.closes == NOW + 19
    assert option("challenge", replace(verdict, challenged=True)) is None
    assert option("challenge", verdict, NOW + 20) is None


def test_the_next_change() -> None:
    line = timeline(TERMS, replace(DELIVERED, state=State.STARTED), Judged(), JUDGES, NOW)
    assert line.next_change(NOW) == NOW + 101
    assert line.next_change(NOW + 101) is None


def test_a_verdict_that_may_still_come_is_said() -> None:
    unless = "unless a verdict counts by then"
    early, late = option("expire", Judged()), option("expire", Judged(), NOW + 201)
    assert early and early.effect.endswith(unless)
    assert late and unless not in late.effect
