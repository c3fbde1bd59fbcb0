// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IOracle} from "../interfaces/IOracle.sol";

/// @title Attestations
/// @notice Verifies the attestations of many seats over one request.
/// @dev Assembly, because the hashes of all seats share most of their words: `python -m bench gas` measures it.
library Attestations {
    /// @dev EIP-712 types `Request` and `Attestation`.
    bytes32 internal constant REQUEST_TYPEHASH = keccak256("Request(bytes32 subject,address policy,uint8 round)");
    bytes32 internal constant TYPEHASH = keccak256(
        "Attestation(Request request,uint8 score,bytes32 evidence,uint40 issuedAt)Request(bytes32 subject,address policy,uint8 round)"
    );
    /// @dev score 1, evidence 32, r 32, vs 32.
    uint256 internal constant SIZE = 97;
    /// @dev secp256k1 n / 2: a higher s is the malleable twin of a lower one.
    uint256 internal constant HALF_N = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// @notice Struct hash of a request.
    function requestHash(bytes32 subject, address policy, uint256 round) internal pure returns (bytes32 hash) {
        bytes32 typehash = REQUEST_TYPEHASH;
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, typehash)
            mstore(add(m, 0x20), subject)
            mstore(add(m, 0x40), policy)
            mstore(add(m, 0x60), round)
            hash := keccak256(m, 0x80)
        }
    }

    /// @notice The lowest and the highest score that the seats in `signers` attest. Reverts BadAttestation, BadLength.
    /// @param domain EIP-712 domain separator.
    /// @param request Struct hash of the request.
    /// @param nodes Memory address of the seats: a word with the node, a word with the model, and so on. Each node differs
    /// from the others and from 0.
    /// @param signers WARNING: the caller has checked that every bit has a seat.
    function scores(
        bytes32 domain,
        bytes32 request,
        uint256 issuedAt,
        uint256 nodes,
        uint256 signers,
        bytes calldata attestations
    ) internal view returns (uint256 lowest, uint256 highest, uint256 count) {
        bytes32 typehash = TYPEHASH;
        bytes4 badAttestation = IOracle.BadAttestation.selector;
        uint256 data;
        assembly ("memory-safe") {
            let m := mload(0x40)
            mstore(m, typehash) // m: Attestation: type, request, score, evidence, issuedAt
            mstore(add(m, 0x20), request)
            mstore(add(m, 0x80), issuedAt)
            mstore(add(m, 0xa0), shl(240, 0x1901)) // m + 0xa0: 0x1901, domain, struct hash
            mstore(add(m, 0xa2), domain)
            data := attestations.offset
            lowest := 255
            mstore(0, 0)
            for { let seats := signers } seats {
                seats := shr(1, seats)
                nodes := add(nodes, 0x40)
            } {
                if iszero(and(seats, 1)) { continue }
                let score := byte(0, calldataload(data))
                if lt(score, lowest) { lowest := score }
                if gt(score, highest) { highest := score }
                mstore(add(m, 0x40), score)
                mstore(add(m, 0x60), calldataload(add(data, 1)))
                mstore(add(m, 0xc2), keccak256(m, 0xa0))
                // m + 0x100: digest, v, r, s for ecrecover (address 1). When it fails it writes nothing: 0, or the signer
                // before, stays, which is not this node
                mstore(add(m, 0x100), keccak256(add(m, 0xa0), 0x42))
                let s := calldataload(add(data, 65))
                mstore(add(m, 0x120), add(27, shr(255, s)))
                mstore(add(m, 0x140), calldataload(add(data, 33)))
                s := shr(1, shl(1, s))
                mstore(add(m, 0x160), s)
                pop(staticcall(gas(), 1, add(m, 0x100), 0x80, 0, 0x20))
                if or(xor(mload(0), mload(nodes)), gt(s, HALF_N)) {
                    mstore(0, badAttestation) // with the signer's place among those that signed
                    mstore(4, div(sub(data, attestations.offset), SIZE))
                    revert(0, 0x24)
                }
                data := add(data, SIZE)
            }
            data := sub(data, attestations.offset)
        }
        require(attestations.length == data, IOracle.BadLength(attestations.length));
        count = data / SIZE;
    }
}
