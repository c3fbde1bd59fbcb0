// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Escrow} from "../../../../contracts/Escrow.sol";
import {Oracle} from "../../../../contracts/Oracle.sol";
import {OracleNodes} from "../../../../contracts/OracleNodes.sol";
import {Terms} from "../../../../contracts/interfaces/IEscrow.sol";
import {Model} from "../../../../contracts/interfaces/IModelRegistry.sol";
import {Attestation, Policy, Request, Seat} from "../../../../contracts/interfaces/IOracle.sol";
import {Base} from "../Base.sol";
import {Arbiter, IDirector, Party, Token} from "./Mocks.sol";

/// Further cheatcodes.
interface MoreVm {
    function deal(address account, uint256 balance) external;
    function resetGasMetering() external;
}

/// Who takes part, what they hold, and how they sign: EIP-712 written with plain `abi.encode`.
///
/// Five nodes, of which the last two are liars and the second has code; five parties, of which two have code; an arbiter;
/// a stranger, who may stake but has no seat; and a friend whom a
/// node may name as its slasher. Two tokens, of which the second blocks recipients.
abstract contract Cast is Base, IDirector {
    MoreVm internal constant MORE = MoreVm(address(VM));

    uint256 internal constant NODE_COUNT = 5;
    uint256 internal constant HONEST = 3;
    uint256 internal constant PARTIES = 5;
    uint256 internal constant POLICIES = 3;
    uint256 internal constant FORTUNE = 1e30;
    uint256 internal constant PUBLISHER = 400;
    uint256 internal constant STRANGER = 500;
    address internal constant NOBODY = address(0);
    address internal constant BURN = 0x000000000000000000000000000000000000dEaD;

    OracleNodes public nodes;
    Oracle public oracle;
    Escrow public escrow;
    Arbiter internal _arbiter;
    address[3] internal _tokens;

    address[] internal _nodes;
    address[] internal _parties;
    address[] internal _people;
    address internal _stranger;
    address internal _friend;
    mapping(address account => uint256) internal _secretOf;
    mapping(address node => bool) internal _liar;
    mapping(address node => Model) internal _modelOf;

    /// The three policies, and a copy of the first one's code at an address that no Oracle chose.
    address[] internal _policies;
    mapping(address policy => bytes) internal _policyTerms;

    address internal _target;
    bytes internal _data;

    /// @inheritdoc IDirector
    function pending() external view returns (address, bytes memory) {
        if (_target == NOBODY) return (NOBODY, "");
        return (_target, _data);
    }

    function _castAll() internal {
        _deploy();
        nodes = new OracleNodes();
        oracle = new Oracle(nodes, models);
        escrow = new Escrow(oracle);
        _arbiter = new Arbiter();
        _tokens = [NOBODY, address(new Token()), address(new Token())];
        _castNodes();
        _castParties();
        _stranger = _enter(VM.addr(STRANGER), STRANGER);
        _nodes.push(_stranger);
        _friend = _enter(VM.addr(STRANGER + 1), STRANGER + 1);
        _foundPolicies();
    }

    function _enter(address account, uint256 secret) internal returns (address) {
        _people.push(account);
        _secretOf[account] = secret;
        MORE.deal(account, FORTUNE);
        for (uint256 i = 1; i < _tokens.length; ++i) {
            Token(_tokens[i]).mint(account, FORTUNE);
            VM.prank(account);
            Token(_tokens[i]).approve(address(escrow), type(uint256).max);
        }
        return account;
    }

    /// In ascending order, as policies want them: each from the next eighth of all addresses.
    function _castNodes() internal {
        for (uint256 secret = 1000; _nodes.length < NODE_COUNT; ++secret) {
            address node = VM.addr(secret);
            if (uint160(node) >> 157 != _nodes.length) continue;
            _nodes.push(_enter(node, secret));
            _liar[node] = _nodes.length > HONEST;
            _publish(node);
        }
        VM.etch(_nodes[1], address(new Party(_nodes[1], this)).code);
    }

    function _publish(address node) internal {
        _modelOf[node] = Model(VM.addr(PUBLISHER), keccak256(abi.encode(node)), 0, 0, 0, 0, 0, 0);
        VM.prank(VM.addr(PUBLISHER));
        models.publish(_modelOf[node]);
    }

    function _castParties() internal {
        for (uint256 i = 0; i < PARTIES; ++i) {
            address owner = VM.addr(200 + i);
            _parties.push(_enter(i < 2 ? address(new Party(owner, this)) : owner, 200 + i));
        }
    }

    function _foundPolicies() internal {
        uint32 day = 1 days;
        Policy memory p =
            Policy("three of five", address(_arbiter), 1001, 777, 1 ether, day, day, day, 3, 60, _seats(31));
        _found(p);
        _found(Policy("two of three", NOBODY, 0, 0, 0, 2 * day, 0, 0, 2, 1, _seats(11)));
        p = Policy(
            "two of two", address(_arbiter), 1 gwei, 0, 0.5 ether + 7, day / 2, day / 4, day / 4, 2, 100, _seats(6)
        );
        _found(p);
        address copy = address(0xC0DE);
        VM.etch(copy, _policies[0].code);
        _policies.push(copy);
        _policyTerms[copy] = _policyTerms[_policies[0]];
    }

    function _found(Policy memory terms) internal {
        address policy = oracle.createPolicy(terms);
        _policies.push(policy);
        _policyTerms[policy] = abi.encode(terms);
    }

    function _seats(uint256 who) internal view returns (Seat[] memory seats) {
        seats = new Seat[](_bits(who));
        uint256 next = 0;
        for (uint256 i = 0; i < NODE_COUNT; ++i) {
            if (who >> i & 1 == 1) seats[next++] = Seat(_nodes[i], models.modelIdOf(_modelOf[_nodes[i]]));
        }
    }

    function _policyOf(address policy) internal view returns (Policy memory) {
        return abi.decode(_policyTerms[policy], (Policy));
    }

    function _bits(uint256 mask) internal pure returns (uint256 many) {
        for (; mask != 0; mask >>= 1) {
            many += mask & 1;
        }
    }

    /* WHAT THEY SIGN */

    function _attestationHash(Attestation memory said) internal pure returns (bytes32) {
        bytes32 kind = keccak256(
            "Attestation(Request request,uint8 score,bytes32 evidence,uint40 issuedAt)Request(bytes32 subject,address policy,uint8 round)"
        );
        return keccak256(abi.encode(kind, _requestHash(said.request), said.score, said.evidence, said.issuedAt));
    }

    function _requestHash(Request memory asked) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("Request(bytes32 subject,address policy,uint8 round)"), asked));
    }

    /// 97 bytes: score, evidence, r, vs.
    function _attest(uint256 secret, address verifier, Attestation memory said) internal view returns (bytes memory) {
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", _domain(verifier), _attestationHash(said)));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(secret, digest);
        return _pack(said.score, said.evidence, r, s, v == 28);
    }

    function _pack(uint8 score, bytes32 evidence, bytes32 r, bytes32 s, bool odd) internal pure returns (bytes memory) {
        return abi.encodePacked(score, evidence, r, uint256(s) | (odd ? 1 << 255 : 0));
    }

    function _dealIdOf(Terms memory terms) internal view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", _domain(address(escrow)), _termsHash(terms)));
    }

    /// In two halves, for the compiler's stack.
    function _termsHash(Terms memory t) internal pure returns (bytes32) {
        bytes32 kind = keccak256(
            "Terms(address payer,address payee,address token,uint256 amount,address policy,bytes32 brief,uint40 deliverBy,uint40 verdictBy,uint40 disputeTime,uint40 rulingTime,uint40 revealTime,address arbiter,uint16 silenceShare,Milestone[] milestones,bytes32 buyerKey,bytes32 salt)Milestone(uint256 amount,uint40 deliverTime,uint40 verdictTime)"
        );
        bytes memory first = abi.encode(kind, t.payer, t.payee, t.token, t.amount, t.policy, t.brief, t.deliverBy);
        bytes memory second = abi.encode(
            t.verdictBy,
            t.disputeTime,
            t.rulingTime,
            t.revealTime,
            t.arbiter,
            t.silenceShare,
            _milestonesHash(t),
            t.buyerKey
        );
        return keccak256(bytes.concat(first, second, t.salt));
    }

    function _milestonesHash(Terms memory t) internal pure returns (bytes32) {
        bytes32 kind = keccak256("Milestone(uint256 amount,uint40 deliverTime,uint40 verdictTime)");
        bytes memory hashes = "";
        for (uint256 i = 0; i < t.milestones.length; ++i) {
            hashes = bytes.concat(hashes, keccak256(abi.encode(kind, t.milestones[i])));
        }
        return keccak256(hashes);
    }

    /// By the party's key, or for a party with code its owner's.
    function _signAmendment(address party, bytes32 from, bytes32 to) internal view returns (bytes memory) {
        bytes32 kind = keccak256("Amendment(bytes32 dealId,bytes32 newDealId)");
        return _sign(_secretOf[party], address(escrow), keccak256(abi.encode(kind, from, to)));
    }
}
