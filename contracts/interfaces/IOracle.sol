// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.27;

import {IArbitrable} from "./IArbitration.sol";
import {IModelRegistry} from "./IModelRegistry.sol";
import {IOracleNodes} from "./IOracleNodes.sol";
import {IVerdicts, Outcome} from "./IVerdicts.sol";

/// @notice A place in a committee.
struct Seat {
    /// Signs with ECDSA: a key, not a contract.
    address node;
    /// The modelId that the node judges with.
    bytes32 model;
}

/// @notice Who judges, and how. A policy is the code of a contract; its address is its id.
struct Policy {
    /// keccak256 of the name of the question, such as "delivery/1".
    bytes32 check;
    /// ERC-792 contract that rules on challenges; 0: nobody can challenge.
    address arbiter;
    /// Wei for the signers, paid with each request.
    uint96 fee;
    /// Wei that a challenger risks.
    uint96 bond;
    /// Wei of stake that a seat must hold, and loses when slashed.
    uint96 slash;
    /// Seconds from the request in which a verdict may be submitted.
    uint32 submitTime;
    /// Seconds from the verdict in which it may be challenged.
    uint32 challengeTime;
    /// Seconds from the challenge in which the arbiter may rule.
    uint32 rulingTime;
    /// Scores at or above `passScore` that make Pass: more than half of the seats. seats - k + 1 below it make Fail.
    uint8 k;
    /// 1 to 100.
    uint8 passScore;
    /// At most 32, ascending by node.
    Seat[] seats;
}

/// @notice What nodes are asked: struct hash of EIP-712 type `Request`.
struct Request {
    bytes32 subject;
    address policy;
    /// 0, and one more after each lapse.
    uint8 round;
}

/// @notice What one node says: EIP-712 type `Attestation`, signed by its key.
struct Attestation {
    Request request;
    /// 0 to 100.
    uint8 score;
    /// keccak256 of the evidence document, which names the node and its model.
    bytes32 evidence;
    /// The request's time, so that signing again after a crash gives the same attestation.
    uint40 issuedAt;
}

/// @notice Two attestations of one seat for one request, on opposite sides of the pass score.
struct Equivocation {
    Request request;
    uint8 seat;
    /// As both attest.
    uint40 issuedAt;
    /// 97 bytes each, as for `submit`.
    bytes passing;
    bytes failing;
}

/// @notice How far a challenge is.
enum Stage {
    Unchallenged,
    Challenged,
    Upheld,
    Annulled,
    Overturned,
    Declined
}

/// @notice The state of a request and its verdict. One storage slot. Bit i of a mask is seat i.
struct Verdict {
    uint40 requestedAt;
    /// End of the challenge window; 0 before a verdict.
    uint40 finalAt;
    /// When the arbiter ruled; 0 before.
    uint40 ruledAt;
    uint32 signers;
    /// Seats that may not sign: as of the request.
    uint32 suspended;
    /// Signers already paid, or slashed.
    uint32 paid;
    /// Lowest score of a Pass, highest of a Fail, as submitted.
    uint8 bound;
    uint8 round;
    Outcome outcome;
    Stage stage;
}

/// @notice A challenge. One storage slot.
struct Challenge {
    /// 0 once the bond is settled.
    address challenger;
    uint40 rulingBy;
}

