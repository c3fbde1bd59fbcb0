"""One deal: who can do what next and until when, what this visitor can do now, the terms in words, the history."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any, Literal

import streamlit as st

from app.account import Account
from app.chain import client, is_local, now
from app.components.hasher import WorkFile, hasher
from app.components.vault import vault
from app.dealing import VERBS, Agreed, Standing, action_for, is_over, look, opening, rows_of, withdrawal
from app.finding import finder
from app.policies import explain
from app.registration import current
from app.sending import PACE, choose, chosen, perform
from app.ui import banner, facts, guarded, history, plain, possible, short
from countersign.canonical import checksum, to_hex
from countersign.deal.brief import Brief
from countersign.deal.flow import policy_or_none
from countersign.deal.terms import SUFFIX, preview
from countersign.deal.timeline import STATUS, Option
from countersign.deal.words import Currency, show_duration
from countersign.errors import InputError, NotFinal
from countersign.records import Cause, Outcome, State
from countersign.times import utc

__all__ = ["deal_view"]

_KINDS: dict[str, Any] = {
    "passed": "good",
    "failed": "bad",
    "overdue": "warn",
    "lapsed": "warn",
    "unjudged": "warn",
    "annulled": "warn",
    "disputed": "warn",
}
_BY_CONSENT = ("release", "refund")


def deal_view(account: Account | None, agreed: Agreed) -> None:
    """Draw the deal. Raises ChainError, IndexStoreError."""
    standing = look(agreed)
    st.header(plain(agreed.title))
    if is_over(standing):
        _draw_standing(standing, account, agreed)
    else:
        _live(account, agreed, standing.sign(account, agreed.terms))
    if standing.deal.state == State.NONE:
        _terms(agreed, standing, expanded=True)
        _share(agreed)
    with guarded("do"):
        _do(account, agreed, standing)
    if standing.deal.state != State.NONE:
        _terms(agreed, standing, expanded=False)
        _history(agreed, standing.currency)


# Where it stands


@st.fragment(run_every=PACE)
def _live(account: Account | None, agreed: Agreed, drawn: tuple[Any, ...]) -> None:
    """Count down; draw the whole page anew when something became possible or impossible."""
    with guarded("live"):
        standing = look(agreed)
        _draw_standing(standing, account, agreed)
        if standing.sign(account, agreed.terms) != drawn:
            st.rerun()


def _draw_standing(standing: Standing, account: Account | None, agreed: Agreed) -> None:
    status = standing.line.status
    banner(_KINDS.get(status, "neutral"), status.capitalize(), STATUS[status])
    if not standing.line.options:
        return
    st.subheader("Who can do what next, and until when")
    change = standing.line.next_change(standing.now)
    words = f"Next change in **{show_duration(change - standing.now)}**" if change else "No clock is running."
    st.markdown(words)
    possible(rows_of(standing, account, agreed.terms))


# What this visitor can do


def _do(account: Account | None, agreed: Agreed, standing: Standing) -> None:
    if account is None or (is_over(standing) and not withdrawal(account, agreed.terms.token)):
        return
    options = {option.verb: option for option in standing.open_to(account, agreed.terms)}
    credit = withdrawal(account, agreed.terms.token)
    verbs = [*options, *(["withdraw"] if credit else [])]
    st.subheader("What you can do now")
    verb = chosen()
    if verb not in verbs:
        _offer(verbs, options)
        return
    with st.container(border=True, key="confirm", gap="small"):
        st.markdown(f"**{VERBS[verb]}: please confirm**")
        if verb == "withdraw" and credit:
            perform(account, credit[1])
        else:
            _confirm(account, agreed, standing, options[verb])
        st.button("Not now", on_click=choose, args=(None,), key="not-now")


def _offer(verbs: list[str], options: dict[str, Option]) -> None:
    if not verbs:
        st.markdown("Nothing, for now: it is somebody else's turn.")
    for verb in verbs:
        left, right = st.columns([3, 2], vertical_alignment="center")
        option = options.get(verb)
        effect = option.effect if option else "what a failed payment left for you"
        left.markdown(plain(f"{effect[:1].upper()}{effect[1:]}."))
        kind: Literal["primary", "secondary"] = "secondary" if verb in _BY_CONSENT else "primary"
        right.button(
            VERBS[verb], key=f"verb-{verb}", type=kind, on_click=choose, args=(verb,), width="stretch"
        )  # fmt: skip


def _confirm(account: Account, agreed: Agreed, standing: Standing, option: Option) -> None:
    if option.verb == "open":
        perform(account, opening(account, agreed, standing))
        return
    said = _INPUTS.get(option.verb, _nothing_more)(agreed)
    if said is not None:
        perform(account, action_for(option, agreed, standing, said))


def _nothing_more(_: Agreed) -> tuple[Any, ...]:
    return ()


def _reason(_: Agreed) -> tuple[Any, ...] | None:
    reason = st.text_area("Why? Everybody can read it.", key="reason", max_chars=1000).strip()
    if not reason:
        st.caption("Give a reason; then you see what it costs.")
    return (reason,) if reason else None


def _delivery(agreed: Agreed) -> tuple[Any, ...] | None:
    """The file's digest and its place. The work itself never comes here."""
    key = f"delivery-{agreed.deal_id.hex()[:16]}"
    shown: WorkFile | None = st.session_state.get(key)
    hint = "It is hashed on this computer and never uploaded."
    file, _ = hasher("deliver-drop", prompt="Drop what you deliver here", hint=hint, shown=shown)
    if file:
        st.session_state[key] = file
        st.rerun()
    uri = st.text_input(
        "Where can nodes fetch it?", key=f"{key}-uri", placeholder="https://…", help="These very bytes, publicly."
    ).strip()
    if is_local():
        _local_delivery(agreed, shown)
    if not (shown and uri and _may_be_seen(shown)):
        return None
    return shown.content, _checked(uri)


