// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {World} from "./World.sol";

/// The rules of README.md, asked after every step of the world. One function: forge would play each further one the
/// same steps again.
contract InvariantsTest {
    World internal world;

    function setUp() public {
        world = new World();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    /// forge-config: default.invariant.runs = 140
    /// forge-config: default.invariant.depth = 160
    /// forge-config: deep.invariant.runs = 300
    /// forge-config: deep.invariant.depth = 256
    function invariant_rules() public view {
        require(world.sealsHold(), "S1: a seal changed");
        require(!world.broken("C1"), "C1: a claim's sealedAt did not fall, or the content came free");
        require(!world.broken("C2"), "C2: a claim without an older seal, a path, a consent or the current key");
        require(!world.broken("C3"), "C3: a good opening was refused, or a later seal won");
        require(!world.broken("C4"), "C4: a retraction changed by a stranger");
        require(!world.broken("C5"), "C5: sealedAt <= consentAt <= now, sealedAt < now");
        require(!world.broken("C6"), "C6: a thief took a work that its owner had sealed first");
        require(!world.broken("C7"), "C7: retracted by another than the current, good key");
        require(!world.broken("I1"), "I1: a key changed its identity");
        require(!world.broken("I2"), "I2: a cut-off moved, or was not set to now");
        require(!world.broken("I3"), "I3: a suspicion did not move earlier");
        require(!world.broken("I4"), "I4: two keys speak, or a replaced key does");
        require(world.namesHold(), "I5: a thief speaks for a prepared identity");
        require(!world.broken("I6"), "I6: a change did not wait");
        require(!world.broken("I7"), "I7: something waits that an end or a change of rules should have dropped");
        require(!world.broken("I8"), "I8: a stranger marked or cancelled");
        require(!world.broken("I9"), "I9: a key was adopted without its signature");
        require(!world.broken("M1"), "M1: a model's time moved, or was not set to now");
        require(!world.broken("M2"), "M2: a model's times are out of order");
        require(!world.broken("M3"), "M3: a model by another than the publisher's current, good key");
    }
}

/// Everything that may happen does happen: without this the rules could hold because nothing moves.
contract WorldTest {
    World internal world = new World();
    uint256 internal _state;

    function _next() internal returns (uint256) {
        return _state = uint256(keccak256(abi.encode(_state)));
    }

    function _step(uint256 verb) internal {
        if (verb == 0) world.seal(_next(), uint64(_next()), uint64(_next()), _next() % 2 == 0);
        if (verb == 1) world.reveal(_next());
        if (verb == 2) world.sealStolen(_next(), _next(), uint64(_next()), uint64(_next()));
        if (verb == 3) world.copySeal(_next(), _next());
        if (verb == 4) world.claim(_next(), _next());
        if (verb == 5) world.replay(_next(), _next(), _next() % 2 == 0);
        if (verb == 6) world.forge(_next(), _next(), uint64(_next() % 4), uint64(_next() % 4), _next() % 2 == 0);
        if (verb == 7) world.retract(_next(), _next(), _next() % 2 == 0);
        if (verb == 8) world.steal(_next(), _next());
        if (verb == 9) world.abuse(_next(), _next(), _next());
        if (verb == 10) world.rotate(_next());
        if (verb == 11) world.guard(_next(), _next(), uint40(_next()));
        if (verb == 12) world.wait(_next());
        if (verb == 14) world.abduct(_next(), _next(), _next() % 2 == 0);
        if (verb == 15) world.usurp(_next(), _next());
        if (verb == 13) world.model(_next(), _next(), _next(), _next());
    }

    function test_the_world_is_lively() public {
        for (uint256 i = 0; i < 12; ++i) {
            world = new World();
            for (uint256 j = 0; j < 160; ++j) {
                _step(_next() % 16);
            }
            _tally();
        }
        for (uint256 i = 0; i < _names.length; ++i) {
            require(_totals[i] != 0, string(abi.encodePacked("never happened: ", _names[i])));
        }
    }

    bytes32[16] internal _names = [
        bytes32("seal"),
        "sealStolen",
        "claim",
        "supersede",
        "late",
        "refused",
        "retract",
        "steal",
        "register",
        "mark",
        "suspect",
        "cancel",
        "adopt",
        "model",
        "stolenClaim",
        "abduct"
    ];
    uint256[16] internal _totals;

    event Total(bytes32 name, uint256 total);

    function _tally() internal {
        for (uint256 i = 0; i < _names.length; ++i) {
            _totals[i] += world.count(_names[i]);
            emit Total(_names[i], _totals[i]);
        }
    }
}
