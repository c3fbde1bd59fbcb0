"""Deals: what the visitor buys and sells, what each deal waits for, new terms, and terms that somebody sent."""

from __future__ import annotations

import streamlit as st

from app.account import Account, account_bar
from app.chain import client, health
from app.components.hasher import hasher
from app.dealing import Agreed, Standing, agreed_of, look, withdrawal
from app.finding import finder
from app.sending import choose, chosen, notice, pending, perform
from app.ui import guarded, plain, problem, short
from app.views.deal import deal_view
from app.views.proposal import forget_values, keep_values, proposal_view
from countersign.canonical import from_hex, to_hex
from countersign.deal.terms import SUFFIX, TermsFile
from countersign.deal.timeline import STATUS
from countersign.deal.words import show_duration
from countersign.errors import CountersignError, InputError, WrongChain
from countersign.records import State

_FILE = "terms-file"
_SHOWN = 25
"""Deals on the list; the command line shows all."""


def page() -> None:
    """Draw the page."""
    keep_values()
    st.title("Deals")
    trouble = health().problem
    if trouble:
        problem(trouble)
        st.button("Try again", key="again-chain")
        return
    with guarded("deals"):
        account = account_bar("Payer and payee see their deals, and what they can do.")
        if not pending():
            notice()
            _draw(account)


def _draw(account: Account | None) -> None:
    agreed = _agreed()
    if agreed:
        st.button("All deals", on_click=_go, icon=":material/arrow_back:", key="to-list")
        if _FILE in st.session_state and "new-title" in st.session_state:
            st.button("Change the terms", on_click=_go, kwargs={"new": "yes"}, icon=":material/edit:", key="to-form")
        deal_view(account, agreed)
    elif "new" in st.query_params and account:
        st.button("All deals", on_click=_go, icon=":material/arrow_back:", key="to-list")
        proposal_view(account, _take)
    else:
        _list(account)


def _go(**where: str) -> None:
    """To another part of the page; without arguments to the list."""
    choose(None)
    _address(**where)


def _new() -> None:
    forget_values()
    _go(new="yes")


def _address(**where: str) -> None:
    st.session_state.pop(_FILE, None)
    for name in ("deal", "new"):
        st.query_params.pop(name, None)
    st.query_params.update(where)


def _agreed() -> Agreed | None:
    """The deal that is looked at: of the page's address, or of a file that was proposed or dropped here."""
    file: TermsFile | None = st.session_state.get(_FILE)
    if file and client().deal_of(file.deal_id).state == State.NONE:
        return Agreed(file.terms, file.brief, file.brief_uri)
    if file:
        _address(deal=to_hex(file.deal_id))
    name = st.query_params.get("deal")
    return _of_index(from_hex(name.strip(), 32, "deal id")) if name else None


def _of_index(identifier: bytes) -> Agreed:
    with finder() as found:
        row = found.deal(identifier)
    if row is None:
        raise InputError(
            f"There is no open deal {short(identifier)} on this chain, or the index has not seen it yet.",
            "Wait a moment, or drop its terms file on the list of deals.",
        )
    return agreed_of(row)


def _take(file: TermsFile) -> None:
    """Look at these terms. Raises WrongChain."""
    if file.contracts != client().deals:
        raise WrongChain(f"These terms are for chain {file.contracts.chain_id}.", "Open the page of that chain.")
    _address()
    st.session_state[_FILE] = file
    st.rerun()


# The list


def _list(account: Account | None) -> None:
    if account is None:
        st.markdown(
            "Money waits in an escrow until a committee of AI oracles has judged the delivery, a person releases it, "
            "or the time is up: whatever the terms say."
        )
    else:
        _mine(account)
        st.button("New deal", type="primary", icon=":material/add:", on_click=_new)
        _credit(account)
    _drop()


def _mine(account: Account) -> None:
    with finder() as found:
        rows = found.deals_of(account.address)
    if not rows:
        st.info("You have no deals yet. Make the terms of a new one, or drop a terms file that somebody sent you.")
    for row in rows[:_SHOWN]:
        with guarded(row["deal_id"].hex()[:8]):
            _card(account, agreed_of(row))
    if len(rows) > _SHOWN:
        st.caption(f"The newest {_SHOWN} of {len(rows)}. All of them: countersign deal list.")


def _card(account: Account, agreed: Agreed) -> None:
    standing = look(agreed)
    role = "You buy" if agreed.terms.payer == account.address else "You sell"
    with st.container(border=True, key=f"deal-{agreed.deal_id.hex()[:16]}", gap="small"):
        name = to_hex(agreed.deal_id)
        st.button(
            plain(agreed.title),
            type="tertiary",
            icon=":material/arrow_forward:",
            key=f"show-{name[:18]}",
            on_click=_go,
            kwargs={"deal": name},
        )
        amount, status = standing.currency.show(agreed.terms.amount), standing.line.status
        st.markdown(f"{role} for **{plain(amount)}**: **{plain(status)}**. {plain(_next(account, agreed, standing))}")


def _next(account: Account, agreed: Agreed, standing: Standing) -> str:
    change = standing.line.next_change(standing.now)
    verbs = [o.verb for o in standing.open_to(account, agreed.terms) if o.verb not in ("release", "refund")]
    you = f"You may {' or '.join(verbs)}. " if verbs else ""
    return f"{you}Next deadline in {show_duration(change - standing.now)}." if change else you or STATUS["ended"]


def _credit(account: Account) -> None:
    """Coin that could not be pushed to this account; tokens are looked at on their deals."""
    found = withdrawal(account, bytes(20))
    if not found:
        return
    shown, action = found
    st.warning(f"A payment of {plain(shown)} to you had failed. It waits in the escrow.")
    if chosen() == "withdraw":
        perform(account, action)
    else:
        st.button("Withdraw the credit", on_click=choose, args=("withdraw",))


def _drop() -> None:
    st.subheader("Terms from somebody else")
    file, document = hasher(
        "terms-drop",
        prompt="Drop a terms file here",
        hint=f"It ends in {SUFFIX}. You see what it says before anything is paid.",
        shown=None,
        documents=SUFFIX,
    )
    try:
        if document:
            _take(TermsFile.from_text(document.text, document.name))
        if file:
            raise InputError(f"{file.name} is not a file of terms.", f"Its name ends in {SUFFIX}.")
    except CountersignError as error:
        problem(error)
