"""`amend`: both sign, the old deal ends, the new one opens with exactly its unpaid money."""

from __future__ import annotations

import ape
import pytest
from escrow_support import AMOUNT, Cause, Court, Deal, State, digest_of
from support import NOBODY, sha256

LATER = ((1000, 100, 200), (2000, 100, 200))
LIVING = [State.STARTED, State.DELIVERED, State.DISPUTED, State.RULED_PAY, State.RULED_REFUND, State.RULED_HALF]
WRONG_ANSWER, SHORT_ANSWER, REVERTS, REENTERS, BURNS_GAS = range(1, 6)
"""Modes of the mock Wallet."""


@pytest.fixture
def deal(court: Court) -> Deal:
    return court.deal()


def changed_from(deal: Deal, **changes) -> Deal:
    """The same parties and money; new times and another brief."""
    now = deal.court.now
    usual = {"brief": sha256("the new brief"), "deliver_by": now + 5000, "verdict_by": now + 9000}
    return deal.but(**usual | changes)


def amend(deal: Deal, changed: Deal, payer=None, payee=None, **more):
    """By a stranger with the signatures of these keys; by default of both parties."""
    keys = (payer or deal.court.payer, payee or deal.court.payee)
    return deal.do("amend", changed.terms.words, "", *(deal.amendment(key, changed) for key in keys), **more)


def test_both_sign_and_anyone_sends(court: Court, deal: Deal):
    changed = changed_from(deal.open())
    receipt = amend(deal, changed)
    paid, opened = receipt.events
    assert paid == court.escrow.Paid(dealId=deal.id, milestone=0, cause=Cause.AMENDMENT, toPayee=0, toPayer=0)
    assert (opened.event_name, opened.dealId) == ("Opened", changed.id)
    assert (deal.state, changed.state) == (State.ENDED, State.STARTED)
    assert changed.record == (bytes(20), receipt.timestamp, 0, 0, State.STARTED)
    for account in (court.escrow, court.payer, court.payee):
        assert court.change(receipt, account) == 0
    assert changed.paid(changed.do("release")) == (Cause.RELEASE, True, AMOUNT, 0)


@pytest.mark.parametrize("sender", ["payer", "payee"])
def test_whoever_sends_need_not_sign(court: Court, deal: Deal, sender: str):
    changed = changed_from(deal.open())
    by = getattr(court, sender)
    signatures = [
        b"" if name == sender else deal.amendment(getattr(court, name), changed) for name in ("payer", "payee")
    ]
    with ape.reverts(court.escrow.NotAgreed, party=court.payee if sender == "payer" else court.payer):
        deal.do("amend", changed.terms.words, "", b"", b"", by=by)
    deal.do("amend", changed.terms.words, "", *signatures, by=by)
    assert (deal.state, changed.state) == (State.ENDED, State.STARTED)


def test_what_both_sign(court: Court, deal: Deal):
    changed = changed_from(deal)
    message = {"dealId": deal.id, "newDealId": changed.id}
    assert court.escrow.amendmentDigest(deal.id, changed.id) == digest_of(court.escrow, "Amendment", message)


def test_signatures_that_do_not_agree(court: Court, oracle_court: Court, deal: Deal):
    changed = changed_from(deal.open())
    other = changed_from(deal, salt=sha256("other"))
    payer = deal.amendment(court.payer, changed)
    bad = [
        b"",
        bytes(65),
        payer,
        payer[:64],
        deal.amendment(court.others[0], changed),
        deal.amendment(court.payee, other),
        other.amendment(court.payee, deal),
        changed.amendment(court.payee, deal),
        deal.amendment(court.payee, changed, chainId=1),
        deal.amendment(court.payee, changed, verifyingContract=oracle_court.escrow.address),
        deal.amendment(court.payee, changed, name="Other"),
    ]
    for signature in bad:
        call = court.escrow.amend.encode_input(deal.terms.words, changed.terms.words, "", payer, signature)
        assert court.refusal(call, by=court.others[0]) == "NotAgreed", signature
    with ape.reverts(court.escrow.NotAgreed, party=court.payer):
        amend(deal, changed, payer=court.payee, payee=court.payer)
    assert (deal.state, changed.state) == (State.STARTED, State.NONE)


