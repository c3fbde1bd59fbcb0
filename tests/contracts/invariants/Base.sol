// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ContentRegistry} from "../../../contracts/ContentRegistry.sol";
import {Identities} from "../../../contracts/Identities.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {Adoption} from "../../../contracts/interfaces/IIdentities.sol";

/// The cheatcodes of forge that these tests use.
interface Vm {
    function addr(uint256 secret) external pure returns (address);
    function sign(uint256 secret, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function prank(address sender) external;
    function warp(uint256 time) external;
    function roll(uint256 number) external;
    function etch(address where, bytes calldata code) external;
    function expectRevert(bytes calldata data) external;
    function readFile(string calldata path) external view returns (string memory);
    function toString(uint256 value) external pure returns (string memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function parseJsonBool(string calldata json, string calldata key) external pure returns (bool);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);
    function parseJsonBytes32(string calldata json, string calldata key) external pure returns (bytes32);
    function parseJsonAddress(string calldata json, string calldata key) external pure returns (address);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function keyExistsJson(string calldata json, string calldata key) external view returns (bool);
}

/// Deployment, signatures, and a Merkle reference written as the recursion of RFC 6962, unlike the library's loop.
abstract contract Base {
    Vm internal constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant START = 1_700_000_000;

    Identities public identities;
    ContentRegistry public registry;
    ModelRegistry public models;

    function _deploy() internal {
        VM.warp(START);
        VM.roll(1_000);
        identities = new Identities();
        registry = new ContentRegistry(identities);
        models = new ModelRegistry(identities);
    }

    function _domain(address verifier) internal view returns (bytes32) {
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(kind, keccak256("Countersign"), keccak256("1"), block.chainid, verifier));
    }

    function _sign(uint256 secret, address verifier, bytes32 structHash) internal view returns (bytes memory) {
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", _domain(verifier), structHash));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(secret, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signClaim(uint256 secret, address creator, bytes32 workId) internal view returns (bytes memory) {
        bytes32 kind = keccak256(
            "Claim(address creator,Work work)Work(bytes32 content,bytes32 fingerprint,string origin,bytes32 model,bytes32 parents,bytes32 metadata)"
        );
        return _sign(secret, address(registry), keccak256(abi.encode(kind, creator, workId)));
    }

    function _signAdoption(uint256 secret, Adoption memory a) internal view returns (bytes memory) {
        bytes32 kind = keccak256("Adoption(address identity,address key,bytes32 commitment,address guardian)");
        return _sign(secret, address(identities), keccak256(abi.encode(kind, a)));
    }

    function _hashLeaf(bytes32 data) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"00", data));
    }

    function _hashNode(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(bytes.concat(hex"01", left, right));
    }

    /// The largest power of two below `size`, which is at least 2.
    function _split(uint64 size) internal pure returns (uint64 k) {
        k = 1;
        while (size - k > k) k *= 2;
    }

    /// Length of the path of leaf `index` in a tree of `size` leaves.
    function _depth(uint64 index, uint64 size) internal pure returns (uint256) {
        if (size == 1) return 0;
        uint64 k = _split(size);
        return 1 + (index < k ? _depth(index, k) : _depth(index - k, size - k));
    }

    /// The root that the first `length` nodes of `path` prove, from the top of the tree down (RFC 6962 §2.1.1).
    function _naiveRoot(bytes32 leaf, uint64 index, uint64 size, bytes32[] memory path, uint256 length)
        internal
        pure
        returns (bytes32)
    {
        if (size == 1) return leaf;
        uint64 k = _split(size);
        bytes32 sibling = path[length - 1];
        if (index < k) return _hashNode(_naiveRoot(leaf, index, k, path, length - 1), sibling);
        return _hashNode(sibling, _naiveRoot(leaf, index - k, size - k, path, length - 1));
    }

    /// MTH of RFC 6962 §2.1 over leaf hashes `from` to `to`.
    function _treeHash(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 middle = from + _split(uint64(to - from));
        return _hashNode(_treeHash(leaves, from, middle), _treeHash(leaves, middle, to));
    }
}
