"""Time of offline verification: cold (a fresh process, as the command line runs it) and warm (in a running process)."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure
from countersign.canonical import to_hex
from countersign.certificate import Certificate, path_beside
from countersign.fingerprint.digest import digest_file
from countersign.verify import verify
from scripts.story import Story, photograph
from tools.deployment import deploy_local
from tools.devnet import Devnet

__all__ = ["measure"]

_COLD, _WARM = 9, 200


def measure() -> list[Figure]:
    """``cold_ms``, ``warm_ms`` (medians) for a claimed photograph."""
    with tempfile.TemporaryDirectory() as folder:
        with Devnet() as chain:
            deploy_local(chain)
            story = Story(chain.url, Path(folder))
            story.run()
        photo = Path(folder) / photograph().name
        proof = Certificate.load(path_beside(photo)).proof
        assert proof is not None
        trusted = to_hex(proof.check().block.hash)
        return [Figure("cold_ms", _cold(photo, trusted), "ms"), Figure("warm_ms", _warm(photo, trusted), "ms")]


def _cold(photo: Path, trusted: str) -> float:
    command = [sys.executable, "-m", "countersign", "verify", str(photo), "--offline", "--block-hash", trusted]
    return _median(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), _COLD)


def _warm(photo: Path, trusted: str) -> float:
    text, block = path_beside(photo).read_text(), bytes.fromhex(trusted[2:])

    def once() -> None:
        report = verify(Certificate.from_json(text), digest_file(photo).sha256, block_hash=block)
        assert report.outcome == "verified"

    return _median(once, _WARM)


def _median(action: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        action()
        times.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(times), 2)