@pytest.mark.parametrize("role", ["payer", "payee"])
def test_a_smart_wallet_signs(court: Court, wallet, creator, role: str):
    deal = court.deal(**{role: wallet.address}).open(by=court.others[0])
    changed = changed_from(deal)
    for mode in (WRONG_ANSWER, SHORT_ANSWER, REVERTS, REENTERS, BURNS_GAS):
        wallet.set(mode, sender=creator)
        keys = {"payer": court.payer, "payee": court.payee} | {role: creator}
        signatures = [deal.amendment(key, changed) for key in keys.values()]
        call = court.escrow.amend.encode_input(deal.terms.words, changed.terms.words, "", *signatures)
        assert court.refusal(call, by=court.others[0]) == "NotAgreed", mode
    wallet.set(0, sender=creator)
    with ape.reverts(court.escrow.NotAgreed, party=wallet):
        amend(deal, changed, **keys | {role: court.others[0]})
    amend(deal, changed, **keys)
    assert (deal.state, changed.state) == (State.ENDED, State.STARTED)


def test_an_amendment_happens_once(court: Court, deal: Deal):
    changed = changed_from(deal.open())
    signatures = [deal.amendment(key, changed) for key in (court.payer, court.payee)]
    deal.do("amend", changed.terms.words, "", *signatures)
    with ape.reverts(court.escrow.WrongState, dealId=deal.id, state=State.ENDED):
        deal.do("amend", changed.terms.words, "", *signatures)
    with ape.reverts(court.escrow.AlreadyOpened, dealId=deal.id):
        amend(changed, deal)
    again = changed_from(changed, salt=sha256("again"))
    amend(changed, again)
    with ape.reverts(court.escrow.WrongState, dealId=changed.id, state=State.ENDED):
        amend(changed, changed_from(changed, salt=sha256("twice")))
    assert court.holds(court.escrow) == AMOUNT


def test_a_deal_cannot_become_itself_or_another_that_lives(court: Court, deal: Deal):
    other = changed_from(deal.open()).open()
    for changed in (deal, other):
        with ape.reverts(court.escrow.AlreadyOpened, dealId=changed.id):
            amend(deal, changed)
    assert (deal.state, other.state) == (State.STARTED, State.STARTED)


def test_money_and_parties_stay(court: Court, mocks, people, deal: Deal):
    deal.open()
    token = people[8].deploy(mocks.TestToken)
    moved = [
        {"amount": AMOUNT + 1},
        {"amount": AMOUNT - 1},
        {"amount": 0},
        {"token": token.address},
        {"payer": court.others[0].address},
        {"payee": court.others[0].address},
        {"payer": court.payee.address, "payee": court.payer.address},
    ]
    for changes in moved:
        with ape.reverts(court.escrow.BadAmendment, unpaid=AMOUNT):
            amend(deal, changed_from(deal, **changes))
    assert deal.state == State.STARTED


def test_new_terms_must_be_sound(court: Court, deal: Deal):
    deal.open()
    bad = {
        "BadDeadlines": {"deliver_by": court.now},
        "BadDisputeTimes": {"arbiter": NOBODY},
        "BadParties": {"arbiter": court.payee.address},
        "BadAmounts": {"milestones": ((AMOUNT, 1, 1),)},
        "BadSilenceShare": {"silence_share": 10_001},
        "NotInUse": {"buyer_key": sha256("key")},
    }
    for error, changes in bad.items():
        with ape.reverts(getattr(court.escrow, error)):
            amend(deal, changed_from(deal, **changes))
    with ape.reverts(court.escrow.NotInUse):
        amend(deal, changed_from(deal, reveal_time=1))
    assert deal.state == State.STARTED


def test_a_deal_that_is_none_cannot_be_amended(court: Court, deal: Deal):
    with ape.reverts(court.escrow.UnknownDeal, dealId=deal.id):
        amend(deal, changed_from(deal))


@pytest.mark.parametrize("state", LIVING, ids=[state.name for state in LIVING])
def test_in_every_living_state_with_what_is_unpaid(court: Court, state: State):
    """At the second of three milestones."""
    deal = court.deal(milestones=LATER).open()
    deal.do("release")
    if state >= State.DELIVERED:
        deal.deliver()
    if state >= State.DISPUTED:
        deal.dispute()
    if state > State.DISPUTED:
        deal.rule(state - State.DISPUTED)
    assert (deal.state, deal.record.milestone) == (state, 1)
    with ape.reverts(court.escrow.BadAmendment, unpaid=3000):
        amend(deal, changed_from(deal))
    changed = changed_from(deal, amount=3000, milestones=((2999, 5, 5),))
    amend(deal, changed)
    assert (deal.state, changed.state, court.holds(court.escrow)) == (State.ENDED, State.STARTED, 3000)
    if deal.disputes:
        deal.rule(1)
    assert (deal.state, changed.state) == (State.ENDED, State.STARTED)
    assert changed.paid(changed.do("refund")) == (Cause.REFUND, True, 0, 3000)
    assert court.holds(court.escrow) == 0
