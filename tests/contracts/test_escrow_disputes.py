"""`dispute`, `rule` and what follows; challenges and annulments of the Oracle as the escrow sees them."""

from __future__ import annotations

import ape
import pytest
from ape.exceptions import ContractLogicError
from escrow_support import AMOUNT, COST, FAIL, PASS, VOID, Cause, Court, Deal, State
from support import NOBODY, sha256
from verdicts_support import Policy

RULED = {1: State.RULED_PAY, 2: State.RULED_REFUND, 3: State.RULED_HALF}
HALF = AMOUNT // 2
MONEY = {1: (AMOUNT, 0), 2: (0, AMOUNT), 3: (HALF, AMOUNT - HALF)}
UPHOLD, ANNUL, OVERTURN = 1, 2, 3
LATER = ((1000, 100, 200), (2000, 100, 200))


@pytest.fixture
def deal(court: Court) -> Deal:
    return court.deal().open().deliver()


# Asking


@pytest.mark.parametrize("party", ["payer", "payee"])
def test_a_party_asks_the_arbiter(court: Court, deal: Deal, party: str):
    by = getattr(court, party)
    at = deal.terms.verdict_by + 1
    receipt = deal.do("dispute", "the crate is empty", by=by, at=at, value=COST)
    asked = court.escrow.Disputed(
        dealId=deal.id, by=by, disputeId=1, rulingBy=at + deal.terms.ruling_time, reason="the crate is empty"
    )
    assert receipt.events == [asked]
    assert court.change(receipt, court.arbiter) == COST
    assert court.change(receipt, court.escrow) == 0
    assert (deal.record.rulingBy, deal.state) == (at + deal.terms.ruling_time, State.DISPUTED)


def test_who_and_what_cannot_ask(court: Court, deal: Deal):
    at = deal.terms.verdict_by + 1
    stranger = court.others[0]
    with ape.reverts(court.escrow.NotParty, caller=stranger, party=court.payer):
        deal.do("dispute", "", by=stranger, at=at, value=COST)
    for value in (0, COST - 1, COST + 1):
        with ape.reverts(court.escrow.WrongPayment, sent=value, due=COST):
            deal.do("dispute", "", value=value)
    alone = court.deal(arbiter=NOBODY, dispute_time=0, ruling_time=0).open().deliver()
    with ape.reverts(court.escrow.NoArbiter):
        alone.do("dispute", "", at=alone.terms.verdict_by + 1, value=COST)


@pytest.mark.parametrize("last", [1, 50])
def test_the_first_and_the_last_second_to_ask(court: Court, deal: Deal, last: int):
    by = deal.terms.verdict_by
    with court.chain.isolate(), ape.reverts(court.escrow.NotYet, **{"from": by}):
        deal.dispute(at=by)
    with court.chain.isolate(), ape.reverts(court.escrow.TooLate, deadline=by + 50):
        deal.dispute(at=by + 51)
    assert deal.dispute(at=by + last).state == State.DISPUTED
    assert deal.record.rulingBy == by + last + deal.terms.ruling_time


def test_a_dispute_in_the_last_second_keeps_expiry_out(court: Court, deal: Deal):
    last = deal.terms.verdict_by + 50
    with court.chain.isolate(), ape.reverts(court.escrow.NotYet, **{"from": last}):
        deal.do("expire", at=last)
    ruling_by = deal.dispute(at=last).record.rulingBy
    for moment in (last + 1, ruling_by):
        with ape.reverts(court.escrow.NotYet, **{"from": ruling_by}):
            deal.do("expire", at=moment)


@pytest.mark.parametrize("outcome", [PASS, FAIL])
def test_no_dispute_while_a_verdict_counts(court: Court, deal: Deal, outcome: int):
    deal.tell(outcome, effective_at=deal.terms.verdict_by + 20)
    for moment in (10, 20, 30):
        with ape.reverts(court.escrow.VerdictCounts, effectiveAt=deal.terms.verdict_by + 20):
            deal.dispute(at=deal.terms.verdict_by + moment)


