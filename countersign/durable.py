"""Writing files so that a crash leaves the old file or the new one, never half of either; reading without hanging."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from countersign.errors import InputError

if TYPE_CHECKING:
    import sqlite3

__all__ = [
    "connect",
    "make_private_folder",
    "open_regular",
    "stream_durably",
    "transaction",
    "unlock",
    "write_durably",
]

_BUSY = 30.0
"""Seconds that a process waits for another one's write."""
_PATIENCE = 3.0
"""Seconds that a process waits for its turn to write in a folder."""
_TEMPORARY = ".countersign-unfinished"
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)


def write_durably(path: Path, data: bytes, *, private: bool = False, replace: bool = True) -> None:
    """Write, fsync, rename, fsync the folder. ``private`` makes the file readable by its owner only.

    With ``replace=False`` an existing file is kept and InputError raised, also when two processes race.
    Raises InputError when the disk or its permissions refuse.
    """
    stream_durably(path, lambda file: file.write(data), private=private, replace=replace)


def stream_durably(
    path: Path, fill: Callable[[BinaryIO], object], *, private: bool = False, replace: bool = True
) -> None:
    """:func:`write_durably` for what does not fit memory: ``fill`` writes into a file that it may seek in.

    What ``fill`` raises leaves nothing behind; it may be called again after an OSError, with an empty file.
    """
    try:
        _write(path, fill, 0o600 if private else 0o644, replace)
    except FileExistsError as error:
        raise InputError(f"{path} exists already.", "Move it away, or choose another name.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Check the disk and permissions.") from error


def _write(path: Path, fill: Callable[[BinaryIO], object], mode: int, replace: bool) -> None:
    with _held(path.parent) as folder:
        if replace or not _publish_nameless(path, fill, mode, folder):
            _publish_named(path, fill, mode, replace)
        os.fsync(folder)


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """A handle of a folder. Writers take turns, so that what an unfinished one left, with whatever secret it holds, can
    be told from what is being written. Nothing else rests on it: some network drives have no locks or such as do not
    exclude, and anybody who may open a shared folder can hold its lock."""
    folder = os.open(path, os.O_RDONLY)
    try:
        if _locked(folder, _PATIENCE):
            _sweep(path)
        yield folder
    finally:
        unlock(folder)
        os.close(folder)


def unlock(handle: int) -> None:
    """Give an open file's lock back. Closing is not enough: a child that was forked meanwhile has the file open too,
    and would keep the lock for as long as it lives."""
    import fcntl

    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_UN)


def _locked(handle: int, patience: float = 0.0) -> bool:
    """Take an open file's lock, or say after that many seconds that it cannot be had."""
    import fcntl
    import time

    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        except OSError:
            return False


def _sweep(folder: Path) -> None:
    for path in folder.glob(f"{_TEMPORARY}*"):
        with suppress(OSError):
            _remove_if_left(path)


def _remove_if_left(path: Path) -> None:
    """A writer that lives holds the lock of its file. Where locks do not exclude, that one fails: the name is gone."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | _NONBLOCK)
    try:
        if _locked(handle):
            path.unlink()
    finally:
        os.close(handle)


def _publish_named(path: Path, fill: Callable[[BinaryIO], object], mode: int, replace: bool) -> None:
    """Fill a file under a name that nobody else ever takes, so it holds our bytes or is gone, then rename it."""
    temporary = path.parent / f"{_TEMPORARY}-{os.urandom(8).hex()}"
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        _locked(handle)
        _fill(handle, fill, mode)
        temporary.replace(path) if replace else _publish_new(temporary, path)
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)


def _fill(handle: int, fill: Callable[[BinaryIO], object], mode: int) -> None:
    with open(handle, "wb", closefd=False) as file:
        fill(file)
    os.fchmod(handle, mode)
    os.fsync(handle)


def _publish_nameless(path: Path, fill: Callable[[BinaryIO], object], mode: int, folder: int) -> bool:
    """Fill a file that has no name yet, then give it one, unless that is taken: a crash leaves nothing behind. False
    where the system has no such files. Raises FileExistsError."""
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o600)
    except (AttributeError, OSError):
        return False
    try:
        _fill(handle, fill, mode)
        os.link(f"/proc/self/fd/{handle}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    except FileExistsError:
        raise
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _publish_new(temporary: Path, path: Path) -> None:
    """Give the finished file its name unless the name is taken. Raises FileExistsError then."""
    try:
        path.hardlink_to(temporary)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # memory cards and network drives have no hard links: take the name, then fill it
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        temporary.replace(path)


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


def connect(path: Path, *, shared: bool = False) -> sqlite3.Connection:
    """An SQLite file in autocommit mode, whose readers never wait (WAL). Raises sqlite3.DatabaseError.

    A ``shared`` connection may be used by several threads, one at a time: the caller sees to that.
    """
    import sqlite3
    import time

    db = sqlite3.connect(path, timeout=_BUSY, isolation_level=None, check_same_thread=not shared)
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
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk ends it by itself
            db.execute("ROLLBACK")
        raise
