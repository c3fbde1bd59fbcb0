// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

/// @notice A key as an identity knows it. One storage slot.
struct Key {
    /// The identity's first key, which is its name for ever; 0 for a key that never took part.
    address root;
    /// Consents given at or after this time do not count; 0 while the key is good. Never moves once set.
    uint40 cutoff;
    /// The guardian's word that the key was already in doubt from this time on: verifiers warn, nothing is invalidated.
    uint40 suspectFrom;
}

/// @notice What an identity has in force.
struct Identity {
    /// The key that speaks for the identity; 0 stands for the root itself.
    address current;
    /// keccak256(abi.encode(next key)), or 0. Only that key can take over at once, even after a theft.
    bytes32 commitment;
    /// Safe or cold key that may mark, veto and recover; 0 for none.
    address guardian;
}

/// @notice The whole state an identity has after a new key takes over, signed by that key (EIP-712).
struct Adoption {
    address identity;
    address key;
    bytes32 commitment;
    address guardian;
}

/// @notice Changes that wait. Each identity has at most one of each.
enum Change {
    Registration,
    Rotation,
    Recovery
}

/// @title Identities
/// @notice Key rotation, compromise cut-off and recovery, so that a thief can end a key but, where the owner prepared,
/// never take the name, and never the past.
///
/// Who may do what (forbidden: everything else):
///
/// | verb            | current key, good    | current key, marked | committed next key    | guardian                |
/// |-----------------|----------------------|---------------------|-----------------------|-------------------------|
/// | register        | at once the first time, then after 7 days | no | no               | may `cancel` while it waits |
/// | rotate          | after 7 days, only without a commitment | no | at once; voids all that waits | `markCompromised` voids it |
/// | markCompromised | yes                  | once only           | no                    | yes                     |
/// | suspect         | no                   | no                  | no                    | yes, after the cut-off  |
/// | recover         | may `cancel`         | cannot cancel       | `rotate` voids it     | after 7 days            |
///
/// @dev WARNING: without a commitment the guardian is fully trusted: it can take the name in 7 days. With neither,
/// a stolen key is a stolen name: prepare both before the first seal.
/// @dev A change that waits completes when the same verb is called again by the same party with the same arguments.
/// Calling it with other arguments replaces it and starts the wait anew.
interface IIdentities {
    /// @notice A commitment and guardian came into force for `identity`, whose current key is `key`.
    event Registered(address indexed identity, address indexed key, bytes32 commitment, address guardian);
    /// @notice `key` took over `identity` from `previous`, whose cut-off is now, unless it had one.
    event Adopted(
        address indexed identity, address indexed key, address indexed previous, bytes32 commitment, address guardian
    );
    /// @notice `key` was ended: consents from now on do not count.
    event Compromised(address indexed identity, address indexed key, address by);
    /// @notice The guardian doubts what `key` did from `from` until its cut-off.
    event Suspected(address indexed identity, address indexed key, uint40 from);
    /// @notice A change waits until `readyAt`; `digest` identifies its arguments.
    event Scheduled(address indexed identity, Change indexed change, bytes32 digest, uint40 readyAt);
    /// @notice All that waited for `identity` was dropped.
    event Cancelled(address indexed identity, address by);

    /// @notice `caller` has no say here; the party that has is `expected`.
    error NotAllowed(address caller, address expected);
    /// @notice The key was marked or replaced: its cut-off is `cutoff`.
    error KeyCutOff(address key, uint40 cutoff);
    /// @notice `key` already belongs to `identity`; a new key must never have taken part.
    error KeyUsed(address key, address identity);
    /// @notice `key` is not the name of an identity; its identity is `identity`.
    error NotIdentity(address key, address identity);
    /// @notice The new key did not sign this adoption.
    error BadAdoptionSignature(address key);
    /// @notice Only the committed next key may take over.
    error NotCommittedKey(address key);
    /// @notice The guardian must differ from the key it guards and must not be registered as the key itself.
    error BadGuardian(address guardian);
    /// @notice The change may be completed at `readyAt`, not earlier.
    error TooEarly(uint40 readyAt);
    /// @notice A suspicion must be earlier than the cut-off and than an earlier suspicion.
    error BadSuspicion(uint40 from);
    /// @notice Nothing waits for this identity.
    error NothingWaits(address identity);

    /// @notice Sets the commitment to the next key and the guardian of the sender's identity.
    /// @dev At once while neither is in force, else after {DELAY}, during which key and guardian may `cancel`. Coming into
    /// force drops all that waits: nothing scheduled under other rules may complete under these.
    /// @param commitment keccak256(abi.encode(next key)), or 0. Unsalted: the next key must be fresh and unpublished.
    /// @param guardian Safe or cold key, or 0; not the sender.
    function register(bytes32 commitment, address guardian) external;

    /// @notice Hands the identity to `adoption.key`.
    /// @dev With a commitment: only that key, at once, sent by anyone, also after a mark; drops all that waits.
    /// Without: the current good key, after {DELAY}. WARNING: an adoption has no nonce; sign one only.
    /// @param signature EIP-712 or ERC-1271 signature of `adoption` by `adoption.key`.
    function rotate(Adoption calldata adoption, bytes calldata signature) external;

    /// @notice Ends `key` now and for ever and drops what it had waiting. By the key or its guardian.
    /// @dev Takes no time: a thief who could choose one could void the victim's past.
    function markCompromised(address key) external;

    /// @notice The guardian records that an ended key was in doubt from `from`. Only ever moves earlier.
    function suspect(address key, uint40 from) external;

    /// @notice The guardian hands the identity to `adoption.key` after {DELAY}.
    /// @dev WARNING to guardians: `markCompromised` first, else whoever holds the key can `cancel`.
    function recover(Adoption calldata adoption, bytes calldata signature) external;

    /// @notice Drops all that waits for `identity`. By its current good key or its guardian.
    function cancel(address identity) external;

    /// @notice Seconds that a change waits: 7 days.
    function DELAY() external view returns (uint40);

    /// @notice The identity a key belongs to; a key that never took part is its own.
    function rootOf(address key) external view returns (address);

    /// @notice The key that speaks today for the identity that `key` belongs to.
    function currentOf(address key) external view returns (address);

    /// @notice Identity, its current key, and the cut-off of `key` itself (0: none).
    function resolve(address key) external view returns (address root, address current, uint40 cutoff);

    /// @notice The stored record of a key.
    function keyOf(address key) external view returns (Key memory);

    /// @notice The stored record of an identity.
    function identityOf(address identity) external view returns (Identity memory);

    /// @notice What waits: the first 27 bytes of its digest, and when it may complete (0: nothing waits).
    function waitingOf(address identity, Change change) external view returns (bytes27 digest, uint40 readyAt);
}
