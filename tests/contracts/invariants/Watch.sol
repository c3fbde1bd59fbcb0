// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Claim, Opening, Seal, Work} from "../../../contracts/interfaces/IContentRegistry.sol";
import {Change, Identity, Key} from "../../../contracts/interfaces/IIdentities.sol";
import {ModelTimes} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Base} from "./Base.sol";

/// Remembers the state before every step (ghost variables) and notes which rule of README.md a step broke.
abstract contract Watch is Base {
    struct Sealed {
        bytes32 root;
        address sealer;
        Seal at;
    }

    uint256 internal constant OWNERS = 4;
    uint256 internal constant CONTENTS = 6;

    mapping(bytes2 rule => bool) public broken;

    Sealed[] internal _sealed;
    mapping(uint256 secret => address) internal _addresses;
    address[] internal _keys;
    mapping(address => bool) internal _tracked;
    bytes32[] internal _modelIds;

    mapping(address => Key) internal _lastKey;
    mapping(address => Identity) internal _lastIdentity;
    mapping(address => mapping(Change => uint40)) internal _lastReady;
    mapping(bytes32 => Claim) internal _lastClaim;
    mapping(bytes32 => ModelTimes) internal _lastTimes;

    mapping(address => bool) public marked;
    mapping(address => bool) public isThief;
    mapping(bytes32 content => bool) internal _ownerClaimed;
    mapping(bytes32 content => uint40) internal _lowestShown;
    bool internal _mayRestore;
    uint256 internal _steps;

    /// Half of the steps happen in the second of the step before.
    modifier step() {
        _mayRestore = false;
        VM.warp(block.timestamp + ++_steps % 2);
        _;
        _watch();
    }

    function content(uint256 number) public pure returns (bytes32) {
        return keccak256(abi.encode("content", number % CONTENTS));
    }

    /// The first key of an owner: the name of the identity.
    function nameOf(uint256 owner) public view returns (address) {
        return _addresses[(owner % OWNERS + 1) * 1000];
    }

    /// The address of `secret`, computed once: the cheatcode is slow.
    function _addr(uint256 secret) internal returns (address) {
        if (_addresses[secret] == address(0)) _addresses[secret] = VM.addr(secret);
        return _addresses[secret];
    }

    function _rule(bytes2 name, bool holds) internal {
        if (!holds) broken[name] = true;
    }

    function _track(address key) internal returns (address) {
        if (!_tracked[key]) _keys.push(key);
        _tracked[key] = true;
        return key;
    }

    function _seal(address sealer, bytes32 root) internal {
        VM.prank(sealer);
        registry.seal(root);
        if (_sealTime(root, sealer) != 0) return;
        _sealed.push(Sealed(root, sealer, Seal(uint64(block.timestamp), uint64(block.number))));
    }

    /// When `sealer` sealed `root`, as remembered, not as stored.
    function _sealTime(bytes32 root, address sealer) internal view returns (uint40) {
        for (uint256 i = 0; i < _sealed.length; ++i) {
            if (_sealed[i].root == root && _sealed[i].sealer == sealer) return uint40(_sealed[i].at.time);
        }
        return 0;
    }

    function _watch() internal {
        for (uint256 i = 0; i < OWNERS; ++i) {
            _watchIdentity(nameOf(i));
        }
        for (uint256 i = 0; i < _keys.length; ++i) {
            _watchKey(_keys[i]);
        }
        for (uint256 i = 0; i < CONTENTS; ++i) {
            _watchClaim(i);
        }
        for (uint256 i = 0; i < _modelIds.length; ++i) {
            _watchModel(_modelIds[i]);
        }
    }

    function _watchKey(address key) internal {
        (Key memory was, Key memory now_) = (_lastKey[key], identities.keyOf(key));
        _rule("I1", was.root == address(0) || now_.root == was.root);
        _rule("I2", was.cutoff == 0 ? now_.cutoff == 0 || now_.cutoff == block.timestamp : now_.cutoff == was.cutoff);
        _rule(
            "I3",
            now_.suspectFrom == was.suspectFrom
                || now_.suspectFrom < (was.suspectFrom == 0 ? was.cutoff : was.suspectFrom)
        );
        bool current = identities.currentOf(key) == key;
        _rule("I4", current ? now_.cutoff == 0 || marked[key] : now_.cutoff != 0 && now_.root != address(0));
        _lastKey[key] = now_;
    }

    function _watchIdentity(address name) internal {
        (Identity memory was, Identity memory now_) = (_lastIdentity[name], identities.identityOf(name));
        bool changed = keccak256(abi.encode(was)) != keccak256(abi.encode(now_));
        bool handedOver = now_.current != was.current && identities.currentOf(name) != name;
        if (handedOver) _watchHandover(name, was, now_);
        else if (changed && _prepared(was)) _rule("I6", _was(name, Change.Registration));
        if (changed) _rule("I7", !_waits(name, Change.Recovery));
        bool adopted = identities.rootOf(name) != name;
        if (!adopted && (changed || _ended(identities.currentOf(name)))) {
            _rule("I7", !_waits(name, Change.Registration) && !_waits(name, Change.Rotation));
        }
        _watchWaiting(name);
        _lastIdentity[name] = now_;
    }

    function _watchHandover(address name, Identity memory was, Identity memory now_) internal {
        bool committed = was.commitment == keccak256(abi.encode(now_.current));
        _rule("I6", committed || _was(name, Change.Recovery) || (was.commitment == 0 && _was(name, Change.Rotation)));
    }

    function _watchWaiting(address name) internal {
        for (uint8 change = 0; change < 3; ++change) {
            (, uint40 readyAt) = identities.waitingOf(name, Change(change));
            bool scheduled = readyAt != 0 && readyAt != _lastReady[name][Change(change)];
            _rule("I6", !scheduled || readyAt == block.timestamp + 7 days);
            _lastReady[name][Change(change)] = readyAt;
        }
    }

    function _watchClaim(uint256 number) internal {
        bytes32 id = content(number);
        (Claim memory was, Claim memory now_) = (_lastClaim[id], registry.claimOf(id));
        bool taken = now_.sealedAt != was.sealedAt || now_.creator != was.creator || now_.consentAt != was.consentAt;
        if (was.creator != address(0)) _watchTaken(was, now_, taken);
        if (taken) {
            _rule(
                "C5",
                now_.sealedAt <= now_.consentAt && now_.consentAt <= block.timestamp && now_.sealedAt < block.timestamp
            );
        }
        if (_lowestShown[id] != 0) _rule("C3", now_.creator != address(0) && now_.sealedAt <= _lowestShown[id]);
        if (_ownerClaimed[id]) _rule("C6", identities.rootOf(now_.creator) == nameOf(number));
        _lastClaim[id] = now_;
    }

    function _watchTaken(Claim memory was, Claim memory now_, bool taken) internal {
        _rule(
            "C1",
            now_.creator != address(0) && now_.sealedAt <= was.sealedAt && (!taken || now_.sealedAt < was.sealedAt)
        );
        bool same = identities.rootOf(was.creator) == identities.rootOf(now_.creator);
        if (same) _rule("C4", was.flags == now_.flags || _mayRestore);
        if (!same) _rule("C4", now_.flags == 0);
    }

    function _watchModel(bytes32 id) internal {
        (ModelTimes memory was, ModelTimes memory now_) = (_lastTimes[id], models.timesOf(id));
        _rule("M1", _onceNow(was.publishedAt, now_.publishedAt));
        _rule("M1", _onceNow(was.deprecatedAt, now_.deprecatedAt));
        _rule("M1", _onceNow(was.revokedAt, now_.revokedAt));
        _rule("M2", now_.deprecatedAt == 0 || (now_.publishedAt != 0 && now_.publishedAt <= now_.deprecatedAt));
        _rule("M2", now_.revokedAt == 0 || (now_.publishedAt != 0 && now_.publishedAt <= now_.revokedAt));
        _rule("M2", was.deprecatedAt == now_.deprecatedAt || was.revokedAt == 0);
        _lastTimes[id] = now_;
    }

    function _onceNow(uint40 was, uint40 now_) internal view returns (bool) {
        return now_ == was || (was == 0 && now_ == block.timestamp);
    }

    function _prepared(Identity memory identity) internal pure returns (bool) {
        return identity.commitment != 0 || identity.guardian != address(0);
    }

    /// Before this step, `change` waited and its wait was over.
    function _was(address name, Change change) internal view returns (bool) {
        uint40 readyAt = _lastReady[name][change];
        return readyAt != 0 && readyAt <= block.timestamp;
    }

    function _waits(address name, Change change) internal view returns (bool) {
        (, uint40 readyAt) = identities.waitingOf(name, change);
        return readyAt != 0;
    }

    function _ended(address key) internal view returns (bool) {
        return identities.keyOf(key).cutoff != 0;
    }

    /* WHAT THE INVARIANTS ASK */

    function sealsHold() external view returns (bool) {
        for (uint256 i = 0; i < _sealed.length; ++i) {
            Seal memory stored = registry.sealOf(_sealed[i].root, _sealed[i].sealer);
            if (stored.time != _sealed[i].at.time || stored.blockNumber != _sealed[i].at.blockNumber) return false;
        }
        return true;
    }

    /// No thief speaks for, or guards, an identity that prepared.
    function namesHold() external view returns (bool) {
        for (uint256 i = 0; i < OWNERS - 1; ++i) {
            Identity memory identity = identities.identityOf(nameOf(i));
            if (isThief[identities.currentOf(nameOf(i))] || isThief[identity.guardian]) return false;
        }
        return true;
    }
}
