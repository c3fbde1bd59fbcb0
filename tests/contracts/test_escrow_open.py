"""`open` and `deliver`: the id of a deal, what is refused, and whose money is taken."""

from __future__ import annotations

import ape
import pytest
from ape.exceptions import VirtualMachineError
from escrow_support import AMOUNT, DELIVERY, Cause, Court, Deal, State, digest_of, words_of
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from support import DAY, NOBODY, ZERO, sha256

LATER = ((1000, 10, 20), (2000, 30, 40), (3000, 50, 60))
FOREVER = 2**40 - 1
TEN_YEARS = 3650 * DAY
OTHERS = {
    "payer": "0x" + "01" * 20,
    "payee": "0x" + "02" * 20,
    "token": "0x" + "03" * 20,
    "amount": AMOUNT + 1,
    "policy": "0x" + "04" * 20,
    "brief": sha256("another"),
    "deliver_by": 1,
    "verdict_by": 2,
    "dispute_time": 3,
    "ruling_time": 4,
    "reveal_time": 5,
    "arbiter": "0x" + "05" * 20,
    "silence_share": 6,
    "milestones": ((7, 8, 9),),
    "buyer_key": sha256("key"),
    "salt": sha256("salt"),
}
"""For every field another value than usual."""


@pytest.fixture
def deal(court: Court) -> Deal:
    return court.deal()


# The id


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_id_is_the_digest_of_the_terms(court: Court, count: int):
    deals = [court.deal(milestones=LATER[:count]), court.deal(**OTHERS | {"milestones": LATER[:count]})]
    largest = court.deal(amount=2**256 - 1, deliver_by=FOREVER, verdict_by=FOREVER, silence_share=2**16 - 1)
    for deal in [*deals, largest.but(milestones=((2**256 - 1, FOREVER, FOREVER),) * count)]:
        assert deal.id == digest_of(court.escrow, "Terms", deal.terms.message)


def test_every_field_is_in_the_id(court: Court, oracle_court: Court, deal: Deal):
    one = deal.but(milestones=LATER[:1])
    later = [deal.but(milestones=(milestone,)) for milestone in ((99, 10, 20), (1000, 99, 20), (1000, 10, 99))]
    order = [deal.but(milestones=LATER[:2]), deal.but(milestones=LATER[1::-1])]
    others = [deal.but(**{name: value}) for name, value in OTHERS.items()]
    elsewhere = Deal(oracle_court, deal.terms)
    deals = [deal, one, *later, *order, *others, elsewhere]
    assert set(OTHERS) == set(vars(deal.terms))
    assert len({each.id for each in deals}) == len(deals)
    assert digest_of(court.escrow, "Terms", deal.terms.message, chainId=1) != deal.id


def test_the_subject_of_a_delivery(court: Court, deal: Deal):
    parts = [deal.id, 3, DELIVERY[:20] + bytes(12)]
    assert court.escrow.subjectOf(deal.id, 3, DELIVERY) == keccak(encode(["bytes32", "uint8", "bytes32"], parts))


def narrow(terms) -> list[int]:
    """Places of the words of which not all bits are used."""
    return [n for n, word in enumerate(words_of(terms)) if n not in (3, 5, 13, 14, 15, MILESTONES, 17) and word[0] == 0]


@pytest.mark.parametrize("verb", ["open", "refund", "settle", "expire"])
def test_dirty_high_bits_reach_no_deal(court: Court, deal: Deal, verb: str):
    deal = deal.but(milestones=LATER[:1]).open(at=court.now + 50)
    fresh = deal.but(salt=sha256("new")) if verb == "open" else deal
    words, places = words_of(fresh.terms), narrow(fresh.terms)
    assert len(places) == 13
    for place in places:
        dirty = [*words[:place], b"\x80" + words[place][1:], *words[place + 1 :]]
        assert (REFUSED[verb] if place < MILESTONES else "revert") in answer(court, verb, dirty), place
    assert answer(court, verb, words) == {"settle": "WrongState", "expire": "NotYet"}.get(verb, "done")


def test_milestones_lie_where_they_must(court: Court, deal: Deal):
    words = words_of(deal.but(milestones=LATER[:1]).terms)
    words[13] = (0x220).to_bytes(32, "big")
    assert answer(court, "open", [*words[:16], bytes(32), *words[16:]]) == "MalformedTerms"


MILESTONES = 16
"""The word with their number; those after it are checked as they are decoded, which gives no error of ours."""
REFUSED = {"open": "MalformedTerms"} | dict.fromkeys(["refund", "settle", "expire"], "UnknownDeal")


def answer(court: Court, verb: str, words: list[bytes]) -> str:
    """What comes of a call by the right party with exactly these words."""
    head = [64, 64 + 32 * len(words)] if verb == "open" else [32]
    data = b"".join([*(n.to_bytes(32, "big") for n in head), *words, bytes(32 * (verb == "open"))])
    call = keccak(text=getattr(court.escrow, verb).abis[0].selector)[:4] + data
    return court.refusal(call, *((court.payer, AMOUNT) if verb == "open" else (court.payee, 0)))


