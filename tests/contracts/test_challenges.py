"""`challenge`, `rule` and what they pay: the arbiter has the last word, once, in time; no wei is lost or made."""

from __future__ import annotations

from collections.abc import Callable

import ape
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from support import NOBODY, sha256
from verdicts_support import (
    ANNULLED,
    CHALLENGED,
    DECLINED,
    FAIL,
    OVERTURNED,
    PASS,
    STAKE,
    SUBJECT,
    UNCHALLENGED,
    UPHELD,
    VOID,
    Asked,
    Policy,
    mask,
)

COST = 10**13 + 3
SIGNERS = (0, 2, 4)
OTHER = sha256("other")
BURN = "0x000000000000000000000000000000000000dEaD"
RULINGS = {0: DECLINED, 1: UPHELD, 2: ANNULLED, 3: OVERTURNED, 4: DECLINED, 7: DECLINED, 2**256 - 1: DECLINED}
REPEATS, REVERTS, REENTERS = 1, 2, 3


@pytest.fixture
def owner(people):
    """Of the arbiter and of contracts that receive."""
    return people[9]


@pytest.fixture
def arbiter(mocks, owner):
    return owner.deploy(mocks.Arbiter, COST)


@pytest.fixture
def requester(people):
    return people[6]


@pytest.fixture
def challenger(people):
    return people[7]


@pytest.fixture
def decide(ask, arbiter, requester) -> Callable:
    """A verdict of three seats."""

    def submit(score: int = 90, subject: bytes = SUBJECT, **terms):
        asked = ask(subject, sender=requester, **{"arbiter": arbiter.address} | terms)
        asked.submit(dict.fromkeys(SIGNERS, score))
        return asked

    return submit


@pytest.fixture
def challenge(oracle, challenger) -> Callable:
    """Pays bond and cost exactly, unless told otherwise."""

    def ask_the_arbiter(asked, value: int | None = None):
        due = asked.policy.bond + COST if value is None else value
        return oracle.challenge(*asked.names, "why", value=due, sender=challenger)

    return ask_the_arbiter


@pytest.fixture
def disputed(decide, challenge) -> Callable:
    """A verdict that is challenged: dispute 1."""

    def submit_and_challenge(score: int = 90, **terms):
        asked = decide(score, **terms)
        challenge(asked)
        return asked

    return submit_and_challenge


def asked_of(oracle, policy: Policy, subject: bytes = SUBJECT) -> Asked:
    """What somebody else requested."""
    return Asked(oracle, policy, subject).now()


def key_of(asked) -> bytes:
    return keccak(encode(["bytes32", "address"], asked.names))


def flip(outcome: int) -> int:
    return FAIL if outcome == PASS else PASS


# Challenges


def test_challenge(oracle, arbiter, decide, challenge, challenger):
    asked = decide()
    final = asked.verdict[1]
    sent = challenge(asked)
    ruling_by = sent.timestamp + asked.policy.ruling_time
    assert sent.decode_logs(oracle.Challenged) == [
        oracle.Challenged(
            subject=SUBJECT,
            policy=asked.address,
            challenger=challenger,
            disputeId=1,
            rulingBy=ruling_by,
            reason="why",
        )
    ]
    assert len(sent.events) == 1
    assert asked.record.stage == CHALLENGED
    assert tuple(oracle.challengeOf(*asked.names)) == (challenger, ruling_by)
    assert asked.verdict == (PASS, final, ruling_by)
    assert arbiter.balance == COST
    assert oracle.balance == asked.policy.fee + asked.policy.bond


def test_exactly_bond_and_cost(oracle, decide, challenge):
    asked = decide()
    due = asked.policy.bond + COST
    for sent in (0, COST, asked.policy.bond, due - 1, due + 1):
        with ape.reverts(oracle.WrongPayment, sent=sent, due=due):
            challenge(asked, sent)
    assert asked.record.stage == UNCHALLENGED
    challenge(asked)


def test_the_last_second_to_challenge(oracle, decide, challenge, at):
    first, second = decide(), decide(subject=OTHER)
    final = first.verdict[1]
    at(final - 1)
    challenge(first)
    at(second.verdict[1])
    with ape.reverts(oracle.NotChallengeable, outcome=PASS, finalAt=second.verdict[1], stage=UNCHALLENGED):
        challenge(second)


