"""Oracle desk: what nodes are asked, what they said, who they are, under which policies; and one's own node's stake."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.account import Account, account_bar
from app.chain import ETH, client, health, is_local, now
from app.dealing import agreed_of, challenge_action
from app.finding import finder
from app.judging import (
    Asked,
    Judged,
    asked_of,
    join_action,
    judged_of,
    leave_action,
    said_in,
    stake_action,
    standing_of,
)
from app.policies import GWEI, explain, in_short, policy_of
from app.sending import Action, choose, chosen, notice, pending, perform
from app.ui import facts, guarded, plain, problem, short
from countersign.canonical import checksum, to_hex
from countersign.deal.words import show_duration
from countersign.errors import CountersignError
from countersign.index.query import Query
from countersign.records import Node, Outcome, Stage
from countersign.times import utc

_PACE = 2.0 if is_local() else 12.0
"""Seconds between two looks at the index and the chain."""
_VERDICTS, _REQUESTS = 10, 20
_STAGES = {
    Stage.CHALLENGED: "challenged: the arbiter may rule",
    Stage.UPHELD: "challenged and upheld",
    Stage.ANNULLED: "annulled by the arbiter",
    Stage.OVERTURNED: "overturned by the arbiter",
    Stage.DECLINED: "challenged; the arbiter gave no ruling",
}


def page() -> None:
    """Draw the page."""
    st.title("Oracle desk")
    trouble = health().problem
    if trouble:
        problem(trouble)
        st.button("Try again", key="again-chain")
        return
    with guarded("desk"):
        st.markdown(
            "Nodes judge deliveries with AI checks, and sign what they find. **Attestations are signed by node "
            "processes, never by a wallet:** `countersign oracle run`."
        )
        account = account_bar("A challenge needs an account, and so does a node's stake. Looking needs none.")
        if not pending():
            notice()
            _draw(account)


def _draw(account: Account | None) -> None:
    _challenge(account)
    requests, verdicts, policies, nodes = st.tabs(["Requests", "Verdicts", "Policies", "Nodes"])
    with requests, guarded("requests"):
        _requests()
    with verdicts, guarded("verdicts"):
        _verdicts(account)
    with policies, guarded("policies"):
        _policies()
    with nodes, guarded("nodes"):
        _nodes(account)


# Requests


@st.fragment(run_every=_PACE)
def _requests() -> None:
    with guarded("requests-live"), finder() as found:
        asked, time = asked_of(found)[:_REQUESTS], now()
        if not asked:
            st.info("No request waits for a verdict.")
            return
        st.caption("Attestations travel between nodes; the chain shows who signed once there is a verdict.")
        for one in asked:
            with st.container(border=True, key=f"asked-{one.row['subject'].hex()[:16]}-{one.row['policy'].hex()[:8]}"):
                _request(found, one, time)


def _request(found: Query, asked: Asked, time: int) -> None:
    left, age = asked.deadline - time, show_duration(max(0, time - asked.row["requested_at"]))
    state = f"{show_duration(left)} left" if left >= 0 else "lapsed: anyone may ask again"
    st.markdown(f"**{plain(_about(found, asked.row))}**  \nAsked {age} ago; **{state}**.")
    policy = asked.policy
    suspended = [number for number in range(len(policy.seats)) if asked.row["suspended"] >> number & 1]
    may = f"{len(policy.seats) - len(suspended)} of {len(policy.seats)} seats may sign"
    facts(
        [
            ("Committee", f"{policy.k} must pass it; {may} (policy {short(asked.row['policy'])})"),
            ("Attested", "nobody, as far as the chain tells"),
            ("Round", str(asked.row["round"] + 1)),
            ("Subject", to_hex(asked.row["subject"])),
        ]
    )


def _about(found: Query, row: dict[str, Any]) -> str:
    delivery, objection = found.delivery(row["subject"]), found.objection(row["subject"])
    if objection:
        return f"Objection to {short(objection['content'])}"
    return agreed_of(delivery).title if delivery else f"Subject {short(row['subject'])}"


# Verdicts


@st.fragment(run_every=_PACE)
def _verdicts(account: Account | None) -> None:
    with guarded("verdicts-live"), finder() as found:
        judged, time = judged_of(found, _VERDICTS), now()
        if not judged:
            st.info("There is no verdict yet.")
        for one in judged:
            with st.container(border=True, key=f"judged-{one.row['tx'].hex()[:16]}-{one.row['log_index']}"):
                _verdict(found, account, one, time)


def _verdict(found: Query, account: Account | None, judged: Judged, time: int) -> None:
    record = judged.record
    outcome = Outcome(record.outcome).name.capitalize()
    st.markdown(f"**{plain(_about(found, judged.row))}: {outcome}**  \n{_finality(judged, time)}")
    facts([("Submitted", utc(judged.row["time"])), *_signers(judged), ("Subject", to_hex(judged.row["subject"]))])
    if account and judged.challengeable(time):
        key = f"verdict-{judged.row['subject'].hex()}-{judged.row['policy'].hex()}"
        if st.button("Challenge", key=key):
            choose(key)
            st.rerun()


def _finality(judged: Judged, time: int) -> str:
    record = judged.record
    if record.stage != Stage.UNCHALLENGED:
        words = _STAGES[Stage.DECLINED if _is_silent(judged, time) else record.stage]
        return f"{words[:1].upper()}{words[1:]}."
    if time >= record.final_at:
        return "Final: nobody challenged it."
    who = "can be challenged" if any(judged.policy.arbiter) else "becomes final, with no arbiter to ask"
    return f"It {who}: **{show_duration(record.final_at - time)}** left."


def _is_silent(judged: Judged, time: int) -> bool:
    """Whether the arbiter was asked and is too late: the chain keeps no word of that. Raises ChainError."""
    if judged.record.stage != Stage.CHALLENGED:
        return False
    return time > client().challenge_of(judged.row["subject"], judged.row["policy"]).ruling_by


def _signers(judged: Judged) -> list[tuple[str, str]]:
    """Who signed, with what evidence."""
    said = {one.seat: one for one in said_in(judged.row["tx"])}
    rows = []
    for number, seat in enumerate(judged.policy.seats):
        if judged.row["signers"] >> number & 1:
            one = said.get(number)
            words = f"{one.score} of 100, evidence {to_hex(one.evidence)}" if one else "score and evidence not shown"
            rows.append((f"Seat {number + 1}", f"{checksum(seat.node)}: {words}"))
    return rows


def _challenge(account: Account | None) -> None:
    """The challenge that was asked for, until it is sent or given up."""
    what = chosen() or ""
    kind, _, rest = what.partition("-")
    if kind != "verdict" or account is None:
        return
    subject, policy = (bytes.fromhex(part) for part in rest.split("-"))
    with st.container(border=True, key="confirm", gap="small"), guarded("challenge"):
        st.markdown("**Challenge the verdict: please confirm**")
        reason = st.text_area("Why? Everybody can read it.", key="challenge-reason", max_chars=1000).strip()
        st.button("Not now", on_click=choose, args=(None,), key="not-now")
        if reason:
            perform(account, challenge_action(subject, policy, client().policy_of(policy), reason))
        else:
            st.caption("Give a reason; then you see what it costs.")


# Policies and nodes


def _policies() -> None:
    with finder() as found:
        policies = {row["policy"]: policy_of(row) for row in found.policies()}
    if not policies:
        st.info("There is no policy yet. Make one: countersign policy create.")
        return
    address = st.selectbox(
        "Policy", list(policies), key="desk-policy", format_func=lambda at: in_short(at, policies[at])
    )
    explain(address, policies[address])


def _nodes(account: Account | None) -> None:
    with finder() as found:
        nodes = [(node, client().node_of(node), found.node(node)) for node in found.nodes()]
        own = found.node(account.address) if account else []
    if not nodes:
        st.info("No node has joined yet: countersign oracle init, then countersign oracle join.")
    facts((checksum(node), _node_words(record, events)) for node, record, events in nodes)
    if account:
        _own(account, len(own))


def _node_words(node: Node, events: list[dict[str, Any]]) -> str:
    slashed = sum(int(event["amount"]) for event in events if event["kind"] == "slashed")
    lost = f"; {ETH.show(slashed)} slashed" if slashed else ""
    return f"{standing_of(node)}, stake {ETH.show(node.stake * GWEI)}{lost}"


def _own(account: Account, occasion: int) -> None:
    """The account as a node. A wallet can hold the stake; only a process with the same key can sign."""
    st.subheader("Your account as a node")
    node, reward = client().node_of(account.address), client().reward_of(account.address)
    facts([("Standing", standing_of(node)), ("Stake", ETH.show(node.stake * GWEI)), ("Rewards", ETH.show(reward))])
    st.caption("Join only with the key that your node process signs with: the stake answers for that key.")
    try:
        actions = _stake_actions(account, node, reward, occasion)
    except CountersignError as error:
        problem(error)
        return
    action = next((one for one in actions if one.name == chosen()), None)
    if action:
        with st.container(border=True, key="confirm-stake", gap="small"):
            perform(account, action)
            st.button("Not now", on_click=choose, args=(None,), key="not-now-stake")
        return
    buttons = st.container(horizontal=True)
    for one in actions:
        buttons.button(one.label, key=f"stake-{one.label}", on_click=choose, args=(one.name,))


def _stake_actions(account: Account, node: Node, reward: int, occasion: int) -> list[Action]:
    actions = []
    if not node.leaves_at:
        amount = st.text_input("Stake to add, in ETH", "1.0", key="desk-stake").strip()
        actions.append(join_action(account.address, amount, occasion))
    if any(node.slasher) and not node.leaves_at:
        actions.append(leave_action(account.address, occasion))
    if reward or 0 < node.leaves_at <= now():
        actions.append(stake_action(account.address, occasion))
    return actions
