// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MoreVm} from "./Cast.sol";
import {DealWorld} from "./DealWorld.sol";
import {NodeWorld} from "./NodeWorld.sol";
import {VerdictWorld} from "./VerdictWorld.sol";

/// The rules of deals, verdicts and nodes, and their names.
abstract contract Rules {
    bytes2[] internal _rules = [
        bytes2("E1"),
        "E2",
        "E3",
        "E4",
        "E5",
        "E6",
        "E7",
        "E8",
        "V1",
        "V2",
        "V3",
        "V4",
        "V5",
        "V6",
        "V7",
        "V8",
        "VT",
        "N1",
        "N2",
        "N3",
        "N4"
    ];

    function _requireRules(DealWorld world) internal view {
        for (uint256 i = 0; i < _rules.length; ++i) {
            if (world.broken(_rules[i])) revert(string(abi.encodePacked("broken: ", _rules[i], ", see README.md")));
        }
    }
}

/// Asked after every step; and at the end of every run a stranger ends all that lives. One function: forge would play
/// each further one the same steps again.
contract DealInvariants is Rules {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    DealWorld internal world;

    function setUp() public {
        world = new DealWorld();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    function excludeSelectors() public view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0] = FuzzSelector(address(world), new bytes4[](1));
        excluded[0].selectors[0] = world.end.selector;
    }

    /// forge-config: default.invariant.runs = 126
    /// forge-config: default.invariant.depth = 160
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: deep.invariant.runs = 300
    /// forge-config: deep.invariant.depth = 256
    /// forge-config: deep.invariant.fail-on-revert = true
    function invariant_deals() public view {
        _requireRules(world);
    }

    function afterInvariant() public {
        world.end();
        _requireRules(world);
    }
}

/// Everything that may happen does happen: without this the rules could hold because nothing moves.
contract DealWorldTest is Rules {
    MoreVm internal constant MORE = MoreVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    DealWorld internal world;
    uint256 internal _state;

    function _next() internal returns (uint256) {
        return _state = uint256(keccak256(abi.encode(_state)));
    }

    bytes4[] internal _verbs = [
        DealWorld.open.selector,
        DealWorld.open.selector,
        DealWorld.story.selector,
        DealWorld.story.selector,
        DealWorld.story.selector,
        DealWorld.concede.selector,
        DealWorld.settle.selector,
        DealWorld.settle.selector,
        DealWorld.dispute.selector,
        DealWorld.dispute.selector,
        DealWorld.dispute.selector,
        DealWorld.expire.selector,
        DealWorld.amend.selector,
        DealWorld.withdrawCredit.selector,
        DealWorld.withdrawCredit.selector,
        DealWorld.wait.selector,
        DealWorld.brink.selector,
        DealWorld.brink.selector,
        VerdictWorld.request.selector,
        VerdictWorld.submit.selector,
        VerdictWorld.challenge.selector,
        VerdictWorld.challenge.selector,
        VerdictWorld.rule.selector,
        VerdictWorld.rule.selector,
        VerdictWorld.equivocate.selector,
        VerdictWorld.withdrawFees.selector,
        VerdictWorld.withdrawFees.selector,
        NodeWorld.stake.selector,
        NodeWorld.stake.selector,
        NodeWorld.policy.selector,
        NodeWorld.mood.selector,
        NodeWorld.mood.selector
    ];

    function test_the_world_is_lively() public {
        for (uint256 i = 0; i < 20; ++i) {
            world = new DealWorld();
            for (uint256 j = 0; j < 240; ++j) {
                (bool ok,) = address(world).call(abi.encodeWithSelector(_verbs[_next() % _verbs.length], _next()));
                require(ok, "a step reverted");
                MORE.resetGasMetering();
            }
            _tally();
            world.end();
            _requireRules(world);
        }
        for (uint256 i = 0; i < _names.length; ++i) {
            require(_totals[i] != 0, string(abi.encodePacked("never happened: ", _names[i])));
        }
    }

    bytes32[] internal _names = [
        bytes32("open"),
        "deliver",
        "release",
        "refund",
        "settleVerdict",
        "settleRuling",
        "dispute",
        "rulePay",
        "ruleRefund",
        "ruleHalf",
        "undelivered",
        "silence",
        "milestone",
        "amend",
        "withdrawCredit",
        "refused",
        "request",
        "requestAgain",
        "pass",
        "fail",
        "challenge",
        "rule",
        "uphold",
        "annul",
        "overturn",
        "decline",
        "equivocation",
        "slashSigner",
        "slashByFriend",
        "withdrawFees",
        "feeReturned",
        "bondReturned",
        "signerPaid",
        "join",
        "leave",
        "withdrawStake",
        "withdrawReward",
        "suspendSeat"
    ];
    mapping(uint256 name => uint256) internal _totals;

    event Total(bytes32 name, uint256 total);

    function _tally() internal {
        for (uint256 i = 0; i < _names.length; ++i) {
            _totals[i] += world.count(_names[i]);
            emit Total(_names[i], _totals[i]);
        }
    }
}
