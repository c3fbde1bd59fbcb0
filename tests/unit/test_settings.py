"""Configuration is read in one place and complains in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from countersign.errors import InputError
from countersign.settings import Settings


def test_defaults() -> None:
    settings = Settings.from_env({})
    assert (settings.chain_id, settings.rpc, settings.key) == (31337, "http://127.0.0.1:8545", None)
    assert settings.home == Path.home() / ".countersign"


def test_everything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    env = {"HOME": "/h", "RPC": "http://n", "CHAIN": "7", "KEY": "test:1"}
    for name, value in env.items():
        monkeypatch.setenv(f"COUNTERSIGN_{name}", value)
    settings = Settings.from_env()
    assert (settings.home, settings.rpc, settings.chain_id, settings.key) == (Path("/h"), "http://n", 7, "test:1")
    assert settings.index_path == Path("/h/index-7.sqlite")
    assert settings.outbox_path == Path("/h/outbox-7.sqlite")
    assert settings.secret_path == Path("/h/salt-secret")


@pytest.mark.parametrize("chain", ["", "one", "-1", "0x1", "1.5", " 1"])
def test_a_chain_that_is_no_number_is_said(chain: str) -> None:
    with pytest.raises(InputError, match="not a chain id"):
        Settings.from_env({"COUNTERSIGN_CHAIN": chain})


def test_an_empty_key_or_home_is_none() -> None:
    settings = Settings.from_env({"COUNTERSIGN_KEY": "", "COUNTERSIGN_HOME": ""})
    assert settings.key is None and settings.home == Path.home() / ".countersign"
