"""How long something takes, and where a measurement is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

__all__ = ["Clock", "best", "progress", "seconds"]


Clock = Callable[[], float]
"""``time.perf_counter``, or ``time.process_time`` where nothing is waited for: other programs do not disturb that."""


def seconds(action: Callable[[], object], clock: Clock = time.perf_counter) -> float:
    """Seconds of one run."""
    start = clock()
    action()
    return clock() - start


def best(*actions: Callable[[], object], runs: int = 3, clock: Clock = time.perf_counter) -> list[float]:
    """Least seconds of each action. The actions take turns, so that a busy moment of the machine hits them alike."""
    times = [[seconds(action, clock) for action in actions] for _ in range(runs)]
    return [min(column) for column in zip(*times, strict=True)]


def progress(words: str) -> None:
    """One line to a person who waits; results go to stdout, this does not."""
    print(f"  … {words}", file=sys.stderr, flush=True)
