"""What a node does next about one request. Pure: no chain, no clock, no network, no disk.

Sides are certified as contracts/Oracle.sol does it: Pass needs k scores at or above the pass score, Fail needs
seats - k + 1 below it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from countersign.canonical import attestation_digest, pack_attestation, request_hash, text_hash
from countersign.keys import ecdsa
from countersign.records import Attestation, DealContracts, Outcome, Policy, Request

__all__ = [
    "GRACE",
    "OBJECTION",
    "QUESTION",
    "Allowed",
    "Asked",
    "Check",
    "Ignore",
    "Publish",
    "Side",
    "SignedAttestation",
    "Step",
    "Submit",
    "Wait",
    "certified",
    "next_step",
    "turn_of",
]

QUESTION = "delivery/1"
"""What nodes answer: does the delivery follow the brief? A policy names it by its keccak256."""
OBJECTION = "objection/1"
"""What other nodes answer: is the objector's work earlier, and the same or nearly so?"""

MAX_SCORE = 100
GRACE = 0.25
"""Part of a turn that all wait: by then all know the same attestations, and so the same order."""


@dataclass(frozen=True)
class SignedAttestation:
    """What a node says, with its 65-byte signature."""

    attestation: Attestation
    signature: bytes

    @property
    def packed(self) -> bytes:
        """97 bytes, as the Oracle takes them."""
        return pack_attestation(self.attestation.score, self.attestation.evidence, self.signature)


@dataclass(frozen=True)
class Asked:
    """A request as the chain holds it: ``issued_at`` is its time, ``suspended`` the seats that may not sign."""

    request: Request
    issued_at: int
    suspended: int
    policy: Policy

    @property
    def key(self) -> tuple[bytes, int]:
        """Names the request also across forks: one that was requested again at another time is another."""
        return request_hash(self.request), self.issued_at

    @property
    def deadline(self) -> int:
        """Last second in which a verdict may be submitted."""
        return self.issued_at + self.policy.submit_time

    def seat_of(self, node: bytes) -> int | None:
        """The seat of a node, suspended or not."""
        return next((seat for seat, held in enumerate(self.policy.seats) if held.node == node), None)

    def may_sign(self, seat: int) -> bool:
        """Whether the request left the seat in."""
        return not self.suspended >> seat & 1

    def outcome_of(self, said: SignedAttestation) -> Outcome:
        """The side an attestation is on."""
        return Outcome.PASS if said.attestation.score >= self.policy.pass_score else Outcome.FAIL

    def signer_of(self, said: SignedAttestation, contracts: DealContracts) -> int | None:
        """The seat whose valid attestation about this very request it is, or None."""
        a = said.attestation
        if a.request != self.request or a.issued_at != self.issued_at or not 0 <= a.score <= MAX_SCORE:
            return None
        node = ecdsa.recover(attestation_digest(contracts, a), said.signature)
        seat = None if node is None else self.seat_of(node)
        return seat if seat is not None and self.may_sign(seat) else None


@dataclass(frozen=True)
class Allowed:
    """Whom a node serves: policies by address, and every policy with one of these arbiters (20 zero bytes: none); and
    the one question that its check can answer."""

    policies: frozenset[bytes] = frozenset()
    arbiters: frozenset[bytes] = frozenset()
    question: str = QUESTION

    def serves(self, asked: Asked) -> bool:
        """Whether the request is for this node's list."""
        return asked.request.policy in self.policies or asked.policy.arbiter in self.arbiters


@dataclass(frozen=True)
class Side:
    """Attestations that make an outcome: what ``submit`` takes. Bit i of ``signers`` is seat i."""

    outcome: Outcome
    signers: int
    attestations: bytes


@dataclass(frozen=True)
class Ignore:
    """Nothing to do here, ever."""

    reason: str


@dataclass(frozen=True)
class Check:
    """Look at the delivery, and sign."""


@dataclass(frozen=True)
class Publish:
    """Signed, but the peers do not have it yet."""


@dataclass(frozen=True)
class Submit:
    """It is this node's turn to send the verdict."""

    side: Side


@dataclass(frozen=True)
class Wait:
    """For others, at most until then."""

    until: float


Step: TypeAlias = Ignore | Check | Publish | Submit | Wait


def next_step(
    asked: Asked,
    me: bytes,
    allowed: Allowed,
    now: float,
    mine: SignedAttestation | None,
    known: dict[int, list[SignedAttestation]],
    ready_since: float | None,
    stagger: float,
) -> Step:
    """What to do about an open request.

    ``mine`` is what this node signed, ``known`` the valid attestations of each seat that the peers can have,
    ``ready_since`` when they first sufficed; ``stagger`` the seconds that one submitter gives the one before it.
    """
    seat = asked.seat_of(me)
    if seat is None:
        return Ignore("no seat of mine")
    if reason := _reason_to_ignore(asked, seat, allowed, now):
        return Ignore(reason)
    if mine and not _on_side(asked, known.get(seat, ()), asked.outcome_of(mine)):
        return Publish()
    side = certified(asked, known, asked.outcome_of(mine) if mine else Outcome.PASS)
    if side is None:
        return Wait(asked.deadline) if mine else Check()
    turn = (now if ready_since is None else ready_since) + stagger * (GRACE + turn_of(asked, side, seat))
    return Submit(side) if now >= turn else Wait(turn)


def _reason_to_ignore(asked: Asked, seat: int, allowed: Allowed, now: float) -> str:
    if not allowed.serves(asked):
        return "neither the policy nor its arbiter is on my list"
    if asked.policy.check != text_hash(allowed.question):
        return f"the policy asks another question than {allowed.question}"
    if not asked.may_sign(seat):
        return "my seat is suspended"
    return "the time to submit is over" if now > asked.deadline else ""


def certified(asked: Asked, known: dict[int, list[SignedAttestation]], preferred: Outcome) -> Side | None:
    """A side that has enough attestations, of as many seats as needed, beginning with another one for each request, so
    that all come to be paid; the ``preferred`` one if both have, which takes an equivocation."""
    other = Outcome.FAIL if preferred == Outcome.PASS else Outcome.PASS
    return _side(asked, known, preferred) or _side(asked, known, other)


def _side(asked: Asked, known: dict[int, list[SignedAttestation]], outcome: Outcome) -> Side | None:
    policy = asked.policy
    needed = policy.k if outcome == Outcome.PASS else len(policy.seats) - policy.k + 1
    first, seats = asked.key[0][-2] % len(policy.seats), [seat for seat in sorted(known) if asked.may_sign(seat)]
    in_turn = [seat for seat in seats if seat >= first] + [seat for seat in seats if seat < first]
    on_it = {seat: _on_side(asked, known[seat], outcome) for seat in in_turn}
    chosen = sorted([(seat, said) for seat, said in on_it.items() if said][:needed], key=lambda one: one[0])
    if len(chosen) < needed:
        return None
    return Side(outcome, sum(1 << seat for seat, _ in chosen), b"".join(said.packed for _, said in chosen))


def _on_side(asked: Asked, said: Iterable[SignedAttestation], outcome: Outcome) -> SignedAttestation | None:
    return next((one for one in said if asked.outcome_of(one) == outcome), None)


def turn_of(asked: Asked, side: Side, seat: int) -> int:
    """How many submit before ``seat``: the signers, beginning with another one for each request, then all others."""
    seats = range(len(asked.policy.seats))
    signers = [s for s in seats if side.signers >> s & 1]
    first = asked.key[0][-1] % len(signers)
    order = signers[first:] + signers[:first] + [s for s in seats if not side.signers >> s & 1]
    return order.index(seat)
