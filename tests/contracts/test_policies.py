"""`createPolicy`, `request`, `suspendSeat`: a policy is its code, and who may sign is known at the request."""

from __future__ import annotations

from dataclasses import replace

import ape
import pytest
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from support import DAY, NOBODY, ZERO, Model, sha256
from verdicts_support import KIND, PASS, STAKE, SUBJECT, Asked, Policy, mask

LIMIT = 13 * DAY
"""A day before a stake can be withdrawn."""
SIGNATURE = f"PolicyCreated(address,bytes32,{KIND})"


@pytest.fixture
def policy(committee) -> Policy:
    return Policy.of(committee)


@pytest.fixture
def arbitrated(policy, models) -> Policy:
    """Any contract will do: nobody asks it."""
    return replace(policy, arbiter=models.address, bond=5, ruling_time=2000)


@pytest.fixture
def created(oracle, policy, thief):
    return oracle.createPolicy(policy.words, sender=thief)


@pytest.fixture
def requester(people):
    return people[6]


def shown(chain, oracle, address: str) -> bytes:
    """What `policyOf` returns, undecoded."""
    data = oracle.policyOf.encode_input(address)
    call = {"to": oracle.address, "data": data.to_0x_hex()}
    return bytes(HexBytes(chain.provider.make_request("eth_call", [call, "latest"])))


def model_of(models, publisher, weights: str) -> tuple[Model, bytes]:
    """A published model and its id."""
    model = Model(publisher.address, weights=sha256(weights))
    models.publish(model.words, sender=publisher)
    return model, models.modelIdOf(model.words)


# Policies


def test_create_policy(oracle, chain, policy, created):
    """Read as bytes: the code is STOP and the very encoding that the event and the view show."""
    (log,) = created.logs
    address = policy.address(oracle)
    topics = [bytes(topic) for topic in log["topics"]]
    assert topics == [keccak(text=SIGNATURE), bytes.fromhex(address[2:]).rjust(32, b"\0"), policy.check]
    assert bytes(log["data"]) == policy.encoded
    assert bytes(chain.provider.get_code(address)) == b"\0" + policy.encoded
    assert oracle.isPolicy(address)
    assert shown(chain, oracle, address) == policy.encoded


def test_the_same_terms_are_the_same_policy(oracle, policy, creator, created):
    assert oracle.createPolicy.call(policy.words) == policy.address(oracle)
    assert oracle.createPolicy(policy.words, sender=creator).logs == []


def test_every_term_is_in_the_address(oracle, registry, arbitrated, thief):
    longer = {name: getattr(arbitrated, name) + 1 for name in ("fee", "bond", "slash", "k", "pass_score")}
    longer |= {name: getattr(arbitrated, name) + 1 for name in ("submit_time", "challenge_time", "ruling_time")}
    other = {"check": sha256("other"), "arbiter": registry.address, "seats": arbitrated.seats[1:]}
    swapped = ((arbitrated.seats[0][0], sha256("other")), *arbitrated.seats[1:])
    variants = [replace(arbitrated, **{name: value}) for name, value in (longer | other).items()]
    variants += [arbitrated, replace(arbitrated, seats=swapped)]
    addresses = set()
    for variant in variants:
        assert oracle.createPolicy.call(variant.words) == variant.address(oracle)
        assert len(oracle.createPolicy(variant.words, sender=thief).logs) == 1
        addresses.add(variant.address(oracle))
    assert len(addresses) == len(variants) == 13


@pytest.mark.parametrize(("seats", "k"), [(0, 0), (0, 1), (1, 0), (1, 2), (2, 1), (4, 2), (5, 2), (5, 6), (33, 17)])
def test_a_quorum_is_more_than_half_and_at_most_all(oracle, policy, thief, seats, k):
    many = tuple((f"0x{n:040x}", ZERO) for n in range(1, seats + 1))
    with ape.reverts(oracle.BadQuorum, seats=seats, k=k):
        oracle.createPolicy(replace(policy, seats=many, k=k).words, sender=thief)


