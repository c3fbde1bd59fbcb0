"""From files to a batch: listed once, digested in threads, looked at again before anything is sealed."""

from __future__ import annotations

import os
import stat
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from countersign.errors import InputError
from countersign.fingerprint.digest import digest_file
from countersign.records import Work
from countersign.seal.batch import Batch, Entry
from countersign.seal.said import Said

__all__ = ["Files", "Refused", "changed", "compared", "digest"]

_OWN = ".countersign"
"""Part of the name of every file and folder that Countersign makes: some hold secrets."""
_AT_ONCE, _SECONDS = 1000, 0.5
"""Digested works that are written in one transaction: at most so many, and what came in that time."""
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True)
class Refused:
    """A file that cannot be sealed, and why, in a sentence."""

    entry: Entry
    why: str


@dataclass(frozen=True)
class Files:
    """The files and folders of a batch. ``sources`` maps the first part of a work's name to where it lies; "" stands
    for the one folder whose works have names of their own. ``skipped`` counts what :meth:`listed` left out, and why."""

    sources: Mapping[str, Path]
    skipped: Counter[str] = field(default_factory=Counter)

    def path(self, name: str) -> Path:
        """Where the work of that name lies."""
        if "" in self.sources:
            return self.sources[""] / name
        first, _, rest = name.partition("/")
        return self.sources[first] / rest

    def listed(self) -> Iterator[tuple[str, int]]:
        """Name and size in bytes of every work. Links are not followed. Raises InputError for what cannot be read, and
        names that are not Unicode text."""
        for prefix, path in self.sources.items():
            if path.is_dir():
                yield from self._below(path, prefix)
            else:
                yield prefix, path.stat().st_size

    def _below(self, top: Path, prefix: str) -> Iterator[tuple[str, int]]:
        folders = [(top, prefix)]
        while folders:
            folder, prefix = folders.pop()
            for entry in _entries(folder):
                name = f"{prefix}/{entry.name}" if prefix else entry.name
                if (why := _skipped(entry)) is not None:
                    self.skipped[why] += 1
                elif entry.is_dir(follow_symlinks=False):
                    folders.append((folder / entry.name, name))
                else:
                    yield name, entry.stat(follow_symlinks=False).st_size


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise InputError(f"{folder} cannot be listed: {error.strerror}.", "Check its permissions.") from error


def _skipped(entry: os.DirEntry[str]) -> str | None:
    """Why a directory entry is not a work."""
    if _OWN in entry.name:
        return "files of Countersign itself"
    if entry.is_symlink():
        return "links"
    known = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
    return None if known else "devices, pipes and sockets"


def digest(batch: Batch, files: Files, said: Said, progress: Callable[[int], None]) -> list[Refused]:
    """Digest the expected works, in as many threads as there are cores; what is done is on disk every half second.

    Returns the files that cannot be sealed. ``progress`` hears the bytes of each finished file.
    """
    refused: list[Refused] = []
    done: list[tuple[Entry, Work, tuple[bytes, ...]]] = []
    written = time.monotonic()
    for entry, found in _in_threads(lambda entry: _digested(files.path(entry.name), entry, said), batch.expected()):
        if isinstance(found, Refused):
            refused.append(found)
        else:
            done.append((entry, found, said.parents))
        progress(entry.size)
        if len(done) >= _AT_ONCE or time.monotonic() > written + _SECONDS:
            batch.fill(done)
            done, written = [], time.monotonic()
    batch.fill(done)
    return refused


def _digested(path: Path, entry: Entry, said: Said) -> tuple[Entry, Work | Refused]:
    try:
        before = path.lstat()
        if not stat.S_ISREG(before.st_mode):
            return entry, Refused(entry, f"{path} is not a regular file.")
        found = digest_file(path)
        seen = replace(entry, size=found.size, modified=before.st_mtime_ns)
        return seen, said.of(path, found.sha256)
    except InputError as error:
        return entry, Refused(entry, error.message)
    except OSError as error:
        return entry, Refused(entry, f"{path} cannot be read: {error.strerror}.")


def _in_threads(function: Callable[[_T], _R], items: Iterable[_T]) -> Iterator[_R]:
    """The results in order; only a few items are under way at a time."""
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[_R]] = deque()
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > 8 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def changed(batch: Batch, files: Files) -> Iterator[str]:
    """Names of works whose files are not as they were digested: another size or time of change, or gone."""
    return (entry.name for entry in batch.filled() if _differs(files.path(entry.name), entry))


def compared(batch: Batch, files: Files) -> tuple[int, int]:
    """Of the files that lie there now, how many the batch does not have, and how many are not as it digested them."""
    more = other = 0
    for name, _ in files.listed():
        entry = batch.named(name)
        more += entry is None
        other += bool(entry and entry.modified and _differs(files.path(name), entry))
    return more, other


def _differs(path: Path, entry: Entry) -> bool:
    try:
        now = path.lstat()
    except OSError:
        return True
    return (now.st_size, now.st_mtime_ns) != (entry.size, entry.modified)
