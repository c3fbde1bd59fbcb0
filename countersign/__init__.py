"""Countersign: seals of origin for AI-made works, verdicts by independent AI oracles, payment that follows them.

The package reads as a pipeline, lowest layer first (a module imports only from those above it in this list)::

    errors settings      what goes wrong, and the one place where configuration is read
    records canonical    what is said, and the only place where it becomes bytes
    merkle fingerprint   RFC 6962 trees; what a file is, what it resembles, what its Content Credentials say
    certificate          the file that proves a seal, and the state proofs inside it
    keys                 who signs
    chain                talking to a node: client, sender that survives crashes, codec, deployments
    index                events to rows; the index finds, the chain decides
    seal models deal     the write flows: works one by one, in batches or as they are made; a model; a payment
    checks               AI models that judge bytes (extra: checks)
    oracle               a node: look, sign, tell the others, submit
    objections           what others say against a claim, answered and judged
    verify               the read flow
    provenance evidence  what a work derives from, as a graph; one ZIP for somebody who checks offline
    cli                  parse, call, print
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from countersign.seal.stream import Sealing

__version__ = "0.1.0"
__all__ = ["__version__", "sealing"]


def sealing(
    folder: str | Path, *, key: str | None = None, rpc: str | None = None, chain: int | None = None,
    home: str | Path | None = None, batch: int = 256, every: float = 10.0, limit: int = 1024, wait: bool = True,
) -> Sealing:  # fmt: skip
    """Seal what a generator makes into ``folder``, in the background: see :mod:`countersign.seal.stream`.

    ``key``, ``rpc``, ``chain`` and ``home`` are as on the command line, with the same variables as defaults; the
    others as in :class:`~countersign.seal.stream.Sealing`. A keystore's passphrase is asked for on the terminal.
    Raises SignerError, Unreachable, WrongChain before anything is generated.
    """
    from countersign.seal.stream import open_sealing

    return open_sealing(
        Path(folder), key=key, rpc=rpc, chain=chain, home=home, batch=batch, every=every, limit=limit, wait=wait
    )
