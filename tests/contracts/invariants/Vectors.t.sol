// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Attestations} from "../../../contracts/libraries/Attestations.sol";
import {PolicyCode} from "../../../contracts/libraries/PolicyCode.sol";
import {Rfc6962} from "../../../contracts/libraries/Rfc6962.sol";
import {ContentRegistry} from "../../../contracts/ContentRegistry.sol";
import {Escrow} from "../../../contracts/Escrow.sol";
import {Identities} from "../../../contracts/Identities.sol";
import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {Oracle} from "../../../contracts/Oracle.sol";
import {OracleNodes} from "../../../contracts/OracleNodes.sol";
import {Opening, Work} from "../../../contracts/interfaces/IContentRegistry.sol";
import {Milestone, Terms} from "../../../contracts/interfaces/IEscrow.sol";
import {Adoption} from "../../../contracts/interfaces/IIdentities.sol";
import {Model} from "../../../contracts/interfaces/IModelRegistry.sol";
import {Attestation, Policy, Request, Seat, Verdict} from "../../../contracts/interfaces/IOracle.sol";
import {Outcome} from "../../../contracts/interfaces/IVerdicts.sol";
import {Base} from "./Base.sol";
import {Tree} from "./Rfc6962.t.sol";

/// A further cheatcode.
interface StoreVm {
    function store(address account, bytes32 slot, bytes32 value) external;
}

/// Reads one of the files that Python reads too.
abstract contract VectorFile is Base {
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

    function _amount(string memory where, string memory name) internal view returns (uint256) {
        return VM.parseJsonUint(json, string.concat(where, name));
    }

    function _hashes(string memory where) internal view returns (bytes32[] memory) {
        return VM.parseJsonBytes32Array(json, string.concat(where, ".hashes"));
    }
}

