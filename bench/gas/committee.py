"""Committees with real keys and stakes, and what they sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.gas.lab import Lab
from countersign.canonical import attestation_digest, from_hex, keccak, pack_attestation, policy_address
from countersign.chain.codec import tuple_of
from countersign.keys.ecdsa import address_of, sign
from countersign.records import Attestation, Policy, Request, Seat
from tools.create2 import DEPLOYER

__all__ = ["ARBITER", "CHALLENGE", "MAX_SEATS", "Committee", "Member", "recruit"]

ARBITER = from_hex(DEPLOYER, 20)
"""Must have code; nobody asks it here."""
CHALLENGE = 3_600
MAX_SEATS = 32
_SUBMIT, _RULING = 3_600, 86_400
_STAKE, _BOND = 10**18, 10**16
_PASS = 70


@dataclass(frozen=True)
class Member:
    """A node with its key."""

    secret: bytes
    address: bytes


def recruit(lab: Lab, count: int) -> list[Member]:
    """Nodes that have joined with a stake, ascending by address."""
    secrets = [keccak(b"node-%d" % n) for n in range(count)]
    members = sorted((Member(secret, address_of(secret)) for secret in secrets), key=lambda member: member.address)
    for member in members:
        lab.admit(member.address)
        encryption_key = keccak(member.address)
        lab.do(member.address, "OracleNodes", "join", lab.client.deals.oracle, encryption_key, value=_STAKE)
    return members


class Committee:
    """A policy whose seats are ``members``: it passes what ``k`` of them score high enough."""

    def __init__(self, lab: Lab, members: Sequence[Member], k: int, fee: int = 0) -> None:
        seats = tuple(Seat(member.address, keccak(b"model" + member.address)) for member in members)
        times = (_SUBMIT, CHALLENGE, _RULING)
        policy = Policy(keccak(b"delivery/1"), seats, k, _PASS, *times, fee, _BOND, _STAKE, ARBITER)
        self._lab, self._members, self._k, self._fee = lab, members, k, fee
        self.policy = policy_address(lab.client.deals, policy)
        lab.do(lab.account(0), "Oracle", "createPolicy", tuple_of(policy))

    def request(self, requester: bytes, subject: bytes) -> int:
        """Gas of asking about a subject."""
        return self._lab.do(requester, "Oracle", "request", subject, self.policy, value=self._fee)

    def submit(self, sender: bytes, subject: bytes) -> int:
        """Gas of a Pass by the last k seats, so that the contract walks past every seat."""
        first = len(self._members) - self._k
        signers = (1 << len(self._members)) - (1 << first)
        issued_at = self._lab.client.verdict(subject, self.policy).requested_at
        signed = b"".join(self._attest(member, subject, issued_at) for member in self._members[first:])
        return self._lab.do(sender, "Oracle", "submit", subject, self.policy, signers, signed)

    def _attest(self, member: Member, subject: bytes, issued_at: int) -> bytes:
        """Score, evidence and signature of one node, each its own: 97 bytes."""
        evidence = keccak(subject + member.address)
        said = Attestation(Request(subject, self.policy, 0), _PASS + evidence[0] % (101 - _PASS), evidence, issued_at)
        return pack_attestation(
            said.score, evidence, sign(member.secret, attestation_digest(self._lab.client.deals, said))
        )