def test_a_quorum_of_all_seats_there_can_be(oracle, chain, policy, thief):
    many = tuple((f"0x{n:040x}", ZERO) for n in range(1, 33))
    for k in (17, 32):
        widest = replace(policy, seats=many, k=k)
        oracle.createPolicy(widest.words, sender=thief)
        assert shown(chain, oracle, widest.address(oracle)) == widest.encoded


@pytest.mark.parametrize("score", [0, 101, 255])
def test_what_is_no_pass_scorescore(oracle, policy, thief, score):
    with ape.reverts(oracle.BadPassScore, passScore=score):
        oracle.createPolicy(replace(policy, pass_score=score).words, sender=thief)


@pytest.mark.parametrize("score", [1, 100])
def test_the_least_and_the_highest_pass_scorescore(oracle, policy, thief, score):
    edge = replace(policy, pass_score=score)
    oracle.createPolicy(edge.words, sender=thief)
    assert oracle.isPolicy(edge.address(oracle))


def test_nodes_ascend(oracle, policy, thief):
    first, second, *_, last = policy.seats
    nobody = (NOBODY, ZERO)
    for wrong in [(second, first), (first, first), (first, last, second), (first, nobody), (nobody, first)]:
        k = len(wrong)
        with ape.reverts(oracle.NotAscending, node=wrong[0][0] if wrong[0] is nobody else wrong[-1][0]):
            oracle.createPolicy(replace(policy, seats=wrong, k=k).words, sender=thief)


LONG = 2**32 - 1


@pytest.mark.parametrize(
    ("times", "bond", "arbiter"),
    [
        ((0, 500, 0), 0, False),
        ((1000, 500, 1), 0, False),
        ((1000, 500, 0), 1, False),
        ((1000, 0, 2000), 0, True),
        ((1000, 500, 0), 0, True),
        ((0, 500, 2000), 0, True),
        ((LIMIT - 499, 500, 0), 0, False),
        ((LIMIT - 499, 300, 200), 0, True),
        ((LONG, LONG, LONG), 0, True),
    ],
)
def test_times(oracle, policy, thief, guardian, times, bond, arbiter):
    submit, challenge, ruling = times
    wrong = replace(policy, submit_time=submit, challenge_time=challenge, ruling_time=ruling, bond=bond)
    wrong = replace(wrong, arbiter=guardian.address if arbiter else NOBODY)
    with ape.reverts(oracle.BadTimes, total=sum(times), limit=LIMIT):
        oracle.createPolicy(wrong.words, sender=thief)


def test_an_arbiter_has_code(oracle, arbitrated, thief, guardian):
    """Or nobody could challenge, and it would look as if one could."""
    with ape.reverts(oracle.NoArbiter):
        oracle.createPolicy(replace(arbitrated, arbiter=guardian.address).words, sender=thief)


def test_the_longest_times(oracle, arbitrated, policy, thief):
    rest = LIMIT - arbitrated.challenge_time - arbitrated.ruling_time
    for longest in (replace(arbitrated, submit_time=rest), replace(policy, submit_time=1, challenge_time=0)):
        oracle.createPolicy(longest.words, sender=thief)
        assert oracle.isPolicy(longest.address(oracle))


def refused_as_policy(oracle, address: str, sender, issued_at: int = 1) -> None:
    """Every call that takes a policy says that it knows none there."""
    proof = ((SUBJECT, address, 0), 0, issued_at, bytes(97), bytes(97))
    calls = {
        oracle.policyOf: (address,),
        oracle.request: (SUBJECT, address),
        oracle.suspendSeat: (address, 0),
        oracle.withdraw: (SUBJECT, address, 0),
        oracle.slashEquivocation: (proof,),
    }
    assert not oracle.isPolicy(address)
    for verb, words in calls.items():
        with ape.reverts(oracle.UnknownPolicy, policy=address):
            verb(*words, sender=sender)  # a view takes a sender as well
    with ape.reverts(oracle.NotRequested, subject=SUBJECT, policy=address):
        oracle.submit(SUBJECT, address, 1, bytes(97), sender=sender)