/// Same roots, same ids, and Python's signatures open the contracts' verbs.
contract VectorsTest is VectorFile {
    Tree internal tree = new Tree();

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

    /// `time` is later than before: the compiler takes block.timestamp for a constant and may read it once only.
    function _checkWork(string memory where, uint256 time) internal {
        (Work memory work, bytes32 workId) = (_workAt(where), _word(where, ".workId"));
        (address creator, bytes32 salt) = (_address(where, ".creator"), _word(where, ".salt"));
        assert(registry.workIdOf(work) == workId);
        assert(registry.leafOf(creator, workId, salt) == _word(where, ".leaf"));

        registry.seal(_word(where, ".root"));
        VM.warp(time);
        Opening memory opening = Opening(creator, address(this), salt, 0, 1, new bytes32[](0));
        registry.claimFor(work, opening, _bytes(where, ".claim.signature"));
        assert(registry.claimOf(work.content).creator == creator);
    }

    function test_works_and_claim_signatures() public {
        _deployAtVectors();
        uint256 i = 0;
        for (; _has(_at(".works", i)); ++i) {
            _checkWork(_at(".works", i), START + 1 + i);
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

/// Verdicts and deals: same code, same digests, same words, and Python's attestations make a verdict.
contract DealVectorsTest is VectorFile {
    OracleNodes internal nodes;
    Oracle internal oracle;
    Escrow internal escrow;

    function setUp() public {
        _load("deals");
        _deploy();
        assert(block.chainid == _number("", ".chainId"));
        nodes = new OracleNodes();
        VM.etch(_address("", ".oracle"), address(new Oracle(nodes, models)).code);
        oracle = Oracle(_address("", ".oracle"));
        VM.etch(_address("", ".escrow"), address(new Escrow(oracle)).code);
        escrow = Escrow(_address("", ".escrow"));
    }

    function _policyAt(string memory where) internal view returns (Policy memory policy) {
        policy.check = _word(where, ".check");
        policy.arbiter = _address(where, ".arbiter");
        policy.fee = uint96(_amount(where, ".fee"));
        policy.bond = uint96(_amount(where, ".bond"));
        policy.slash = uint96(_amount(where, ".slash"));
        policy.submitTime = uint32(_number(where, ".submitTime"));
        policy.challengeTime = uint32(_number(where, ".challengeTime"));
        policy.rulingTime = uint32(_number(where, ".rulingTime"));
        policy.k = uint8(_number(where, ".k"));
        policy.passScore = uint8(_number(where, ".passScore"));
        policy.seats = _seatsAt(string.concat(where, ".seats"));
    }

    function _count(string memory list) internal view returns (uint256 count) {
        while (_has(_at(list, count))) ++count;
    }

    function _seatsAt(string memory list) internal view returns (Seat[] memory seats) {
        seats = new Seat[](_count(list));
        for (uint256 i = 0; i < seats.length; ++i) {
            seats[i] = Seat(_address(_at(list, i), ".node"), _word(_at(list, i), ".model"));
        }
    }

    /// Creates the policy, with a contract for an arbiter.
    function _createPolicy(string memory where) internal returns (address, Policy memory policy) {
        policy = _policyAt(string.concat(where, ".policy"));
        if (policy.arbiter != address(0)) VM.etch(policy.arbiter, hex"00");
        return (oracle.createPolicy(policy), policy);
    }

    function _checkPolicy(string memory where) internal {
        bytes memory code = bytes.concat(hex"00", _bytes(where, ".encoded"));
        (address policy, Policy memory terms) = _createPolicy(where);
        assert(policy == _address(where, ".address"));
        assert(keccak256(policy.code) == keccak256(code));
        assert(keccak256(PolicyCode.initCode(code)) == _word(where, ".initCodeHash"));
        assert(keccak256(abi.encode(oracle.policyOf(policy))) == keccak256(abi.encode(terms)));
    }

    function test_policies() public {
        uint256 count = _count(".policies");
        for (uint256 i = 0; i < count; ++i) {
            _checkPolicy(_at(".policies", i));
        }
        assert(count == 3);
    }

    function _requestAt(string memory where) internal view returns (Request memory) {
        return Request(_word(where, ".subject"), _address(where, ".policy"), uint8(_number(where, ".round")));
    }

    function test_requests() public view {
        uint256 count = _count(".requests");
        for (uint256 i = 0; i < count; ++i) {
            string memory where = _at(".requests", i);
            Request memory asked = _requestAt(string.concat(where, ".request"));
            bytes32 hash = Attestations.requestHash(asked.subject, asked.policy, asked.round);
            assert(hash == _word(where, ".structHash"));
            assert(keccak256(abi.encode(asked.subject, asked.policy)) == _word(where, ".verdictKey"));
        }
        assert(count == 3);
    }

    function _attestationAt(string memory where) internal view returns (Attestation memory) {
        return Attestation(
            _requestAt(string.concat(where, ".request")),
            uint8(_number(where, ".score")),
            _word(where, ".evidence"),
            uint40(_number(where, ".issuedAt"))
        );
    }

    function _signerOf(bytes32 digest, bytes memory signature) internal pure returns (address) {
        (bytes32 r, bytes32 s) = (_wordIn(signature, 0), _wordIn(signature, 32));
        return ecrecover(digest, uint8(signature[64]), r, s);
    }

    function _wordIn(bytes memory data, uint256 at) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(data, 0x20), at))
        }
    }

    function test_attestations() public view {
        uint256 count = _count(".attestations");
        for (uint256 i = 0; i < count; ++i) {
            string memory where = _at(".attestations", i);
            bytes32 digest = oracle.digestOf(_attestationAt(string.concat(where, ".attestation")));
            assert(digest == _word(where, ".digest"));
            assert(_signerOf(digest, _bytes(where, ".signature")) == _address(where, ".node"));
        }
        assert(count == 6);
    }

    /// The five nodes join, and the request of the vectors is made at the time that they attest.
    function _request(Policy memory policy, Request memory asked) internal {
        for (uint256 i = 0; i < policy.seats.length; ++i) {
            payable(policy.seats[i].node).transfer(policy.slash);
            VM.prank(policy.seats[i].node);
            nodes.join{value: policy.slash}(address(oracle), 0);
        }
        VM.warp(_number(".attestations[0].attestation", ".issuedAt"));
        oracle.request{value: policy.fee}(asked.subject, asked.policy);
    }

    function _packed(uint256 seat) internal view returns (bytes memory) {
        return _bytes(_at(".attestations", seat), ".packed");
    }

    function test_attestations_make_a_verdict() public {
        (, Policy memory policy) = _createPolicy(".policies[1]");
        Request memory asked = _requestAt(".requests[0].request");
        _request(policy, asked);

        oracle.submit(asked.subject, asked.policy, 19, bytes.concat(_packed(0), _packed(1), _packed(4)));
        Verdict memory verdict = oracle.recordOf(asked.subject, asked.policy);
        assert(verdict.outcome == Outcome.Pass && verdict.signers == 19 && verdict.bound == 70);
    }

    /// The third variable of Oracle, after the two of EIP712.
    function _store(bytes32 key, bytes32 word) internal {
        StoreVm(address(VM)).store(address(oracle), keccak256(abi.encode(key, 3)), word);
    }

    function _checkVerdict(string memory where) internal {
        Request memory asked = _requestAt(".requests[0].request");
        _store(_word(".requests[0]", ".verdictKey"), _word(where, ".word"));
        Verdict memory verdict = oracle.recordOf(asked.subject, asked.policy);
        where = string.concat(where, ".verdict");
        assert(verdict.requestedAt == _number(where, ".requestedAt") && verdict.finalAt == _number(where, ".finalAt"));
        assert(verdict.ruledAt == _number(where, ".ruledAt") && verdict.signers == _number(where, ".signers"));
        assert(verdict.suspended == _number(where, ".suspended") && verdict.paid == _number(where, ".paid"));
        assert(verdict.bound == _number(where, ".bound") && verdict.round == _number(where, ".round"));
        assert(uint8(verdict.outcome) == _number(where, ".outcome") && uint8(verdict.stage) == _number(where, ".stage"));
    }

    function test_verdict_words() public {
        uint256 count = _count(".verdicts");
        for (uint256 i = 0; i < count; ++i) {
            _checkVerdict(_at(".verdicts", i));
        }
        assert(count == 6);
    }

    function _milestonesAt(string memory list) internal view returns (Milestone[] memory later) {
        later = new Milestone[](_count(list));
        for (uint256 i = 0; i < later.length; ++i) {
            string memory where = _at(list, i);
            uint40 deliverTime = uint40(_number(where, ".deliverTime"));
            later[i] = Milestone(_amount(where, ".amount"), deliverTime, uint40(_number(where, ".verdictTime")));
        }
    }

    function _termsAt(string memory where) internal view returns (Terms memory terms) {
        terms.payer = _address(where, ".payer");
        terms.payee = _address(where, ".payee");
        terms.token = _address(where, ".token");
        terms.amount = _amount(where, ".amount");
        terms.policy = _address(where, ".policy");
        terms.brief = _word(where, ".brief");
        terms.deliverBy = uint40(_number(where, ".deliverBy"));
        terms.verdictBy = uint40(_number(where, ".verdictBy"));
        terms.disputeTime = uint40(_number(where, ".disputeTime"));
        terms.rulingTime = uint40(_number(where, ".rulingTime"));
        terms.revealTime = uint40(_number(where, ".revealTime"));
        terms.arbiter = _address(where, ".arbiter");
        terms.silenceShare = uint16(_number(where, ".silenceShare"));
        terms.milestones = _milestonesAt(string.concat(where, ".milestones"));
        terms.buyerKey = _word(where, ".buyerKey");
        terms.salt = _word(where, ".salt");
    }

    function test_terms() public view {
        uint256 count = _count(".terms");
        for (uint256 i = 0; i < count; ++i) {
            string memory where = _at(".terms", i);
            bytes32 dealId = escrow.dealIdOf(_termsAt(string.concat(where, ".terms")));
            assert(dealId == _word(where, ".dealId"));
            bytes32 digest =
                keccak256(abi.encodePacked("\x19\x01", _domain(address(escrow)), _word(where, ".structHash")));
            assert(dealId == digest);
        }
        assert(count == 3);
    }

    function test_subjects() public view {
        uint256 count = _count(".subjects");
        for (uint256 i = 0; i < count; ++i) {
            string memory where = _at(".subjects", i);
            (bytes32 dealId, bytes32 delivery) = (_word(where, ".dealId"), _word(where, ".delivery"));
            bytes32 subject = escrow.subjectOf(dealId, uint8(_number(where, ".milestone")), delivery);
            assert(subject == _word(where, ".subject"));
        }
        assert(count == 4);
    }

    function test_amendments() public view {
        uint256 count = _count(".amendments");
        for (uint256 i = 0; i < count; ++i) {
            string memory where = _at(".amendments", i);
            string memory both = string.concat(where, ".amendment");
            bytes32 digest = escrow.amendmentDigest(_word(both, ".dealId"), _word(both, ".newDealId"));
            assert(digest == _word(where, ".amend.digest"));
            assert(_signerOf(digest, _bytes(where, ".amend.signature")) == _address(where, ".payer"));
        }
        assert(count == 2);
    }
}