# Opening


def plain(terms) -> list[object]:
    """A tuple without the case of addresses."""
    words = [list(map(plain, word)) if isinstance(word, (list, tuple)) and word else word for word in tuple(terms)]
    return [[] if word == () else word.lower() if isinstance(word, str) else word for word in words]


@pytest.mark.parametrize("uri", ["", "https://example.org/brief", "u" * 32, "u" * 65])
@pytest.mark.parametrize("count", [0, 2])
def test_the_event_of_a_deal(deal: Deal, uri: str, count: int):
    """Written by hand in assembly: every length must come out whole."""
    deal = deal.but(milestones=LATER[:count])
    (event,) = deal.do("open", uri, value=AMOUNT).events
    assert (event.dealId, event.briefUri, plain(event.terms)) == (deal.id, uri, plain(deal.terms.words))


def test_open(court: Court, deal: Deal):
    receipt = deal.do("open", "", value=AMOUNT)
    assert court.change(receipt, court.escrow) == AMOUNT
    assert deal.record == (bytes(20), receipt.timestamp, 0, 0, State.STARTED)
    with ape.reverts(court.escrow.AlreadyOpened, dealId=deal.id):
        deal.open()


def test_someone_else_may_pay(court: Court, deal: Deal):
    receipt = deal.do("open", "", by=court.others[1], value=AMOUNT)
    assert court.change(receipt, court.payer) == 0
    assert court.change(receipt, court.escrow) == AMOUNT


