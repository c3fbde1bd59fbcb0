// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Rfc6962} from "../../../contracts/libraries/Rfc6962.sol";
import {ContentRegistry} from "../../../contracts/ContentRegistry.sol";
import {Identities} from "../../../contracts/Identities.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {Opening, Work} from "../../../contracts/interfaces/IContentRegistry.sol";
import {Adoption} from "../../../contracts/interfaces/IIdentities.sol";
import {Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Base} from "./Base.sol";
import {Tree} from "./Rfc6962.t.sol";

/// The files that Python reads too: same roots, same ids, and its signatures open the contracts' verbs.
contract VectorsTest is Base {
    Tree internal tree = new Tree();
    string internal json;

    function _load(string memory name) internal {
        json = VM.readFile(string.concat("tests/vectors/", name, ".json"));
    }

    function _at(string memory list, uint256 i) internal pure returns (string memory) {
        return string.concat(list, "[", VM.toString(i), "]");
    }

    function _has(string memory key) internal view returns (bool) {
        return VM.keyExistsJson(json, key);
    }

    function _word(string memory where, string memory name) internal view returns (bytes32) {
        return VM.parseJsonBytes32(json, string.concat(where, name));
    }

    function _address(string memory where, string memory name) internal view returns (address) {
        return VM.parseJsonAddress(json, string.concat(where, name));
    }

    function _bytes(string memory where, string memory name) internal view returns (bytes memory) {
        return VM.parseJsonBytes(json, string.concat(where, name));
    }

    function _number(string memory where, string memory name) internal view returns (uint64) {
        return uint64(VM.parseJsonUint(json, string.concat(where, name)));
    }

    function _hashes(string memory where) internal view returns (bytes32[] memory) {
        return VM.parseJsonBytes32Array(json, string.concat(where, ".hashes"));
    }

    function _rootAt(string memory where, uint64 size) internal view returns (bytes32) {
        return tree.rootOf(_word(where, ".leaf"), _number(where, ".index"), size, _hashes(where));
    }

    function _checkTrees() internal view returns (uint256 paths) {
        for (uint256 i = 0; _has(_at(".trees", i)); ++i) {
            string memory where = _at(".trees", i);
            (bytes32 root, uint64 size) = (_word(where, ".root"), _number(where, ".size"));
            where = string.concat(where, ".paths");
            for (uint256 j = 0; _has(_at(where, j)); ++j) {
                assert(_rootAt(_at(where, j), size) == root);
                ++paths;
            }
        }
    }

    function test_certificate_transparency_trees() public {
        _load("rfc6962");
        assert(_checkTrees() == 36);
    }

    function test_trees_of_items() public {
        _load("merkle");
        assert(_checkTrees() > 153);
        assert(_word(".trees[1].paths[0]", ".leaf") == tree.hashLeaf(sha256(abi.encodePacked(uint64(0)))));
        assert(_word(".trees[1].paths[1]", ".leaf") == tree.hashLeaf(sha256(abi.encodePacked(uint64(1)))));
    }

    function test_refused_paths() public {
        _load("merkle");
        uint256 i = 0;
        for (; _has(_at(".refused", i)); ++i) {
            string memory where = _at(".refused", i);
            (bytes32 leaf, uint64 index, uint64 size) =
                (_word(where, ".leaf"), _number(where, ".index"), _number(where, ".size"));
            bytes32[] memory path = _hashes(where);
            if (VM.parseJsonBool(json, string.concat(where, ".fits"))) {
                assert(tree.rootOf(leaf, index, size, path) != _word(where, ".root"));
                continue;
            }
            VM.expectRevert(abi.encodeWithSelector(Rfc6962.InvalidPath.selector, index, size, path.length));
            tree.rootOf(leaf, index, size, path);
        }
        assert(i > 15);
    }

    /// Puts the contracts at the addresses of the vectors; OpenZeppelin's EIP712 notices and rebuilds its domain.
    function _deployAtVectors() internal {
        _load("eip712");
        _deploy();
        assert(block.chainid == _number("", ".chainId"));
        VM.etch(_address("", ".identities"), address(identities).code);
        identities = Identities(_address("", ".identities"));
        VM.etch(_address("", ".registry"), address(new ContentRegistry(identities)).code);
        registry = ContentRegistry(_address("", ".registry"));
        VM.etch(_address("", ".models"), address(new ModelRegistry(identities)).code);
        models = ModelRegistry(_address("", ".models"));
    }

    function _workAt(string memory where) internal view returns (Work memory work) {
        work.content = _word(where, ".work.content");
        work.fingerprint = _word(where, ".work.fingerprint");
        work.origin = _word(where, ".originHash");
        work.model = _word(where, ".work.model");
        work.parents = _word(where, ".work.parents");
        work.metadata = _word(where, ".work.metadata");
    }

    function _checkWork(string memory where) internal {
        (Work memory work, bytes32 workId) = (_workAt(where), _word(where, ".workId"));
        (address creator, bytes32 salt) = (_address(where, ".creator"), _word(where, ".salt"));
        assert(registry.workIdOf(work) == workId);
        assert(registry.leafOf(creator, workId, salt) == _word(where, ".leaf"));

        registry.seal(_word(where, ".root"));
        VM.warp(block.timestamp + 1);
        Opening memory opening = Opening(creator, address(this), salt, 0, 1, new bytes32[](0));
        registry.claimFor(work, opening, _bytes(where, ".claim.signature"));
        assert(registry.claimOf(work.content).creator == creator);
    }

    function test_works_and_claim_signatures() public {
        _deployAtVectors();
        uint256 i = 0;
        for (; _has(_at(".works", i)); ++i) {
            _checkWork(_at(".works", i));
        }
        assert(i == 5);
    }

    function _checkModel(string memory where) internal {
        Model memory model = Model({
            publisher: _address(where, ".model.publisher"),
            weights: _word(where, ".model.weights"),
            root: _word(where, ".model.root"),
            card: _word(where, ".model.card"),
            data: _word(where, ".model.data"),
            licence: _word(where, ".licenceHash"),
            parents: _word(where, ".model.parents"),
            metrics: _word(where, ".model.metrics")
        });
        assert(models.modelIdOf(model) == _word(where, ".modelId"));
        models.publishFor(model, _bytes(where, ".publish.signature"));
        assert(models.timesOf(_word(where, ".modelId")).publishedAt == block.timestamp);
    }

    function test_models_and_publish_signatures() public {
        _deployAtVectors();
        uint256 i = 0;
        for (; _has(_at(".modelVersions", i)); ++i) {
            _checkModel(_at(".modelVersions", i));
        }
        assert(i == 3);
    }

    function _checkAdoption(string memory where) internal {
        string memory fields = string.concat(where, ".adoption");
        Adoption memory adoption = Adoption({
            identity: _address(fields, ".identity"),
            key: _address(fields, ".key"),
            commitment: _word(fields, ".commitment"),
            guardian: _address(fields, ".guardian")
        });
        VM.prank(adoption.identity);
        identities.register(keccak256(abi.encode(adoption.key)), address(0));
        identities.rotate(adoption, _bytes(where, ".adopt.signature"));
        assert(identities.currentOf(adoption.identity) == adoption.key);
    }

    function test_adoption_signatures() public {
        _deployAtVectors();
        uint256 i = 0;
        for (; _has(_at(".adoptions", i)); ++i) {
            _checkAdoption(_at(".adoptions", i));
        }
        assert(i == 2);
    }
}
