"""Wallet bridge: Python prepares an intent, the page's wallet answers it, the answer comes back as state."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.assets import asset_url, module_stub
from app.components import ignore
from countersign.canonical import checksum, from_hex, to_hex
from countersign.errors import InputError
from countersign.records import Call

__all__ = ["Answer", "Intent", "Wallet", "answered", "send_intent", "sign_intent", "wallet"]


@dataclass(frozen=True)
class Wallet:
    """The connected wallet: its name, current account (20 bytes) and chain id."""

    name: str
    account: bytes
    chain_id: int


@dataclass(frozen=True)
class Answer:
    """What the wallet said to an intent: ``value`` (signature, transaction hash), or error ``code`` and ``message``."""

    value: bytes | None
    code: int = 0
    message: str = ""


_HTML = f"""<link rel="stylesheet" href="{asset_url("component.css")}">
<div class="cs column">
  <div class="wallets row" role="group" aria-label="Wallets"></div>
  <p class="none muted" hidden>No wallet found in this browser. Sending and signing need one, looking does not.
    Install one (any that speaks EIP-6963), then reload.</p>
  <div class="account row" hidden>
    <span class="grow"><b class="who"></b><br><span class="address mono"></span></span>
    <button class="leave quiet" type="button">Use another wallet</button>
  </div>
  <div class="wrong notice row" hidden>
    <span class="chain grow"></span>
    <button class="switch" type="button"></button>
  </div>
  <div class="intent column" hidden>
    <div><button class="go main" type="button"></button></div>
    <p class="advice muted" role="status" aria-live="polite"></p>
  </div>
  <p class="problem" role="alert" hidden></p>
</div>"""

_component = st.components.v2.component("countersign_wallet", html=_HTML, js=module_stub("wallet.js"))

Intent = dict[str, Any]


def send_intent(label: str, chain: dict[str, Any], sender: bytes, call: Call, attempt: int | str = 0) -> Intent:
    """The wish that the wallet sends ``call``. ``attempt`` sets a new try apart from one that came to nothing."""
    body = {"kind": "send", "call": {"to": checksum(call.to), "data": to_hex(call.data), "value": hex(call.value)}}
    return _intent(label, {**body, "chain": chain, "from": checksum(sender), "attempt": attempt})


def sign_intent(label: str, chain: dict[str, Any], signer: bytes, typed: dict[str, Any]) -> Intent:
    """The wish that the wallet signs EIP-712 data."""
    return _intent(label, {"kind": "sign", "typed": typed, "chain": chain, "from": checksum(signer)})


def _intent(label: str, body: dict[str, Any]) -> Intent:
    """The id names the content, so that the same wish is the same intent after any rerun or reload."""
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return {**body, "id": digest[:24], "label": label}


def wallet(key: str, chain: dict[str, Any], intent: Intent | None = None) -> tuple[Wallet | None, Answer | None]:
    """Mount the bridge. Returns the connected wallet and the answer to this very intent, if there is one."""
    before = st.session_state.get(key) or {}
    answered = (before.get("answer") or {}).get("id")
    result = _component(
        key=key,
        data={"chain": chain, "intent": intent, "known": before.get("wallet"), "answered": answered},
        default={"wallet": None, "answer": None},
        on_wallet_change=ignore,
        on_answer_change=ignore,
    )
    return _wallet_of(result.wallet), _answer_of(result.answer, intent)


def answered(key: str, intent: Intent) -> Answer | None:
    """The answer to ``intent`` that has come since the bridge was mounted, without mounting it."""
    return _answer_of((st.session_state.get(key) or {}).get("answer"), intent)


def _wallet_of(raw: dict[str, Any] | None) -> Wallet | None:
    if raw is None:
        return None
    try:
        return Wallet(str(raw["name"])[:60], from_hex(raw["account"], 20, "account"), int(str(raw["chainId"]), 0))
    except (KeyError, ValueError, AttributeError) as error:
        raise InputError("The wallet's answer makes no sense.", "Reload the page and connect again.") from error


def _answer_of(raw: dict[str, Any] | None, intent: Intent | None) -> Answer | None:
    if raw is None or intent is None or raw.get("id") != intent["id"]:
        return None
    if not raw.get("ok"):
        error = raw.get("error") or {}
        return Answer(None, int(error.get("code", -1)), str(error.get("message", ""))[:300])
    try:
        return Answer(bytes.fromhex(str(raw["value"]).removeprefix("0x")))
    except (KeyError, ValueError) as error:
        raise InputError("The wallet's answer is not hex.", "Reload the page and try again.") from error
