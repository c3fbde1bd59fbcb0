"""SHA-256 of files: one thread beside OpenSSL's own loop over memory, and several files in parallel threads."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path

from bench.figures import Figure
from bench.timing import best, progress, seconds
from countersign.fingerprint.digest import digest_file

__all__ = ["measure"]

_MB = 1_000_000
_PATTERN = 1 << 20
_BLOCK = 16_384
_BAR = 0.9


def measure(megabytes: int = 512, runs: int = 5) -> list[Figure]:
    """``file_mb_s``, ``vs_openssl`` (one thread, a file that is in the page cache), ``parallel_speedup``."""
    with tempfile.TemporaryDirectory() as folder:
        files = [_file(Path(folder) / f"{n}.bin", megabytes << 20) for n in range(os.cpu_count() or 1)]
        progress(f"{len(files)} files of {megabytes} MiB are hashed")
        ours, plain, openssl = _rates(files[0], runs)
        alone, together = best(partial(_in_turn, files), partial(_in_parallel, files), runs=max(runs // 2, 1))
    peers = {"hashlib, the same bytes in memory": plain}
    if openssl is None:
        note = "There is no openssl program on PATH: its speed was not measured, hashlib's is the floor instead."
        compared = Figure("vs_hashlib", round(ours / plain, 3), "x", least=_BAR, note=note)
    else:
        peers[f"openssl speed -evp sha256 -bytes {_BLOCK}"] = openssl
        compared = Figure("vs_openssl", round(ours / openssl, 3), "x", least=_BAR)
    speedup = round(alone / together, 2)
    note = f"{len(files)} files, one thread each, on {os.cpu_count()} processors: hashlib frees the interpreter's lock."
    return [
        Figure("file_mb_s", ours, "MB/s", peers=peers),
        compared,
        Figure("parallel_speedup", speedup, "x", note=note),
    ]


def _file(path: Path, size: int) -> Path:
    chunk = os.urandom(_PATTERN)
    with path.open("wb") as file:
        for _ in range(size // _PATTERN):
            file.write(chunk)
    return path


def _rates(file: Path, runs: int) -> tuple[float, float, float | None]:
    """Best MB per CPU second of the file, of hashlib over the same bytes in memory, of OpenSSL; they take turns."""
    content = file.read_bytes()
    rates: list[tuple[float, float, float | None]] = []
    for _ in range(runs):
        rate = _rate(len(content), lambda: digest_file(file))
        rates.append((rate, _rate(len(content), lambda: sha256(content)), _openssl()))
    ours, plain, openssl = zip(*rates, strict=True)
    return max(ours), max(plain), max(filter(None, openssl), default=None)


def _rate(size: int, action: Callable[[], object]) -> float:
    return round(size / _MB / seconds(action, time.process_time), 1)


def _openssl() -> float | None:
    """MB per CPU second that ``openssl speed`` reports for one thread; None without the program."""
    if shutil.which("openssl") is None:
        return None
    command = ["openssl", "speed", "-mr", "-seconds", "1", "-bytes", str(_BLOCK), "-evp", "sha256"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    result = next(line for line in run.stdout.splitlines() if line.startswith("+F:"))
    return round(float(result.rpartition(":")[2]) / _MB, 1)


def _in_turn(files: list[Path]) -> None:
    for file in files:
        digest_file(file)


def _in_parallel(files: list[Path]) -> None:
    with ThreadPoolExecutor(len(files)) as pool:
        list(pool.map(digest_file, files))
