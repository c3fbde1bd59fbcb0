// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IIdentities} from "./IIdentities.sol";

/// @notice What a publisher says of a model version. `modelId` is its EIP-712 struct hash. A field without a value is 0.
struct Model {
    /// Any key of the publisher's identity.
    address publisher;
    /// Digest of the weights: SHA-256 of one file, or of a folder's manifest.
    bytes32 weights;
    /// RFC 6962 root over the files' digests, so that one shard is checked without the rest.
    bytes32 root;
    /// SHA-256 of the model card.
    bytes32 card;
    /// RFC 6962 root over the training items.
    bytes32 data;
    /// keccak256 of the SPDX licence expression. Typed `string` in EIP-712, which encodes a string as this very hash;
    /// keccak256("") when none is declared.
    bytes32 licence;
    /// RFC 6962 root over the modelIds this one derives from.
    bytes32 parents;
    /// SHA-256 of the metrics document.
    bytes32 metrics;
}

/// @notice When a model version was published, deprecated and revoked; 0: not. One storage slot.
struct ModelTimes {
    uint40 publishedAt;
    uint40 deprecatedAt;
    uint40 revokedAt;
}

/// @title ModelRegistry
/// @notice Model versions: weights, card, data, licence, parents, metrics, bound to a publisher and a time.
///
/// | from \ to   | published | deprecated  | revoked  |
/// |-------------|-----------|-------------|----------|
/// | unpublished | `publish`, `publishFor` | forbidden | forbidden |
/// | published   | –         | `deprecate` | `revoke` |
/// | deprecated  | forbidden | –           | `revoke` |
/// | revoked     | forbidden | forbidden   | –        |
///
/// Every time is set once, to now, by the current good key of the publisher's identity, and never changes. What a model
/// sealed or judged before its revocation stays valid.
interface IModelRegistry {
    event Published(bytes32 indexed modelId, address indexed publisher, bytes32 indexed weights, Model model);
    event Deprecated(bytes32 indexed modelId);
    event Revoked(bytes32 indexed modelId);

    /// @notice `caller` does not speak for the publisher's identity; `current` does.
    error NotCurrentKey(address caller, address current);
    /// @notice The publisher's key is marked compromised: hand over to its successor first.
    error KeyCutOff(address key, uint40 cutoff);
    /// @notice The signature is not by the current key of the publisher's identity.
    error BadSignature(address expected);
    /// @notice This version was published at `publishedAt`.
    error AlreadyPublished(bytes32 modelId, uint40 publishedAt);
    /// @notice No such version was published: check every field.
    error NotPublished(bytes32 modelId);
    /// @notice The version was already deprecated or revoked, at `endedAt`.
    error AlreadyEnded(bytes32 modelId, uint40 endedAt);
    /// @notice A model has weights.
    error NoWeights();

    /// @notice Publishes a version now. Sent by the current key of the publisher's identity.
    function publish(Model calldata model) external;

    /// @notice {publish}, sent by anyone with that key's EIP-712 or ERC-1271 signature over `Model`.
    function publishFor(Model calldata model, bytes calldata signature) external;

    /// @notice Says: still right, better not used for new work. By the current key of the publisher's identity.
    function deprecate(Model calldata model) external;

    /// @notice Says: wrong from now on. By the current key of the publisher's identity.
    function revoke(Model calldata model) external;

    /// @notice Resolves keys to identities.
    function IDENTITIES() external view returns (IIdentities);

    /// @notice The times of a version; all 0 when it was never published.
    function timesOf(bytes32 modelId) external view returns (ModelTimes memory);

    /// @notice EIP-712 struct hash of `model`: the same on every chain.
    function modelIdOf(Model calldata model) external pure returns (bytes32);
}