def test_a_verdict_is_challenged_once_and_only_when_there_is_one(oracle, arbiter, owner, ask, disputed, challenge):
    asked = disputed()
    final = asked.verdict[1]
    with ape.reverts(oracle.NotChallengeable, outcome=PASS, finalAt=final, stage=CHALLENGED):
        challenge(asked)
    arbiter.give(1, 1, sender=owner)
    with ape.reverts(oracle.NotChallengeable, outcome=PASS, finalAt=final, stage=UPHELD):
        challenge(asked)
    undecided = ask(OTHER, policy=asked.policy)
    with ape.reverts(oracle.NotChallengeable, outcome=0, finalAt=0, stage=UNCHALLENGED):
        challenge(undecided)


def test_without_an_arbiter_nobody_challenges(oracle, decide, challenge):
    asked = decide(arbiter=NOBODY, bond=0, ruling_time=0)
    with ape.reverts(oracle.NoArbiter):
        challenge(asked)


def test_a_challenged_verdict_takes_nothing_else(oracle, disputed, requester, at):
    asked = disputed()
    with ape.reverts(oracle.AlreadyDecided, outcome=PASS):
        asked.submit(dict.fromkeys(SIGNERS, 10))
    at(asked.verdict[1] + 10)
    with ape.reverts(oracle.AlreadyRequested, subject=SUBJECT, policy=asked.address, round=0):
        asked.again(requester)
    with ape.reverts(oracle.NotEffective, effectiveAt=asked.verdict[2]):
        asked.withdraw(requester)


# Arbiters


def test_an_arbiter_that_repeats_a_number(oracle, arbiter, owner, decide, disputed, challenge):
    asked = disputed()
    arbiter.set(REPEATS, b"", sender=owner)
    second = decide(subject=OTHER)
    with ape.reverts(oracle.DisputeExists, disputeId=1):
        challenge(second)
    arbiter.give(1, 2, sender=owner)
    assert (asked.verdict[0], second.verdict[0]) == (VOID, PASS)
    with ape.reverts(oracle.DisputeExists, disputeId=1):
        challenge(second)


def test_an_arbiter_that_reverts_takes_no_bond(oracle, arbiter, owner, decide, challenge):
    asked, held = decide(), oracle.balance
    arbiter.set(REVERTS, b"", sender=owner)
    with ape.reverts():
        challenge(asked)
    assert (asked.record.stage, oracle.balance) == (UNCHALLENGED, held)


@pytest.mark.parametrize(
    ("verb", "words", "error"),
    [
        ("rule", (1, 3), "UnknownDispute(address,uint256)"),
        ("challenge", (SUBJECT, None, "again"), "NotChallengeable(uint8,uint40,uint8)"),
        ("withdraw", (SUBJECT, None, 0), "NotEffective(uint40)"),
    ],
)
def test_an_arbiter_that_reenters(oracle, arbiter, owner, decide, challenge, verb, words, error):
    """Before its dispute has a number it can neither rule on it, nor challenge again, nor have anything paid out."""
    asked = decide()
    call = getattr(oracle, verb).encode_input(*(asked.address if word is None else word for word in words))
    arbiter.set(REENTERS, call, sender=owner)
    challenge(asked)
    assert (arbiter.reentered(), arbiter.answer()[:4]) == (False, keccak(text=error)[:4])
    assert (asked.verdict[0], asked.record.stage) == (PASS, CHALLENGED)


def test_who_opened_no_such_dispute(oracle, mocks, arbiter, owner, accounts, disputed, thief):
    """A stranger, the arbiter of others, the arbiter with another number."""
    asked = disputed()
    judge, foreign = (accounts[contract.address] for contract in (arbiter, owner.deploy(mocks.Arbiter, COST)))
    judge.balance = foreign.balance = STAKE
    for sender, number in ((thief, 1), (owner, 1), (foreign, 1), (judge, 0), (judge, 2), (judge, 2**256 - 1)):
        with ape.reverts(oracle.UnknownDispute, arbiter=sender, disputeId=number):
            oracle.rule(number, 3, sender=sender)
    assert asked.verdict[0] == PASS


# Rulings


