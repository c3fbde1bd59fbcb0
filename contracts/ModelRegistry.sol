// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {IIdentities} from "./interfaces/IIdentities.sol";
import {IModelRegistry, Model, ModelTimes} from "./interfaces/IModelRegistry.sol";

/// @title ModelRegistry
/// @notice See IModelRegistry.
contract ModelRegistry is IModelRegistry, EIP712 {
    bytes32 internal constant MODEL_TYPEHASH = keccak256(
        "Model(address publisher,bytes32 weights,bytes32 root,bytes32 card,bytes32 data,string licence,bytes32 parents,bytes32 metrics)"
    );

    /// @inheritdoc IModelRegistry
    IIdentities public immutable IDENTITIES;

    mapping(bytes32 modelId => ModelTimes) internal _times;

    constructor(IIdentities identities) EIP712("Countersign", "1") {
        IDENTITIES = identities;
    }

    /* VERBS */

    /// @inheritdoc IModelRegistry
    function publish(Model calldata model) external {
        _requireSpeaksFor(model.publisher);
        _publish(modelIdOf(model), model);
    }

    /// @inheritdoc IModelRegistry
    function publishFor(Model calldata model, bytes calldata signature) external {
        address current = _goodKeyOf(model.publisher);
        bytes32 modelId = modelIdOf(model);
        bytes32 digest = _hashTypedDataV4(modelId);
        require(SignatureChecker.isValidSignatureNowCalldata(current, digest, signature), BadSignature(current));
        _publish(modelId, model);
    }

    /// @inheritdoc IModelRegistry
    function deprecate(Model calldata model) external {
        (bytes32 modelId, ModelTimes storage times) = _living(model);
        require(times.deprecatedAt == 0, AlreadyEnded(modelId, times.deprecatedAt));

        times.deprecatedAt = uint40(block.timestamp);
        emit Deprecated(modelId);
    }

    /// @inheritdoc IModelRegistry
    function revoke(Model calldata model) external {
        (bytes32 modelId, ModelTimes storage times) = _living(model);

        times.revokedAt = uint40(block.timestamp);
        emit Revoked(modelId);
    }

    /* VIEWS */

    /// @inheritdoc IModelRegistry
    function timesOf(bytes32 modelId) external view returns (ModelTimes memory) {
        return _times[modelId];
    }

    /// @inheritdoc IModelRegistry
    function modelIdOf(Model calldata model) public pure returns (bytes32) {
        return keccak256(abi.encode(MODEL_TYPEHASH, model));
    }

    /* INTERNAL */

    function _publish(bytes32 modelId, Model calldata model) internal {
        ModelTimes storage times = _times[modelId];
        require(model.weights != 0, NoWeights());
        require(times.publishedAt == 0, AlreadyPublished(modelId, times.publishedAt));

        times.publishedAt = uint40(block.timestamp);
        emit Published(modelId, model.publisher, model.weights, model);
    }

    /// A published, unrevoked version whose publisher's identity is the sender's to speak for.
    function _living(Model calldata model) internal view returns (bytes32 modelId, ModelTimes storage times) {
        _requireSpeaksFor(model.publisher);
        modelId = modelIdOf(model);
        times = _times[modelId];
        require(times.publishedAt != 0, NotPublished(modelId));
        require(times.revokedAt == 0, AlreadyEnded(modelId, times.revokedAt));
    }

    function _requireSpeaksFor(address publisher) internal view {
        address current = _goodKeyOf(publisher);
        require(msg.sender == current, NotCurrentKey(msg.sender, current));
    }

    /// The current key of the publisher's identity, which must not be cut off.
    function _goodKeyOf(address publisher) internal view returns (address current) {
        uint40 cutoff;
        (, current, cutoff) = IDENTITIES.resolve(publisher);
        if (current != publisher) (,, cutoff) = IDENTITIES.resolve(current);
        require(cutoff == 0, KeyCutOff(current, cutoff));
    }
}
