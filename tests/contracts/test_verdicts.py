"""`submit`, lapse, fees, `slashEquivocation`: only real attestations of enough seats on one side make an outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import ape
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from support import NOBODY, ZERO, sha256
from verdicts_support import FAIL, PASS, SIZE, STAKE, SUBJECT, Policy, flipped, malleable, mask, pack

THREE = {0: 70, 2: 90, 4: 100}
OTHER = sha256("other")


@pytest.fixture
def requester(people):
    return people[6]


@pytest.fixture
def asked(ask, requester):
    return ask(sender=requester)


def alike(seats: Iterable[int], score: int) -> dict[int, int]:
    """All of them score the same."""
    return dict.fromkeys(seats, score)


# Sides and quorums


@pytest.mark.parametrize(("n", "k"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (5, 5), (32, 17)])
def test_quorums(oracle, ask, committee, recruit, n, k):
    """Pass needs k, Fail n - k + 1: one less makes none, whichever seats they are."""
    keys = [*committee, *recruit(n - 5)] if n > 5 else committee[:n]
    policy = Policy.of(sorted(keys, key=lambda key: int(key.address, 16)), k=k)
    for subject, score, needed, outcome in ((SUBJECT, 80, k, PASS), (OTHER, 20, n - k + 1, FAIL)):
        asked = ask(subject, policy=policy)
        few = alike(range(n - needed + 1, n), score)
        with ape.reverts(oracle.NoQuorum, signers=needed - 1, needed=needed if few else k):
            asked.submit(few)
        enough = alike(range(n - needed, n), score)
        asked.submit(enough)
        assert (asked.verdict[0], asked.record.signers) == (outcome, mask(enough))


def packed(record: tuple[int, ...]) -> int:
    """One word, from the lowest bit."""
    places = (0, 40, 80, 120, 152, 184, 216, 224, 232, 240)
    return sum(value << place for value, place in zip(record, places, strict=True))


def test_submit(oracle, asked, thief):
    """By anyone."""
    submitted = asked.submit(THREE, sender=thief)
    final = submitted.timestamp + asked.policy.challenge_time
    record = (asked.issued_at, final, 0, mask(THREE), 0, 0, 70, 0, PASS, 0)
    assert tuple(asked.record) == record
    assert submitted.events == [oracle.Submitted(subject=SUBJECT, policy=asked.address, verdict=packed(record))]
    assert asked.verdict == (PASS, final, final)


@pytest.mark.parametrize(
    ("scores", "outcome", "bound"),
    [
        ((70, 70, 70), PASS, 70),
        ((100, 71, 99), PASS, 71),
        ((69, 69, 69), FAIL, 69),
        ((0, 68, 1), FAIL, 68),
        ((0, 0, 0), FAIL, 0),
        ((100, 100, 100, 100, 100), PASS, 100),
        ((0, 1, 2, 3, 4), FAIL, 4),
    ],
)
def test_the_bound_is_the_score_nearest_to_pass(asked, scores, outcome, bound):
    asked.submit(dict(enumerate(scores)))
    assert (asked.verdict[0], asked.record.bound) == (outcome, bound)


@pytest.mark.parametrize("scores", [(70, 70, 70, 69), (0, 0, 0, 100), (70, 69, 100), (101, 90, 90), (255, 255, 255)])
def test_a_mixed_certificate_is_refused(oracle, asked, scores):
    with ape.reverts(oracle.MixedSides, lowest=min(scores), highest=max(scores), passScore=70):
        asked.submit(dict(enumerate(scores)))


def test_a_minority_decides_nothing(oracle, asked):
    """2 of 5 lie, or lie while one is down; the honest ones still decide when three of them speak."""
    for lie in (0, 100):
        with ape.reverts(oracle.NoQuorum, signers=2, needed=3):
            asked.submit(alike((0, 1), lie))
    with ape.reverts(oracle.MixedSides):
        asked.submit({0: 0, 1: 0, 2: 90, 3: 90})
    asked.submit(alike((2, 3, 4), 90))
    assert asked.verdict[0] == PASS


# What is no attestation


def test_what_a_node_signs(oracle, asked):
    """eth_account and the contract agree on EIP-712, for every field."""
    message = asked.message(70, sha256("evidence"))
    variants = [{}, {"score": 0}, {"evidence": ZERO}, {"issuedAt": 1}, {"subject": OTHER}, {"round": 255}]
    digests = set()
    for changes in [*variants, {"policy": NOBODY}]:
        said = asked.message(70, sha256("evidence"), **changes)
        signable = asked.typed(said)
        digest = keccak(b"\x19\x01" + signable.header + signable.body)
        assert oracle.digestOf((tuple(said["request"].values()), *list(said.values())[1:])) == digest
        digests.add(digest)
    assert len(digests) == 7
    assert asked.typed(message).body == keccak(type_and_words(message))


def type_and_words(message: dict) -> bytes:
    """What the struct hash of an attestation is the hash of, without eth_account."""
    inner = "Request(bytes32 subject,address policy,uint8 round)"
    outer = f"Attestation(Request request,uint8 score,bytes32 evidence,uint40 issuedAt){inner}"
    subject, policy, round_ = message["request"].values()
    asked = keccak(text=inner) + subject + bytes.fromhex(policy[2:]).rjust(32, b"\0") + round_.to_bytes(32, "big")
    numbers = [message[name].to_bytes(32, "big") for name in ("score", "issuedAt")]
    return keccak(text=outer) + keccak(asked) + numbers[0] + message["evidence"] + numbers[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"domain": {"chainId": 1}},
        {"domain": {"verifyingContract": NOBODY}},
        {"domain": {"name": "Countersigned"}},
        {"domain": {"version": "2"}},
        {"policy": NOBODY},
        {"subject": OTHER},
        {"round": 1},
        {"issuedAt": 1},
        {"score": 71},
        {"evidence": OTHER},
    ],
    ids=lambda changes: str(next(iter(changes.get("domain", changes)))),
)
def test_what_was_signed_for_something_else_is_refused(oracle, asked, changes):
    """One replayed attestation among good ones."""
    good = asked.bundle({0: 90, 1: 90, 3: 90})[1]
    replayed = good[:SIZE] + asked.say(1, 90, **changes) + good[2 * SIZE :]
    with ape.reverts(oracle.BadAttestation, position=1):
        asked.send(0b01011, replayed)
    asked.send(0b01011, good)


def test_another_policy_and_another_subject_of_the_same_committee(oracle, asked, ask):
    """Real attestations, replayed."""
    other_policy = ask(policy=replace(asked.policy, pass_score=71))
    with ape.reverts(oracle.BadAttestation, position=0):
        other_policy.send(*replace(asked, issued_at=other_policy.issued_at).bundle(THREE))
    other_subject = ask(OTHER, policy=asked.policy)
    with ape.reverts(oracle.BadAttestation, position=0):
        other_subject.send(*replace(asked, issued_at=other_subject.issued_at).bundle(THREE))
    with ape.reverts(oracle.BadAttestation, position=0):
        asked.send(*other_subject.bundle(THREE))


def malformed(asked) -> dict[str, tuple[int, bytes, int]]:
    """Signers, attestations, and which one is found bad, counted from 0."""
    signers = 0b00111
    first, second, third = (asked.say(seat, 90) for seat in range(3))
    head, tail = second[:33], second[65:]
    score, evidence, r = second[0], second[1:33], int.from_bytes(second[33:65], "big")
    high, high_odd = malleable(second)
    half = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
    bad = {
        "wrong parity": flipped(second),
        "high s": high,
        "high s, other parity": high_odd,
        "least high s": pack(score, evidence, r, half + 1, 0),
        "highest s": pack(score, evidence, r, 2**255 - 1, 1),
        "r and s are 0": head + bytes(64),
        "r is 0": head + bytes(32) + tail,
        "s is 0": second[:65] + bytes(32),
        "r is no coordinate": head + b"\xff" * 32 + tail,
        "all ones": b"\xff" * SIZE,
        "nothing": bytes(SIZE),
        "another seat's": third,
        "a duplicate": first,
        "its bytes shifted": second[1:] + b"\0",
    }
    made = {name: (signers, first + one + third, 1) for name, one in bad.items()}
    return made | {
        "wrong order": (signers, second + first + third, 0),
        "other signers": (0b01011, first + second + third, 2),
        "shifted signers": (0b01110, first + second + third, 0),
        "more signers": (0b01111, first + second + third, 3),
        "no attestations": (signers, b"", 0),
        "cut short": (signers, (first + second + third)[:-1], 2),
    }


def test_malformed_attestations(oracle, asked):
    for signers, attestations, position in malformed(asked).values():
        with ape.reverts(oracle.BadAttestation, position=position):
            asked.send(signers, attestations)
    assert asked.verdict == (0, 0, 0)


def test_more_attestations_than_signers(oracle, asked):
    said = b"".join(asked.say(seat, 90) for seat in range(4))
    for length, extra in ((4 * SIZE, b""), (4 * SIZE + 1, b"\0"), (5 * SIZE, bytes(SIZE))):
        with ape.reverts(oracle.BadLength, length=length):
            asked.send(0b00111, said + extra)
    with ape.reverts(oracle.BadLength, length=SIZE):
        asked.send(0, said[:SIZE])
    with ape.reverts(oracle.NoQuorum, signers=0, needed=3):
        asked.send(0, b"")


def test_nobody_signs_for_nobody(oracle, ask, committee):
    """An unparsable signature recovers the zero address: no seat is that, and none may be signed for so."""
    asked = ask(policy=Policy.of(committee[:1], k=1))
    for signature in (bytes(64), b"\xff" * 64, bytes(32) + b"\x01" * 32):
        with ape.reverts(oracle.BadAttestation, position=0):
            asked.send(1, bytes([90]) + ZERO + signature)


def test_seats_that_may_not_sign(oracle, nodes, ask, committee):
    asked = ask()
    oracle.suspendSeat(asked.address, 1, sender=committee[1])
    nodes.leave(sender=committee[3])
    later = ask(OTHER)
    assert later.record.suspended == 0b01010
    for seat in (1, 3):
        signers, said = later.bundle(alike({0, 2, seat}, 90))
        with ape.reverts(oracle.SuspendedSeats, seats=signers):
            later.send(signers, said)
    later.submit(alike((0, 2, 4), 90))


def test_seats_that_do_not_exist(oracle, asked):
    signers, said = asked.bundle(THREE)
    for bit in (5, 6, 31):
        for more in (b"", asked.say(1, 90)):
            with ape.reverts(oracle.SuspendedSeats, seats=signers | 1 << bit):
                asked.send(signers | 1 << bit, said + more)
    with ape.reverts(oracle.SuspendedSeats, seats=2**32 - 1):
        asked.send(2**32 - 1, said)


# One outcome, in time


def test_the_first_outcome_stands(oracle, asked, requester, at):
    """Even if three seats sign on both sides."""
    final = asked.submit(alike((0, 1, 2), 90)).timestamp + 500
    stands = tuple(asked.record)
    for scores in (alike((0, 1, 2), 10), alike((2, 3, 4), 10), alike(range(5), 95)):
        with ape.reverts(oracle.AlreadyDecided, outcome=PASS):
            asked.submit(scores)
    for moment in (final - 1, final, asked.issued_at + 5000):
        at(moment)
        with ape.reverts(oracle.AlreadyRequested, subject=SUBJECT, policy=asked.address, round=0):
            asked.again(requester)
    with ape.reverts(oracle.AlreadyDecided, outcome=PASS):
        asked.submit(THREE)
    assert tuple(asked.record) == stands


def test_nobody_asked(oracle, asked):
    other = replace(asked, subject=OTHER)
    with ape.reverts(oracle.NotRequested, subject=OTHER, policy=asked.address):
        other.submit(THREE)
    with ape.reverts(oracle.NotChallengeable, outcome=0, finalAt=0, stage=0):
        oracle.challenge(*other.names, "why", sender=asked.policy.keys[0])
    with ape.reverts(oracle.NotRequested, subject=OTHER, policy=asked.address):
        other.withdraw(asked.policy.keys[0])


def test_the_last_second_to_submit(oracle, asked, at):
    at(asked.issued_at + 1000)
    assert asked.submit(THREE).timestamp == asked.issued_at + 1000


def test_lapse_and_the_next_round(oracle, asked, requester, thief, at):
    """Old attestations are refused, the old fee goes back to who paid it, to the wei, once."""
    deadline = asked.issued_at + 1000
    at(deadline)
    with ape.reverts(oracle.AlreadyRequested, subject=SUBJECT, policy=asked.address, round=0):
        asked.again(thief)
    at(deadline + 1)
    with ape.reverts(oracle.Lapsed, deadline=deadline):
        asked.submit(THREE)

    later = asked.again(thief)
    assert (later.round, later.record.requestedAt > deadline) == (1, True)
    for old in (asked, replace(asked, issued_at=later.issued_at), replace(later, issued_at=asked.issued_at)):
        with ape.reverts(oracle.BadAttestation, position=0):
            later.send(*old.bundle(THREE))
    paid, fee = requester.balance, asked.policy.fee
    returned = asked.withdraw(thief)
    assert returned.events == [
        oracle.FeePaid(subject=SUBJECT, policy=asked.address, account=requester, round=0, amount=fee)
    ]
    assert requester.balance == paid + fee
    with ape.reverts(oracle.NothingDue):
        asked.withdraw(thief)
    with ape.reverts(oracle.NotEffective, effectiveAt=0):
        later.withdraw(thief)
    with ape.reverts(oracle.NotRequested, subject=SUBJECT, policy=asked.address):
        later.withdraw(thief, of_round=2)
    later.submit(THREE)
    assert later.verdict[0] == PASS


def test_a_lapsed_round_returns_its_fee_before_another_is_asked_for(oracle, asked, requester, thief, at):
    at(asked.issued_at + 1000)
    with ape.reverts(oracle.NotEffective, effectiveAt=0):
        asked.withdraw(thief)
    before = requester.balance
    asked.withdraw(thief)
    assert requester.balance == before + asked.policy.fee
    assert oracle.requesterOf(*asked.request) == NOBODY
    assert oracle.balance == 0


def test_there_are_256_rounds(oracle, chain, asked, requester, at):
    """Then it is over, without a panic."""
    slot = int.from_bytes(keccak(keccak(encode(["bytes32", "address"], asked.names)) + (3).to_bytes(32, "big")), "big")
    word = int.from_bytes(chain.provider.get_storage(oracle.address, slot), "big") | 254 << 224
    chain.provider.make_request("anvil_setStorageAt", [oracle.address, f"0x{slot:064x}", f"0x{word:064x}"])
    at(asked.issued_at + 1001)
    last = asked.again(requester)
    assert last.round == 255
    at(last.issued_at + 1001)
    with ape.reverts(oracle.AlreadyRequested, subject=SUBJECT, policy=asked.address, round=255):
        asked.again(requester)


def test_seats_are_judged_anew_each_round(oracle, nodes, asked, requester, committee, at):
    nodes.leave(sender=committee[0])
    at(asked.issued_at + 1001)
    assert asked.again(requester).record.suspended == 0b00001


# Fees


@pytest.mark.parametrize("signers", [(0, 1, 2), (0, 1, 3, 4), (0, 1, 2, 3, 4)])
def test_signers_share_the_fee_once_it_is_final(oracle, asked, thief, at, signers):
    """Equally, to the wei; the remainder stays."""
    final = asked.submit(alike(signers, 90)).timestamp + 500
    before = [node.balance for node in asked.policy.keys]
    at(final - 1)
    with ape.reverts(oracle.NotEffective, effectiveAt=final):
        asked.withdraw(thief)
    paid = asked.withdraw(thief)
    share, rest = divmod(asked.policy.fee, len(signers))
    accounts = [asked.policy.keys[seat] for seat in signers]
    assert paid.timestamp == final
    assert paid.events == [
        oracle.FeePaid(subject=SUBJECT, policy=asked.address, account=account, round=0, amount=share)
        for account in accounts
    ]
    gained = [node.balance - old for node, old in zip(asked.policy.keys, before, strict=True)]
    assert gained == [share if seat in signers else 0 for seat in range(5)]
    assert oracle.balance == rest
    assert asked.record.paid == mask(signers)
    with ape.reverts(oracle.NothingDue):
        asked.withdraw(thief)


def test_without_a_fee_nothing_is_due(oracle, ask, committee, thief, at):
    asked = ask(fee=0)
    at(asked.submit(THREE).timestamp + 500)
    with ape.reverts(oracle.NothingDue):
        asked.withdraw(thief)
    lapsed = ask(OTHER, fee=0)
    at(lapsed.issued_at + 1001)
    with ape.reverts(oracle.NothingDue):
        lapsed.withdraw(thief)


def test_a_policy_without_a_window_is_final_at_once(oracle, ask, thief, at):
    asked = ask(challenge_time=0)
    submitted = asked.submit(alike((0, 1, 2), 10))
    assert asked.verdict == (FAIL, submitted.timestamp, submitted.timestamp)
    asked.withdraw(thief)
    assert oracle.balance == asked.policy.fee % 3


@pytest.fixture
def give_code(chain, people, mocks) -> Callable:
    """Gives a key the code of a recipient (EIP-7702), and the mode that the recipient is in."""

    def to(key, mode: int, target=NOBODY, reentry: bytes = b""):
        code = chain.provider.get_code(people[9].deploy(mocks.Recipient).address).to_0x_hex()
        chain.provider.make_request("anvil_setCode", [key.address, code])
        account = mocks.Recipient.at(key.address)
        account.set(mode, target, reentry, sender=people[9])
        return account

    return to


def test_a_signer_that_refuses_holds_up_nobody(oracle, asked, committee, people, thief, at, give_code):
    """It keeps its claim; the others are paid."""
    at(asked.submit(THREE).timestamp + 500)
    refuser = give_code(committee[2], 1)
    burner = give_code(committee[4], 2)
    share, before = asked.policy.fee // 3, [committee[seat].balance for seat in (0, 2, 4)]
    paid = asked.withdraw(thief)
    assert [event.account for event in paid.events] == [committee[0]]
    assert [committee[seat].balance for seat in (0, 2, 4)] == [before[0] + share, *before[1:]]
    assert asked.record.paid == 0b00001
    with ape.reverts(oracle.NothingDue):
        asked.withdraw(thief)
    refuser.set(0, NOBODY, b"", sender=people[9])
    burner.set(0, NOBODY, b"", sender=people[9])
    asked.withdraw(thief)
    assert [committee[seat].balance for seat in (0, 2, 4)] == [balance + share for balance in before]
    assert asked.record.paid == mask(THREE)


def test_a_signer_that_reenters_is_paid_once(oracle, asked, committee, thief, at, give_code):
    at(asked.submit(THREE).timestamp + 500)
    give_code(committee[0], 3, oracle, oracle.withdraw.encode_input(*asked.request))
    before, share = committee[0].balance, asked.policy.fee // 3
    asked.withdraw(thief)
    assert (committee[0].balance, oracle.balance) == (before + share, asked.policy.fee - 3 * share)
    assert asked.record.paid == mask(THREE)


def test_a_requester_that_refuses_keeps_its_claim(oracle, mocks, people, committee, thief, at):
    """And so does one that burns all gas it is given."""
    policy, recipient = Policy.of(committee), people[9].deploy(mocks.Recipient)
    oracle.createPolicy(policy.words, sender=thief)
    request = oracle.request.encode_input(SUBJECT, policy.address(oracle))
    sent = recipient.execute(oracle, request, value=policy.fee, sender=people[9])
    for mode in (1, 2):
        recipient.set(mode, NOBODY, b"", sender=people[9])
        at(sent.timestamp + 1001 + 10 * mode)
        with ape.reverts(oracle.NothingDue):
            oracle.withdraw(SUBJECT, policy.address(oracle), 0, sender=thief)
    recipient.set(0, NOBODY, b"", sender=people[9])
    oracle.withdraw(SUBJECT, policy.address(oracle), 0, sender=thief)
    assert (recipient.balance, oracle.balance) == (policy.fee, 0)


def test_too_little_gas_fails_no_payment_on_purpose(oracle, asked, committee, thief, at):
    """It reverts instead: no claim is marked or skipped."""
    at(asked.submit(THREE).timestamp + 500)
    with ape.reverts(oracle.TooLittleGas):
        asked.oracle.withdraw(*asked.request, sender=thief, gas_limit=150_000)
    assert asked.record.paid == 0
    asked.withdraw(thief)
    assert asked.record.paid == mask(THREE)


# Equivocation


@pytest.mark.parametrize("submitted", [False, True])
def test_equivocation_is_slashed_once(oracle, nodes, asked, committee, thief, submitted):
    """A sixteenth to whoever reports it, the rest burned."""
    if submitted:
        asked.submit(alike((0, 1, 2), 90))
    proof = asked.equivocation(1)
    slashed = oracle.slashEquivocation(proof, sender=thief)
    node = committee[1]
    assert slashed.decode_logs(oracle.EquivocationSlashed) == [
        oracle.EquivocationSlashed(subject=SUBJECT, policy=asked.address, node=node, round=0, taken=STAKE)
    ]
    assert slashed.decode_logs(nodes.Slashed) == [
        nodes.Slashed(node=node, slasher=oracle, taken=STAKE, beneficiary=thief, reward=STAKE // 16)
    ]
    assert (nodes.nodeOf(node).stake, nodes.rewardOf(thief)) == (0, STAKE // 16)

    nodes.join(oracle, ZERO, value=STAKE, sender=node)
    other_scores = asked.equivocation(1, high=70, low=69)
    for again in (proof, other_scores):
        with ape.reverts(oracle.AlreadySlashed, node=node):
            oracle.slashEquivocation(again, sender=thief)
    assert nodes.nodeOf(node).stake == STAKE // 10**9


def test_each_request_and_each_seat_is_slashed_for_itself(oracle, nodes, ask, committee, thief):
    """At most `slash` each."""
    asked = ask(slash=STAKE // 4)
    for proof in (asked.equivocation(1), asked.equivocation(2), ask(OTHER, policy=asked.policy).equivocation(1)):
        oracle.slashEquivocation(proof, sender=thief)
    stakes = [nodes.nodeOf(key).stake * 10**9 for key in committee]
    assert stakes == [STAKE, STAKE // 2, STAKE * 3 // 4, STAKE, STAKE]


def test_signing_again_on_the_same_side_is_honest(oracle, asked, thief):
    for high, low in ((90, 90), (90, 71), (100, 70), (69, 0), (0, 0), (10, 90), (69, 70)):
        with ape.reverts(oracle.NoEquivocation, first=high, second=low):
            oracle.slashEquivocation(asked.equivocation(1, high, low), sender=thief)


def test_what_proves_no_equivocation(oracle, nodes, asked, committee, thief):
    """Two seats, two requests, forged, another order, nothing."""
    request, seat, issued_at, passing, failing = asked.equivocation(1)
    stranger = replace(asked, policy=replace(asked.policy, keys=(thief,) * 5))
    wrong = [
        (asked.say(2, 90), failing),
        (passing, asked.say(2, 10)),
        (passing, asked.say(1, 10, subject=OTHER)),
        (passing, asked.say(1, 10, round=1)),
        (passing, asked.say(1, 10, issuedAt=issued_at + 1)),
        (passing, asked.say(1, 10, domain={"chainId": 1})),
        (passing, asked.say(1, 10, score=90)),
        (stranger.say(1, 90), stranger.say(1, 10)),
        (passing, malleable(failing)[0]),
        (passing, flipped(failing)),
        (bytes(SIZE), bytes(SIZE)),
        (passing, b""),
    ]
    for both in wrong:
        with ape.reverts(oracle.BadAttestation, position=0):
            oracle.slashEquivocation((request, seat, issued_at, *both), sender=thief)
    with ape.reverts(oracle.BadLength, length=SIZE + 1):
        oracle.slashEquivocation((request, seat, issued_at, passing + b"\0", failing), sender=thief)
    for place in (5, 31, 32, 255):
        with ape.reverts(oracle.SuspendedSeats):
            oracle.slashEquivocation((request, place, issued_at, passing, failing), sender=thief)
    assert all(nodes.nodeOf(key).stake == STAKE // 10**9 for key in committee)


def test_a_proof_cannot_be_used_up_before_the_request(oracle, nodes, asked, requester, committee, thief, at):
    """A liar without stake reports itself, for another time or a round to come: nothing is recorded."""
    early = [replace(asked, subject=OTHER), replace(asked, round=1), replace(asked, issued_at=asked.issued_at + 1)]
    for other in early:
        with ape.reverts(oracle.NotRequested, subject=other.subject, policy=asked.address):
            oracle.slashEquivocation(other.equivocation(1), sender=committee[1])
    at(asked.issued_at + 1001)
    later = asked.again(requester)
    for lie in (asked, later):
        oracle.slashEquivocation(lie.equivocation(1), sender=thief)
        nodes.join(oracle, ZERO, value=STAKE, sender=committee[1])
    assert nodes.rewardOf(thief) == 2 * (STAKE // 16)


def test_an_equivocator_that_left_is_slashed_while_it_unbonds(oracle, nodes, asked, committee, thief, at):
    """Once it is out there is nothing to take, and that does not use up the proof."""
    node, out = committee[1], committee[2]
    matures = nodes.leave(sender=node).timestamp + nodes.UNBONDING()
    at(matures - 1)
    assert oracle.slashEquivocation(asked.equivocation(1), sender=thief).decode_logs(nodes.Slashed)[0].taken == STAKE
    at(nodes.leave(sender=out).timestamp + nodes.UNBONDING())
    nodes.withdraw(sender=out)
    with ape.reverts(oracle.NothingTaken, node=out):
        oracle.slashEquivocation(asked.equivocation(2), sender=out)
    nodes.join(oracle, ZERO, value=STAKE, sender=out)
    assert oracle.slashEquivocation(asked.equivocation(2), sender=thief).decode_logs(nodes.Slashed)[0].taken == STAKE
