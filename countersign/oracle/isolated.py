"""A check in a process of its own: hostile content may hang it, crash it or eat its memory, never the node's."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from countersign.checks import Check, Finding, Material
from countersign.errors import CountersignError

__all__ = ["CheckFailed", "Isolated"]

_START = 120.0
"""Seconds in which a model must be loaded."""


class CheckFailed(CountersignError):
    """A check gave no finding."""


class Isolated:
    """A check like any other. ``make`` builds the real one in the child process, so it must be importable there."""

    def __init__(self, make: Callable[[], Check], limit: float) -> None:
        """``limit``: seconds a run may take. Raises CheckFailed, in the words of what ``make`` raised."""
        self._make, self._limit = make, limit
        self._lock = threading.Lock()
        self._child: tuple[Any, Connection] | None = None
        self.name, self.weights, self.licence, self.card = self._start()

    def run(self, material: Material) -> Finding:
        """The finding. Raises CheckFailed when the check takes too long, raises or dies; the next run starts anew."""
        with self._lock:
            if self._child is None:
                self._start()
            finding = self._ask(material, self._limit)
        if not isinstance(finding, Finding):
            raise CheckFailed(f"The check {self.name} failed: {finding}.", "The node abstains.")
        return finding

    def close(self) -> None:
        """End the child process."""
        if self._child:
            process, pipe = self._child
            self._child = None
            process.kill()
            process.join()
            pipe.close()

    def _start(self) -> tuple[str, bytes, str, str]:
        context = multiprocessing.get_context("spawn")  # a forked model library may hang
        pipe, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._make), daemon=True)
        process.start()
        theirs.close()
        self._child = process, pipe
        said = self._receive(_START)
        if isinstance(said, list):
            self.close()
            raise CheckFailed(*said)
        if not isinstance(said, tuple):
            raise CheckFailed(f"The check does not start: {said}.", "Try it: countersign oracle check.")
        return said

    def _ask(self, material: Material, limit: float) -> Any:
        assert self._child
        try:
            self._child[1].send(material)
        except OSError:
            self.close()
            return "its process is gone"
        return self._receive(limit)

    def _receive(self, limit: float) -> Any:
        """What the child says; words when it says nothing, and then the child is gone."""
        assert self._child
        pipe = self._child[1]
        try:
            if pipe.poll(limit):
                return pipe.recv()
            words = f"it took longer than {limit:.0f} s"
        except (EOFError, OSError):
            words = "its process died"
        self.close()
        return words


def _serve(pipe: Connection, make: Callable[[], Check]) -> None:
    """The child: says what the check is, then runs it on whatever comes."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal goes to the node, which ends this process
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        check = make()
        pipe.send((check.name, check.weights, check.licence, check.card))
        while True:
            pipe.send(_finding(check, pipe.recv()))
    except (EOFError, OSError):
        return
    except CountersignError as error:
        pipe.send([error.message, error.next_step])


def _end_with_parent() -> None:
    """A node that is killed leaves no check behind, however long that one takes."""
    parent = multiprocessing.parent_process()
    assert parent
    parent.join()
    os._exit(1)


def _finding(check: Check, material: Material) -> Finding | str:
    try:
        return check.run(material)
    except Exception as error:  # whatever a model library raises, the node goes on
        return f"{type(error).__name__}: {error}"[:300]
