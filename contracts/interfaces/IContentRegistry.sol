// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IIdentities} from "./IIdentities.sol";

/// @notice What a creator says of a work. `workId` is its EIP-712 struct hash. A field without a value is 0.
struct Work {
    /// SHA-256 of the exact bytes.
    bytes32 content;
    /// ISCC body (ISO 24138), left-aligned.
    bytes32 fingerprint;
    /// keccak256 of the IPTC digital source type, e.g. of "trainedAlgorithmicMedia". Typed `string` in EIP-712, so that
    /// wallets show the word itself: EIP-712 encodes a string as this very hash; keccak256("") when none is declared.
    bytes32 origin;
    /// modelId in ModelRegistry.
    bytes32 model;
    /// RFC 6962 root over the contents this work derives from.
    bytes32 parents;
    /// SHA-256 of the metadata document.
    bytes32 metadata;
}

/// @notice Opens a seal: shows that a sealed root holds this creator's work.
struct Opening {
    /// Any key of the creator's identity; it is inside the leaf.
    address creator;
    /// Who sent `seal`: the creator or a batch service.
    address sealer;
    /// 32 secret bytes, one per work; public from the claim on.
    bytes32 salt;
    /// Position of the leaf, number of leaves, and sibling hashes from the leaf up (RFC 9162 §2.1.3).
    uint64 index;
    uint64 size;
    bytes32[] path;
}

/// @notice When a sender first sealed a root. One storage slot.
struct Seal {
    uint64 time;
    uint64 blockNumber;
}

/// @notice Who claims a content, since when. One storage slot.
struct Claim {
    address creator;
    uint40 sealedAt;
    uint40 consentAt;
    /// Bit 0: retracted.
    uint16 flags;
}

/// @title ContentRegistry
/// @notice When did 32 bytes exist; who claims which content.
///
/// States of a content, derived from one slot, and the only ways between them:
///
/// | from \ to       | unclaimed | claimed by A | claimed by B | retracted by A |
/// |-----------------|-----------|--------------|--------------|----------------|
/// | unclaimed       | –         | `claim`, `claimFor` | same  | forbidden      |
/// | claimed by A    | forbidden | strictly earlier seal | strictly earlier seal | `retract(true)` |
/// | retracted by A  | forbidden | `retract(false)` | strictly earlier seal | A's strictly earlier seal keeps the bit |
///
/// A seal is written once and never changes. A claim's `sealedAt` only ever falls.
/// @dev ASSUMPTIONS: block times never decrease; SHA-256 and Keccak-256 resist collisions. Priority holds within this
/// registry on this chain. Sealed first is not created first: the seal proves possession at a time, nothing more.
/// @dev WARNING: reveal nothing (claim, post, hand to an oracle) before the seal is final on the chain.
interface IContentRegistry {
    /// @notice `sealer` sealed `root` in this block.
    event Sealed(bytes32 indexed root, address indexed sealer);
    /// @notice `work.content` is claimed for `creator` by opening the seal (root, sealer).
    event Claimed(
        bytes32 indexed content,
        address indexed creator,
        address indexed sealer,
        bytes32 root,
        uint40 sealedAt,
        uint40 consentAt,
        Work work
    );
    /// @notice A strictly earlier seal took the claim on `content` from `previous`.
    event Superseded(bytes32 indexed content, address indexed previous, address indexed creator);
    /// @notice The claim's creator withdrew it, or took that back.
    event Retracted(bytes32 indexed content, bool retracted);
    /// @notice A public notice against the claim on `content`: `evidence` is the SHA-256 of the document that says why,
    /// `uri` where it is found, "" when nowhere in public. By a key of the claim's own identity it is an answer.
    event Objected(bytes32 indexed content, address indexed objector, bytes32 evidence, string uri);

    /// @notice `sealer` never sealed `root`: the opening does not fit any seal.
    error NoSeal(bytes32 root, address sealer);
    /// @notice The seal is from this block's time or later: claim in a later block.
    error SealTooYoung(uint64 sealedAt);
    /// @notice `caller` does not speak for the creator's identity; `current` does.
    error NotCurrentKey(address caller, address current);
    /// @notice The consent of `key` at `consentAt` came at or after its cut-off.
    error ConsentAfterCutoff(address key, uint40 consentAt, uint40 cutoff);
    /// @notice `creator` holds the claim with a seal that is as early or earlier.
    error AlreadyClaimed(bytes32 content, address creator, uint40 sealedAt);
    /// @notice The signature is not by the current key of the creator's identity.
    error BadSignature(address expected);
    /// @notice Nobody claims this content.
    error NoClaim(bytes32 content);

    /// @notice Records that the sender knew `root` now. Sealing again changes nothing.
    /// @param root RFC 6962 root over seal leaves; a single seal is a one-leaf tree. 32 opaque bytes to the contract.
    function seal(bytes32 root) external;

    /// @notice Claims `work.content` for `opening.creator`. Reverts with Rfc6962.InvalidPath for a path that fits no tree. Sent by the current key of the creator's identity.
    function claim(Work calldata work, Opening calldata opening) external;

    /// @notice {claim}, sent by anyone with the EIP-712 or ERC-1271 signature of that current key over
    /// `Claim(address creator,Work work)`.
    /// @dev The signature has no deadline or nonce on purpose: claiming is idempotent, and a certificate must last.
    function claimFor(Work calldata work, Opening calldata opening, bytes calldata signature) external;

    /// @notice Sets or clears the retracted bit. The content stays taken. By the identity's current, good key.
    function retract(bytes32 content, bool retracted) external;

    /// @notice Publishes a signed objection to the claim on `content`, or its claimant's answer to one. Event only: it
    /// decides nothing. An Oracle may be asked about it: the subject is the hash of the objection (docs/adr/0011).
    function object(bytes32 content, bytes32 evidence, string calldata uri) external;

    /// @notice Resolves keys to identities.
    function IDENTITIES() external view returns (IIdentities);

    /// @notice The seal of `root` by `sealer`; all 0 when there is none.
    function sealOf(bytes32 root, address sealer) external view returns (Seal memory);

    /// @notice The claim on `content`; all 0 when there is none.
    function claimOf(bytes32 content) external view returns (Claim memory);

    /// @notice EIP-712 struct hash of `work`: the same on every chain.
    function workIdOf(Work calldata work) external pure returns (bytes32);

    /// @notice Data of the leaf that commits `creator` to `workId` in this registry on this chain.
    function leafOf(address creator, bytes32 workId, bytes32 salt) external view returns (bytes32);
}
