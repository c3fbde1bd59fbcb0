"""Money that misbehaves: tokens, recipients, callers. Nothing creates money, and nobody holds up another."""

from __future__ import annotations

from collections.abc import Callable

import ape
import pytest
from ape.contracts import ContractInstance
from ape.exceptions import VirtualMachineError
from escrow_support import AMOUNT, FAIL, PASS, Cause, Court, Deal, State
from support import NOBODY, sha256

TAKES, REVERTS, BURNS_GAS, RETURNS_BOMB, REVERTS_WITH_BOMB, REENTERS, WORKS, WORKS_HARD = range(8)
"""Modes of the mock Party."""
HALF = AMOUNT // 2


@pytest.fixture
def issue(court: Court, mocks, people) -> Callable[[str], ContractInstance]:
    """A token of that kind; the payer has ten times the amount, and lets the escrow take it."""

    def deploy(kind: str) -> ContractInstance:
        token = people[8].deploy(getattr(mocks, kind))
        token.mint(court.payer, 10 * AMOUNT, sender=people[8])
        token.approve(court.escrow, 10 * AMOUNT, sender=court.payer)
        return token

    return deploy


@pytest.fixture
def party(mocks, people) -> ContractInstance:
    """A payer or payee that is a contract."""
    return people[8].deploy(mocks.Party)


# Tokens


@pytest.mark.parametrize("kind", ["TestToken", "NoReturnToken"])
def test_a_deal_in_tokens(court: Court, issue, kind: str):
    token = issue(kind)
    deal = court.deal(token=token.address, silence_share=5000)
    opened = deal.do("open", "")
    assert court.change(opened, court.payer, token.address) == -AMOUNT
    assert court.change(opened, court.escrow, token.address) == AMOUNT
    receipt = deal.deliver().do("expire", at=deal.terms.verdict_by + 51)
    assert deal.paid(receipt) == (Cause.SILENCE, True, HALF, AMOUNT - HALF)
    assert court.holds(court.escrow, token.address) == 0