BAD = [
    ("BadParties", {"payer": NOBODY}),
    ("BadParties", {"payee": NOBODY}),
    ("BadParties", {"payee": "payer"}),
    ("BadParties", {"payer": "escrow"}),
    ("BadParties", {"payee": "escrow"}),
    ("BadParties", {"arbiter": "payer"}),
    ("BadParties", {"arbiter": "payee"}),
    ("BadAmounts", {"amount": 0}),
    ("BadAmounts", {"milestones": ((AMOUNT, 1, 1),)}),
    ("BadAmounts", {"milestones": ((AMOUNT + 1, 1, 1),)}),
    ("BadAmounts", {"milestones": ((1, 1, 1), (0, 1, 1))}),
    ("BadAmounts", {"milestones": ((AMOUNT // 2, 1, 1), (AMOUNT // 2 + 1, 1, 1))}),
    ("BadDisputeTimes", {"dispute_time": 0}),
    ("BadDisputeTimes", {"ruling_time": 0}),
    ("BadDisputeTimes", {"arbiter": NOBODY}),
    ("BadDisputeTimes", {"arbiter": NOBODY, "ruling_time": 0}),
    ("BadDisputeTimes", {"arbiter": NOBODY, "dispute_time": 0}),
    ("BadDisputeTimes", {"dispute_time": TEN_YEARS + 1}),
    ("BadDisputeTimes", {"ruling_time": TEN_YEARS + 1}),
    ("BadDisputeTimes", {"ruling_time": FOREVER}),
    ("BadDeadlines", {"verdict_by": FOREVER}),
    ("BadDeadlines", {"milestones": ((1, TEN_YEARS + 1, 1),)}),
    ("BadDeadlines", {"milestones": ((1, 1, TEN_YEARS + 1),)}),
    ("BadSilenceShare", {"silence_share": 10_001}),
    ("BadSilenceShare", {"silence_share": 2**16 - 1}),
    ("NotInUse", {"reveal_time": 1}),
    ("NotInUse", {"buyer_key": sha256("key")}),
]


def test_what_cannot_be_opened(court: Court, deal: Deal):
    words = {"payer": court.payer.address, "payee": court.payee.address, "escrow": court.escrow.address}
    for error, changes in BAD:
        named = {name: words.get(value, value) if isinstance(value, str) else value for name, value in changes.items()}
        bad = deal.but(**named)
        assert court.refusal(bad.opening, by=court.payer, value=bad.terms.amount) == error, changes
    assert court.refusal(deal.opening, by=court.payer, value=AMOUNT) == "done"


def test_the_least_and_the_most(deal: Deal):
    deal.but(amount=1).open()
    deal.but(silence_share=10_000).open()
    deal.but(milestones=((AMOUNT - 1, 0, 0),)).open()
    deal.but(dispute_time=TEN_YEARS, ruling_time=TEN_YEARS, milestones=((1, TEN_YEARS, TEN_YEARS),)).open()
    deal.but(arbiter=NOBODY, dispute_time=0, ruling_time=0).open()


def test_sums_beyond_all_numbers(deal: Deal):
    with pytest.raises(VirtualMachineError, match="overflow"):
        deal.but(amount=2, milestones=((2**256 - 1, 1, 1), (2, 1, 1))).open()


def test_deadlines_at_the_second(court: Court, deal: Deal):
    second = court.now + 10
    with ape.reverts(court.escrow.BadDeadlines, deliverBy=second, verdictBy=second + 1):
        deal.but(deliver_by=second, verdict_by=second + 1).open(at=second)
    second = court.now + 10
    deal.but(deliver_by=second + 1, verdict_by=second + 2).open(at=second)
    for verdict_by in (second + 99, second + 100):
        with ape.reverts(court.escrow.BadDeadlines, deliverBy=second + 100, verdictBy=verdict_by):
            deal.but(deliver_by=second + 100, verdict_by=verdict_by).open()
    second = court.now + 10
    with ape.reverts(court.escrow.BadDeadlines):
        deal.but(verdict_by=second + TEN_YEARS + 1).open(at=second)
    deal.but(verdict_by=second + TEN_YEARS + 1).open(at=second + 1)


def test_exactly_the_amount(court: Court, deal: Deal):
    for value in (0, AMOUNT - 1, AMOUNT + 1):
        with ape.reverts(court.escrow.WrongPayment, sent=value, due=AMOUNT):
            deal.open(value=value)


def test_256_milestones_are_the_most_that_a_deal_counts(court: Court):
    with ape.reverts(court.escrow.BadAmounts, amount=AMOUNT, later=2560):
        court.deal(milestones=((10, 5, 5),) * 256).open()
    deal = court.deal(milestones=((10, 5, 5),) * 255).open()
    assert deal.paid(deal.do("release")) == (Cause.RELEASE, False, AMOUNT - 2550, 0)
    skip_to(deal, 254)
    assert deal.paid(deal.do("release")) == (Cause.RELEASE, False, 10, 0)
    assert deal.record.milestone == 255
    assert deal.paid(deal.do("release")) == (Cause.RELEASE, True, 10, 0)


def skip_to(deal: Deal, milestone: int) -> None:
    """Writes the number of the current milestone into the deal's slot."""
    provider, escrow = deal.court.chain.provider, deal.court.escrow.address
    slot = keccak(deal.id + (2).to_bytes(32, "big"))
    word = bytearray(provider.get_storage(escrow, int.from_bytes(slot, "big")).rjust(32, b"\0"))
    assert word[1] == deal.record.milestone
    word[1] = milestone
    provider.make_request("anvil_setStorageAt", [escrow, "0x" + slot.hex(), "0x" + word.hex()])


def test_forced_coin_changes_nothing(court: Court, deal: Deal, mocks, people):
    people[8].deploy(mocks.Forcer, court.escrow, value=777)
    assert court.holds(court.escrow) == 777
    deal.open().do("release")
    assert court.holds(court.escrow) == 777
    with ape.reverts(court.escrow.NothingCredited, token=NOBODY, account=people[8]):
        court.escrow.withdraw(NOBODY, people[8], sender=people[8])
    with ape.reverts():
        people[8].transfer(court.escrow, 1)


# Delivering and releasing


def test_deliver(court: Court, deal: Deal):
    receipt = deal.open().do("deliver", DELIVERY, "https://example.org/work")
    assert receipt.events == [
        court.escrow.Delivered(dealId=deal.id, milestone=0, delivery=DELIVERY, uri="https://example.org/work")
    ]
    assert deal.record == (DELIVERY[:20], receipt.timestamp, 0, 0, State.DELIVERED)
    with ape.reverts(court.escrow.WrongState, dealId=deal.id, state=State.DELIVERED):
        deal.deliver()


def test_what_is_no_delivery(court: Court, deal: Deal):
    deal.open()
    for delivery in (ZERO, bytes(20) + bytes([1] * 12)):
        with ape.reverts(court.escrow.NoDelivery):
            deal.do("deliver", delivery, "")
    for caller in (court.payer, court.others[0]):
        with ape.reverts(court.escrow.NotParty, caller=caller, party=court.payee):
            deal.deliver(by=caller)


def test_a_delivery_at_the_last_second_and_after(court: Court, deal: Deal):
    other = deal.but(salt=sha256("other")).open()
    deal.open().deliver(at=deal.terms.deliver_by)
    with ape.reverts(court.escrow.TooLate, deadline=deal.terms.deliver_by):
        other.deliver(at=deal.terms.deliver_by + 1)


def test_whoever_is_not_named_by_the_terms_does_nothing(court: Court, deal: Deal):
    deal.open()
    for verb, wrong, right in (("release", court.payee, court.payer), ("refund", court.payer, court.payee)):
        for caller in (wrong, court.others[0]):
            with ape.reverts(court.escrow.NotParty, caller=caller, party=right):
                deal.do(verb, by=caller)
    thief = deal.but(payee=court.others[0].address)
    with ape.reverts(court.escrow.UnknownDeal, dealId=thief.id):
        thief.do("release")


def test_a_late_transaction_hits_no_other_milestone(court: Court):
    """It was sent for the milestone before, which somebody else's transaction ended first."""
    deal = court.deal(milestones=LATER).open()
    deal.do("release")
    for verb, rest in (("release", ()), ("deliver", (DELIVERY, ""))):
        for part in (0, 2, 255):
            with ape.reverts(court.escrow.WrongMilestone, current=1):
                deal.do(verb, *rest, part=part)
    deal.deliver()
    with ape.reverts(court.escrow.WrongMilestone, current=1):
        deal.do("release", part=0)
