"""Streaming SHA-256 of files of any size in constant memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from countersign.durable import open_regular
from countersign.errors import InputError

__all__ = ["FileDigest", "digest_file"]

_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileDigest:
    """SHA-256 (32 bytes) of a file's exact bytes, and how many there were."""

    sha256: bytes
    size: int


def digest_file(path: Path, progress: Callable[[int], None] | None = None) -> FileDigest:
    """Digest ``path``, calling ``progress`` with the number of bytes of each chunk.

    Raises InputError when the file is missing, not a regular file, unreadable, empty, or changes while it is read.
    """
    try:
        with open_regular(path) as file:
            before = os.fstat(file.fileno())
            hasher = sha256()
            buffer = memoryview(bytearray(_CHUNK))
            size = 0
            while size <= before.st_size and (count := file.raw.readinto(buffer)):  # a growing file has no end
                hasher.update(buffer[:count])
                size += count
                if progress:
                    progress(count)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise _unreadable(path, error) from error
    if size == 0:
        raise InputError(f"{path} is empty.", "An empty file has nothing to seal; choose another file.")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or size != after.st_size:
        raise InputError(f"{path} changed while it was read.", "Wait until no program writes to it, then try again.")
    return FileDigest(hasher.digest(), size)


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path} does not exist.", "Check the name.")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{path} is a folder.", "Give a file.")
    return InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the file's permissions and disk.")
