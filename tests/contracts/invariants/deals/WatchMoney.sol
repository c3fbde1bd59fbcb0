// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Cast} from "./Cast.sol";
import {Party, Token} from "./Mocks.sol";

/// What everybody should hold (ghost variables), and how a step is made: chance, call, judgement.
abstract contract WatchMoney is Cast {
    mapping(bytes2 rule => bool) public broken;
    mapping(bytes32 verb => uint256) public count;

    /// Coin or tokens in hand, and credited.
    mapping(address token => mapping(address account => uint256)) internal _wealth;
    mapping(address token => mapping(address account => uint256)) internal _credit;
    /// Sent to a contract by nobody's verb.
    mapping(address token => mapping(address where => uint256)) internal _forced;

    /// The block's time. Not `block.timestamp`: the compiler takes that for constant within one transaction.
    uint256 internal _time = START;
    uint256 internal _luck;
    uint256 internal _steps;
    /// Gas for the call of this step; 0: plenty.
    uint256 internal _limit;

    /// One in two steps happens in the second of the step before.
    modifier step(uint256 seed) {
        _luck = uint256(keccak256(abi.encode(seed, ++_steps)));
        _limit = 0;
        _warp(_time + _steps % 2);
        _;
        _watch();
    }

    function _watch() internal virtual;

    function _warp(uint256 time) internal {
        _time = time;
        VM.warp(time);
    }

    function _draw(uint256 many) internal returns (uint256) {
        _luck = uint256(keccak256(abi.encode(_luck)));
        return _luck % many;
    }

    function _chance(uint256 many) internal returns (bool) {
        return _draw(many) == 0;
    }

    function _one(address[] storage some) internal returns (address) {
        return some[_draw(some.length)];
    }

    function _rule(bytes2 name, bool holds) internal {
        if (!holds) broken[name] = true;
    }

    /// The verb must succeed just when the rules allow it; without enough gas it may fail.
    function _agree(bytes2 name, bytes32 verb, bool ok, bool may) internal {
        _rule(name, ok == may || (!ok && _limit != 0));
        ++count[ok ? verb : bytes32("refused")];
    }

    function _call(address sender, address target, uint256 value, bytes memory data) internal returns (bool ok) {
        if (_chance(2)) (_target, _data) = (target, data);
        VM.prank(sender);
        (ok,) = target.call{value: value, gas: _limit == 0 ? gasleft() : _limit}(data);
        _target = NOBODY;
        _rule("E7", !_reentered(_parties[0]) && !_reentered(_parties[1]) && !_reentered(_nodes[1]));
    }

    /// The Oracle may be called again from within: there its payments are what must come out right.
    function _reentered(address party) internal view returns (bool) {
        address target = Party(payable(party)).reentered();
        return target == address(escrow) || target == address(nodes);
    }

    function _squeeze() internal {
        if (_chance(6)) _limit = 30_000 + _draw(400_000);
    }

    function _gain(address token, address account, uint256 amount) internal {
        _wealth[token][account] += amount;
    }

    function _lose(address token, address account, uint256 amount) internal {
        _wealth[token][account] -= amount;
    }

    /// What the Escrow sends: to hand, or as a credit when the recipient refuses.
    function _send(address token, address account, uint256 amount) internal {
        _gain(token, account, amount);
        if (_refuses(token, account) && amount != 0) _credit[token][account] += amount;
    }

    function _refuses(address token, address account) internal view returns (bool) {
        if (token != NOBODY) return Token(token).blocked(account);
        return account.code.length != 0 && Party(payable(account)).refuses();
    }

    function _holds(address token, address account) internal view returns (uint256) {
        return token == NOBODY ? account.balance : Token(token).balanceOf(account);
    }

    function _startMoney() internal {
        for (uint256 i = 0; i < _tokens.length; ++i) {
            for (uint256 j = 0; j < _people.length; ++j) {
                _wealth[_tokens[i]][_people[j]] = _holds(_tokens[i], _people[j]);
            }
        }
    }

    function _holdings(address token) internal view returns (uint256[] memory held) {
        if (token != NOBODY) return Token(token).balancesOf(_people);
        held = new uint256[](_people.length);
        for (uint256 i = 0; i < held.length; ++i) {
            held[i] = _people[i].balance;
        }
    }

    /// Nobody holds, or is credited, more or less than the rules say; only parties are. Returns all credits.
    function _watchMoney(address token) internal returns (uint256 credits) {
        for (uint256 i = 0; i < PARTIES; ++i) {
            uint256 credit = escrow.creditOf(token, _parties[i]);
            _rule("E8", credit == _credit[token][_parties[i]]);
            credits += credit;
        }
        uint256[] memory held = _holdings(token);
        for (uint256 i = 0; i < held.length; ++i) {
            _rule("E2", held[i] + _credit[token][_people[i]] == _wealth[token][_people[i]]);
        }
    }
}
