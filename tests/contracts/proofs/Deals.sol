// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Escrow} from "../../../contracts/Escrow.sol";
import {Deal, State} from "../../../contracts/interfaces/IEscrow.sol";
import {IVerdicts, Outcome} from "../../../contracts/interfaces/IVerdicts.sol";
import {Proof} from "./Proof.sol";

/// Any verdict on anything: its storage is symbolic.
contract AnyVerdicts is IVerdicts {
    struct Said {
        uint40 finalAt;
        uint40 effectiveAt;
    }

    mapping(bytes32 subject => mapping(address policy => uint256)) internal _outcomes;
    mapping(bytes32 subject => mapping(address policy => Said)) internal _said;

    function verdictOf(bytes32 subject, address policy) external view returns (Outcome, uint40, uint40) {
        Said memory said = _said[subject][policy];
        return (Outcome(_outcomes[subject][policy] % 4), said.finalAt, said.effectiveAt);
    }
}

/// The hash of the terms binds every word of them, and a verb acts on the deal of its own terms only.
///
/// Escrow begins in any state. Terms are raw words, so that values that Solidity's types could not hold are among them.
contract DealsProof is Proof {
    uint256 internal constant WORDS = 16;

    Escrow internal escrow;

    function setUp() public {
        AnyVerdicts verdicts = new AnyVerdicts();
        escrow = new Escrow(verdicts);
        SVM.enableSymbolicStorage(address(verdicts));
        SVM.enableSymbolicStorage(address(escrow));
    }

    /* THE DIGEST */

    function check_terms_of_one_digest_are_the_same_terms() public {
        _requireInjective(0, 0);
    }

    function check_terms_of_one_digest_have_the_same_milestone() public {
        _requireInjective(1, 1);
    }

    function check_terms_of_one_digest_have_as_many_milestones() public {
        _requireInjective(0, 1);
    }

    function deep_terms_of_one_digest_have_the_same_milestones() public {
        _requireInjective(2, 2);
    }

    /// Terms with `m` and `n` later milestones that have one digest are the same, word by word.
    function _requireInjective(uint256 m, uint256 n) internal {
        (bytes memory one, bytes memory other) = (_terms(m), _terms(n));
        (bool clean, bytes32 first) = _idOf(one);
        (bool alsoClean, bytes32 second) = _idOf(other);
        if (!clean || !alsoClean || first != second) return;
        assert(m == n);
        for (uint256 at = 0x20; at <= one.length; at += 0x20) {
            assert(_wordAt(one, at) == _wordAt(other, at));
        }
    }

    /* THE DEAL */

    /// Without a deal of its terms no verb does anything.
    function check_deliver_needs_its_deal() public {
        _requireDeal(escrow.deliver.selector);
    }

    function check_release_needs_its_deal() public {
        _requireDeal(escrow.release.selector);
    }

    function check_refund_needs_its_deal() public {
        _requireDeal(escrow.refund.selector);
    }

    function check_settle_needs_its_deal() public {
        _requireDeal(escrow.settle.selector);
    }

    function check_dispute_needs_its_deal() public {
        _requireDeal(escrow.dispute.selector);
    }

    function check_expire_needs_its_deal() public {
        _requireDeal(escrow.expire.selector);
    }

    function _requireDeal(bytes4 verb) internal {
        bytes memory terms = _terms(1);
        (bool clean, bytes32 dealId) = _idOf(terms);
        VM.assume(clean && _hasNone(escrow.dealOf(dealId)));
        _atAnyTime();
        (bool ok,) = _byAnyone(address(escrow), _callOf(verb, terms));
        assert(!ok);
    }

    /// With a deal of its terms a verb changes no other.
    function check_deliver_changes_its_own_deal_only(bytes32 other) public {
        _requireFrame(escrow.deliver.selector, other);
    }

    function check_release_changes_its_own_deal_only(bytes32 other) public {
        _requireFrame(escrow.release.selector, other);
    }

    function check_refund_changes_its_own_deal_only(bytes32 other) public {
        _requireFrame(escrow.refund.selector, other);
    }

    function deep_settle_changes_its_own_deal_only(bytes32 other) public {
        _requireFrame(escrow.settle.selector, other);
    }

    function deep_expire_changes_its_own_deal_only(bytes32 other) public {
        _requireFrame(escrow.expire.selector, other);
    }

    /// A deal in coin, its first milestone.
    function _requireFrame(bytes4 verb, bytes32 other) internal {
        bytes memory terms = _terms(0);
        VM.assume(_wordAt(terms, 0x60) == 0);
        (, bytes32 dealId) = _idOf(terms);
        VM.assume(other != dealId && escrow.dealOf(dealId).milestone == 0);
        Deal memory before = escrow.dealOf(other);
        _atAnyTime();
        _byAnyone(address(escrow), _callOf(verb, terms));
        assert(keccak256(abi.encode(escrow.dealOf(other))) == keccak256(abi.encode(before)));
    }

    /* WORDS */

    /// Any terms with `later` milestones after the first: sixteen words, the milestones' number and their words.
    function _terms(uint256 later) internal returns (bytes memory) {
        return abi.encodePacked(
            SVM.createBytes(13 * 0x20, "terms"),
            WORDS * 0x20,
            SVM.createBytes(2 * 0x20, "buyerKey, salt"),
            later,
            SVM.createBytes(later * 0x60, "milestones")
        );
    }

    function _idOf(bytes memory terms) internal returns (bool ok, bytes32 dealId) {
        bytes memory answer;
        (ok, answer) = address(escrow).staticcall(_callOf(escrow.dealIdOf.selector, terms));
        if (ok) dealId = abi.decode(answer, (bytes32));
    }

    /// The call of a verb with these terms, and any other arguments; texts and signatures are empty.
    function _callOf(bytes4 verb, bytes memory terms) internal returns (bytes memory) {
        uint256 any = SVM.createUint256("milestone") & 0xff;
        if (verb == escrow.release.selector) return abi.encodePacked(verb, uint256(0x40), any, terms);
        if (verb == escrow.deliver.selector) {
            bytes32 delivery = SVM.createBytes32("delivery");
            return abi.encodePacked(verb, uint256(0x80), any, delivery, 0x80 + terms.length, terms, uint256(0));
        }
        if (verb == escrow.dispute.selector) {
            return abi.encodePacked(verb, uint256(0x40), 0x40 + terms.length, terms, uint256(0));
        }
        return abi.encodePacked(verb, uint256(0x20), terms);
    }

    function _hasNone(Deal memory deal) internal pure returns (bool) {
        return deal.state == State.None && deal.delivery == 0 && deal.deliveredAt == 0 && deal.rulingBy == 0
            && deal.milestone == 0;
    }

    function _wordAt(bytes memory data, uint256 at) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(data, at))
        }
    }
}