# Ruling


@pytest.mark.parametrize("ruling", [0, 1, 2, 3, 4, 2**256 - 1])
def test_a_ruling_in_the_last_second_and_after(court: Court, deal: Deal, ruling: int):
    last = deal.dispute().record.rulingBy
    before = deal.record
    with court.chain.isolate():
        late = deal.rule(ruling, at=last + 1)
        assert [event.event_name for event in late.events] == ["Ruling"]
        assert deal.record == before
    events = deal.rule(ruling, at=last).events
    assert events[0] == court.escrow.Ruling(arbitrator=court.arbiter, disputeId=deal.disputes[-1], ruling=ruling)
    assert events[1:] == ([court.escrow.DealRuled(dealId=deal.id, state=RULED[ruling])] if ruling in RULED else [])
    assert deal.state == RULED.get(ruling, State.DISPUTED)


@pytest.mark.parametrize("ruling", RULED)
def test_a_ruling_is_settled_and_the_first_stands(court: Court, deal: Deal, ruling: int):
    deal.dispute().rule(ruling)
    for another in (0, 1, 2, 3, 4):
        deal.rule(another)
    assert deal.state == RULED[ruling]
    with ape.reverts(court.escrow.WrongState, dealId=deal.id, state=RULED[ruling]):
        deal.do("expire", at=court.now + 10_000)
    assert deal.paid(deal.do("settle")) == (Cause.RULING, True, *MONEY[ruling])
    assert court.holds(court.escrow) == 0


@pytest.mark.parametrize("ruling", [0, 4])
def test_a_silent_arbiter_leaves_the_silence_share(court: Court, deal: Deal, ruling: int):
    last = deal.dispute().record.rulingBy
    deal.rule(ruling)
    with ape.reverts(court.escrow.NotYet, **{"from": last}):
        deal.do("expire", at=last)
    to_payee = AMOUNT * 3333 // 10_000
    assert deal.paid(deal.do("expire", at=last + 1)) == (Cause.SILENCE, True, to_payee, AMOUNT - to_payee)


def test_rulings_on_a_deal_that_ended_do_nothing(court: Court, deal: Deal):
    deal.dispute().do("release")
    for ruling in range(5):
        receipt = deal.rule(ruling)
        assert court.change(receipt, court.escrow) == 0
        assert deal.state == State.ENDED


def test_only_the_arbiter_that_was_asked_rules(court: Court, deal: Deal, mocks, people):
    deal.dispute()
    number = deal.disputes[-1]
    for caller in (court.payer, court.payee, people[9]):
        with ape.reverts(court.escrow.UnknownDispute, arbiter=caller, disputeId=number):
            court.escrow.rule(number, 1, sender=caller)
    other = people[8].deploy(mocks.Arbiter, COST)
    foreign = court.deal(arbiter=other.address, salt=sha256("foreign")).open().deliver()
    foreign.do("dispute", "", at=foreign.terms.verdict_by + 1, value=COST)
    other.give(1, 2, sender=people[8])
    assert (foreign.state, deal.state) == (State.RULED_REFUND, State.DISPUTED)


def test_a_stale_dispute_decides_no_later_milestone(court: Court):
    """The court answers on milestone 0, which the payer released meanwhile, while it also has milestone 1."""
    deal = court.deal(milestones=LATER).open().deliver().dispute()
    stale = deal.disputes[-1]
    deal.do("release")
    deal.deliver().dispute()
    for ruling in (1, 2, 3):
        deal.rule(ruling, dispute=stale)
        assert (deal.state, deal.record.milestone) == (State.DISPUTED, 1)
    deal.rule(1)
    assert deal.paid(deal.do("settle")) == (Cause.RULING, False, 1000, 0)