/// @title Oracle
/// @notice Policies, requests, attestations, verdicts, challenges.
///
/// Status of (subject, policy), derived from the stored facts and the time:
///
/// | from \ to   | requested | decided  | challenged  | ruled   | effective   | lapsed |
/// |-------------|-----------|----------|-------------|---------|-------------|--------|
/// | none        | `request` | forbidden| forbidden   | forbidden | forbidden | forbidden |
/// | requested   | forbidden | `submit` by k scores ≥ pass, or seats - k + 1 below | forbidden | forbidden | forbidden | by time, after submitTime |
/// | decided     | forbidden | forbidden| `challenge` before finalAt | forbidden | by time, at finalAt | forbidden |
/// | challenged  | forbidden | forbidden| forbidden   | `rule`, until rulingBy | by time, at rulingBy: upheld | forbidden |
/// | ruled       | forbidden | forbidden| forbidden   | forbidden | at once   | forbidden |
/// | effective   | forbidden | forbidden| forbidden   | forbidden | –         | forbidden |
/// | lapsed      | `request`: the next round | forbidden | forbidden | forbidden | forbidden | – |
///
/// Rulings: 1 upholds (the bond goes to the signers), 2 annuls (Void, for good), 3 overturns (the outcome flips, the
/// signers lose `slash` each, half of it to the challenger, the rest burned). Any other ruling, or none in time, upholds
/// and returns the bond.
///
/// @dev Pass needs k scores and Fail needs seats - k + 1: both can exist only when a seat signed on both sides, so
/// whoever picks which attestations to submit gains nothing. The first outcome stands.
/// @dev WARNING to nodes: sign for policies and arbiters on your own list only; anyone may create a policy that names you.
/// @dev WARNING to challengers and reporters: who sees your transaction pending can copy it and take your reward.
/// @dev WARNING to those who compose committees: independence of the seats is not checked here.
interface IOracle is IVerdicts, IArbitrable {
    event PolicyCreated(address indexed policy, bytes32 indexed check, Policy terms);
    /// @notice `suspended` seats may not sign this round.
    event Requested(
        bytes32 indexed subject,
        address indexed policy,
        address indexed requester,
        uint8 round,
        uint40 requestedAt,
        uint32 suspended
    );
    /// @notice `verdict` is the record as it is stored: the fields of `Verdict`, packed from the lowest bit.
    event Submitted(bytes32 indexed subject, address indexed policy, uint256 verdict);
    event Challenged(
        bytes32 indexed subject,
        address indexed policy,
        address indexed challenger,
        uint256 disputeId,
        uint40 rulingBy,
        string reason
    );
    /// @notice `key` is keccak256(abi.encode(subject, policy)).
    event VerdictRuled(bytes32 indexed key, Stage stage, Outcome outcome);
    event SeatSuspended(address indexed policy, uint8 indexed seat, address by);
    event EquivocationSlashed(
        bytes32 indexed subject, address indexed policy, address indexed node, uint8 round, uint256 taken
    );
    /// @notice `amount` wei of the round's fee or bond went to `account`.
    event FeePaid(
        bytes32 indexed subject, address indexed policy, address indexed account, uint8 round, uint256 amount
    );

    /// @notice A policy has 1 to 32 seats, `k` of which more than half and all must suffice.
    error BadQuorum(uint256 seats, uint8 k);
    /// @notice A pass score lies between 1 and 100.
    error BadPassScore(uint8 passScore);
    /// @notice Nodes must be given in ascending order, each once, without 0.
    error NotAscending(address node);
    /// @notice Submitting, challenging and ruling would take `total` seconds; at most `limit`, so that liars are
    /// slashed before they can withdraw. Times to submit are positive; those of a challenge need an arbiter.
    error BadTimes(uint256 total, uint256 limit);
    /// @notice This Oracle created no policy at that address.
    error UnknownPolicy(address policy);
    /// @notice A request is open, or was answered.
    error AlreadyRequested(bytes32 subject, address policy, uint8 round);
    /// @notice Only `active` seats may sign; the policy needs `k`.
    error TooFewSeats(uint256 active, uint8 k);
    /// @notice `due` wei must be sent along, exactly.
    error WrongPayment(uint256 sent, uint256 due);
    /// @notice Nobody asked.
    error NotRequested(bytes32 subject, address policy);
    /// @notice The first outcome stands.
    error AlreadyDecided(Outcome outcome);
    /// @notice The time to submit ended at `deadline`: request again.
    error Lapsed(uint256 deadline);
    /// @notice These seats may not sign, or do not exist.
    error SuspendedSeats(uint32 seats);
    /// @notice The attestation at `position` (from 0) is not its seat's, is malleable (high s), or says something else.
    error BadAttestation(uint256 position);
    /// @notice `length` bytes are not 97 (score, evidence, r, vs) for each signer.
    error BadLength(uint256 length);
    /// @notice Scores on both sides of `pass`, or above 100: certify one side.
    error MixedSides(uint256 lowest, uint256 highest, uint8 passScore);
    /// @notice `signers` attestations do not make this outcome; `needed` do.
    error NoQuorum(uint256 signers, uint256 needed);
    /// @notice There is no verdict that could be challenged now.
    error NotChallengeable(Outcome outcome, uint40 finalAt, Stage stage);
    /// @notice The policy names no arbiter, or one without code.
    error NoArbiter();
    /// @notice The arbiter gave a dispute number that it had given before.
    error DisputeExists(uint256 disputeId);
    /// @notice The sender opened no such dispute here.
    error UnknownDispute(address arbiter, uint256 disputeId);
    /// @notice These two attestations are on the same side.
    error NoEquivocation(uint256 first, uint256 second);
    /// @notice This equivocation was slashed before.
    error AlreadySlashed(address node);
    /// @notice `node` has no stake left to take.
    error NothingTaken(address node);
    /// @notice Only the node itself may suspend its seat, or anyone once its model is revoked.
    error MayNotSuspend(address caller, uint8 seat);
    /// @notice The verdict may change until `effectiveAt`.
    error NotEffective(uint40 effectiveAt);
    /// @notice Nothing is left to pay, or no recipient takes it now.
    error NothingDue();

