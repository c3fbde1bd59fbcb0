"""The chain as the app sees it: one client, its name, its health, and the demo accounts of the local chain."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import streamlit as st

from countersign.canonical import to_hex
from countersign.chain.client import Client
from countersign.chain.sender import Sender
from countersign.deal import flow
from countersign.deal.words import Currency
from countersign.errors import CountersignError, SignerError
from countersign.keys.signer import TEST_ACCOUNTS, Signer, open_signer
from countersign.records import Block
from countersign.settings import LOCAL_CHAIN, Settings

__all__ = [
    "ETH",
    "Health",
    "chain_name",
    "client",
    "currency_of",
    "demo_accounts",
    "demo_sender",
    "demo_signer",
    "health",
    "is_local",
    "is_pending",
    "now",
    "settings",
    "wallet_chain",
]

ETH = Currency(bytes(20), "ETH", 18)
"""The chain's own coin, as :func:`wallet_chain` names it."""
_NAMES = {1: "Ethereum", 8453: "Base", 11155111: "Sepolia", LOCAL_CHAIN: "Countersign local"}


@st.cache_resource
def settings() -> Settings:
    """Configuration, read once for the process."""
    return Settings.from_env()


@st.cache_resource
def client() -> Client:
    """The one client of this process."""
    return Client(settings().rpc, settings().chain_id)


def is_local() -> bool:
    """Whether this is the development chain, where published test keys may act."""
    return settings().chain_id == LOCAL_CHAIN


def chain_name() -> str:
    """The chain as people call it."""
    number = settings().chain_id
    return _NAMES.get(number, f"chain {number}")


def now() -> int:
    """Second of the next block at the earliest: a local chain may be ahead of the clock."""
    return max(client().head().time, int(time.time()))


def currency_of(token: bytes) -> Currency:
    """The coin, or a token. Raises InputError when it is none."""
    return flow.currency_of(client(), token) if any(token) else ETH


@dataclass(frozen=True)
class Health:
    """The newest and the newest final block, or what is wrong."""

    head: Block | None
    finalized: Block | None
    problem: CountersignError | None


@st.cache_resource(ttl=1.5, show_spinner=False)
def health() -> Health:
    """Whether the node answers, serves the expected chain and has the contracts."""
    try:
        client().check()
        return Health(client().head(), client().finalized(), None)
    except CountersignError as error:
        return Health(None, None, error)


def is_pending(transaction: bytes) -> bool:
    """Whether the node knows the transaction, mined or not."""
    return client().rpc("eth_getTransactionByHash", to_hex(transaction)) is not None


def wallet_chain() -> dict[str, Any]:
    """The chain in a wallet's terms (EIP-3085). The node's URL may hold an API key: only the local one is shown."""
    chain: dict[str, Any] = {
        "chainId": hex(settings().chain_id),
        "chainName": chain_name(),
        "nativeCurrency": {"name": "Ether", "symbol": "ETH", "decimals": 18},
    }
    return {**chain, "rpcUrls": [settings().rpc]} if is_local() else chain


def _no_passphrase(_: str) -> str:
    raise SignerError("The web app holds no keystore.", "Use a wallet.")


@st.cache_resource
def demo_signer(number: int) -> Signer:
    """The published test key ``number``. Raises SignerError on every chain but 31337."""
    return open_signer(f"test:{number}", settings().chain_id, _no_passphrase)


@st.cache_resource
def demo_accounts() -> tuple[bytes, ...]:
    """Addresses of the demo accounts; none on any chain but 31337."""
    return tuple(demo_signer(i).address for i in range(TEST_ACCOUNTS)) if is_local() else ()


def demo_sender(number: int) -> Sender:
    """Sends for a demo account. One per use: its journal is bound to the thread that opens it."""
    return Sender(client(), demo_signer(number), settings().outbox_path, wait=30)