def test_each_milestone_may_be_disputed(court: Court):
    deal = court.deal(milestones=LATER).open()
    for ruling in (1, 1, 3):
        deal.deliver().dispute().rule(ruling)
        last = deal.do("settle")
    assert len(set(deal.disputes)) == 3
    assert deal.paid(last) == (Cause.RULING, True, 1000, 1000)


# Arbiters that misbehave


@pytest.fixture
def bad_arbiter(mocks, people):
    """One that asks for nothing."""
    return people[8].deploy(mocks.Arbiter, 0)


def test_a_repeated_dispute_number_is_refused(court: Court, bad_arbiter, people):
    """The deal goes on as if nobody had asked."""
    first, second = (court.deal(arbiter=bad_arbiter.address, salt=sha256(name)).open().deliver() for name in "ab")
    at = second.terms.verdict_by + 1
    first.do("dispute", "", at=at)
    bad_arbiter.set(1, b"", sender=people[8])
    with ape.reverts(court.escrow.DisputeExists, disputeId=1):
        second.do("dispute", "", at=at + 1)
    assert second.state == State.DELIVERED
    bad_arbiter.give(1, 2, sender=people[8])
    assert (first.state, second.state) == (State.RULED_REFUND, State.DELIVERED)
    assert second.paid(second.do("expire", at=at + 50))[0] == Cause.SILENCE


def test_an_arbiter_that_fails_holds_up_nobody(court: Court, bad_arbiter, people):
    bad_arbiter.set(2, b"", sender=people[8])
    for arbiter in (bad_arbiter.address, "0x" + "a1" * 20):
        deal = court.deal(arbiter=arbiter).open().deliver()
        with pytest.raises(ContractLogicError):
            deal.do("dispute", "", at=deal.terms.verdict_by + 1)
        assert deal.state == State.DELIVERED
        assert deal.paid(deal.do("expire", at=deal.terms.verdict_by + 51))[0] == Cause.SILENCE


def test_an_arbiter_that_calls_back_while_asked_gains_nothing(court: Court, bad_arbiter, people):
    deal = court.deal(arbiter=bad_arbiter.address).open().deliver()
    escrow, words = court.escrow, deal.terms.words
    at = deal.terms.verdict_by + 1
    calls = {
        "UnknownDispute": escrow.rule.encode_input(1, 1),
        "WrongState": escrow.settle.encode_input(words),
        "NotYet": escrow.expire.encode_input(words),
        "NotParty": escrow.dispute.encode_input(words, ""),
    }
    for error, call in calls.items():
        bad_arbiter.set(3, call, sender=people[8])
        with court.chain.isolate():
            deal.do("dispute", "", at=at)
            assert deal.state == State.DISPUTED
            assert not bad_arbiter.reentered()
            assert bytes(bad_arbiter.answer())[:4] == error_id(court, error)


def error_id(court: Court, name: str) -> bytes:
    """The first four bytes of an error."""
    return bytes(court.chain.provider.network.ecosystem.get_method_selector(getattr(court.escrow, name).abi))


# Annulments, to the second


def test_an_annulment_before_the_deadline_changes_no_time(court: Court, deal: Deal):
    deal.tell(VOID, final_at=court.now, effective_at=deal.terms.verdict_by - 1)
    with court.chain.isolate(), ape.reverts(court.escrow.NoVerdict, subject=deal.subject):
        deal.do("settle")
    with ape.reverts(court.escrow.NotYet, **{"from": deal.terms.verdict_by}):
        deal.dispute(at=deal.terms.verdict_by)
    assert deal.dispute(at=deal.terms.verdict_by + 1).state == State.DISPUTED


def test_an_annulment_after_the_deadline_opens_the_dispute(court: Court, deal: Deal):
    ruled = deal.terms.verdict_by + 500
    deal.tell(VOID, effective_at=ruled)
    for moment, error in ((ruled, court.escrow.NotYet), (ruled + 51, court.escrow.TooLate)):
        with court.chain.isolate(), ape.reverts(error):
            deal.dispute(at=moment)
    with court.chain.isolate(), ape.reverts(court.escrow.NotYet, **{"from": ruled + 50}):
        deal.do("expire", at=ruled + 50)
    with court.chain.isolate():
        assert deal.paid(deal.do("expire", at=ruled + 51))[0] == Cause.SILENCE
    assert deal.dispute(at=ruled + 50).state == State.DISPUTED


