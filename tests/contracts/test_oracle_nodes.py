"""`join`, `leave`, `withdraw`, `slash`: every guard, every event, every wei."""

from __future__ import annotations

import ape
import pytest
from ape.exceptions import VirtualMachineError
from support import DAY, NOBODY, ZERO, sha256
from verdicts_support import STAKE

UNBONDING = 14 * DAY
GWEI = 10**9
BURN = "0x000000000000000000000000000000000000dEaD"
KEY = sha256("encryption key")


@pytest.fixture
def node(people):
    return people[7]


@pytest.fixture
def slasher(people):
    """Any address may be named."""
    return people[8]


@pytest.fixture
def reporter(people):
    return people[9]


@pytest.fixture
def joined(nodes, node, slasher):
    return nodes.join(slasher, KEY, value=STAKE, sender=node)


@pytest.fixture
def contract_node(nodes, mocks, node, slasher):
    """A node whose key has code (EIP-7702), staking under ``slasher``."""
    recipient = node.deploy(mocks.Recipient)
    recipient.execute(nodes, nodes.join.encode_input(slasher, KEY), value=STAKE, sender=node)
    return recipient


def test_join(nodes, node, slasher, joined):
    assert joined.events == [
        nodes.Joined(node=node, slasher=slasher, added=STAKE, stake=STAKE, encryptionKey=KEY),
    ]
    assert tuple(nodes.nodeOf(node)) == (slasher, 0, STAKE // GWEI)
    assert nodes.encryptionKeyOf(node) == KEY
    assert nodes.balance == nodes.nodeOf(node).stake * GWEI + 5 * STAKE


def test_join_again_adds_stake_and_changes_the_key(nodes, node, slasher, joined):
    more = nodes.join(slasher, ZERO, value=GWEI, sender=node)
    assert more.events == [nodes.Joined(node=node, slasher=slasher, added=GWEI, stake=STAKE + GWEI, encryptionKey=ZERO)]
    nodes.join(slasher, KEY, sender=node)
    assert tuple(nodes.nodeOf(node)) == (slasher, 0, STAKE // GWEI + 1)
    assert nodes.encryptionKeyOf(node) == KEY


@pytest.mark.parametrize("stake", [1, GWEI - 1, STAKE + 1, 2**56 * GWEI])
def test_a_stake_is_a_whole_number_of_gwei(nodes, node, slasher, stake):
    node.balance = 2 * stake + STAKE
    with ape.reverts(nodes.BadStake, amount=stake):
        nodes.join(slasher, KEY, value=stake, sender=node)
    assert nodes.nodeOf(node).stake == 0


def test_stakes_do_not_overflow(nodes, node, slasher):
    most = (2**56 - 1) * GWEI
    node.balance = most + STAKE
    nodes.join(slasher, KEY, value=most, sender=node)
    with pytest.raises(VirtualMachineError, match="0x11"):
        nodes.join(slasher, KEY, value=GWEI, sender=node)
    assert nodes.nodeOf(node).stake == 2**56 - 1


def test_who_is_no_slasher(nodes, node, slasher, reporter, joined):
    for bad in (NOBODY, node.address):
        with ape.reverts(nodes.BadSlasher, slasher=bad):
            nodes.join(bad, KEY, value=STAKE, sender=node)
    with ape.reverts(nodes.OtherSlasher, slasher=slasher):
        nodes.join(reporter, KEY, value=STAKE, sender=node)


def test_leave(nodes, node, slasher, joined):
    left = nodes.leave(sender=node)
    matures = left.timestamp + UNBONDING
    assert left.events == [nodes.Left(node=node, withdrawableAt=matures)]
    assert tuple(nodes.nodeOf(node)) == (slasher, matures, STAKE // GWEI)
    for verb in (nodes.leave, lambda **by: nodes.join(slasher, KEY, value=STAKE, **by)):
        with ape.reverts(nodes.Leaving, withdrawableAt=matures):
            verb(sender=node)


def test_who_never_joined_has_nothing(nodes, node):
    with ape.reverts(nodes.NotServing, node=node):
        nodes.leave(sender=node)
    with ape.reverts(nodes.NothingToWithdraw, withdrawableAt=0):
        nodes.withdraw(sender=node)


def test_withdraw_once_and_not_before(nodes, node, slasher, reporter, joined, at):
    with ape.reverts(nodes.NothingToWithdraw, withdrawableAt=0):
        nodes.withdraw(sender=node)
    matures = nodes.leave(sender=node).timestamp + UNBONDING
    at(matures - 1)
    with ape.reverts(nodes.NothingToWithdraw, withdrawableAt=matures):
        nodes.withdraw(sender=node)
    before = node.balance
    out = nodes.withdraw(sender=node)
    assert out.timestamp == matures
    assert out.events == [nodes.StakeWithdrawn(account=node, amount=STAKE)]
    assert node.balance == before + STAKE - out.total_fees_paid
    with ape.reverts(nodes.NothingToWithdraw, withdrawableAt=0):
        nodes.withdraw(sender=node)
    assert tuple(nodes.nodeOf(node)) == (NOBODY, 0, 0)
    nodes.join(reporter, KEY, value=STAKE, sender=node)  # out, so another slasher is fine


def test_even_a_node_without_stake_can_get_out(nodes, node, slasher, reporter, at):
    nodes.join(slasher, KEY, sender=node)
    at(nodes.leave(sender=node).timestamp + UNBONDING)
    assert nodes.withdraw(sender=node).events == [nodes.StakeWithdrawn(account=node, amount=0)]
    with ape.reverts(nodes.NotServing, node=node):
        nodes.leave(sender=node)


@pytest.mark.parametrize(
    ("amount", "part", "taken"),
    [
        (0, 2, 0),
        (GWEI - 1, 2, 0),
        (3 * GWEI + 5, 2, 3 * GWEI),
        (STAKE // 2, 2, STAKE // 2),
        (STAKE, 16, STAKE),
        (STAKE + 1, 7, STAKE),
        (2**256 - 1, 2**256 - 1, STAKE),
    ],
)
def test_slash(nodes, chain, node, slasher, reporter, joined, amount, part, taken):
    held, burned = nodes.balance, chain.provider.get_balance(BURN)
    slashed = nodes.slash(node, amount, reporter, part, sender=slasher)
    reward = taken // part
    assert slashed.events == [
        nodes.Slashed(node=node, slasher=slasher, taken=taken, beneficiary=reporter, reward=reward),
    ]
    assert nodes.nodeOf(node).stake * GWEI == STAKE - taken
    assert nodes.rewardOf(reporter) == reward
    assert chain.provider.get_balance(BURN) - burned == held - nodes.balance == taken - reward


@pytest.mark.parametrize("part", [0, 1])
def test_at_most_half_is_a_reward(nodes, node, slasher, reporter, joined, part):
    with ape.reverts(nodes.BadPart, part=part):
        nodes.slash(node, STAKE, reporter, part, sender=slasher)


def test_only_the_slasher_slashes(nodes, node, slasher, reporter, joined):
    for stranger in (reporter, node):
        assert not nodes.slash(node, STAKE, reporter, 2, sender=stranger).events
    assert not nodes.slash(reporter, STAKE, slasher, 2, sender=slasher).events
    assert (nodes.nodeOf(node).stake * GWEI, nodes.rewardOf(reporter), nodes.rewardOf(slasher)) == (STAKE, 0, 0)


def test_unstake_before_slash(nodes, node, slasher, reporter, joined, at):
    """A leaving node answers with its stake to the last second; what is left is paid out, and then nothing can be."""
    matures = nodes.leave(sender=node).timestamp + UNBONDING
    at(matures - 1)
    nodes.slash(node, STAKE // 4, reporter, 2, sender=slasher)
    out = nodes.withdraw(sender=node)
    assert out.events == [nodes.StakeWithdrawn(account=node, amount=STAKE * 3 // 4)]
    assert not nodes.slash(node, STAKE, reporter, 2, sender=slasher).events


def test_rewards_need_no_stake_and_no_leaving(nodes, node, slasher, reporter, joined):
    nodes.slash(node, 101 * GWEI, reporter, 2, sender=slasher)
    nodes.slash(node, GWEI, reporter, 2, sender=slasher)
    nodes.slash(node, GWEI, node, 2, sender=slasher)
    reward = 51 * GWEI
    assert nodes.withdraw(sender=reporter).events == [nodes.StakeWithdrawn(account=reporter, amount=reward)]
    with ape.reverts(nodes.NothingToWithdraw, withdrawableAt=0):
        nodes.withdraw(sender=reporter)
    assert nodes.withdraw(sender=node).events == [nodes.StakeWithdrawn(account=node, amount=GWEI // 2)]
    assert tuple(nodes.nodeOf(node)) == (slasher, 0, (STAKE - 103 * GWEI) // GWEI)


def test_stake_and_rewards_leave_together(nodes, node, slasher, joined, at):
    nodes.slash(node, STAKE // 2, node, 2, sender=slasher)
    at(nodes.leave(sender=node).timestamp + UNBONDING)
    assert nodes.withdraw(sender=node).events == [nodes.StakeWithdrawn(account=node, amount=STAKE * 3 // 4)]
    assert nodes.rewardOf(node) == 0


def test_a_recipient_that_refuses_loses_nothing(nodes, contract_node, node, at):
    leave, withdraw = nodes.leave.encode_input(), nodes.withdraw.encode_input()
    at(contract_node.execute(nodes, leave, sender=node).timestamp + UNBONDING)
    contract_node.set(1, nodes, b"", sender=node)
    with ape.reverts(nodes.PaymentRefused, account=contract_node, amount=STAKE):
        contract_node.execute(nodes, withdraw, sender=node)
    contract_node.set(0, nodes, b"", sender=node)
    contract_node.execute(nodes, withdraw, sender=node)
    assert contract_node.balance == STAKE


def test_a_recipient_that_reenters_is_paid_once(nodes, contract_node, node, slasher, joined, at):
    leave, withdraw = nodes.leave.encode_input(), nodes.withdraw.encode_input()
    nodes.slash(node, STAKE // 2, contract_node, 2, sender=slasher)
    at(contract_node.execute(nodes, leave, sender=node).timestamp + UNBONDING)
    contract_node.set(3, nodes, withdraw, sender=node)
    out = contract_node.execute(nodes, withdraw, sender=node)
    assert out.decode_logs(nodes.StakeWithdrawn) == [
        nodes.StakeWithdrawn(account=contract_node, amount=STAKE * 5 // 4),
    ]
    assert contract_node.balance == STAKE * 5 // 4


def test_unfit(nodes, node, slasher, reporter, people, joined):
    """Bit i for the i-th: fit, asks too much stake of, another slasher, leaving, never joined."""
    other, leaver = people[5], people[6]
    nodes.join(reporter, KEY, value=STAKE, sender=other)
    nodes.join(slasher, KEY, value=STAKE, sender=leaver)
    nodes.leave(sender=leaver)
    asked = [node, other, leaver, people[4], node]
    assert nodes.unfit(asked, slasher, STAKE) == 0b01110
    assert nodes.unfit(asked, slasher, STAKE + 1) == 0b11111
    assert nodes.unfit(asked, reporter, 0) == 0b11101
    assert nodes.unfit([people[4]] * 31 + [node], slasher, STAKE) == 2**31 - 1
    assert nodes.unfit([node] * 31 + [people[4]], slasher, STAKE) == 2**31
    assert nodes.unfit([], slasher, STAKE) == 0
