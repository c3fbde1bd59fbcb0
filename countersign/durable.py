"""Writing files so that a crash leaves the old file or the new one, never half of either; reading without hanging."""

from __future__ import annotations

import io
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from countersign.errors import InputError

if TYPE_CHECKING:
    import sqlite3

__all__ = ["connect", "make_private_folder", "open_regular", "transaction", "write_durably"]

_BUSY = 30.0
"""Seconds that a process waits for another one's write."""
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def write_durably(path: Path, data: bytes, *, private: bool = False, replace: bool = True) -> None:
    """Write, fsync, rename, fsync the folder. ``private`` makes the file readable by its owner only.

    With ``replace=False`` an existing file is kept and InputError raised, also when two processes race.
    Raises InputError when the disk or its permissions refuse.
    """
    try:
        _write(path, data, 0o600 if private else 0o644, replace)
    except FileExistsError as error:
        raise InputError(f"{path} exists already.", "Move it away, or choose another name.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Check the disk and permissions.") from error


def _write(path: Path, data: bytes, mode: int, replace: bool) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            _publish_new(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _publish_new(temporary: Path, path: Path) -> None:
    """Give the finished file its name unless the name is taken. Raises FileExistsError then."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # memory cards and network drives have no hard links: take the name, then fill it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_regular(path: Path) -> io.BufferedReader:
    """Open for reading. Raises InputError for pipes and devices, which could hang or never end, else OSError."""
    # A pipe without a writer would hang at open; O_NONBLOCK does nothing to regular files.
    opener: Callable[[str, int], int] = lambda name, flags: os.open(name, flags | _NONBLOCK)  # noqa: E731
    file = open(path, "rb", opener=opener)  # noqa: SIM115 - the caller closes it
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise InputError(f"{path} is not a regular file.", "Give a file.")
    return file


def make_private_folder(path: Path) -> None:
    """Create ``path``, readable by its owner only, unless it is there. Raises InputError when refused."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path} cannot be created: {error.strerror}.", "Set COUNTERSIGN_HOME to a folder.") from error


def connect(path: Path) -> sqlite3.Connection:
    """An SQLite file in autocommit mode, whose readers never wait (WAL). Raises sqlite3.DatabaseError."""
    import sqlite3
    import time

    db = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
    deadline = time.monotonic() + _BUSY
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return db
        except sqlite3.OperationalError as error:  # the switch does not wait for another process that makes the file
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, or nothing of it; nobody else writes meanwhile. ``db`` is in autocommit mode."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