def test_the_annulment_of_a_late_verdict_changes_no_time(court: Court, deal: Deal):
    """Otherwise whoever requests late could move the deadlines of the deal."""
    by = deal.terms.verdict_by
    deal.tell(VOID, final_at=by + 1, effective_at=by + 500)
    with court.chain.isolate():
        assert deal.dispute(at=by + 1).state == State.DISPUTED
    assert deal.paid(deal.do("expire", at=by + 51))[0] == Cause.SILENCE


# The Oracle's challenges


@pytest.fixture
def challenged(oracle_court: Court, committee, ask) -> Deal:
    """Passed by three of five nodes, and challenged in the last second of the window, which is the deadline."""
    policy = Policy.of(committee, arbiter=oracle_court.arbiter.address)
    start = oracle_court.now
    deal = oracle_court.deal(policy=policy.address(oracle_court.verdicts), verdict_by=start + 1000).open().deliver()
    asked = ask(deal.subject, policy=policy)
    oracle_court.chain.pending_timestamp = start + 500
    asked.submit({0: 90, 2: 90, 4: 90})
    assert asked.verdict[1] == deal.terms.verdict_by
    oracle_court.chain.pending_timestamp = deal.terms.verdict_by - 1
    deal.disputes.append(oracle_court.arbiter.disputes() + 1)
    oracle_court.verdicts.challenge(*asked.names, "forged", value=policy.bond + COST, sender=oracle_court.payer)
    return deal


def test_a_pending_challenge_stops_every_end_but_the_parties(oracle_court: Court, challenged: Deal):
    escrow = oracle_court.escrow
    ruling_by = challenged.terms.verdict_by - 1 + 2000
    with ape.reverts(escrow.NotYet, **{"from": ruling_by}):
        challenged.do("settle", at=challenged.terms.verdict_by + 10)
    for verb, more in (("dispute", {"value": COST}), ("expire", {})):
        with ape.reverts(escrow.VerdictCounts, effectiveAt=ruling_by):
            challenged.do(verb, *([""] if verb == "dispute" else []), **more)
    with oracle_court.chain.isolate():
        assert challenged.paid(challenged.do("release"))[0] == Cause.RELEASE
    with ape.reverts(escrow.NotYet, **{"from": ruling_by}):
        challenged.do("settle", at=ruling_by - 1)
    assert challenged.paid(challenged.do("settle", at=ruling_by)) == (Cause.VERDICT, True, AMOUNT, 0)


@pytest.mark.parametrize(("ruling", "money"), [(0, (AMOUNT, 0)), (UPHOLD, (AMOUNT, 0)), (OVERTURN, (0, AMOUNT))])
def test_a_ruled_challenge_settles_at_once(oracle_court: Court, challenged: Deal, ruling: int, money):
    """Long after the deal's deadline: the first window's end decides whether a verdict counts."""
    challenged.rule(ruling, at=challenged.terms.verdict_by + 1500)
    assert challenged.paid(challenged.do("settle")) == (Cause.VERDICT, True, *money)


def test_an_annulled_verdict_leaves_the_deal_to_its_arbiter(oracle_court: Court, challenged: Deal):
    ruled = challenged.rule(ANNUL, at=challenged.terms.verdict_by + 1500).timestamp
    with ape.reverts(oracle_court.escrow.NoVerdict, subject=challenged.subject):
        challenged.do("settle")
    challenged.dispute(at=ruled + 50).rule(3)
    assert challenged.paid(challenged.do("settle")) == (Cause.RULING, True, HALF, AMOUNT - HALF)
