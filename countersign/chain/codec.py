"""Calls to bytes, logs to records, reverts to words; from the ABIs that ship with the package."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_abi.exceptions import DecodingError

from countersign.canonical import checksum, from_hex, keccak, text_hash, to_hex
from countersign.chain.unpack import Malformed, read_struct
from countersign.errors import ChainError, Reverted
from countersign.records import Model, Opening, Policy, State, Terms, Work
from countersign.times import utc

__all__ = [
    "Event",
    "Log",
    "decode_call",
    "decode_log",
    "decode_result",
    "encode_call",
    "event_topic",
    "revert_error",
    "tuple_of",
]

_CONTRACTS = ("ContentRegistry", "Identities", "ModelRegistry", "OracleNodes", "Oracle", "Escrow")

_Fragment = dict[str, Any]


class Log(NamedTuple):
    """A raw log as the node gave it, with its place on the chain. ``time`` is its block's, where the node says it."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    index: int  # type: ignore[assignment]  # hides a method of tuples; a million logs are made far faster as tuples
    transaction: bytes
    time: int | None = None


class Event(NamedTuple):
    """A decoded log: ``name`` and its arguments by name (addresses and hashes as bytes, structs as dicts)."""

    name: str
    arguments: dict[str, Any]
    log: Log


@cache
def _abi(contract: str) -> tuple[_Fragment, ...]:
    return tuple(json.loads((files("countersign.chain") / "abi" / f"{contract}.json").read_text()))


def _type(parameter: _Fragment) -> str:
    kind: str = parameter["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, parameter['components']))}){kind.removeprefix('tuple')}"


def _types(parameters: Sequence[_Fragment]) -> list[str]:
    return [_type(parameter) for parameter in parameters]


def _hash(fragment: _Fragment) -> bytes:
    return keccak(f"{fragment['name']}({','.join(_types(fragment['inputs']))})".encode())


@cache
def _function(contract: str, name: str) -> _Fragment:
    return next(f for f in _abi(contract) if f["type"] == "function" and f["name"] == name)


@cache
def _by_hash(kind: str) -> dict[bytes, _Fragment]:
    return {_hash(f): f for contract in _CONTRACTS for f in _abi(contract) if f["type"] == kind}


def encode_call(contract: str, function: str, *arguments: Any) -> bytes:
    """Calldata of ``contract.function(*arguments)``; structs as tuples, addresses as 20 bytes."""
    fragment = _function(contract, function)
    return _hash(fragment)[:4] + abi_encode(_types(fragment["inputs"]), [_addresses(a) for a in arguments])


def decode_call(contract: str, data: bytes) -> tuple[str, dict[str, Any]] | None:
    """The function that calldata calls and its arguments by name (structs as dicts, addresses as 20 bytes); None when
    it is no call of one of the contract's functions, or a malformed one."""
    functions = (f for f in _abi(contract) if f["type"] == "function")
    fragment = next((f for f in functions if _hash(f)[:4] == data[:4]), None)
    if fragment is None:
        return None
    try:
        values = abi_decode(_types(fragment["inputs"]), data[4:])
    except (DecodingError, ValueError, OverflowError):
        return None
    return fragment["name"], _named(fragment["inputs"], tuple(map(_plain, values)))


def _named(parameters: Sequence[_Fragment], values: Sequence[Any]) -> dict[str, Any]:
    """Values by name, structs as dicts."""
    return {
        p["name"]: _named(p["components"], value) if p["type"] == "tuple" else value
        for p, value in zip(parameters, values, strict=True)
    }


def decode_result(contract: str, function: str, data: bytes) -> Any:
    """The single result of a view, addresses as 20 bytes; a struct or several results as a tuple."""
    outputs = _function(contract, function)["outputs"]
    values = tuple(map(_plain, abi_decode(_types(outputs), data)))
    return values[0] if len(values) == 1 else values


def tuple_of(record: Work | Model | Opening | Policy | Terms) -> tuple[Any, ...]:
    """A record as the contracts' struct: strings travel as their hash."""
    return _STRUCTS[type(record)](record)


def _work(w: Work) -> tuple[Any, ...]:
    return (w.content, w.fingerprint, text_hash(w.origin), w.model, w.parents, w.metadata)


def _model(m: Model) -> tuple[Any, ...]:
    return (m.publisher, m.weights, m.root, m.card, m.data, text_hash(m.licence), m.parents, m.metrics)


def _opening(o: Opening) -> tuple[Any, ...]:
    return (o.creator, o.sealer, o.salt, o.path.index, o.path.size, list(o.path.hashes))


def _policy(p: Policy) -> tuple[Any, ...]:
    seats = [(seat.node, seat.model) for seat in p.seats]
    times = (p.submit_time, p.challenge_time, p.ruling_time)
    return (p.check, p.arbiter, p.fee, p.bond, p.slash, *times, p.k, p.pass_score, seats)


def _terms(t: Terms) -> tuple[Any, ...]:
    later = [(m.amount, m.deliver_time, m.verdict_time) for m in t.milestones]
    times = (t.deliver_by, t.verdict_by, t.dispute_time, t.ruling_time, t.reveal_time)
    parties = (t.payer, t.payee, t.token, t.amount, t.policy, t.brief)
    return (*parties, *times, t.arbiter, t.silence_share, later, t.buyer_key, t.salt)


_STRUCTS: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    Work: _work,
    Model: _model,
    Opening: _opening,
    Policy: _policy,
    Terms: _terms,
}


