"""Seals many works, made up, on a local chain in one transaction, as a program does that uses the library.

    python tests/e2e/many.py URL ACCOUNT WORKS FOLDER

prints gas, works per second and the peak of memory as JSON, and leaves the bundle in the folder.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from countersign import seal
from countersign.chain.client import Client
from countersign.chain.sender import Sender
from countersign.errors import NotFinal
from countersign.keys.signer import open_signer
from countersign.records import Work

NAME = "many.countersign.bundle"


def works(size: int, secret: bytes) -> Iterator[seal.Draft]:
    """Works that nobody else has, one after the other."""
    mark = os.urandom(8)
    for number in range(size):
        work = Work(sha256(mark + b"%d" % number).digest(), origin="trainedAlgorithmicMedia")
        yield seal.Draft(f"out/{number:07}.png", work, seal.salt_of(secret, work))


def seal_many(url: str, account: int, size: int, folder: Path) -> dict[str, Any]:
    """Add, draft, seal, prove; what it took."""
    signer, client, secret = open_signer(f"test:{account}", 31337, str), Client(url, 31337), os.urandom(32)
    began = time.monotonic()
    with seal.Batch(folder / NAME, signer.address, client.contracts, secret) as batch:
        batch.add_all(works(size, secret))
        added = time.monotonic()
        batch.draft()
        drafted = time.monotonic()
        receipt = batch.seal(client, Sender(client, signer, folder / "outbox"))
        _prove(batch, client)
    return {
        "works": size,
        "added_per_s": round(size / (added - began)),
        "drafted_per_s": round(size / (drafted - added)),
        "gas": receipt.gas if receipt else None,
        "peak_mb": _peak(),
    }


def _peak() -> int:
    """The most memory since this program began, in MB. ``ru_maxrss`` would count that of the process that forked it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024


def _prove(batch: seal.Batch, client: Client) -> None:
    while True:
        try:
            batch.prove(client)
            return
        except NotFinal:
            time.sleep(0.2)


if __name__ == "__main__":
    url, account, size, folder = sys.argv[1:]
    print(json.dumps(seal_many(url, int(account), int(size), Path(folder))))
