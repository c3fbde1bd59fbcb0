"""Who acts on a page: a demo account of the local chain, or the account of the visitor's wallet."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.chain import demo_accounts, is_local, wallet_chain
from app.components.wallet import wallet
from app.ui import who
from countersign.canonical import checksum, from_address
from countersign.errors import InputError

__all__ = ["Account", "account_bar", "choose_account", "label_of"]

_KEY, _PARAMETER = "account", "as"
_KINDS = ("Demo account", "My wallet")


@dataclass(frozen=True)
class Account:
    """An address (20 bytes), by wallet or as demo account number ``demo``."""

    address: bytes
    demo: int | None = None


def label_of(account: Account) -> str:
    """The account as shown on a page."""
    return f"Demo account {account.demo}" if account.demo is not None else checksum(account.address)


def choose_account(key: str) -> Account | None:
    """Let the visitor choose; the account in the run in which it is chosen. ``key`` starts the widgets' names."""
    if is_local():
        kind = st.radio("Who", _KINDS, key=f"{key}-kind", horizontal=True, label_visibility="collapsed")
        if kind != _KINDS[1]:
            return _choose_demo(key)
    connected, _ = wallet("wallet", wallet_chain())
    if connected and st.button("Continue with this account", type="primary"):
        return Account(connected.account)
    return None


def _choose_demo(key: str) -> Account | None:
    accounts = demo_accounts()
    st.caption("Demo accounts exist on this local chain only. Their keys are public: use them to try things out.")
    number = st.selectbox(
        "Demo account", range(len(accounts)), key=f"{key}-demo", format_func=lambda i: f"{i}: {checksum(accounts[i])}"
    )
    pressed = st.button(f"Continue as demo account {number}", type="primary")
    return Account(accounts[number], demo=number) if pressed else None


def account_bar(why: str) -> Account | None:
    """Who acts on this page; asks, and says ``why``, as long as nobody is chosen. The page's address remembers it over
    a reload."""
    account = _current()
    if account is None:
        _ask(why)
        return None
    st.query_params[_PARAMETER] = _name(account)
    left, right = st.columns([5, 2], vertical_alignment="center")
    with left:
        who(label_of(account), checksum(account.address) if account.demo is not None else "")
    if right.button("Change account", width="stretch"):
        st.session_state.pop(_KEY, None)
        del st.query_params[_PARAMETER]
        st.rerun()
    return account


def _ask(why: str) -> None:
    with st.container(border=True, key="account-card", gap="small"):
        st.markdown(f"**Who are you?** {why}")
        chosen = choose_account("account")
    if chosen:
        st.session_state[_KEY] = chosen
        st.rerun()


def _current() -> Account | None:
    held: Account | None = st.session_state.get(_KEY)
    if held is None and _PARAMETER in st.query_params:
        held = st.session_state[_KEY] = _named(st.query_params[_PARAMETER])
    return held


def _name(account: Account) -> str:
    return f"demo-{account.demo}" if account.demo is not None else checksum(account.address)


def _named(name: str) -> Account | None:
    """What the page's address says; anybody may have written it."""
    kind, _, number = name.partition("-")
    if kind == "demo" and number.isdecimal() and int(number) < len(demo_accounts()):
        return Account(demo_accounts()[int(number)], demo=int(number))
    try:
        return Account(from_address(name))
    except InputError:
        return None
