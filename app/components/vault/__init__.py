"""The shelf of drafts and certificates in this browser: where a draft is safe before a wallet is asked."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.assets import asset_url, module_stub
from app.components import ignore, news
from countersign.canonical import to_hex
from countersign.certificate import Certificate

__all__ = ["Opened", "Shelf", "entry_id", "vault"]


@dataclass(frozen=True)
class Opened:
    """A draft or certificate from the shelf, sealed ``by`` "wallet" or "demo"."""

    text: str
    by: str


@dataclass(frozen=True)
class Shelf:
    """What the browser reports: whether the certificate given to :func:`vault` is stored, was downloaded, why it could
    not be stored, what was just opened, and whether the content to ``find`` is there without a proof of its seal (None:
    no answer yet)."""

    saved: bool
    downloaded: bool
    error: str
    opened: Opened | None
    unproved: bool | None = None


_HTML = f"""<link rel="stylesheet" href="{asset_url("component.css")}">
<div class="cs column">
  <div class="kept row" hidden>
    <span class="stored grow"></span>
    <button class="download" type="button"></button>
  </div>
  <div class="shelf column" hidden>
    <span class="muted">In this browser</span>
    <ul></ul>
  </div>
  <p class="problem" role="alert" hidden></p>
</div>"""

_component = st.components.v2.component("countersign_vault", html=_HTML, js=module_stub("vault.js"))

_NOTES = {"draft": "draft, not finished", "certificate": "certificate"}
_KEPT = {
    "draft": "✓ The draft, with its secret salt, is saved in this browser. Keep a copy as well.",
    "certificate": "✓ The certificate is saved in this browser. Keep it with the work.",
}


def entry_id(certificate: Certificate) -> str:
    """Name of a certificate on the shelf and in the page's address: public, reveals nothing."""
    return to_hex(certificate.root)[2:18]


def vault(
    key: str, *, save: Certificate | None = None, by: str = "", open_id: str | None = None, show: bool = False,
    find: bytes | None = None,
) -> Shelf:  # fmt: skip
    """Mount the shelf: store ``save`` (sealed ``by`` "wallet" or "demo"), hand over the entry ``open_id``, ``show`` the
    list to choose from, ``find`` a content (32 bytes)."""
    entry = _entry(save, by) if save else None
    told = (st.session_state.get(key) or {}).get("saved") or {}
    result = _component(
        key=key,
        data={"save": entry, "saved": told.get("stamp"), "open": open_id, "list": show,
              "find": to_hex(find) if find else None},
        default={"saved": None, "downloaded": None, "opened": None, "found": None},
        on_saved_change=ignore,
        on_downloaded_change=ignore,
        on_opened_change=ignore,
        on_found_change=ignore,
    )  # fmt: skip
    saved = result.saved or {}
    answered = entry is not None and saved.get("stamp") == entry["stamp"]
    error = str(saved.get("error") or "") if answered else ""
    downloaded = entry is not None and (result.downloaded or {}).get("stamp") == entry["stamp"]
    return Shelf(
        answered and not error,
        downloaded,
        error,
        _opened_of(news(f"{key}-opened", result.opened)),
        _unproved(result.found, find),
    )


def _unproved(found: dict[str, Any] | None, content: bytes | None) -> bool | None:
    asked = found is not None and content is not None and found.get("content") == to_hex(content)
    return bool(found.get("unproved", True)) if found and asked else None


def _opened_of(raw: dict[str, Any] | None) -> Opened | None:
    return Opened(str(raw.get("text", "")), str(raw.get("by", ""))) if raw else None


def _entry(certificate: Certificate, by: str) -> dict[str, str]:
    text = certificate.to_json()
    state = "certificate" if certificate.proof and certificate.signature else "draft"
    return {
        "id": entry_id(certificate),
        "name": certificate.name,
        "by": by,
        "state": state,
        "note": _NOTES[state],
        "kept": _KEPT[state],
        "label": f"Download the {state}",
        "text": text,
        "stamp": hashlib.sha256(text.encode()).hexdigest()[:24],
    }
