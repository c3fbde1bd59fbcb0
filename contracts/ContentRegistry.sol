// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Claim, IContentRegistry, Opening, Seal, Work} from "./interfaces/IContentRegistry.sol";
import {IIdentities} from "./interfaces/IIdentities.sol";
import {Rfc6962} from "./libraries/Rfc6962.sol";

/// @title ContentRegistry
/// @notice See IContentRegistry.
contract ContentRegistry is IContentRegistry, EIP712 {
    bytes32 internal constant WORK_TYPEHASH = keccak256(
        "Work(bytes32 content,bytes32 fingerprint,string origin,bytes32 model,bytes32 parents,bytes32 metadata)"
    );
    bytes32 internal constant CLAIM_TYPEHASH = keccak256(
        "Claim(address creator,Work work)Work(bytes32 content,bytes32 fingerprint,string origin,bytes32 model,bytes32 parents,bytes32 metadata)"
    );
    bytes32 internal constant SEAL_TYPEHASH =
        keccak256("Seal(uint256 chainId,address registry,address creator,bytes32 workId,bytes32 salt)");

    uint16 internal constant RETRACTED = 1;

    /// @inheritdoc IContentRegistry
    IIdentities public immutable IDENTITIES;

    /// Who speaks today for a creator's identity. `cutoff` is that of the creator key, not of `key`.
    struct Speaker {
        address identity;
        address key;
        uint40 cutoff;
    }

    mapping(bytes32 root => mapping(address sealer => Seal)) internal _seals;
    mapping(bytes32 content => Claim) internal _claims;

    constructor(IIdentities identities) EIP712("Countersign", "1") {
        IDENTITIES = identities;
    }

    /* VERBS */

    /// @inheritdoc IContentRegistry
    function seal(bytes32 root) external {
        if (_seals[root][msg.sender].time != 0) return;

        _seals[root][msg.sender] = Seal(uint64(block.timestamp), uint64(block.number));
        emit Sealed(root, msg.sender);
    }

    /// @inheritdoc IContentRegistry
    function claim(Work calldata work, Opening calldata opening) external {
        Speaker memory speaker = _speakerFor(opening.creator);
        require(msg.sender == speaker.key, NotCurrentKey(msg.sender, speaker.key));
        _claim(workIdOf(work), work, opening, speaker);
    }

    /// @inheritdoc IContentRegistry
    function claimFor(Work calldata work, Opening calldata opening, bytes calldata signature) external {
        Speaker memory speaker = _speakerFor(opening.creator);
        bytes32 workId = workIdOf(work);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(CLAIM_TYPEHASH, opening.creator, workId)));
        require(SignatureChecker.isValidSignatureNowCalldata(speaker.key, digest, signature), BadSignature(speaker.key));
        _claim(workId, work, opening, speaker);
    }

    /// @inheritdoc IContentRegistry
    function retract(bytes32 content, bool retracted) external {
        Claim storage record = _claims[content];
        require(record.creator != address(0), NoClaim(content));
        Speaker memory speaker = _speakerFor(record.creator);
        require(msg.sender == speaker.key, NotCurrentKey(msg.sender, speaker.key));
        _requireConsent(speaker.key, uint40(block.timestamp), _cutoffOf(speaker, record.creator));

        record.flags = retracted ? record.flags | RETRACTED : record.flags & ~RETRACTED;
        emit Retracted(content, retracted);
    }

    /// @inheritdoc IContentRegistry
    function object(bytes32 content, bytes32 evidence, string calldata uri) external {
        require(_claims[content].creator != address(0), NoClaim(content));
        emit Objected(content, msg.sender, evidence, uri);
    }

    /* VIEWS */

    /// @inheritdoc IContentRegistry
    function sealOf(bytes32 root, address sealer) external view returns (Seal memory) {
        return _seals[root][sealer];
    }

    /// @inheritdoc IContentRegistry
    function claimOf(bytes32 content) external view returns (Claim memory) {
        return _claims[content];
    }

    /// @inheritdoc IContentRegistry
    function workIdOf(Work calldata work) public pure returns (bytes32) {
        return keccak256(abi.encode(WORK_TYPEHASH, work));
    }

    /// @inheritdoc IContentRegistry
    function leafOf(address creator, bytes32 workId, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode(SEAL_TYPEHASH, block.chainid, address(this), creator, workId, salt));
    }

    /* INTERNAL */

    function _speakerFor(address creator) internal view returns (Speaker memory speaker) {
        (speaker.identity, speaker.key, speaker.cutoff) = IDENTITIES.resolve(creator);
    }

    /// The common worker: `speaker.key` consents by sending or signing.
    function _claim(bytes32 workId, Work calldata work, Opening calldata opening, Speaker memory speaker) internal {
        (bytes32 root, uint40 sealedAt) = _open(workId, opening);
        uint40 consentAt = _consent(opening, sealedAt, speaker);
        uint16 flags = _displace(work.content, opening.creator, sealedAt, speaker.identity);

        _claims[work.content] = Claim(opening.creator, sealedAt, consentAt, flags);
        emit Claimed(work.content, opening.creator, opening.sealer, root, sealedAt, consentAt, work);
    }

    /// The root that the opening proves, and when its sealer sealed it.
    function _open(bytes32 workId, Opening calldata opening) internal view returns (bytes32 root, uint40 sealedAt) {
        bytes32 leaf = Rfc6962.hashLeaf(leafOf(opening.creator, workId, opening.salt));
        root = Rfc6962.rootOf(leaf, opening.index, opening.size, opening.path);
        uint64 time = _seals[root][opening.sealer].time;
        require(time != 0, NoSeal(root, opening.sealer));
        require(time < block.timestamp, SealTooYoung(time));
        sealedAt = uint40(time);
    }

    /// When the creator's identity consented: by sealing itself, else by claiming now.
    function _consent(Opening calldata opening, uint40 sealedAt, Speaker memory speaker)
        internal
        view
        returns (uint40 consentAt)
    {
        (address identity, uint40 cutoff) = (speaker.identity, speaker.cutoff);
        if (opening.sealer != opening.creator) (identity,, cutoff) = IDENTITIES.resolve(opening.sealer);
        if (identity == speaker.identity) {
            _requireConsent(opening.sealer, sealedAt, cutoff);
            return sealedAt;
        }
        consentAt = uint40(block.timestamp);
        _requireConsent(speaker.key, consentAt, _cutoffOf(speaker, opening.creator));
    }

    /// Takes the claim from its holder, if any, who must have a strictly later seal. An identity's own earlier seal
    /// keeps its flags, so that a replayed signature cannot undo a retraction.
    function _displace(bytes32 content, address creator, uint40 sealedAt, address identity)
        internal
        returns (uint16 flags)
    {
        Claim memory holder = _claims[content];
        if (holder.creator == address(0)) return 0;
        require(sealedAt < holder.sealedAt, AlreadyClaimed(content, holder.creator, holder.sealedAt));
        if (IDENTITIES.rootOf(holder.creator) == identity) flags = holder.flags;
        emit Superseded(content, holder.creator, creator);
    }

    function _requireConsent(address key, uint40 consentAt, uint40 cutoff) internal pure {
        require(cutoff == 0 || consentAt < cutoff, ConsentAfterCutoff(key, consentAt, cutoff));
    }

    /// The cut-off of the speaker's own key.
    function _cutoffOf(Speaker memory speaker, address creator) internal view returns (uint40 cutoff) {
        if (speaker.key == creator) return speaker.cutoff;
        (,, cutoff) = IDENTITIES.resolve(speaker.key);
    }
}
