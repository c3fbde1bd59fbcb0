"""Policies and their committees, in words."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.chain import ETH, client
from app.finding import finder
from app.ui import facts, plain, short
from countersign.canonical import checksum, text_hash, to_hex
from countersign.deal.words import show_duration
from countersign.oracle.decide import OBJECTION, QUESTION
from countersign.records import Node, Policy, Seat

__all__ = ["GWEI", "explain", "in_short", "policy_of", "seats_of", "serves"]

GWEI = 10**9
_SEAT = 52
_QUESTIONS = {
    text_hash(QUESTION): "does the delivery match the brief",
    text_hash(OBJECTION): "is the objector's work earlier, and the same or nearly so",
}


def policy_of(row: dict[str, Any]) -> Policy:
    """A policy of the index."""
    return Policy(
        check=row["check_hash"],
        seats=seats_of(row),
        arbiter=row["arbiter"],
        **{name: int(row[name]) for name in ("fee", "bond", "slash")},
        **{name: row[name] for name in ("submit_time", "challenge_time", "ruling_time", "k", "pass_score")},
    )


def seats_of(row: dict[str, Any]) -> tuple[Seat, ...]:
    """The committee of a policy of the index."""
    packed: bytes = row["seats"]
    return tuple(Seat(packed[at : at + 20], packed[at + 20 : at + _SEAT]) for at in range(0, len(packed), _SEAT))


def in_short(address: bytes, policy: Policy) -> str:
    """One line, to choose by."""
    fee = ETH.show(policy.fee)
    return f"{policy.k} of {len(policy.seats)} within {show_duration(policy.submit_time)}, fee {fee} ({short(address)})"


def serves(node: Node, policy: Policy) -> bool:
    """Whether a node would be asked by a request of this policy."""
    staked = node.slasher == client().deals.oracle and node.stake * GWEI >= policy.slash
    return staked and not node.leaves_at


def explain(address: bytes, policy: Policy) -> None:
    """Who judges, how many must agree, how long it takes, what it costs, and what liars lose. Raises ChainError."""
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in _sentences(policy)))
    with finder() as found:
        models = {seat.model: found.model(seat.model) for seat in policy.seats}
    rows = [(f"Seat {number}", _seat(seat, policy, models)) for number, seat in enumerate(policy.seats, 1)]
    facts([("Policy", checksum(address)), *rows])


def _sentences(p: Policy) -> list[str]:
    question = _QUESTIONS.get(p.check, to_hex(p.check))
    models = len({seat.model for seat in p.seats})
    fails = len(p.seats) - p.k + 1
    lines = [
        f"{len(p.seats)} nodes answer: {question}? "
        + (f"They judge with {models} different models." if models > 1 else "All judge with the same model."),
        f"Pass needs {p.k} of them at {p.pass_score} or more of 100; Fail needs {fails} below.",
        f"They have {show_duration(p.submit_time)} from the request; the fee is {ETH.show(p.fee)}.",
        f"Each node has staked at least {ETH.show(p.slash)} and can lose it for lying.",
    ]
    if any(p.arbiter):
        window, ruling = show_duration(p.challenge_time), show_duration(p.ruling_time)
        lines.append(f"For {window} a verdict can be challenged: bond {ETH.show(p.bond)}, a ruling within {ruling}.")
    else:
        lines.append("Nobody can challenge the verdict: there is no arbiter.")
    return lines


def _seat(seat: Seat, policy: Policy, models: dict[bytes, dict[str, Any] | None]) -> str:
    node, model = client().node_of(seat.node), models[seat.model]
    state = "serves" if serves(node, policy) else "does not serve now"
    ended = "revoked" if model and model.get("revoked_at") else "published" if model else "not published"
    return f"{checksum(seat.node)}: {state}, stake {ETH.show(node.stake * GWEI)}; model {short(seat.model)}, {ended}"