def test_code_like_a_policys_is_none(oracle, chain, policy, created, thief):
    """The very code of a policy, created by hand."""
    transaction = chain.provider.network.ecosystem.create_transaction(data=policy.init_code)
    forged = thief.call(transaction).contract_address
    assert chain.provider.get_code(forged) == chain.provider.get_code(policy.address(oracle))
    refused_as_policy(oracle, forged, thief)


def test_what_else_is_no_policy(oracle, nodes, policy, thief, arbitrated):
    """An account, nothing, a contract, terms that nobody created yet."""
    for address in (thief.address, NOBODY, nodes.address, oracle.address, arbitrated.address(oracle)):
        assert not oracle.isPolicy(address)
    refused_as_policy(oracle, arbitrated.address(oracle), thief)


def test_another_oracles_policy_is_none_here(project, oracle, nodes, models, policy, thief):
    other = thief.deploy(project.Oracle, nodes, models)
    other.createPolicy(policy.words, sender=thief)
    refused_as_policy(oracle, policy.address(other), thief)


# Requests


def test_request(oracle, policy, created, requester):
    address, held = policy.address(oracle), oracle.balance
    asked = oracle.request(SUBJECT, address, value=policy.fee, sender=requester)
    assert asked.events == [
        oracle.Requested(
            subject=SUBJECT,
            policy=address,
            requester=requester,
            round=0,
            requestedAt=asked.timestamp,
            suspended=0,
        )
    ]
    assert tuple(oracle.recordOf(SUBJECT, address)) == (asked.timestamp, *[0] * 9)
    assert oracle.verdictOf(SUBJECT, address) == (0, 0, 0)
    assert oracle.requesterOf(SUBJECT, address, 0) == requester
    assert oracle.balance == held + policy.fee


def test_a_request_stands_alone(oracle, policy, created, requester):
    asked = Asked(oracle, policy, SUBJECT)
    oracle.request(*asked.names, value=policy.fee, sender=requester)
    with ape.reverts(oracle.AlreadyRequested, subject=SUBJECT, policy=asked.address, round=0):
        oracle.request(*asked.names, value=policy.fee, sender=requester)
    other = Asked(oracle, replace(policy, fee=1), SUBJECT)
    oracle.createPolicy(other.policy.words, sender=requester)
    oracle.request(*other.names, value=1, sender=requester)
    oracle.request(sha256("other"), asked.address, value=policy.fee, sender=requester)


def test_exactly_the_fee(oracle, policy, created, requester):
    for sent in (0, policy.fee - 1, policy.fee + 1):
        with ape.reverts(oracle.WrongPayment, sent=sent, due=policy.fee):
            oracle.request(SUBJECT, policy.address(oracle), value=sent, sender=requester)


def test_without_a_fee_nobody_is_owed_it(oracle, ask, requester):
    asked = ask(fee=0, sender=requester)
    assert oracle.requesterOf(*asked.request) == NOBODY


def test_who_may_not_sign(oracle, nodes, people, committee, recruit, ask, requester):
    """Whose node left, staked a gwei too little, answers to another slasher, or never joined."""
    left, poor, *good = [*committee, *recruit(2)]
    foreign, stranger = people[7], people[8]
    nodes.leave(sender=left)
    nodes.join(people[9], ZERO, value=2 * STAKE, sender=foreign)
    for key in good:
        nodes.join(oracle, ZERO, value=10**9, sender=key)
    keys = sorted([left, poor, *good, foreign, stranger], key=lambda key: int(key.address, 16))
    asked = ask(policy=Policy.of(keys, k=5, slash=STAKE + 10**9), sender=requester)
    assert asked.record.suspended == mask([keys.index(key) for key in (left, poor, foreign, stranger)])


