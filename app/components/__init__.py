"""What must run in the browser: each folder holds a Streamlit v2 component (no iframe) and its JavaScript modules.

A component's state stays until the browser changes it, so each event carries a number ``seq``: :func:`news` hands out
each event once.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

__all__ = ["ignore", "news"]


def ignore() -> None:
    """The callback by which Streamlit learns a state's name; pages read the state itself."""


def news(name: str, event: dict[str, Any] | None) -> dict[str, Any] | None:
    """``event``, unless this session has had it already."""
    if event is None or st.session_state.get(name) == event.get("seq"):
        return None
    st.session_state[name] = event.get("seq")
    return event
