// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Milestone, Terms} from "../../../../contracts/interfaces/IEscrow.sol";
import {WatchDeals} from "./WatchDeals.sol";

/// Terms that parties may agree on, and all kinds that no Escrow takes.
abstract contract TermsWorld is WatchDeals {
    uint256 internal constant SPOILS = 19;

    function _newTerms(address payer, address payee, address token) internal returns (Terms memory t) {
        (t.payer, t.payee, t.token) = (payer, payee, token);
        t.milestones = _newMilestones();
        t.amount = 1 + _draw(_chance(2) ? 20_000 : 1e24);
        for (uint256 i = 0; i < t.milestones.length; ++i) {
            t.amount += t.milestones[i].amount;
        }
        t.policy = _chance(4) ? NOBODY : _policies[_draw(POLICIES)];
        if (_chance(12)) t.policy = _policies[POLICIES];
        t.deliverBy = uint40(_time + 1 + _draw(6 days));
        t.verdictBy = uint40(t.deliverBy + 1 + _draw(5 days));
        if (!_chance(4)) (t.arbiter, t.disputeTime) = (address(_arbiter), uint40(1 + _draw(4 days)));
        if (t.arbiter != NOBODY) t.rulingTime = uint40(1 + _draw(2 days));
        t.silenceShare = [uint16(0), 10_000, 3_333, 1][_draw(4)];
        (t.brief, t.salt) = (bytes32(_luck), bytes32(_deals.length));
    }

    function _newMilestones() internal returns (Milestone[] memory later) {
        later = new Milestone[](_chance(2) ? 0 : 1 + _draw(3));
        for (uint256 i = 0; i < later.length; ++i) {
            later[i] = Milestone(1 + _draw(10_000), uint40(_draw(2 days)), uint40(_draw(4 days)));
        }
    }

    /// Makes the terms such that no Escrow takes them.
    function _spoil(Terms memory t) internal {
        uint256 what = _draw(SPOILS);
        if (what == 0) t.payee = t.payer;
        if (what == 1) t.payer = NOBODY;
        if (what == 2) t.payee = NOBODY;
        if (what == 3) t.payee = address(escrow);
        if (what == 4) t.payer = address(escrow);
        if (what == 5) t.arbiter = _chance(2) ? t.payer : t.payee;
        if (what == 6) t.silenceShare = 10_001;
        if (what == 7) t.buyerKey = bytes32(uint256(1));
        if (what == 8) t.revealTime = 1;
        if (what == 9) t.deliverBy = uint40(_time);
        if (what == 10) t.verdictBy = t.deliverBy;
        if (what == 11) t.disputeTime = t.arbiter == NOBODY ? 1 : 0;
        if (what == 12) t.rulingTime = t.arbiter == NOBODY ? 1 : 0;
        if (what == 13) t.amount -= t.amount - _later(t);
        if (what == 14) t.milestones = _withEmpty(t.milestones);
        if (what == 15) t.token = address(0xBAD);
        if (what == 16) t.verdictBy = uint40(_time + 3650 days + 1);
        if (what == 17) (t.arbiter, t.disputeTime, t.rulingTime) = (address(_arbiter), 1, type(uint40).max);
        if (what == 18) t.milestones = _withEndless(t);
    }

    function _later(Terms memory t) internal pure returns (uint256 sum) {
        for (uint256 i = 0; i < t.milestones.length; ++i) {
            sum += t.milestones[i].amount;
        }
    }

    function _withEndless(Terms memory t) internal pure returns (Milestone[] memory more) {
        more = _withEmpty(t.milestones);
        more[t.milestones.length] = Milestone(1, 1, 3650 days + 1);
        t.amount += 1;
    }

    function _withEmpty(Milestone[] memory some) internal pure returns (Milestone[] memory more) {
        more = new Milestone[](some.length + 1);
        for (uint256 i = 0; i < some.length; ++i) {
            more[i] = some[i];
        }
    }

    /// Spoiled, or those of a deal that there was already.
    function _badTerms(Terms memory t) internal returns (Terms memory) {
        if (_deals.length != 0 && _chance(4)) return _termsOf(_draw(_deals.length));
        _spoil(t);
        return t;
    }

    function _badChange(Terms memory to) internal returns (Terms memory) {
        uint256 what = _draw(5);
        if (what == 0) _spoil(to);
        if (what == 1) to.amount += 1;
        if (what == 2) to.payee = _stranger;
        if (what == 3) to.payer = _stranger;
        if (what == 4) to.token = to.token == _tokens[0] ? _tokens[1] : _tokens[0];
        return to;
    }
}