    /// @notice Creates the policy, or returns it when it exists. Permissionless.
    function createPolicy(Policy calldata terms) external returns (address policy);

    /// @notice Asks the committee of `policy` about `subject`; sends exactly its fee. Permissionless.
    /// @dev Nodes that left, hold too little stake or answer to another slasher are suspended for this round; n, k and
    /// both thresholds never change. After a lapse the next round may be requested.
    function request(bytes32 subject, address policy) external payable;

    /// @notice Decides the open request. Permissionless.
    /// @param signers The seats whose attestations follow, which must all be on one side of the pass score.
    /// @param attestations For each signer, ascending: score (1 byte), evidence (32), r (32), vs (32, EIP-2098).
    function submit(bytes32 subject, address policy, uint32 signers, bytes calldata attestations) external;

    /// @notice Asks the arbiter to review the verdict. Sends exactly the bond and the arbitration cost.
    function challenge(bytes32 subject, address policy, string calldata reason) external payable;

    /// @notice Slashes a seat for two attestations of one request on opposite sides; a sixteenth rewards the sender.
    function slashEquivocation(Equivocation calldata proof) external;

    /// @notice Takes a seat out of all later requests, for good. By its node, or by anyone once its model is revoked.
    function suspendSeat(address policy, uint8 seat) external;

    /// @notice Pays all that a round owes now: fee and bond to whom they belong; slashes whom a ruling overturned.
    /// @dev A recipient that refuses keeps its claim; nobody else is held up. Who needs more than 50,000 gas to be paid
    /// calls itself. A remainder below 32 wei stays here.
    function withdraw(bytes32 subject, address policy, uint8 round) external;

    /// @notice Stakes.
    function NODES() external view returns (IOracleNodes);

    /// @notice Knows which models are revoked.
    function MODELS() external view returns (IModelRegistry);

    /// @notice Whether this Oracle created a policy at that address.
    function isPolicy(address policy) external view returns (bool);

    /// @notice The policy at that address; reverts with {UnknownPolicy}.
    function policyOf(address policy) external view returns (Policy memory);

    /// @notice Seats that were taken out of all later requests.
    function suspendedOf(address policy) external view returns (uint32);

    /// @notice The stored record of the newest round.
    function recordOf(bytes32 subject, address policy) external view returns (Verdict memory);

    /// @notice The stored challenge.
    function challengeOf(bytes32 subject, address policy) external view returns (Challenge memory);

    /// @notice Who paid the fee of a round and did not get it back; 0 for none.
    function requesterOf(bytes32 subject, address policy, uint8 round) external view returns (address);

    /// @notice What a node signs (EIP-712).
    function digestOf(Attestation calldata attestation) external view returns (bytes32);
}
