"""The router: every page, sorted by who needs it. Streamlit runs this file for each browser event."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from app.chain import chain_name, health, settings
from app.views import deals, desk, register, verify

_ICON = Path(__file__).parent / "theme" / "favicon.svg"


def _chain_state() -> None:
    state = health()
    if state.problem or state.head is None or state.finalized is None:
        dot, words = "cs-dot cs-bad", f"{chain_name()} cannot be reached"
    else:
        dot, words = "cs-dot", f"{chain_name()}, block {state.head.number:,} (final: {state.finalized.number:,})"
    st.html(f'<p class="cs-chain"><span class="{dot}"></span>{escape(words)}<br>Chain id {settings().chain_id}</p>')


def main() -> None:
    """Draw the frame and the chosen page."""
    pages = {
        "Creators": [st.Page(register.page, title="Register", icon=":material/approval:", default=True)],
        "Buyers and sellers": [st.Page(deals.page, title="Deals", icon=":material/handshake:", url_path="deals")],
        "Oracle operators": [st.Page(desk.page, title="Oracle desk", icon=":material/gavel:", url_path="desk")],
        "Everyone": [
            st.Page(verify.page, title="Verify", icon=":material/verified:", url_path="verify"),
        ],
    }
    chosen = st.navigation(pages)
    st.set_page_config(page_title=f"{chosen.title} · Countersign", page_icon=str(_ICON), layout="centered")
    st.logo(str(_ICON), size="large")
    with st.sidebar:
        _chain_state()
    chosen.run()


main()