def test_too_few_seats(oracle, nodes, policy, committee, created, requester):
    """Two of five gone: k = 3 can still be reached. Three gone: it cannot, and no fee is taken."""
    address = policy.address(oracle)
    for node in committee[:2]:
        nodes.leave(sender=node)
    oracle.request(SUBJECT, address, value=policy.fee, sender=requester)
    assert oracle.recordOf(SUBJECT, address).suspended == 0b00011
    oracle.suspendSeat(address, 4, sender=committee[4])
    with ape.reverts(oracle.TooFewSeats, active=2, k=3):
        oracle.request(sha256("other"), address, value=policy.fee, sender=requester)


def test_thresholds_never_change(oracle, nodes, committee, ask):
    """With two of five suspended Pass still needs three, and Fail three."""
    for node in committee[:2]:
        nodes.leave(sender=node)
    asked = ask()
    for score in (90, 10):
        with ape.reverts(oracle.NoQuorum, signers=2, needed=3):
            asked.submit({2: score, 3: score})
    asked.submit({2: 90, 3: 90, 4: 90})


def test_who_could_sign_at_the_request_can_until_the_end(oracle, nodes, committee, ask):
    asked = ask()
    nodes.leave(sender=committee[0])
    oracle.suspendSeat(asked.address, 1, sender=committee[1])
    asked.submit({0: 90, 1: 90, 2: 90})
    assert asked.verdict[0] == PASS


# Seats


def test_a_node_suspends_its_seat(oracle, policy, created, committee, ask):
    address = policy.address(oracle)
    suspended = oracle.suspendSeat(address, 2, sender=committee[2])
    assert suspended.events == [oracle.SeatSuspended(policy=address, seat=2, by=committee[2])]
    oracle.suspendSeat(address, 0, sender=committee[0])
    oracle.suspendSeat(address, 2, sender=committee[2])
    assert oracle.suspendedOf(address) == 0b00101
    assert ask().record.suspended == 0b00101


def test_who_may_not_suspend(oracle, policy, created, committee, thief):
    address = policy.address(oracle)
    for seat in range(5):
        with ape.reverts(oracle.MayNotSuspend, caller=thief, seat=seat):
            oracle.suspendSeat(address, seat, sender=thief)
    for seat in (0, 5, 32, 255):
        with ape.reverts(oracle.MayNotSuspend, caller=committee[1], seat=seat):
            oracle.suspendSeat(address, seat, sender=committee[1])
    assert oracle.suspendedOf(address) == 0


def test_a_revoked_model_is_suspended_by_anyone(oracle, models, creator, thief, committee, ask):
    """Not one that is only deprecated; and no other seat with it."""
    revoked, first = model_of(models, creator, "first")
    deprecated, second = model_of(models, creator, "second")
    seats = [(key.address, model) for key, model in zip(committee, (first, second, first, ZERO, ZERO), strict=True)]
    asked = ask(policy=replace(Policy.of(committee), seats=tuple(seats)))
    models.deprecate(deprecated.words, sender=creator)
    models.deprecate(revoked.words, sender=creator)
    with ape.reverts(oracle.MayNotSuspend):
        oracle.suspendSeat(asked.address, 0, sender=thief)

    models.revoke(revoked.words, sender=creator)
    (event,) = oracle.suspendSeat(asked.address, 0, sender=thief).events
    assert (event.seat, event.by) == (0, thief)
    oracle.suspendSeat(asked.address, 2, sender=thief)
    for seat in (1, 3):
        with ape.reverts(oracle.MayNotSuspend, caller=thief, seat=seat):
            oracle.suspendSeat(asked.address, seat, sender=thief)
    assert ask(sha256("other"), policy=asked.policy).record.suspended == 0b00101
    assert asked.record.suspended == 0
