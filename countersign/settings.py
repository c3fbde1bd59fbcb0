"""Configuration: read once, by the shells (command line, app, scripts), and handed down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from countersign.errors import InputError

__all__ = ["LOCAL_CHAIN", "Settings"]

LOCAL_CHAIN = 31337
"""Chain id of the development chain: the only one where published test keys may sign."""


@dataclass(frozen=True)
class Settings:
    """Where state lives and which chain is meant.

    ``home`` holds the salt secret, the journal of transactions and the index; ``rpc`` is the node's URL; ``key`` a
    signer URI (see :mod:`countersign.keys.signer`), or None.
    """

    home: Path
    rpc: str
    chain_id: int
    key: str | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read COUNTERSIGN_HOME, COUNTERSIGN_RPC, COUNTERSIGN_CHAIN and COUNTERSIGN_KEY.

        Raises InputError when COUNTERSIGN_CHAIN is not a number.
        """
        env = os.environ if env is None else env
        chain = env.get("COUNTERSIGN_CHAIN", str(LOCAL_CHAIN))
        if not chain.isdecimal():
            raise InputError(f"COUNTERSIGN_CHAIN is '{chain}', not a chain id.", "Set it to a number such as 31337.")
        return cls(
            home=Path(env.get("COUNTERSIGN_HOME") or "~/.countersign").expanduser(),
            rpc=env.get("COUNTERSIGN_RPC", "http://127.0.0.1:8545"),
            chain_id=int(chain),
            key=env.get("COUNTERSIGN_KEY") or None,
        )

    @property
    def index_path(self) -> Path:
        """SQLite file of this chain's index."""
        return self.home / f"index-{self.chain_id}.sqlite"

    @property
    def outbox_path(self) -> Path:
        """SQLite journal of transactions on their way to this chain."""
        return self.home / f"outbox-{self.chain_id}.sqlite"

    @property
    def secret_path(self) -> Path:
        """The secret that salts derive from. Losing it and the drafts loses the unclaimed works."""
        return self.home / "salt-secret"