def _may_be_seen(file: WorkFile) -> bool:
    """A delivery is public, and nodes get the work: what is about to be sealed stays secret until the seal is final.
    Raises NotFinal for a draft of this session or of this browser; False until the browser has answered."""
    draft = current().certificate
    here = draft is not None and draft.work.content == file.content and draft.proof is None
    kept = vault("delivery-shelf", find=file.content).unproved
    if here or kept:
        raise NotFinal(
            f"{file.name} is not sealed for good yet: its draft is still on this computer.",
            "Wait for the seal first, on the page Register.",
        )
    return kept is not None


def _local_delivery(agreed: Agreed, file: WorkFile | None) -> None:
    st.caption(
        "No place to serve it? On this local chain the command line keeps a copy where the nodes find it, "
        "and also asks the committee:"
    )
    name = shlex.quote(file.name) if file else "FILE"
    st.code(f"countersign deal deliver {to_hex(agreed.deal_id)} {name} --key …", language=None, wrap_lines=True)


def _checked(uri: str) -> str:
    schemes = ("https://", "http://", "file:///", "data:") if is_local() else ("https://", "data:")
    if not uri.startswith(schemes) or any(c.isspace() for c in uri):
        raise InputError(f"'{uri[:80]}' is nothing that nodes can fetch.", f"Start with {' or '.join(schemes)}.")
    return uri


_INPUTS: dict[str, Callable[[Agreed], tuple[Any, ...] | None]] = {
    "deliver": _delivery,
    "dispute": _reason,
    "challenge": _reason,
}


# The terms


def _terms(agreed: Agreed, standing: Standing, expanded: bool) -> None:
    terms = agreed.terms
    policy = policy_or_none(client(), terms.policy)
    with st.expander("The terms, in plain words", expanded=expanded):
        brief = agreed.brief or Brief(f"a brief that is found at {agreed.brief_uri[:200]}")
        lines = preview(terms, policy, brief, standing.currency, now())
        st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    with st.expander("Facts"):
        facts(_facts(agreed, standing.currency))
    if policy:
        with st.expander("Who judges"):
            explain(terms.policy, policy)


def _facts(agreed: Agreed, currency: Currency) -> list[tuple[str, str]]:
    terms = agreed.terms
    where = "in the transaction itself" if agreed.brief_uri.startswith("data:") else agreed.brief_uri
    rows = [
        ("Deal", to_hex(agreed.deal_id)),
        ("Payer", checksum(terms.payer)),
        ("Payee", checksum(terms.payee)),
        ("Amount", currency.show(terms.amount)),
        ("Delivery by", utc(terms.deliver_by)),
        ("Verdict by", utc(terms.verdict_by)),
        ("Brief", to_hex(terms.brief)),
        ("Brief found", where),
    ]
    rows += [("Token", checksum(terms.token))] if any(terms.token) else []
    rows += [("Arbiter", checksum(terms.arbiter))] if any(terms.arbiter) else []
    return rows


def _share(agreed: Agreed) -> None:
    """Terms that nobody has opened yet live in their file only."""
    if agreed.file:
        st.download_button(
            "Download the terms file",
            agreed.file.to_text(),
            _file_name(agreed.title),
            "application/json",
            on_click="ignore",
        )
    st.caption("Send it to the other party: whoever drops it here sees the same words. Only the payer can open it.")


# What happened


def _history(agreed: Agreed, currency: Currency) -> None:
    with finder() as found:
        events = found.deal_events(agreed.deal_id)
    st.subheader("What happened")
    history((utc(e["time"]), _EVENTS[e["kind"]](e, currency), to_hex(e["tx"])) for e in events)


_EVENTS: dict[str, Callable[[dict[str, Any], Currency], str]] = {
    "deals": lambda e, currency: f"Opened with {currency.show(int(e['amount']))}",
    "deliveries": lambda e, _: (
        f"Milestone {e['milestone'] + 1} delivered: {to_hex(e['delivery'])}, found at {e['uri'][:120]}"
    ),
    "requests": lambda e, _: f"Verdict requested, round {e['round'] + 1}",
    "verdicts": lambda e, _: f"Verdict {Outcome(e['outcome']).name.capitalize()}, {_bound(e)}",
    "challenges": lambda e, _: f"Verdict challenged by {short(e['challenger'])}",
    "deal_disputes": lambda e, _: f"Disputed by {short(e['by'])}",
    "deal_rulings": lambda e, _: f"The arbiter ruled: {State(e['state']).name.removeprefix('RULED_').lower()}",
    "deal_payments": lambda e, currency: (
        f"Paid ({Cause(e['cause']).name.lower()}): {currency.show(int(e['to_payee']))} to the payee, "
        f"{currency.show(int(e['to_payer']))} to the payer"
    ),
}


def _bound(event: dict[str, Any]) -> str:
    passed = event["outcome"] == Outcome.PASS
    return f"{'all' if passed else 'none'} of its signers gave {'at least' if passed else 'more than'} {event['bound']}"


def _file_name(title: str) -> str:
    """A name that every system takes."""
    return (re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "deal") + SUFFIX
