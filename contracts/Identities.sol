// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Adoption, Change, IIdentities, Identity, Key} from "./interfaces/IIdentities.sol";

/// @title Identities
/// @notice See IIdentities.
contract Identities is IIdentities, EIP712 {
    bytes32 internal constant ADOPTION_TYPEHASH =
        keccak256("Adoption(address identity,address key,bytes32 commitment,address guardian)");

    /// @inheritdoc IIdentities
    uint40 public constant DELAY = 7 days;

    /// 216 bits of the change's digest and its time: one slot.
    struct Waiting {
        bytes27 digest;
        uint40 readyAt;
    }

    mapping(address key => Key) internal _keys;
    mapping(address identity => Identity) internal _identities;
    mapping(address identity => mapping(Change => Waiting)) internal _waiting;

    constructor() EIP712("Countersign", "1") {}

    /* VERBS */

    /// @inheritdoc IIdentities
    function register(bytes32 commitment, address guardian) external {
        address identity = rootOf(msg.sender);
        _requireGoodCurrent(identity);
        require(guardian != msg.sender, BadGuardian(guardian));

        bool prepared = _identities[identity].commitment != 0 || _identities[identity].guardian != address(0);
        if (prepared && !_due(identity, Change.Registration, keccak256(abi.encode(commitment, guardian)))) return;

        _keys[msg.sender].root = identity;
        _identities[identity] = Identity(msg.sender, commitment, guardian);
        _dropWaiting(identity);
        emit Registered(identity, msg.sender, commitment, guardian);
    }

    /// @inheritdoc IIdentities
    function rotate(Adoption calldata adoption, bytes calldata signature) external {
        bytes32 digest = _requireAdoptable(adoption, signature);
        bytes32 commitment = _identities[adoption.identity].commitment;

        if (commitment != 0) {
            require(keccak256(abi.encode(adoption.key)) == commitment, NotCommittedKey(adoption.key));
        } else {
            _requireGoodCurrent(adoption.identity);
            if (!_due(adoption.identity, Change.Rotation, digest)) return;
        }
        _adopt(adoption);
    }

    /// @inheritdoc IIdentities
    function markCompromised(address key) external {
        address identity = rootOf(key);
        address guardian = _identities[identity].guardian;
        require(msg.sender == key || msg.sender == guardian, NotAllowed(msg.sender, guardian));
        require(_keys[key].cutoff == 0, KeyCutOff(key, _keys[key].cutoff));

        _keys[key] = Key(identity, uint40(block.timestamp), 0);
        delete _waiting[identity][Change.Registration];
        delete _waiting[identity][Change.Rotation];
        emit Compromised(identity, key, msg.sender);
    }

    /// @inheritdoc IIdentities
    function suspect(address key, uint40 from) external {
        address identity = rootOf(key);
        _requireGuardian(identity);
        Key storage record = _keys[key];
        uint40 bound = record.suspectFrom == 0 ? record.cutoff : record.suspectFrom;
        require(from != 0 && from < bound, BadSuspicion(from));

        record.suspectFrom = from;
        emit Suspected(identity, key, from);
    }

    /// @inheritdoc IIdentities
    function recover(Adoption calldata adoption, bytes calldata signature) external {
        bytes32 digest = _requireAdoptable(adoption, signature);
        _requireGuardian(adoption.identity);

        if (_due(adoption.identity, Change.Recovery, digest)) _adopt(adoption);
    }

    /// @inheritdoc IIdentities
    function cancel(address identity) external {
        if (msg.sender != _identities[identity].guardian) _requireGoodCurrent(identity);
        bool waits;
        for (uint8 change = 0; change <= uint8(type(Change).max); ++change) {
            waits = waits || _waiting[identity][Change(change)].readyAt != 0;
        }
        require(waits, NothingWaits(identity));

        _dropWaiting(identity);
        emit Cancelled(identity, msg.sender);
    }

    /* VIEWS */

    /// @inheritdoc IIdentities
    function rootOf(address key) public view returns (address) {
        address root = _keys[key].root;
        return root == address(0) ? key : root;
    }

    /// @inheritdoc IIdentities
    function currentOf(address key) public view returns (address) {
        return _current(rootOf(key));
    }

    /// @inheritdoc IIdentities
    function resolve(address key) external view returns (address root, address current, uint40 cutoff) {
        Key memory record = _keys[key];
        if (record.root == address(0)) return (key, key, 0);
        return (record.root, _current(record.root), record.cutoff);
    }

    /// @inheritdoc IIdentities
    function keyOf(address key) external view returns (Key memory) {
        return _keys[key];
    }

    /// @inheritdoc IIdentities
    function identityOf(address identity) external view returns (Identity memory) {
        return _identities[identity];
    }

    /// @inheritdoc IIdentities
    function waitingOf(address identity, Change change) external view returns (bytes27 digest, uint40 readyAt) {
        Waiting memory waiting = _waiting[identity][change];
        return (waiting.digest, waiting.readyAt);
    }

    /* INTERNAL */

    function _current(address identity) internal view returns (address) {
        address current = _identities[identity].current;
        return current == address(0) ? identity : current;
    }

    function _requireGuardian(address identity) internal view {
        address guardian = _identities[identity].guardian;
        require(msg.sender == guardian, NotAllowed(msg.sender, guardian));
    }

    function _requireGoodCurrent(address identity) internal view {
        address current = _current(identity);
        require(msg.sender == current, NotAllowed(msg.sender, current));
        uint40 cutoff = _keys[current].cutoff;
        require(cutoff == 0, KeyCutOff(current, cutoff));
    }

    /// Guards common to `rotate` and `recover`; returns what identifies the change.
    function _requireAdoptable(Adoption calldata a, bytes calldata signature) internal view returns (bytes32 digest) {
        address root = rootOf(a.identity);
        require(root == a.identity, NotIdentity(a.identity, root));
        require(_keys[a.key].root == address(0) && a.key != a.identity, KeyUsed(a.key, rootOf(a.key)));
        require(a.guardian != a.key, BadGuardian(a.guardian));
        digest = _hashTypedDataV4(keccak256(abi.encode(ADOPTION_TYPEHASH, a)));
        require(SignatureChecker.isValidSignatureNowCalldata(a.key, digest, signature), BadAdoptionSignature(a.key));
    }

    /// True when the same change was scheduled and its wait is over; otherwise (re)schedules it.
    function _due(address identity, Change change, bytes32 digest) internal returns (bool) {
        Waiting memory waiting = _waiting[identity][change];
        if (waiting.readyAt != 0 && waiting.digest == bytes27(digest)) {
            require(block.timestamp >= waiting.readyAt, TooEarly(waiting.readyAt));
            delete _waiting[identity][change];
            return true;
        }
        uint40 readyAt = uint40(block.timestamp) + DELAY;
        _waiting[identity][change] = Waiting(bytes27(digest), readyAt);
        emit Scheduled(identity, change, digest, readyAt);
        return false;
    }

    function _adopt(Adoption calldata a) internal {
        address previous = _current(a.identity);
        Key storage old = _keys[previous];
        old.root = a.identity;
        if (old.cutoff == 0) old.cutoff = uint40(block.timestamp);
        _keys[a.key].root = a.identity;
        _identities[a.identity] = Identity(a.key, a.commitment, a.guardian);
        _dropWaiting(a.identity);
        emit Adopted(a.identity, a.key, previous, a.commitment, a.guardian);
    }

    function _dropWaiting(address identity) internal {
        delete _waiting[identity][Change.Registration];
        delete _waiting[identity][Change.Rotation];
        delete _waiting[identity][Change.Recovery];
    }
}