def _addresses(value: Any) -> Any:
    """eth_abi takes addresses as hex only."""
    if isinstance(value, bytes) and len(value) == 20:
        return to_hex(value)
    return tuple(map(_addresses, value)) if isinstance(value, tuple | list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return from_hex(value, 20)
    return tuple(map(_plain, value)) if isinstance(value, tuple | list) else value


def event_topic(name: str) -> bytes:
    """First topic of the event ``name``."""
    return next(topic for topic, fragment in _by_hash("event").items() if fragment["name"] == name)


@dataclass(frozen=True)
class _EventReader:
    """How the log of one event is read."""

    name: str
    topics: int
    indexed: Callable[[bytes], dict[str, Any]]
    plain: Callable[[bytes], dict[str, Any]]

    @classmethod
    def of(cls, fragment: _Fragment) -> _EventReader:
        """From the event's ABI. Every indexed parameter of ours is a word: a topic holds it as a struct would."""
        indexed = [p for p in fragment["inputs"] if p["indexed"]]
        plain = [p for p in fragment["inputs"] if not p["indexed"]]
        return cls(fragment["name"], 1 + len(indexed), read_struct(indexed), read_struct(plain))

    def arguments(self, log: Log) -> dict[str, Any]:
        """Arguments by name. Raises Malformed when the log is not of this event."""
        if len(log.topics) != self.topics:
            raise Malformed(f"it has {len(log.topics)} topics")
        return self.indexed(b"".join(log.topics[1:])) | self.plain(log.data)


@cache
def _event_readers() -> dict[bytes, _EventReader]:
    return {topic: _EventReader.of(fragment) for topic, fragment in _by_hash("event").items()}


def decode_log(log: Log) -> Event | None:
    """The event a log records, or None when it is none of ours. Text that is no UTF-8 is read with U+FFFD for what is
    not. Raises ChainError when the data is not the event's: the node does not tell the truth."""
    reader = _event_readers().get(log.topics[0]) if log.topics else None
    if reader is None:
        return None
    try:
        return Event(reader.name, reader.arguments(log), log)
    except Malformed as error:
        raise ChainError(f"The node gave a log of {reader.name} that is none: {error}.", "Use another node.") from error


_WORDS = {
    "NoSeal": ("No seal of {root} by {sealer} exists.", "Seal the work first: countersign seal FILE."),
    "InvalidPath": (
        "The path of {length} hashes does not fit leaf {index} of {size}.",
        "Use the certificate as it was issued.",
    ),
    "SealTooYoung": ("The seal is from this very block.", "Claim again in the next block."),
    "NotCurrentKey": ("{caller} does not speak for this identity; {current} does.", "Sign with that key."),
    "ConsentAfterCutoff": (
        "{key} was cut off at {cutoff}; its consent of {consentAt} does not count.",
        "Seal it again with the identity's current key.",
    ),
    "AlreadyClaimed": (
        "{content} is claimed by {creator} with a seal of {sealedAt}, which is as early or earlier.",
        "If the work is yours, file an objection: countersign object.",
    ),
    "BadSignature": ("The signature is not by {expected}.", "Sign with the identity's current key."),
    "NoClaim": ("Nobody claims {content}.", "Check the file, or claim it first."),
    "KeyCutOff": ("{key} was cut off at {cutoff}.", "Use the identity's current key."),
    "AlreadyPublished": ("This model version was published at {publishedAt}.", "Nothing is left to do."),
    "NotPublished": ("No such model version is published: {modelId}.", "Give exactly the published manifest."),
    "AlreadyEnded": ("This model version was ended at {endedAt}.", "Nothing is left to do."),
    "NoWeights": ("The model has no weights.", "Give the weights' file or folder."),
    "NotAllowed": ("{caller} has no say here; {expected} has.", "Sign with that key."),
    "KeyUsed": ("{key} already belongs to the identity {identity}.", "Use a fresh key."),
    "NotIdentity": ("{key} is not the name of an identity; {identity} is.", "Use that address."),
    "BadAdoptionSignature": ("{key} did not sign this adoption.", "Sign with the new key."),
    "NotCommittedKey": ("{key} is not the committed next key.", "Use the key that was committed to."),
    "BadGuardian": ("{guardian} cannot guard itself.", "Choose another guardian."),
    "TooEarly": ("The change may be completed at {readyAt}.", "Try again then."),
    "BadSuspicion": ("{from} is not before the cut-off.", "Give an earlier time."),
    "NothingWaits": ("Nothing waits for {identity}.", "There is nothing to cancel."),
    "BadStake": ("{amount} wei are not a stake.", "Give a whole number of gwei."),
    "BadSlasher": ("{slasher} cannot be a slasher.", "Name the Oracle."),
    "OtherSlasher": ("This node answers to {slasher}.", "Leave, withdraw, then join again."),
    "Leaving": ("This node is leaving until {withdrawableAt}.", "Withdraw then, and join again."),
    "NotServing": ("{node} does not serve.", "Join first: countersign oracle join."),
    "NothingToWithdraw": (
        "Nothing can be withdrawn now; a leaving stake matures at {withdrawableAt}.",
        "Wait until then.",
    ),
    "PaymentRefused": ("{account} refused {amount} wei.", "Let the account accept payments, then try again."),
    "BadQuorum": ("{k} of {seats} seats are no quorum.", "Take at most 32 seats and more than half of them."),
    "BadPassScore": ("{passScore} is no pass score.", "Give 1 to 100."),
    "BadPart": ("A reward of one part in {part} is too much.", "Take at least 2."),
    "MalformedTerms": ("A field of the terms holds more than its type.", "Encode the terms with countersign."),
    "WrongMilestone": ("Milestone {current} is the current one.", "See: countersign deal show."),
    "NotAscending": ("The seats are not in ascending order of their nodes, each once: {node}.", "Sort them."),
    "BadTimes": (
        "These times do not fit: together {total} s of at most {limit} s, submitting positive, and challenge "
        "and ruling times and a bond only with an arbiter.",
        "Correct the times.",
    ),
    "UnknownPolicy": ("There is no policy {policy} on this chain.", "See: countersign policy list."),
    "AlreadyRequested": (
        "This verdict was requested (round {round}) and has not lapsed.",
        "Wait for it: countersign deal show --watch.",
    ),
    "TooFewSeats": ("Only {active} seats may sign, the policy needs {k}.", "Use another policy."),
    "WrongPayment": ("{sent} wei were sent, exactly {due} are due.", "Try again: the price may have changed."),
    "NotRequested": ("Nobody requested a verdict on {subject} from {policy}.", "Request it: countersign request."),
    "AlreadyDecided": ("The verdict is there already.", "Nothing is left to do."),
    "Lapsed": ("The time to submit ended at {deadline}.", "Request a new round: countersign request."),
    "SuspendedSeats": ("Some of these seats may not sign or do not exist (mask {seats}).", "Leave them out."),
    "BadAttestation": ("Attestation number {position} is not its seat's.", "Leave it out, or fetch it again."),
    "BadLength": ("{length} bytes are not 97 for each signer.", "Give one attestation per signer."),
    "MixedSides": (
        "The scores lie on both sides of {passScore} ({lowest} to {highest}), or above 100.",
        "Give the attestations of one side only.",
    ),
    "NoQuorum": ("{signers} attestations are not enough: {needed} are needed.", "Wait for more nodes."),
    "NotChallengeable": (
        "There is no verdict that can be challenged now.",
        "A verdict can be challenged until it is final.",
    ),
    "NoArbiter": ("No arbiter is named.", "There is nobody to ask."),
    "DisputeExists": ("The arbiter repeated dispute {disputeId}.", "Do not use this arbiter."),
    "UnknownDispute": ("{arbiter} opened no dispute {disputeId} here.", "Check the contract's address."),
    "NoEquivocation": ("Scores {first} and {second} are not a pass and a fail.", "There is nothing to slash."),
    "AlreadySlashed": ("{node} was slashed for this.", "Nothing is left to do."),
    "NothingTaken": ("{node} has no stake left.", "There is nothing to slash."),
    "MayNotSuspend": ("{caller} may not suspend seat {seat}.", "Its node may, or anyone once its model is revoked."),
    "NotEffective": ("The verdict may change until {effectiveAt}.", "Try again then."),
    "NothingDue": ("Nothing is left to pay, or no recipient takes it now.", "Nothing is left to do."),
    "BadParties": (
        "Payer {payer}, payee {payee} and arbiter {arbiter} must be three, and neither 0 nor the escrow.",
        "Correct the terms.",
    ),
    "BadAmounts": ("{amount} with {later} for later milestones: some milestone gets nothing.", "Correct the amounts."),
    "BadDeadlines": (
        "Delivery by {deliverBy}, verdict by {verdictBy}: both must lie ahead, in this order.",
        "Propose new terms: countersign deal propose.",
    ),
    "BadDisputeTimes": ("An arbiter needs both times, and nobody else does.", "Correct disputeTime and rulingTime."),
    "BadSilenceShare": ("{share} is not 0 to 10000 basis points.", "Correct silenceShare."),
    "NotInUse": ("Encrypted deliveries are not part of this version.", "Leave buyerKey and revealTime 0."),
    "AlreadyOpened": ("The deal {dealId} was opened before.", "Show it: countersign deal show."),
    "NoToken": ("{token} is not a token: there is no code.", "Check the address and the chain."),
    "InexactToken": (
        "The token {token} delivered {received} of {amount}: it takes a fee or changes balances.",
        "Use a token that moves exact amounts.",
    ),
    "TransferRefused": (
        "The token {token} did not let {payer} pay {amount}.",
        "Check its balance, and allow the escrow to take that much.",
    ),
    "UnknownDeal": ("There is no deal {dealId}.", "Open it first, with exactly these terms."),
    "WrongState": ("The deal is {state}: that is not possible now.", "See: countersign deal show."),
    "NotParty": ("{caller} may not do that; {party} may.", "Sign with that key."),
    "TooLate": ("That was due at {deadline}.", "See what is possible now: countersign deal show."),
    "NotYet": ("That is possible after {from}.", "Try again then."),
    "NoDelivery": ("A delivery is the SHA-256 of something.", "Give the file."),
    "NoVerdict": ("No verdict on {subject} counts, or none yet.", "Request one: countersign request."),
    "VerdictCounts": ("A verdict counts, from {effectiveAt} on.", "Settle it: countersign deal settle."),
    "BadAmendment": (
        "An amendment keeps payer, payee and token, and moves exactly {unpaid}.",
        "Correct the new terms.",
    ),
    "NotAgreed": ("{party} did not sign this amendment.", "Ask for the signature."),
    "NothingCredited": ("Nothing of {token} is credited to {account}.", "There is nothing to withdraw."),
    "TooLittleGas": ("{left} gas is too little to pay somebody: {needed} is needed.", "Send more gas along."),
}


def revert_error(data: bytes, fallback: str = "") -> Reverted:
    """A revert in words: the custom error with its arguments, or what the node said of it."""
    fragment = next((f for h, f in _by_hash("error").items() if h[:4] == data[:4]), None)
    if fragment is None:
        reason = _plain_reason(data) or fallback or "it gave no reason"
        return Reverted("", f"The contract refused: {reason}.", "Check what you sent, then try again.")
    try:
        values = read_struct(fragment["inputs"])(data[4:])
    except Malformed:
        return Reverted(fragment["name"], f"The contract refused: {fragment['name']}.", _CHECK)
    shown = {name: _show(name, value) for name, value in values.items()}
    if fragment["name"] not in _WORDS:
        said = ", ".join(f"{name} {value}" for name, value in shown.items())
        return Reverted(fragment["name"], f"The contract refused: {fragment['name']} {said}".rstrip() + ".", _CHECK)
    message, next_step = _WORDS[fragment["name"]]
    return Reverted(fragment["name"], message.format(**shown), next_step)


_CHECK = "Check what you sent."


def _plain_reason(data: bytes) -> str:
    """The text of ``Error(string)``, if that is what ``data`` holds."""
    if data[:4] != keccak(b"Error(string)")[:4]:
        return ""
    try:
        return str(abi_decode(["string"], data[4:])[0])
    except (DecodingError, ValueError):
        return ""


_TIMES = {"sealedAt", "consentAt", "cutoff", "publishedAt", "endedAt", "readyAt", "from", "withdrawableAt", "deadline",
          "effectiveAt", "deliverBy", "verdictBy", "finalAt"}  # fmt: skip


def _show(name: str, value: Any) -> str:
    if isinstance(value, bytes):
        return checksum(value) if len(value) == 20 else to_hex(value)
    if name == "state" and value in set(State):
        return State(value).name.lower().replace("_", " ")
    return utc(value) if name in _TIMES else str(value)