def test_tokens_that_are_refused(court: Court, issue, people):
    fee, false = issue("FeeToken"), issue("FalseToken")
    deal = court.deal(token=fee.address)
    with ape.reverts(court.escrow.InexactToken, token=fee, received=AMOUNT - AMOUNT // 100, amount=AMOUNT):
        deal.open()
    with ape.reverts(court.escrow.TransferRefused, token=false, payer=court.payer, amount=AMOUNT):
        deal.but(token=false.address).open()
    with ape.reverts(court.escrow.NoToken, token=people[9]):
        deal.but(token=people[9].address).open()
    with pytest.raises(VirtualMachineError):
        deal.but(token=court.escrow.address).open()
    for kind in (deal, deal.but(token=false.address)):
        assert kind.state == State.NONE
    assert court.holds(court.payer, fee.address) == 10 * AMOUNT


def test_allowance_and_balance(court: Court, issue):
    token = issue("TestToken")
    deal = court.deal(token=token.address)
    with ape.reverts(court.escrow.WrongPayment, sent=1, due=0):
        deal.open(value=1)
    token.approve(court.escrow, AMOUNT - 1, sender=court.payer)
    with ape.reverts(court.escrow.TransferRefused, token=token, payer=court.payer, amount=AMOUNT):
        deal.open()
    token.approve(court.escrow, 2**256 - 1, sender=court.payer)
    rich = deal.but(amount=10 * AMOUNT + 1)
    with ape.reverts(court.escrow.TransferRefused, token=token, payer=court.payer, amount=10 * AMOUNT + 1):
        rich.open()


def test_a_standing_allowance_is_not_drained(court: Court, issue, people):
    """Whoever opens a deal pays for it, whoever the payer is."""
    token, thief = issue("TestToken"), people[9]
    token.approve(court.escrow, 2**256 - 1, sender=court.payer)
    deal = court.deal(token=token.address, payee=thief.address)
    with ape.reverts(court.escrow.TransferRefused, token=token, payer=thief, amount=AMOUNT):
        deal.open(by=thief)
    token.mint(thief, AMOUNT, sender=thief)
    token.approve(court.escrow, AMOUNT, sender=thief)
    deal.open(by=thief)
    assert court.holds(court.payer, token.address) == 10 * AMOUNT
    assert court.holds(thief, token.address) == 0


def test_a_blocked_recipient_is_credited(court: Court, issue, people):
    token = issue("TestToken")
    deal = court.deal(token=token.address).open().deliver().dispute()
    deal.rule(3)
    token.blockAccount(court.payee, True, sender=people[8])
    settled = deal.do("settle")
    assert court.escrow.Credited(token=token, account=court.payee, amount=HALF) in settled.events
    assert court.change(settled, court.payer, token.address) == AMOUNT - HALF
    assert court.escrow.creditOf(token, court.payee) == court.holds(court.escrow, token.address) == HALF
    with ape.reverts(court.escrow.PaymentRefused, account=court.payee, amount=HALF):
        court.escrow.withdraw(token, court.payee, sender=people[9])

    token.blockAccount(court.payee, False, sender=people[8])
    paid = court.escrow.withdraw(token, court.payee, sender=people[9])
    assert court.escrow.Withdrawn(token=token, account=court.payee, amount=HALF) in paid.events
    assert court.change(paid, court.payee, token.address) == HALF
    with ape.reverts(court.escrow.NothingCredited, token=token, account=court.payee):
        court.escrow.withdraw(token, court.payee, sender=people[9])


def test_a_token_that_turns_false_is_credited(court: Court, issue, people):
    token = issue("FalseToken")
    token.refuse(False, sender=people[8])
    deal = court.deal(token=token.address).open()
    token.refuse(True, sender=people[8])
    deal.do("release")
    assert court.escrow.creditOf(token, court.payee) == AMOUNT
    with ape.reverts(court.escrow.PaymentRefused):
        court.escrow.withdraw(token, court.payee, sender=court.payee)
    token.refuse(False, sender=people[8])
    court.escrow.withdraw(token, court.payee, sender=people[9])
    assert court.holds(court.payee, token.address) == AMOUNT


def test_credits_of_one_token_pay_no_other(court: Court, issue, people):
    one, other = issue("TestToken"), issue("TestToken")
    court.deal(token=other.address).open()
    deal = court.deal(token=one.address).open()
    one.blockAccount(court.payee, True, sender=people[8])
    deal.do("release")
    for token, account in ((other, court.payee), (NOBODY, court.payee), (one, court.payer)):
        with ape.reverts(court.escrow.NothingCredited, token=token, account=account):
            court.escrow.withdraw(token, account, sender=court.payee)


# A token that calls its sender


@pytest.fixture
def hooked(court: Court, issue, party, people) -> Deal:
    """A deal by a payer whom the token calls before anything moves; three deals of others lie there as well."""
    token = issue("HookToken")
    token.excuse(court.payer, True, sender=people[8])
    token.excuse(party, True, sender=people[8])
    token.mint(party, 5 * AMOUNT, sender=people[8])
    party.execute(token, 0, token.approve.encode_input(court.escrow, 2**256 - 1), 1, sender=people[8])
    for number in range(3):
        court.deal(token=token.address, salt=sha256(str(number))).open()
    return court.deal(token=token.address, payer=party.address)


def hook(deal: Deal, party: ContractInstance, call: bytes, forgetful: bool = False) -> ContractInstance:
    """The token, once it is to make the payer call the escrow, and perhaps to forget the money itself."""
    token = ape.Contract(deal.terms.token)
    again = party.execute.encode_input(deal.court.escrow, 0, call, 1)
    token.setHook(party, again, forgetful, sender=deal.court.others[0])
    return token


def test_a_hook_cannot_release_before_the_money_is_there(court: Court, hooked: Deal, party):
    """It would be paid with the money of others; then the balance has not grown."""
    hook(hooked, party, court.escrow.release.encode_input(hooked.terms.words, 0))
    assert court.refusal(hooked.opening, by=party) == "InexactToken"


def test_a_hook_cannot_open_a_second_deal_with_the_same_money(court: Court, hooked: Deal, party):
    inner = hooked.but(salt=sha256("inner"))
    hook(hooked, party, inner.opening, forgetful=True)
    assert court.refusal(hooked.opening, by=party) == "InexactToken"
    token = hook(hooked, party, inner.opening)
    hooked.open(by=party)
    assert (hooked.state, inner.state, token.hookSucceeded()) == (State.STARTED, State.NONE, False)
    assert court.holds(court.escrow, token.address) == 4 * AMOUNT


@pytest.mark.parametrize(("amount", "error"), [(AMOUNT, "InexactToken"), (2 * AMOUNT, "overflow")])
def test_a_hook_that_moves_our_balance_is_refused(court: Court, hooked: Deal, party, amount: int, error: str):
    """Paying out another of its deals meanwhile would hide what the token keeps."""
    other = hooked.but(salt=sha256("other"), amount=amount).open(by=party)
    hook(hooked, party, court.escrow.release.encode_input(other.terms.words, 0))
    assert error in court.refusal(hooked.opening, by=party)


@pytest.mark.parametrize("verb", ["settle", "expire", "withdraw"])
def test_other_calls_from_a_hook_find_nothing(court: Court, hooked: Deal, party, verb: str):
    arguments = (hooked.terms.token, party) if verb == "withdraw" else (hooked.terms.words,)
    token = hook(hooked, party, getattr(court.escrow, verb).encode_input(*arguments))
    hooked.open(by=party)
    assert not token.hookSucceeded()
    assert hooked.state == State.STARTED
    assert court.holds(court.escrow, token.address) == 4 * AMOUNT


# Recipients of coin


@pytest.mark.parametrize("mode", [REVERTS, BURNS_GAS, REVERTS_WITH_BOMB])
@pytest.mark.parametrize("role", ["payer", "payee"])
def test_a_recipient_that_refuses_is_credited(court: Court, party, people, mode: int, role: str):
    deal = court.deal(**{role: party.address}).open(by=people[9]).deliver(by=as_sender(court, party, role))
    deal.do("dispute", "", by=court.payer if role == "payee" else court.payee, at=deal.verdict_by + 1, value=1000)
    deal.rule(3, dispute=court.arbiter.disputes())
    party.set(mode, NOBODY, b"", sender=people[8])
    settled = deal.do("settle")
    credit, other = (HALF, AMOUNT - HALF) if role == "payee" else (AMOUNT - HALF, HALF)
    assert settled.events[-1] == court.escrow.Credited(token=NOBODY, account=party, amount=credit)
    assert court.change(settled, court.payer if role == "payee" else court.payee) == other
    again = court.escrow.withdraw.encode_input(NOBODY, party)
    assert court.refusal(again, by=people[9]) == "PaymentRefused"
    assert court.escrow.creditOf(NOBODY, party) == court.holds(court.escrow) == credit

    party.set(TAKES, NOBODY, b"", sender=people[8])
    paid = court.escrow.withdraw(NOBODY, party, sender=people[9])
    assert court.change(paid, party) == credit
    assert court.holds(court.escrow) == court.escrow.creditOf(NOBODY, party) == 0


def as_sender(court: Court, party: ContractInstance, role: str):
    """Who delivers: the party itself if it is the payee."""
    return party if role == "payee" else court.payee


@pytest.mark.parametrize("mode", [TAKES, RETURNS_BOMB, WORKS])
def test_a_recipient_that_takes_is_paid(court: Court, party, people, mode: int):
    """A bomb of return data is not copied, so it costs the sender nothing."""
    deal = court.deal(payee=party.address).open()
    party.set(mode, NOBODY, b"", sender=people[8])
    receipt = deal.do("release")
    assert deal.paid(receipt) == (Cause.RELEASE, True, AMOUNT, 0)
    assert receipt.gas_used < 200_000


def test_a_recipient_that_works_hard_is_paid_by_withdraw(court: Court, party, people):
    """Its gas is capped where another's payment may follow, and no longer where nobody waits."""
    deal = court.deal(payee=party.address).open()
    party.set(WORKS_HARD, NOBODY, b"", sender=people[8])
    deal.do("release")
    assert court.escrow.creditOf(NOBODY, party) == AMOUNT
    paid = court.escrow.withdraw(NOBODY, party, sender=people[9])
    assert court.change(paid, party) == AMOUNT
    assert party.work(3) == paid.block_number


@pytest.mark.parametrize("role", ["payer", "payee"])
@pytest.mark.parametrize("verb", ["settle", "expire", "withdraw"])
def test_a_recipient_that_calls_back_is_paid_once(court: Court, party, people, verb: str, role: str):
    """It may run out of gas while it does, and is credited then."""
    deal = court.deal(**{role: party.address}).open(by=people[9]).deliver(by=as_sender(court, party, role))
    deal.tell(PASS if role == "payee" else FAIL, final_at=court.now)
    court.deal(salt=sha256("of others")).open()
    party.set(REENTERS, court.escrow, call_back(deal, party, verb), sender=people[8])
    settled = deal.do("settle")
    credit = court.escrow.creditOf(NOBODY, party)
    assert court.change(settled, party) + credit == AMOUNT
    assert court.holds(court.escrow) == AMOUNT + credit
    assert not party.reentered()


@pytest.mark.parametrize("verb", ["withdraw", "settle", "refund"])
def test_a_credit_is_paid_once_with_all_the_gas_to_call_back(court: Court, party, people, verb: str):
    deal = court.deal(payee=party.address).open()
    court.deal(salt=sha256("of others")).open()
    party.set(REVERTS, NOBODY, b"", sender=people[8])
    deal.do("release")
    party.set(REENTERS, court.escrow, call_back(deal, party, verb), sender=people[8])
    paid = court.escrow.withdraw(NOBODY, party, sender=people[9])
    assert court.change(paid, party) == court.holds(court.escrow) == AMOUNT
    assert court.escrow.creditOf(NOBODY, party) == 0
    assert not party.reentered()


def call_back(deal: Deal, party: ContractInstance, verb: str) -> bytes:
    """What the recipient calls while it is paid."""
    arguments = (NOBODY, party) if verb == "withdraw" else (deal.terms.words,)
    return bytes(getattr(deal.court.escrow, verb).encode_input(*arguments))


# Gas


def test_too_little_gas_forces_no_credit(court: Court, party, mocks, people):
    """Whatever gas a stranger gives, the payee that needs nearly all of its share is paid or nothing happens."""
    deal = court.deal(payee=party.address).open().deliver(by=party).tell(PASS, final_at=court.now)
    party.set(WORKS, NOBODY, b"", sender=people[8])
    stranger = people[8].deploy(mocks.Party)
    call = court.escrow.settle.encode_input(deal.terms.words)
    done = {}
    for gas in range(20_000, 200_000, 6_000):
        with court.chain.isolate():
            receipt = stranger.executeWith(gas, court.escrow, call, sender=people[8])
            done[gas] = court.change(receipt, party) == AMOUNT
            assert done[gas] == (deal.state == State.ENDED)
            assert court.escrow.creditOf(NOBODY, party) == 0
    assert set(done.values()) == {True, False}
    assert list(done.values()) == sorted(done.values())


@pytest.mark.parametrize("money", ["coin", "tokens"])
def test_too_little_gas_says_so(court: Court, issue, money: str):
    """The cap, what EIP-150 keeps back of it, and 40000 for the call itself must be left."""
    token = NOBODY if money == "coin" else issue("TestToken").address
    cap = 50_000 if money == "coin" else 250_000
    deal = court.deal(token=token).open().deliver().tell(PASS, final_at=court.now)
    needed = cap + cap // 63 + 40_000
    with ape.reverts(court.escrow.TooLittleGas, needed=needed):
        court.escrow.settle(deal.terms.words, sender=court.others[0], gas_limit=needed + 20_000)
    court.escrow.settle(deal.terms.words, sender=court.others[0], gas_limit=needed + 60_000)
    assert deal.state == State.ENDED
