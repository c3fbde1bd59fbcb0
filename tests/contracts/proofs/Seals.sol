// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ContentRegistry} from "../../../contracts/ContentRegistry.sol";
import {Claim, IContentRegistry, Opening, Seal, Work} from "../../../contracts/interfaces/IContentRegistry.sol";
import {IIdentities} from "../../../contracts/interfaces/IIdentities.sol";
import {Rfc6962} from "../../../contracts/libraries/Rfc6962.sol";
import {Proof} from "./Proof.sol";

/// Whatever an Identities may say of any key, its storage being symbolic; but nobody speaks for address 0.
contract AnyIdentities {
    struct Said {
        address root;
        address current;
        uint40 cutoff;
    }

    mapping(address key => Said) internal _said;

    function rootOf(address key) external view returns (address) {
        return _said[key].root;
    }

    function resolve(address key) external view returns (address, address, uint40) {
        if (key == address(0)) return (key, key, 0);
        Said memory said = _said[key];
        return (said.root, said.current, said.cutoff);
    }
}

/// Seals never change, and a content belongs to its earliest seal.
///
/// The registry begins in any state: its storage is symbolic. What each verb keeps in any state, every
/// sequence of verbs keeps. A claim opens any leaf of a tree of up to LEAVES leaves.
contract SealsProof is Proof {
    uint64 internal constant LEAVES = 2;

    ContentRegistry internal registry;

    function setUp() public {
        AnyIdentities identities = new AnyIdentities();
        registry = new ContentRegistry(IIdentities(address(identities)));
        SVM.enableSymbolicStorage(address(identities));
        SVM.enableSymbolicStorage(address(registry));
    }

    /* A SEAL NEVER CHANGES, WHOEVER CALLS WHICH VERB */

    function check_seal_changes_no_seal(bytes32 made) public {
        _requireSealsKept(abi.encodeCall(registry.seal, (made)));
    }

    function check_claim_changes_no_seal(Work memory work) public {
        _requireSealsKept(abi.encodeCall(registry.claim, (work, _opening(1))));
    }

    function deep_claim_from_a_tree_changes_no_seal(Work memory work) public {
        _requireSealsKept(abi.encodeCall(registry.claim, (work, _opening(LEAVES))));
    }

    function deep_claimFor_changes_no_seal(Work memory work) public {
        bytes memory signature = SVM.createBytes(65, "signature");
        _requireSealsKept(abi.encodeCall(registry.claimFor, (work, _opening(1), signature)));
    }

    function check_retract_and_object_change_no_seal(bytes32 content, bool on, bytes32 evidence) public {
        _requireSealsKept(
            on
                ? abi.encodeCall(registry.retract, (content, true))
                : abi.encodeCall(registry.object, (content, evidence, "https://e.example"))
        );
    }

    function _requireSealsKept(bytes memory data) internal {
        (bytes32 root, address sealer) = (SVM.createBytes32("root"), SVM.createAddress("sealer"));
        Seal memory before = registry.sealOf(root, sealer);
        VM.assume(before.time != 0);
        _atAnyTime();
        _byAnyone(address(registry), data);
        Seal memory held = registry.sealOf(root, sealer);
        assert(held.time == before.time && held.blockNumber == before.blockNumber);
    }

    /// A seal is its sender's, of now, and the only one made.
    function check_a_new_seal_is_the_senders_and_of_now(bytes32 root, address sealer, bytes32 made, address sender)
        public
    {
        VM.assume(registry.sealOf(root, sealer).time == 0);
        _atAnyTime();
        _by(sender, address(registry), abi.encodeCall(registry.seal, (made)));
        uint64 time = registry.sealOf(root, sealer).time;
        assert(time == (root == made && sealer == sender ? block.timestamp : 0));
    }

    /* THE EARLIEST SEAL HOLDS THE CONTENT */

    function check_seal_moves_no_claim(bytes32 made) public {
        _requireEarliest(abi.encodeCall(registry.seal, (made)));
    }

    function check_claim_moves_claims_to_earlier_seals_only(Work memory work) public {
        _requireEarliest(abi.encodeCall(registry.claim, (work, _opening(1))));
    }

    function deep_claimFor_moves_claims_to_earlier_seals_only(Work memory work) public {
        bytes memory signature = SVM.createBytes(65, "signature");
        _requireEarliest(abi.encodeCall(registry.claimFor, (work, _opening(1), signature)));
    }

    function check_retract_frees_no_content(bytes32 retracted, bool on) public {
        _requireEarliest(abi.encodeCall(registry.retract, (retracted, on)));
    }

    function check_object_frees_no_content(bytes32 objected, bytes32 evidence) public {
        _requireEarliest(abi.encodeCall(registry.object, (objected, evidence, "https://e.example")));
    }

    /// A claim that there is stays, or goes to a strictly earlier seal; nothing but its retracted bit changes else.
    function _requireEarliest(bytes memory data) internal {
        bytes32 content = SVM.createBytes32("content");
        Claim memory before = registry.claimOf(content);
        VM.assume(before.creator != address(0));
        _atAnyTime();
        _byAnyone(address(registry), data);
        Claim memory held = registry.claimOf(content);
        assert(held.creator != address(0) && held.sealedAt <= before.sealedAt);
        if (held.sealedAt < before.sealedAt) return;
        assert(held.creator == before.creator && held.consentAt == before.consentAt);
        assert(held.flags | 1 == before.flags | 1);
    }

    /// Of two claims on one content the strictly earlier seal holds it, a tie keeps the first, and no earlier seal is
    /// refused for the other's sake.
    function deep_of_two_claims_the_earlier_seal_holds(Work memory work, bytes32 metadata) public {
        _atAnyTime();
        VM.assume(registry.claimOf(work.content).creator == address(0));
        (bool claimed, uint64 first, address creator,) = _claim(work);
        VM.assume(claimed);
        assert(registry.claimOf(work.content).sealedAt == first && first < block.timestamp);

        work.metadata = metadata;
        (bool superseded, uint64 second, address other, bytes4 why) = _claim(work);
        Claim memory held = registry.claimOf(work.content);
        assert(held.creator == (superseded ? other : creator));
        assert(held.sealedAt == (superseded ? second : first));
        if (superseded) assert(second < first);
        if (why == IContentRegistry.AlreadyClaimed.selector) assert(second >= first);
    }

    /// A claim by anyone who opens a seal of one leaf.
    function _claim(Work memory work) internal returns (bool ok, uint64 sealedAt, address creator, bytes4 why) {
        Opening memory opening = _opening(1);
        creator = opening.creator;
        VM.assume(creator != address(0));
        bytes32 leaf = Rfc6962.hashLeaf(registry.leafOf(creator, registry.workIdOf(work), opening.salt));
        sealedAt = registry.sealOf(leaf, opening.sealer).time;
        bytes memory answer;
        (ok, answer) = _byAnyone(address(registry), abi.encodeCall(registry.claim, (work, opening)));
        if (!ok && answer.length > 3) why = bytes4(answer);
    }

    /// Any opening in a tree of so many leaves, one or two.
    function _opening(uint64 size) internal returns (Opening memory opening) {
        opening.creator = SVM.createAddress("creator");
        opening.sealer = SVM.createAddress("sealer");
        opening.salt = SVM.createBytes32("salt");
        opening.size = size;
        opening.path = new bytes32[](size - 1);
        if (size == 1) return opening;
        opening.index = uint64(SVM.createUint256("index") & 1);
        opening.path[0] = SVM.createBytes32("sibling");
    }
}
