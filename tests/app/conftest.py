"""A chain of our own for the pages' tests, and pages run without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from tools.deployment import deploy_local
from tools.devnet import Devnet


@pytest.fixture(scope="session")
def shared_chain() -> Iterator[Devnet]:
    with Devnet() as running:
        deploy_local(running)
        yield running


@pytest.fixture
def chain(shared_chain: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devnet]:
    """The app's chain. Blocks come with transactions and `evm_mine` only; its state is as before after each test."""
    monkeypatch.setenv("COUNTERSIGN_HOME", str(tmp_path))
    monkeypatch.setenv("COUNTERSIGN_RPC", shared_chain.url)
    snapshot = shared_chain.rpc("evm_snapshot")
    st.cache_resource.clear()
    yield shared_chain
    shared_chain.rpc("evm_revert", snapshot)
    st.cache_resource.clear()
