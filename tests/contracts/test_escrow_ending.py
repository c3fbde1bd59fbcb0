"""How deals end: the table of states, release and refund, verdicts, silence, the exact seconds, milestones."""

from __future__ import annotations

from contextlib import nullcontext

import ape
import pytest
from escrow_support import AMOUNT, DELIVERY, FAIL, PASS, POLICY, VOID, Cause, Court, Deal, State
from support import NOBODY, sha256
from verdicts_support import Policy

LATER = ((1000, 10, 20), (2000, 30, 40), (3003, 50, 60))
FIRST = AMOUNT - 6003
LIVING = [State.STARTED, State.DELIVERED, State.DISPUTED, State.RULED_PAY, State.RULED_REFUND, State.RULED_HALF]
RULED = LIVING[3:]
LONG = 10_000
"""Seconds after which every deadline of the usual terms is over."""


@pytest.fixture
def deal(court: Court) -> Deal:
    return court.deal()


# The table of states

ALLOWED = {
    State.NONE: {"open"},
    State.STARTED: {"deliver", "release", "refund", "expire", "amend"},
    State.DELIVERED: {"release", "refund", "settle", "dispute", "expire", "amend"},
    State.DISPUTED: {"release", "refund", "expire", "amend"},
    **{state: {"release", "refund", "settle", "amend"} for state in RULED},
    State.ENDED: set(),
}


def attempts(deal: Deal) -> dict[str, tuple]:
    """What each verb takes after the terms, and when only the state can stand in its way."""
    changed = deal.but(salt=sha256("changed"), deliver_by=2**32, verdict_by=2**32 + 1)
    amend = (changed.terms.words, "", b"", deal.amendment(deal.court.payee, changed))
    last = {"at": deal.terms.verdict_by + LONG}
    return {
        "open": ([""], {"value": AMOUNT}),
        "deliver": ([DELIVERY, ""], {}),
        "release": ([], {}),
        "refund": ([], {}),
        "settle": ([], {}),
        "dispute": ([""], {"at": deal.terms.verdict_by + 10, "value": 1000}),
        "expire": ([], last),
        "amend": (amend, {"by": deal.court.payer}),
    }