@pytest.mark.parametrize("score", [90, 10])
@pytest.mark.parametrize("ruling", RULINGS)
def test_a_ruling(oracle, arbiter, owner, disputed, score, ruling):
    asked = disputed(score)
    said, final, _ = asked.verdict
    stage = RULINGS[ruling]
    outcome = {ANNULLED: VOID, OVERTURNED: flip(said)}.get(stage, said)
    ruled = arbiter.give(1, ruling, sender=owner)
    assert ruled.decode_logs(oracle.Ruling) == [oracle.Ruling(arbitrator=arbiter, disputeId=1, ruling=ruling)]
    assert ruled.decode_logs(oracle.VerdictRuled) == [
        oracle.VerdictRuled(key=key_of(asked), stage=stage, outcome=outcome)
    ]
    assert asked.verdict == (outcome, final, ruled.timestamp)
    assert (asked.record.stage, asked.record.ruledAt, asked.record.bound) == (stage, ruled.timestamp, score)


def ignored(oracle, ruled) -> bool:
    """The ruling was heard, and changed nothing."""
    return [event.event_name for event in ruled.events] == ["Ruling"]


def test_only_the_first_ruling_counts(oracle, arbiter, owner, disputed):
    asked = disputed()
    arbiter.give(1, 1, sender=owner)
    stands = tuple(asked.record)
    for ruling in (3, 2, 1, 0):
        assert ignored(oracle, arbiter.give(1, ruling, sender=owner))
    assert tuple(asked.record) == stands


def test_the_last_second_to_rule(oracle, arbiter, owner, disputed, challenge, decide, at):
    """Later is silence: the verdict stands, since rulingBy, whatever comes then."""
    in_time, late = disputed(), decide(subject=OTHER)
    challenge(late)
    at(in_time.verdict[2] - 1)
    arbiter.give(1, 3, sender=owner)
    assert in_time.verdict[0] == FAIL
    stands, ruling_by = tuple(late.record), late.verdict[2]
    at(ruling_by)
    assert ignored(oracle, arbiter.give(2, 3, sender=owner))
    assert tuple(late.record) == stands
    assert late.verdict == (PASS, stands[1], ruling_by)


def test_annulled_is_for_good(oracle, arbiter, owner, disputed, requester, challenge, at):
    """No new round, no challenge, no attestation."""
    asked = disputed()
    arbiter.give(1, 2, sender=owner)
    at(asked.issued_at + 10**6)
    with ape.reverts(oracle.AlreadyRequested, subject=SUBJECT, policy=asked.address, round=0):
        asked.again(requester)
    with ape.reverts(oracle.AlreadyDecided, outcome=VOID):
        asked.submit(dict.fromkeys(SIGNERS, 90))
    with ape.reverts(oracle.NotChallengeable, outcome=VOID, finalAt=asked.verdict[1], stage=ANNULLED):
        challenge(asked)


# Payouts


