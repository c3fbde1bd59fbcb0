"""New terms: who delivers what to whom, for how much, judged by whom, and what holds when nobody judges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.account import Account
from app.chain import ETH, client, currency_of, is_local, now
from app.components.hasher import WorkFile, hasher
from app.finding import finder
from app.policies import explain, in_short, policy_of
from app.ui import plain, problem
from countersign.canonical import from_address
from countersign.deal.brief import Brief, dump_brief
from countersign.deal.terms import TermsFile, default_verdict_by, inline, propose
from countersign.deal.timeline import WHOLE
from countersign.deal.words import Currency, read_duration, read_time, show_duration, when
from countersign.errors import CountersignError, InputError
from countersign.records import ZERO, Policy, Terms
from countersign.times import utc

__all__ = ["forget_values", "keep_values", "proposal_view"]

_NOBODY = "Nobody: only payer, payee and time decide"
_COIN, _TOKEN = "ETH", "A token (ERC-20)"
_TYPES = ("image/jpeg", "image/png", "image/webp", "application/pdf", "text/plain", "audio/mpeg", "video/mp4")
_TIMES = {"10m": "10 minutes", "1h": "1 hour", "6h": "6 hours", "1d": "1 day", "3d": "3 days", "1w": "1 week",
          "2w": "2 weeks", "4w": "4 weeks"}  # fmt: skip
_ENOUGH = ""
_REFERENCE, _DROP = "new-reference", "new-drop"
_WITHOUT_POLICY = 86400
"""Seconds to a dispute where no committee judges."""


def proposal_view(account: Account, take: Callable[[TermsFile], None]) -> None:
    """Draw the form; the finished terms go to ``take``. Nothing is sent or paid here."""
    st.header("New deal")
    st.markdown(
        "You are the payer. This makes a file of terms: read it in plain words, share it with the seller, "
        "then open the deal by paying into the escrow."
    )
    said = _parties() | _order() | _judges() | _times()
    policy: Policy | None = said["policy"]
    _say_when(said, policy)
    _silence(said, policy)
    if st.button("Show me the terms", type="primary"):
        try:
            take(_terms_file(account, said, policy))
        except CountersignError as error:
            problem(error)


def keep_values() -> None:
    """Streamlit forgets a field that is not drawn: whoever reads the terms may come back to change them."""
    for key in _own_keys():
        st.session_state[key] = st.session_state[key]


def forget_values() -> None:
    """The next form begins empty."""
    for key in _own_keys():
        del st.session_state[key]


def _own_keys() -> list[str]:
    return [str(key) for key in st.session_state if str(key).startswith("new-") and key != _DROP]


# The form


def _parties() -> dict[str, Any]:
    st.subheader("Who gets how much")
    payee = st.text_input("Seller's address", key="new-payee", placeholder="0x…")
    left, right = st.columns(2)
    amount = left.text_input("Amount", key="new-amount", placeholder="0.5")
    kind = right.selectbox("Paid in", (_COIN, _TOKEN), key="new-kind")
    token = st.text_input("Token's address", key="new-token", placeholder="0x…") if kind == _TOKEN else ""
    return {"payee": payee.strip(), "amount": amount.strip(), "kind": kind, "token": token.strip()}


def _order() -> dict[str, Any]:
    st.subheader("What is ordered")
    title = st.text_input("Title", key="new-title", placeholder="The old mill at dusk", max_chars=120)
    text = st.text_area("More words, for people", key="new-text", max_chars=4000, height=90)
    types = st.multiselect(
        "It must be one of these (optional)", _TYPES, key="new-types", accept_new_options=True, placeholder="Any type"
    )
    show = st.text_area(
        "Words that must be readable in the picture (optional, one phrase per line)", key="new-show", height=70
    )
    with st.expander("A reference picture (optional)"):
        reference, uri = _reference()
    return {"title": title.strip(), "text": text.strip(), "types": types, "show": show, "reference": reference,
            "reference-uri": uri}  # fmt: skip


def _reference() -> tuple[bytes, str]:
    st.markdown("What the delivery is compared with: the photograph at dispatch, or the agreed preview.")
    shown: WorkFile | None = st.session_state.get(_REFERENCE)
    hint = "It is hashed on this computer and never uploaded."
    file, _ = hasher(_DROP, prompt="Drop the reference here", hint=hint, shown=shown)
    if file:
        st.session_state[_REFERENCE] = file
        st.rerun()
    uri = st.text_input("Where can nodes fetch it?", key="new-reference-uri", placeholder="https://…").strip()
    if is_local():
        st.caption("On this local chain, countersign deal propose --reference FILE keeps a copy for the nodes.")
    return shown.content if shown else ZERO, uri


def _judges() -> dict[str, Any]:
    st.subheader("Who judges")
    with finder() as found:
        policies = {row["policy"]: policy_of(row) for row in found.policies()}
    address = st.selectbox(
        "Policy",
        [*policies, bytes(20)],
        key="new-policy",
        format_func=lambda at: in_short(at, policies[at]) if at in policies else _NOBODY,
    )
    policy = policies.get(address)
    if policy:
        with st.expander("What this policy means"):
            explain(address, policy)
    with st.expander("An arbiter for disputes (optional)"):
        arbiter = st.text_input(
            "Arbiter's address",
            key="new-arbiter",
            placeholder="0x…",
            help="An ERC-792 contract: asked, and paid, when no verdict counts.",
        ).strip()
        dispute = _time("Time to ask it", "new-dispute", "1d")
        ruling = _time("Time it has to rule", "new-ruling", "1w")
    return {"address": address, "policy": policy, "arbiter": arbiter, "dispute": dispute, "ruling": ruling}


def _times() -> dict[str, Any]:
    st.subheader("Until when")
    left, right = st.columns(2)
    with left:
        deliver = _time("Deliver by", "new-deliver", "3d", "From now, or a time like 2030-12-31T18:00Z.")
    with right:
        judge = st.selectbox(
            "Then, time to a verdict",
            [_ENOUGH, *_TIMES],
            key="new-judge",
            format_func=lambda t: _TIMES.get(t, t) if t else "As long as the committee may need",
            accept_new_options=True,
        )
    return {"deliver": deliver, "judge": judge or _ENOUGH}


def _say_when(said: dict[str, Any], policy: Policy | None) -> None:
    """What the chosen times mean; a time that is none is said when the terms are made."""
    try:
        time = now()
        deliver_by = read_time(said["deliver"], time)
        verdict_by = _verdict_by(said, policy, deliver_by)
    except InputError:
        return
    needed = f", at least {show_duration(2 * policy.submit_time + policy.challenge_time)} later" if policy else ""
    st.caption(f"Delivery until {when(deliver_by, time)}. A verdict counts until {utc(verdict_by)}{needed}.")


def _time(label: str, key: str, usual: str, more: str = "") -> str:
    st.session_state.setdefault(key, usual)
    chosen = st.selectbox(
        label,
        list(_TIMES),
        key=key,
        format_func=lambda t: _TIMES.get(t, t),
        accept_new_options=True,
        help=more or "Choose, or write one like 36h.",
    )
    return str(chosen or usual)


def _silence(said: dict[str, Any], policy: Policy | None) -> None:
    st.subheader("If nobody judges")
    st.session_state.setdefault("new-silence", 0)
    said["silence"] = st.slider("The seller's share", 0, 100, step=5, format="%d %%", key="new-silence")
    judged = "gives a verdict in time" if policy else "releases or refunds in time"
    st.markdown(f"**If nobody {judged},** {plain(_silence_words(said))}.")


def _silence_words(said: dict[str, Any]) -> str:
    share = said["silence"]
    if share in (0, 100):
        return "the seller gets everything" if share else "the seller gets nothing and you get everything back"
    try:
        amount = ETH.read(said["amount"])
        parts = ETH.show(amount * share // 100), ETH.show(amount - amount * share // 100)
    except InputError:
        parts = f"{share} %", f"{100 - share} %"
    if said["kind"] == _TOKEN:
        parts = f"{share} %", f"{100 - share} %"
    return f"the seller gets {parts[0]} and you get {parts[1]} back"


# The terms


def _terms_file(account: Account, said: dict[str, Any], policy: Policy | None) -> TermsFile:
    """Raises InputError for whatever could not be opened."""
    time, document = now(), dump_brief(_brief(said))
    currency = _currency(said)
    deliver_by = read_time(said["deliver"], time)
    arbiter = from_address(said["arbiter"]) if said["arbiter"] else bytes(20)
    with_arbiter = any(arbiter)
    draft = Terms(
        payer=account.address,
        payee=_seller(said),
        amount=currency.read(said["amount"]),
        deliver_by=deliver_by,
        verdict_by=_verdict_by(said, policy, deliver_by),
        token=currency.token,
        policy=said["address"],
        dispute_time=read_duration(said["dispute"]) if with_arbiter else 0,
        ruling_time=read_duration(said["ruling"]) if with_arbiter else 0,
        arbiter=arbiter,
        silence_share=said["silence"] * WHOLE // 100,
    )
    return propose(client(), draft, document, inline(document), time)


def _seller(said: dict[str, Any]) -> bytes:
    if not said["payee"]:
        raise InputError("The seller's address is missing.", "Ask the seller for it.")
    return from_address(said["payee"])


def _currency(said: dict[str, Any]) -> Currency:
    if not said["amount"]:
        raise InputError("The amount is missing.", "Write it like 0.5.")
    return currency_of(from_address(said["token"])) if said["kind"] == _TOKEN else ETH


def _verdict_by(said: dict[str, Any], policy: Policy | None, deliver_by: int) -> int:
    if said["judge"]:
        return deliver_by + read_duration(said["judge"])
    return default_verdict_by(deliver_by, policy) if policy else deliver_by + _WITHOUT_POLICY


def _brief(said: dict[str, Any]) -> Brief:
    if not said["title"]:
        raise InputError("The title is missing.", "Say in a few words what is ordered.")
    if any(said["reference"]) and not said["reference-uri"]:
        raise InputError("Nobody knows where the reference is found.", "Say where nodes can fetch it.")
    phrases = tuple(line.strip() for line in said["show"].splitlines() if line.strip())
    reference = (said["reference"], said["reference-uri"] if any(said["reference"]) else "")
    return Brief(said["title"], said["text"], tuple(said["types"]), phrases, *reference)