@pytest.mark.parametrize("state", State, ids=[state.name for state in State])
def test_the_table_of_states(court: Court, state: State):
    deal = court.deal(deliver_by=court.now + LONG // 2, verdict_by=court.now + LONG).reach(state)
    if state == State.DELIVERED:
        deal.tell(VOID)
    assert deal.state == state
    for verb, (rest, more) in attempts(deal).items():
        settles_nothing = verb == "settle" and state == State.DELIVERED
        with court.chain.isolate(), refused(deal, state, verb) if not settles_nothing else says_void(court):
            deal.do(verb, *rest, part=0, **more)
            assert deal.state != state


def refused(deal: Deal, state: State, verb: str):
    """The error of a verb that the state forbids."""
    escrow = deal.court.escrow
    if verb in ALLOWED[state]:
        return nullcontext()
    if verb == "open":
        return ape.reverts(escrow.AlreadyOpened, dealId=deal.id)
    if state == State.NONE:
        return ape.reverts(escrow.UnknownDeal, dealId=deal.id)
    return ape.reverts(escrow.WrongState, dealId=deal.id, state=state)


def says_void(court: Court):
    """`settle` is open to a delivered deal, but here there is no verdict to settle by."""
    return ape.reverts(court.escrow.NoVerdict)


# Persons


@pytest.mark.parametrize("state", LIVING, ids=[state.name for state in LIVING])
def test_release_and_refund_at_any_time_before_the_end(court: Court, deal: Deal, state: State):
    deal.reach(state)
    with court.chain.isolate():
        released = deal.do("release", at=court.now + LONG)
        assert deal.paid(released) == (Cause.RELEASE, True, AMOUNT, 0)
    refund = deal.do("refund", at=court.now + LONG)
    assert deal.paid(refund) == (Cause.REFUND, True, 0, AMOUNT)
    for verb in ("release", "refund"):
        with ape.reverts(court.escrow.WrongState, dealId=deal.id, state=State.ENDED):
            deal.do(verb)


def test_no_deal_draws_on_the_money_of_another(court: Court, deal: Deal):
    other = deal.but(salt=sha256("other")).open()
    deal.open().do("release")
    assert court.holds(court.escrow) == other.terms.amount
    assert other.paid(other.do("refund")) == (Cause.REFUND, True, 0, AMOUNT)
    assert court.holds(court.escrow) == 0


# Verdicts


@pytest.mark.parametrize(("outcome", "money"), [(PASS, (AMOUNT, 0)), (FAIL, (0, AMOUNT))])
def test_a_verdict_acts_once_it_is_effective(court: Court, deal: Deal, outcome: int, money: tuple[int, int]):
    effective = deal.terms.verdict_by + 777
    deal.open().deliver().tell(outcome, effective_at=effective)
    with ape.reverts(court.escrow.NotYet, **{"from": effective}):
        deal.do("settle", at=effective - 1)
    receipt = deal.do("settle", at=effective)
    assert deal.paid(receipt) == (Cause.VERDICT, True, *money)
    assert receipt.events == [
        court.escrow.Paid(dealId=deal.id, milestone=0, cause=Cause.VERDICT, toPayee=money[0], toPayer=money[1])
    ]


def test_a_verdict_counts_if_its_first_window_ends_in_time(court: Court, deal: Deal):
    deal.open().deliver()
    last = deal.terms.verdict_by
    for outcome in (PASS, FAIL):
        deal.tell(outcome, final_at=last + 1)
        with ape.reverts(court.escrow.NoVerdict, subject=deal.subject):
            deal.do("settle")
    deal.tell(PASS, final_at=last, effective_at=last + LONG)
    for verb, rest, more in (("dispute", ("",), {"value": 1000}), ("expire", (), {})):
        with court.chain.isolate(), ape.reverts(court.escrow.VerdictCounts, effectiveAt=last + LONG):
            deal.do(verb, *rest, at=last + 2 * LONG, **more)
    assert deal.paid(deal.do("settle", at=last + 3 * LONG)) == (Cause.VERDICT, True, AMOUNT, 0)


def test_a_late_verdict_leaves_the_deal_to_silence(court: Court, deal: Deal):
    deal.open().deliver().tell(FAIL, final_at=deal.terms.verdict_by + 1)
    assert deal.paid(deal.do("expire", at=deal.terms.verdict_by + LONG))[0] == Cause.SILENCE


def test_another_verdict_settles_nothing(court: Court, deal: Deal):
    deal.open().deliver()
    subject_of, other = court.escrow.subjectOf, deal.but(salt=sha256("other"))
    for subject in (
        subject_of(other.id, 0, DELIVERY),
        subject_of(deal.id, 1, DELIVERY),
        subject_of(deal.id, 0, sha256("another work")),
        DELIVERY,
        deal.id,
    ):
        deal.tell(PASS, subject=subject)
    deal.tell(PASS, policy="0x" + "71" * 20)
    with ape.reverts(court.escrow.NoVerdict, subject=deal.subject):
        deal.do("settle")


def test_without_a_policy_nobody_judges(court: Court):
    deal = court.deal(policy=NOBODY).open().deliver()
    deal.tell(PASS, policy=NOBODY)
    with ape.reverts(court.escrow.NoVerdict, subject=deal.subject):
        deal.do("settle")
    assert deal.paid(deal.do("expire", at=deal.terms.verdict_by + LONG))[0] == Cause.SILENCE


@pytest.mark.parametrize(
    ("scores", "money"),
    [({0: 90, 1: 80, 2: 70}, (AMOUNT, 0)), ({1: 69, 2: 0, 4: 5}, (0, AMOUNT)), ({0: 100, 3: 99, 4: 71}, (AMOUNT, 0))],
)
def test_nodes_judge_and_the_escrow_pays(oracle_court: Court, committee, ask, scores, money):
    deal = judged(oracle_court, policy := Policy.of(committee)).open().deliver()
    asked = ask(deal.subject, policy=policy)
    with ape.reverts(oracle_court.escrow.NoVerdict, subject=deal.subject):
        deal.do("settle")
    asked.submit(scores)
    final = asked.verdict[1]
    with ape.reverts(oracle_court.escrow.NotYet, **{"from": final}):
        deal.do("settle", at=final - 1)
    assert deal.paid(deal.do("settle", at=final)) == (Cause.VERDICT, True, *money)


def test_a_committee_of_two(oracle_court: Court, recruit, ask):
    """k = n = 2: both must pass it, either can fail it."""
    policy = Policy.of(recruit(2), k=2)
    passed, failed = (judged(oracle_court, policy, salt=sha256(name)).open().deliver() for name in "ab")
    ask(passed.subject, policy=policy).submit({0: 70, 1: 70})
    ask(failed.subject, policy=policy).submit({1: 69})
    assert passed.paid(passed.do("settle", at=oracle_court.now + 600))[2] == AMOUNT
    assert failed.paid(failed.do("settle"))[3] == AMOUNT


def test_a_committee_that_is_silent_or_late(oracle_court: Court, committee, ask):
    """Its window must end by verdictBy: a verdict inside the submit time may still be too late to count."""
    policy = Policy.of(committee)
    deal = judged(oracle_court, policy, late=-1400, silence_share=0).open().deliver()
    asked = ask(deal.subject, policy=policy)
    oracle_court.chain.pending_timestamp = deal.terms.verdict_by - policy.challenge_time + 1
    asked.submit({0: 90, 1: 90, 2: 90})
    assert asked.verdict[1] == deal.terms.verdict_by + 1
    with ape.reverts(oracle_court.escrow.NoVerdict):
        deal.do("settle", at=deal.terms.verdict_by + 1)
    expired = deal.do("expire", at=deal.terms.verdict_by + 51)
    assert deal.paid(expired) == (Cause.SILENCE, True, 0, AMOUNT)


def judged(court: Court, policy: Policy, late: int = 0, **terms) -> Deal:
    """A deal with time for two rounds of requests, less so many seconds."""
    times = {"deliver_by": court.now + 100, "verdict_by": court.now + 2700 + late}
    return court.deal(policy=policy.address(court.verdicts), **times | terms)


# Silence, and the exact seconds


@pytest.mark.parametrize("share", [0, 1, 3333, 5000, 9999, 10_000])
def test_silence_shares_to_the_wei(court: Court, share: int):
    for amount in (1, 2, 9999, AMOUNT, 10**18 + 7):
        deal = court.deal(amount=amount, silence_share=share).open().deliver()
        to_payee = amount * share // 10_000
        receipt = deal.do("expire", at=deal.terms.verdict_by + 51)
        assert deal.paid(receipt) == (Cause.SILENCE, True, to_payee, amount - to_payee)
        (event,) = receipt.events
        assert event == court.escrow.Paid(
            dealId=deal.id, milestone=0, cause=Cause.SILENCE, toPayee=to_payee, toPayer=amount - to_payee
        )


def test_the_largest_amount_is_shared_without_overflow(court: Court, mocks, people):
    token = people[8].deploy(mocks.TestToken)
    token.mint(court.payer, 2**256 - 1, sender=people[8])
    token.approve(court.escrow, 2**256 - 1, sender=court.payer)
    deal = court.deal(token=token.address, amount=2**256 - 1, silence_share=9999).open().deliver()
    to_payee = (2**256 - 1) * 9999 // 10_000
    assert deal.paid(deal.do("expire", at=deal.terms.verdict_by + 51))[2:] == (to_payee, 2**256 - 1 - to_payee)


def test_an_undelivered_deal_expires_after_its_second(court: Court, deal: Deal):
    last = deal.terms.deliver_by
    with ape.reverts(court.escrow.NotYet, **{"from": last}):
        deal.open().do("expire", at=last)
    assert deal.paid(deal.do("expire", at=last + 1)) == (Cause.UNDELIVERED, True, 0, AMOUNT)


@pytest.mark.parametrize("arbitrated", [True, False])
def test_a_delivered_deal_expires_after_its_second(court: Court, deal: Deal, arbitrated: bool):
    deal = deal if arbitrated else deal.but(arbiter=NOBODY, dispute_time=0, ruling_time=0)
    last = deal.terms.verdict_by + deal.terms.dispute_time
    deal.open().deliver()
    for moment in (deal.terms.deliver_by + 1, last):
        with ape.reverts(court.escrow.NotYet, **{"from": last}):
            deal.do("expire", at=moment)
    assert deal.paid(deal.do("expire", at=last + 1))[0] == Cause.SILENCE


@pytest.mark.parametrize("late", [0, 1])
def test_delivery_and_expiry_never_race(court: Court, deal: Deal, same_second, late: int):
    """In every second one of them is refused, whichever comes first in the block."""
    deal.open()
    court.chain.mine(timestamp=deal.terms.deliver_by + late)
    errors = [(court.escrow.NotYet, "expire", ()), (court.escrow.TooLate, "deliver", (DELIVERY, ""))]
    with same_second():
        error, verb, rest = errors[late]
        with court.chain.isolate(), ape.reverts(error):
            deal.do(verb, *rest)
        other = errors[1 - late]
        deal.do(other[1], *other[2])
        assert court.now == deal.terms.deliver_by + late
        with ape.reverts(court.escrow.NotYet if late == 0 else court.escrow.WrongState):
            deal.do("expire")


def test_the_first_of_release_and_refund_stands(court: Court, deal: Deal, same_second):
    deal.open().deliver().tell(FAIL, final_at=court.now)
    with same_second():
        assert deal.paid(deal.do("release")) == (Cause.RELEASE, True, AMOUNT, 0)
        for verb in ("refund", "settle", "expire", "release"):
            with ape.reverts(court.escrow.WrongState, dealId=deal.id, state=State.ENDED):
                deal.do(verb)


# Milestones


@pytest.fixture
def stages(court: Court) -> Deal:
    """Four milestones: FIRST, 1000, 2000, 3003."""
    return court.deal(milestones=LATER)


def test_milestones_run_one_after_the_other(court: Court, stages: Deal):
    """Each is paid in another way; the times of a later one run from the payment and from the delivery."""
    stages = stages.but(silence_share=10_000).open().deliver().tell(PASS, final_at=court.now)
    first = stages.do("settle")
    assert stages.paid(first) == (Cause.VERDICT, False, FIRST, 0)
    assert stages.record == (bytes(20), first.timestamp, 0, 1, State.STARTED)

    stages.deliver(at=first.timestamp + 10)
    assert stages.paid(stages.do("release")) == (Cause.RELEASE, False, 1000, 0)

    stages.deliver()
    delivered = court.now
    with ape.reverts(court.escrow.NotYet, **{"from": delivered + 40 + 50}):
        stages.do("expire", at=delivered + 40 + 50)
    assert stages.paid(stages.do("expire", at=delivered + 91)) == (Cause.SILENCE, False, 2000, 0)

    stages.deliver().dispute().rule(1)
    assert stages.disputes and stages.record.milestone == 3
    assert stages.paid(stages.do("settle")) == (Cause.RULING, True, 3003, 0)
    assert court.holds(court.escrow) == 0


def test_the_deadlines_of_a_later_milestone(court: Court, stages: Deal):
    started = stages.open().do("release").timestamp
    with court.chain.isolate(), ape.reverts(court.escrow.TooLate, deadline=started + 10):
        stages.deliver(at=started + 11)
    with ape.reverts(court.escrow.NotYet, **{"from": started + 10}):
        stages.do("expire", at=started + 9)
    stages.deliver(at=started + 10)
    late = started + 30
    stages.tell(PASS, final_at=late + 1)
    with ape.reverts(court.escrow.NoVerdict, subject=stages.subject):
        stages.do("settle")
    stages.tell(PASS, final_at=late)
    assert stages.paid(stages.do("settle", at=late))[:2] == (Cause.VERDICT, False)


def test_a_verdict_is_on_one_milestone_only(court: Court, stages: Deal):
    """The same content delivered again is another subject."""
    stages.open().deliver().tell(PASS, final_at=court.now).do("settle")
    stages.deliver()
    with ape.reverts(court.escrow.NoVerdict, subject=stages.subject):
        stages.do("settle")


@pytest.mark.parametrize("milestone", [0, 1, 3])
@pytest.mark.parametrize("cause", ["verdict", "refund", "undelivered", "silence", "half"])
def test_what_ends_a_milestone_unpaid_ends_the_deal(court: Court, stages: Deal, milestone: int, cause: str):
    """All that is unpaid goes back, but for the share of the current milestone."""
    stages.open()
    for _ in range(milestone):
        stages.do("release")
    amounts = [FIRST, 1000, 2000, 3003]
    current, unpaid = amounts[milestone], sum(amounts[milestone:])
    expected, to_payee = {
        "verdict": (Cause.VERDICT, 0),
        "refund": (Cause.REFUND, 0),
        "undelivered": (Cause.UNDELIVERED, 0),
        "silence": (Cause.SILENCE, current * 3333 // 10_000),
        "half": (Cause.RULING, current // 2),
    }[cause]
    receipt = end_unpaid(stages, cause)
    assert stages.paid(receipt) == (expected, True, to_payee, unpaid - to_payee)
    assert court.holds(court.escrow) == 0


def end_unpaid(deal: Deal, cause: str):
    """The transaction that ends the current milestone so."""
    if cause == "refund":
        return deal.do("refund")
    if cause == "undelivered":
        return deal.do("expire", at=deal.court.now + LONG)
    deal.deliver()
    if cause == "verdict":
        return deal.tell(FAIL, final_at=deal.court.now).do("settle")
    if cause == "silence":
        return deal.do("expire", at=deal.court.now + LONG)
    deal.dispute().rule(3)
    return deal.do("settle")


def test_a_policy_that_is_none_is_as_silent_as_no_policy(oracle_court: Court):
    deal = oracle_court.deal(policy=POLICY).open().deliver()
    with ape.reverts(oracle_court.escrow.NoVerdict):
        deal.do("settle")
    assert deal.paid(deal.do("expire", at=deal.terms.verdict_by + 51))[0] == Cause.SILENCE