@pytest.mark.parametrize("ruling", [None, 0, 1, 2, 3, 7])
def test_what_a_ruling_pays(oracle, nodes, chain, arbiter, owner, disputed, committee, people, ruling, thief, at):
    """Fee and bond to the wei, once; None is silence. Stakes move only when overturned."""
    requester, challenger = people[6], people[7]
    asked = disputed()
    fee, bond = asked.policy.fee, asked.policy.bond
    if ruling is None:
        at(asked.verdict[2] - 1)
        with ape.reverts(oracle.NotEffective, effectiveAt=asked.verdict[2]):
            asked.withdraw(thief)
    else:
        arbiter.give(1, ruling, sender=owner)
    accounts = [*committee, requester, challenger]
    before, burned = [account.balance for account in accounts], chain.provider.get_balance(BURN)
    paid = asked.withdraw(thief)

    stage = CHALLENGED if ruling is None else RULINGS[ruling]
    pot = {UPHELD: fee + bond, ANNULLED: 0, OVERTURNED: 0}.get(stage, fee)
    share = pot // 3
    expected = [share if seat in SIGNERS else 0 for seat in range(5)]
    expected += [fee if stage in (ANNULLED, OVERTURNED) else 0, 0 if stage == UPHELD else bond]
    assert [account.balance - old for account, old in zip(accounts, before, strict=True)] == expected
    assert oracle.balance == pot - 3 * share
    assert {(event.account, event.amount) for event in paid.decode_logs(oracle.FeePaid)} == {
        (account.address, amount) for account, amount in zip(accounts, expected, strict=True) if amount
    }

    lost = STAKE if stage == OVERTURNED else 0
    assert [nodes.nodeOf(key).stake * 10**9 for key in committee] == [
        STAKE - lost if seat in SIGNERS else STAKE for seat in range(5)
    ]
    assert nodes.rewardOf(challenger) == chain.provider.get_balance(BURN) - burned == 3 * (lost // 2)
    with ape.reverts(oracle.NothingDue):
        asked.withdraw(thief)


def test_overturned_after_they_left(oracle, nodes, arbiter, owner, committee, disputed, challenger, thief, at):
    """Leaving right after signing saves nothing while the stake unbonds; what is gone by then cannot be taken twice."""
    asked = disputed(slash=STAKE - 10**9)
    oracle.slashEquivocation(asked.equivocation(2), sender=thief)
    for seat in SIGNERS:
        nodes.leave(sender=committee[seat])
    arbiter.give(1, 3, sender=owner)
    at(nodes.nodeOf(committee[0]).leavesAt - 1)
    paid = asked.withdraw(thief)
    taken = [event.taken for event in paid.decode_logs(nodes.Slashed)]
    assert taken == [STAKE - 10**9, 10**9, STAKE - 10**9]
    assert nodes.rewardOf(challenger) == sum(taken) // 2
    assert nodes.withdraw(sender=committee[0]).events[0].amount == 10**9


def contract_party(mocks, owner):
    return owner.deploy(mocks.Recipient)


@pytest.mark.parametrize("mode", [1, 2], ids=["refuses", "burns gas"])
def test_parties_that_refuse_hold_up_nobody(oracle, nodes, mocks, arbiter, owner, committee, thief, mode):
    """Requester and challenger are contracts that take nothing; the signers are slashed all the same, once."""
    requester, challenger = contract_party(mocks, owner), contract_party(mocks, owner)
    policy = Policy.of(committee, arbiter=arbiter.address)
    oracle.createPolicy(policy.words, sender=thief)
    names = SUBJECT, policy.address(oracle)
    requester.execute(oracle, oracle.request.encode_input(*names), value=policy.fee, sender=owner)
    asked = asked_of(oracle, policy)
    asked.submit(dict.fromkeys(SIGNERS, 90))
    call = oracle.challenge.encode_input(*names, "why")
    challenger.execute(oracle, call, value=policy.bond + COST, sender=owner)
    arbiter.give(1, 3, sender=owner)
    for party in (requester, challenger):
        party.set(mode, NOBODY, b"", sender=owner)

    asked.withdraw(thief)
    assert (nodes.rewardOf(challenger), asked.record.paid) == (3 * (STAKE // 2), mask(SIGNERS))
    assert oracle.balance == policy.fee + policy.bond
    with ape.reverts(oracle.NothingDue):
        asked.withdraw(thief)
    for party, amount in ((requester, policy.fee), (challenger, policy.bond)):
        party.set(0, NOBODY, b"", sender=owner)
        asked.withdraw(thief)
        assert party.balance == amount
    assert nodes.rewardOf(challenger) == 3 * (STAKE // 2)


@pytest.mark.parametrize("bond", [0, 10**14])
@pytest.mark.parametrize("itself", [False, True], ids=["another", "itself"])
def test_a_requester_that_reenters_slashes_nobody_twice(
    oracle, nodes, mocks, arbiter, owner, recruit, thief, itself, bond
):
    """Who withdraws itself has all the gas; for another every slot is warm (access list, an older reward)."""
    (node,) = recruit(1)
    policy = Policy.of([node], k=1, arbiter=arbiter.address, bond=bond, slash=STAKE // 4)
    requester = contract_party(mocks, owner)
    oracle.createPolicy(policy.words, sender=thief)
    for subject in (OTHER, SUBJECT):
        names = subject, policy.address(oracle)
        requester.execute(oracle, oracle.request.encode_input(*names), value=policy.fee, sender=owner)
    asked, other = asked_of(oracle, policy), asked_of(oracle, policy, OTHER)
    oracle.slashEquivocation(other.equivocation(0), sender=thief)
    asked.submit({0: 90})
    oracle.challenge(*asked.names, "why", value=bond + COST, sender=thief)
    arbiter.give(1, 3, sender=owner)

    withdraw = oracle.withdraw.encode_input(*asked.request)
    requester.set(3, oracle, withdraw, sender=owner)
    if itself:
        requester.execute(oracle, withdraw, sender=owner)
    else:
        oracle.withdraw(*asked.request, sender=thief, type=1)
    assert (requester.balance, oracle.balance) == (policy.fee, policy.fee)  # the other request's is left
    assert nodes.nodeOf(node).stake * 10**9 == STAKE // 2
    assert nodes.rewardOf(thief) == STAKE // 4 // 16 + STAKE // 4 // 2
