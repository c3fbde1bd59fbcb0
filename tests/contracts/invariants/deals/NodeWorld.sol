// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Policy} from "../../../../contracts/interfaces/IOracle.sol";
import {Party, Token} from "./Mocks.sol";
import {WatchVerdicts} from "./WatchVerdicts.sol";

/// All that may be tried with stakes, policies and seats; and how everybody's mood changes.
abstract contract NodeWorld is WatchVerdicts {
    mapping(address node => bool) internal _revoked;

    /* NODES */

    /// A node joins, leaves or takes its stake; anybody slashes.
    function stake(uint256 seed) public step(seed) {
        uint256 what = _draw(8);
        if (what < 4) _join(_one(_nodes));
        else if (what == 4) _leave(_one(_nodes));
        else if (what < 7) _withdrawStake(_chance(2) ? _one(_people) : _leaver());
        else _slash();
    }

    function _join(address node) internal {
        address slasher = _chance(node == _stranger ? 2 : 8) ? _friend : address(oracle);
        if (_chance(12)) slasher = _chance(2) ? NOBODY : node;
        uint256 value = _chance(8) ? 1 : _draw(4) * 0.5 ether;
        Staked storage s = _staked[node];
        bool may = slasher != NOBODY && slasher != node && value != 1;
        may = may && (s.slasher == NOBODY || s.slasher == slasher) && s.leavesAt == 0;
        bool ok = _call(node, address(nodes), value, abi.encodeCall(nodes.join, (slasher, bytes32(_luck))));
        _agree("N2", "join", ok, may);
        if (!ok) return;
        s.slasher = slasher;
        s.stake += value;
        _lose(NOBODY, node, value);
    }

    function _leave(address node) internal {
        Staked storage s = _staked[node];
        bool may = s.slasher != NOBODY && s.leavesAt == 0;
        bool ok = _call(node, address(nodes), 0, abi.encodeCall(nodes.leave, ()));
        _agree("N2", "leave", ok, may);
        if (ok) s.leavesAt = uint40(_time + 14 days);
    }

    /// Somebody who has something to wait for.
    function _leaver() internal view returns (address) {
        for (uint256 i = 0; i < _people.length; ++i) {
            if (_staked[_people[i]].leavesAt != 0 || _reward[_people[i]] != 0) return _people[i];
        }
        return _stranger;
    }

    function _withdrawStake(address account) internal {
        Staked memory s = _staked[account];
        bool matured = s.leavesAt != 0 && _time >= s.leavesAt;
        uint256 amount = _reward[account] + (matured ? s.stake : 0);
        bool may = (matured || amount != 0) && !_refuses(NOBODY, account);
        bool ok = _call(account, address(nodes), 0, abi.encodeCall(nodes.withdraw, ()));
        _agree("N2", matured ? bytes32("withdrawStake") : bytes32("withdrawReward"), ok, may);
        if (!ok) return;
        if (matured) delete _staked[account];
        delete _reward[account];
        _gain(NOBODY, account, amount);
    }

    /// Anybody calls `slash`: it takes from who named the sender, and from nobody else.
    function _slash() internal {
        (address by, address node) = (_chance(4) ? _one(_people) : _friend, _chance(2) ? _stranger : _one(_nodes));
        address beneficiary = _one(_people);
        uint256 amount = _draw(3) * 0.4 ether + _draw(3);
        uint256 part = 1 + _draw(17);
        bool ok = _call(by, address(nodes), 0, abi.encodeCall(nodes.slash, (node, amount, beneficiary, part)));
        bool his = _staked[node].slasher == by;
        _agree("N3", "slash", ok, !his || part > 1);
        if (ok && _takeStake(node, by, amount, beneficiary, part) != 0) ++count["slashByFriend"];
    }

    /* POLICIES */

    function policy(uint256 seed) public step(seed) {
        uint256 what = _draw(4);
        if (what == 0) _createPolicy();
        else if (what == 1) _revoke(_nodes[_draw(NODE_COUNT)]);
        else _suspendSeat();
    }

    /// The same terms again, or others, good and bad. The copy of a policy's code is none.
    function _createPolicy() internal {
        address known = _policies[_draw(POLICIES)];
        Policy memory p = _policyOf(known);
        uint256 what = _draw(10);
        if (what == 1) p.k = uint8(p.seats.length / 2);
        if (what == 2) p.k = uint8(p.seats.length + 1);
        if (what == 3) p.passScore = _chance(2) ? 0 : 101;
        if (what == 4) p.seats[1] = p.seats[0];
        if (what == 5) p.submitTime = 14 days;
        if (what == 6) p.submitTime = 0;
        if (what == 7) p.rulingTime = p.arbiter == NOBODY ? 1 : 0;
        if (what == 8) p.seats[0].node = NOBODY;
        if (what == 9) p.arbiter = _stranger;
        bytes memory data = abi.encodeCall(oracle.createPolicy, (p));
        bool ok = _call(_stranger, address(oracle), 0, data);
        _agree("V7", "createPolicy", ok, what == 0);
        _rule("V7", oracle.isPolicy(known) && !oracle.isPolicy(_policies[POLICIES]));
        _rule("V7", keccak256(abi.encode(oracle.policyOf(known))) == keccak256(_policyTerms[known]));
    }

    function _revoke(address node) internal {
        if (!_chance(3) || _revoked[node]) return;
        VM.prank(VM.addr(PUBLISHER));
        models.revoke(_modelOf[node]);
        _revoked[node] = true;
    }

    function _suspendSeat() internal {
        (address which, uint8 seat) = (_one(_policies), uint8(_draw(6)));
        Policy memory p = _policyOf(which);
        bool seated = seat < p.seats.length;
        address sender = seated && _chance(12) ? p.seats[seat].node : _stranger;
        bool may = seated && which != _policies[POLICIES];
        may = may && (sender == p.seats[seat].node || _revoked[p.seats[seat].node]);
        bool ok = _call(sender, address(oracle), 0, abi.encodeCall(oracle.suspendSeat, (which, seat)));
        _agree("V7", "suspendSeat", ok, may);
        if (ok) _suspended[which] |= uint32(1) << seat;
        _rule("V7", oracle.suspendedOf(which) == _suspended[which]);
    }

    /* EVERYBODY */

    /// Accounts start or stop to refuse money; the arbiter repeats numbers; somebody sends money that nobody asked for.
    function mood(uint256 seed) public step(seed) {
        if (_chance(3)) return _force();
        _arbiter.setRepeats(_chance(5));
        if (_chance(2)) return Party(payable(_chance(3) ? _nodes[1] : _parties[_draw(2)])).setRefuses(!_chance(3));
        Token(_tokens[2]).setBlocked(_one(_parties), !_chance(3));
    }

    function _force() internal {
        address where = _chance(2) ? address(escrow) : _chance(2) ? address(oracle) : address(nodes);
        address token = _tokens[_draw(3)];
        uint256 amount = _draw(1000);
        _forced[token][where] += amount;
        if (token == NOBODY) MORE.deal(where, where.balance + amount);
        else Token(token).mint(where, amount);
    }
}
