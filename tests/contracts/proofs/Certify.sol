// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ModelRegistry} from "../../../contracts/ModelRegistry.sol";
import {Identities} from "../../../contracts/Identities.sol";
import {Oracle} from "../../../contracts/Oracle.sol";
import {OracleNodes} from "../../../contracts/OracleNodes.sol";
import {Attestation, Policy, Request, Seat, Verdict} from "../../../contracts/interfaces/IOracle.sol";
import {Outcome} from "../../../contracts/interfaces/IVerdicts.sol";
import {Proof} from "./Proof.sol";

/// A verdict certifies one side: Pass needs k seats' signed scores at or above the pass score, Fail needs n - k + 1 below.
///
/// One real policy of SEATS seats, K of them enough, on the real Oracle; every signer mask, score, evidence and signature.
/// ecrecover is any function.
abstract contract CertifyProof is Proof {
    uint256 internal constant SIZE = 97;
    uint8 internal constant PASS = 70;
    bytes32 internal constant SUBJECT = keccak256("subject");

    Oracle internal oracle;
    address internal policy;
    uint256 internal seats;
    uint8 internal k;

    function _prepare(uint256 count, uint8 enough) internal {
        (seats, k) = (count, enough);
        OracleNodes nodes = new OracleNodes();
        oracle = new Oracle(nodes, new ModelRegistry(new Identities()));
        VM.warp(1_700_000_000);
        Seat[] memory places = new Seat[](count);
        for (uint256 i = 0; i < count; ++i) {
            places[i] = Seat(_node(i), keccak256(abi.encode("model", i)));
            VM.prank(places[i].node);
            nodes.join(address(oracle), 0);
        }
        policy = oracle.createPolicy(
            Policy(keccak256("delivery/1"), address(0), 0, 0, 0, 1 hours, 1 hours, 0, enough, PASS, places)
        );
        oracle.request(SUBJECT, policy);
    }

    function _node(uint256 seat) internal pure returns (address) {
        return address(uint160(0x1000 + seat));
    }

    /// Whoever submits `count` attestations, whichever they are.
    function _submit(uint256 count) internal returns (uint32 signers, bytes memory said, bool ok) {
        said = SVM.createBytes(SIZE * count, "attestations");
        signers = uint32(SVM.createUint256("signers"));
        (ok,) = _byAnyone(address(oracle), abi.encodeCall(oracle.submit, (SUBJECT, policy, signers, said)));
    }

    /// What `submit` stores follows from what was signed, by whom.
    function _certifies(uint256 count) internal {
        (uint32 signers, bytes memory said, bool ok) = _submit(count);
        Verdict memory verdict = oracle.recordOf(SUBJECT, policy);
        if (!ok) {
            assert(verdict.outcome == Outcome.None);
            return;
        }
        bool passed = verdict.outcome == Outcome.Pass;
        assert(passed || verdict.outcome == Outcome.Fail);
        assert(count >= (passed ? k : seats - k + 1));
        assert(verdict.signers == signers && signers >> seats == 0);
        uint256 next = 0;
        for (uint256 seat = 0; seat < seats; ++seat) {
            if (signers >> seat & 1 == 0) continue;
            _requireSigned(said, next++, _node(seat), verdict);
        }
        assert(next == count);
    }

    /// Attestation number `i` is the node's, and on the side of the verdict.
    function _requireSigned(bytes memory said, uint256 i, address node, Verdict memory verdict) internal view {
        uint8 score = uint8(said[SIZE * i]);
        (bytes32 evidence, bytes32 r, bytes32 vs) = (_word(said, i, 1), _word(said, i, 33), _word(said, i, 65));
        Attestation memory one = Attestation(Request(SUBJECT, policy, 0), score, evidence, verdict.requestedAt);
        bytes32 s = bytes32(uint256(vs) << 1 >> 1);
        assert(ecrecover(oracle.digestOf(one), uint8(27 + (uint256(vs) >> 255)), r, s) == node);
        bool passed = verdict.outcome == Outcome.Pass;
        assert(score <= 100 && (score >= PASS) == passed);
        assert(passed ? verdict.bound <= score : verdict.bound >= score);
    }

    function _word(bytes memory said, uint256 i, uint256 offset) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(add(said, 0x20), mul(i, SIZE)), offset))
        }
    }
}

/// Two of three.
contract TwoOfThreeProof is CertifyProof {
    function setUp() public {
        _prepare(3, 2);
    }

    function check_nobody_certifies_nothing() public {
        _certifies(0);
    }

    function check_one_seat_certifies_nothing() public {
        _certifies(1);
    }

    function check_two_seats_certify_their_side() public {
        _certifies(2);
    }

    function check_three_seats_certify_their_side() public {
        _certifies(3);
    }
}

/// Both outcomes of one request need a seat on both sides.
contract BothSidesProof is Proof {
    uint256 internal constant SEATS = 8;

    /// `k` seats of `seats` and `seats - k + 1` others share one, for every mask.
    function check_both_sides_share_a_seat(uint256 seats, uint256 k, uint256 passing, uint256 failing) public pure {
        VM.assume(seats <= SEATS && k <= seats && passing >> seats == 0 && failing >> seats == 0);
        VM.assume(_count(passing) >= k && _count(failing) >= seats - k + 1);
        assert(passing & failing != 0);
    }

    function _count(uint256 mask) internal pure returns (uint256 count) {
        for (uint256 seat = 0; seat < SEATS; ++seat) {
            count += mask >> seat & 1;
        }
    }
}
