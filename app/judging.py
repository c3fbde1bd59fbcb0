"""Nodes, requests and verdicts as the desk shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.chain import client
from app.policies import GWEI, policy_of
from app.sending import Action
from countersign.canonical import from_address, to_hex, unpack_attestation
from countersign.chain.codec import encode_call
from countersign.chain.sender import intent
from countersign.deal.words import COIN
from countersign.errors import InputError
from countersign.index.query import Query
from countersign.records import ZERO, Call, Node, Policy, Stage, Verdict
from countersign.times import utc

__all__ = [
    "Asked",
    "Judged",
    "Said",
    "asked_of",
    "join_action",
    "judged_of",
    "leave_action",
    "said_in",
    "stake_action",
    "standing_of",
]

_ATTESTATION = 97
_WORD = 32
_SUBMIT = encode_call("Oracle", "submit", ZERO, bytes(20), 0, b"")[:4]


@dataclass(frozen=True)
class Asked:
    """An open request: its row, its policy."""

    row: dict[str, Any]
    policy: Policy

    @property
    def deadline(self) -> int:
        """The last second for a verdict."""
        return int(self.row["requested_at"]) + self.policy.submit_time


@dataclass(frozen=True)
class Judged:
    """A verdict: its row as submitted, its policy, what the chain holds now."""

    row: dict[str, Any]
    policy: Policy
    record: Verdict

    def challengeable(self, now: int) -> bool:
        """Whether somebody can challenge it in a block of that second."""
        open_now = now < self.record.final_at and self.record.stage == Stage.UNCHALLENGED
        return open_now and any(self.policy.arbiter)


def asked_of(found: Query) -> list[Asked]:
    """Open requests, newest first."""
    policies = _policies(found)
    return [Asked(row, policies[row["policy"]]) for row in reversed(found.open_requests())]


def judged_of(found: Query, count: int) -> list[Judged]:
    """The newest verdicts. Raises ChainError."""
    policies = _policies(found)
    rows = found.recent_verdicts(count)
    return [Judged(row, policies[row["policy"]], client().verdict(row["subject"], row["policy"])) for row in rows]


def _policies(found: Query) -> dict[bytes, Policy]:
    return {row["policy"]: policy_of(row) for row in found.policies()}


# What signers said


@dataclass(frozen=True)
class Said:
    """One attestation of a verdict: its seat, score, and the hash of its evidence."""

    seat: int
    score: int
    evidence: bytes


@st.cache_data(max_entries=500, show_spinner=False)
def said_in(transaction: bytes) -> tuple[Said, ...]:
    """The attestations in the transaction that submitted a verdict; none when another contract submitted it."""
    sent = client().rpc("eth_getTransactionByHash", to_hex(transaction))
    data = bytes.fromhex(str(sent["input"]).removeprefix("0x")) if sent else b""
    if data[:4] != _SUBMIT or from_address(sent["to"]) != client().deals.oracle:
        return ()
    return _said(data[4:])


def _said(arguments: bytes) -> tuple[Said, ...]:
    """Subject, policy, signers, offset of the attestations: each a word."""
    signers, at = _word(arguments, 2), _word(arguments, 3)
    length = int.from_bytes(arguments[at : at + _WORD], "big")
    packed = arguments[at + _WORD : at + _WORD + length]
    seats = [seat for seat in range(_WORD) if signers >> seat & 1]
    each = (unpack_attestation(packed[i * _ATTESTATION : (i + 1) * _ATTESTATION]) for i in range(len(seats)))
    return tuple(Said(seat, score, evidence) for seat, (score, evidence, _) in zip(seats, each, strict=True))


def _word(data: bytes, number: int) -> int:
    return int.from_bytes(data[number * _WORD : (number + 1) * _WORD], "big")


# Stake


def standing_of(node: Node) -> str:
    """How a node stands, in a few words."""
    if not any(node.slasher):
        return "not joined"
    if node.slasher != client().deals.oracle:
        return "answers to another contract"
    return f"leaving, stake free from {utc(node.leaves_at)}" if node.leaves_at else "serves"


def join_action(address: bytes, amount: str, occasion: int) -> Action:
    """Serve, or add to the stake. ``occasion`` counts what happened to the node. Raises InputError."""
    stake = COIN.read(amount)
    if not stake or stake % GWEI:
        raise InputError(f"A stake of {amount} is not possible.", "Give more than 0, with at most 9 decimals.")
    data = encode_call("OracleNodes", "join", client().deals.oracle, ZERO)
    words = (
        f"You stake {amount} ETH. The Oracle can take it when this key signs two opposite scores for one request, or "
        "signs a verdict that an arbiter overturns.",
        "The stake comes back 14 days after you leave.",
    )
    name = intent("join", address, stake, occasion)
    return Action(name, "Add to the stake" if occasion else "Join", Call(client().deals.nodes, data, stake), words)


def leave_action(address: bytes, occasion: int) -> Action:
    """Serve no new request."""
    words = (
        "You serve no new request. The stake can be withdrawn in 14 days; until then it answers for what you said.",
    )
    call = Call(client().deals.nodes, encode_call("OracleNodes", "leave"))
    return Action(intent("leave", address, occasion), "Leave", call, words)


def stake_action(address: bytes, occasion: int) -> Action:
    """Take out rewards and matured stake."""
    words = ("Rewards, and the stake once it is free, are paid to you.",)
    call = Call(client().deals.nodes, encode_call("OracleNodes", "withdraw"))
    return Action(intent("withdraw-stake", address, occasion), "Withdraw stake and rewards", call, words)
