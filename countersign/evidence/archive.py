"""The ZIP: the same bytes for the same case, streamed, published whole or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from countersign.durable import open_regular, stream_durably
from countersign.errors import InputError
from countersign.evidence.case import Case
from countersign.evidence.instructions import readme
from countersign.evidence.page import draw
from countersign.fingerprint.digest import FileDigest

__all__ = ["export"]

_CHUNK = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE = 0o100644 << 16


def export(case: Case, out: Path, progress: Callable[[int], None] | None = None) -> dict[str, str]:
    """Write the ZIP to ``out`` and return the SHA-256 (hex) of each file in it; ``progress`` gets bytes of the files.

    Readable by its owner only: it holds the salt. Raises InputError when ``out`` exists, when a file changes
    meanwhile, and MissingExtra without the extra 'media'.
    """
    parts = {**case.parts(), "README.txt": readme(case).encode(), "report.pdf": draw(case)}
    sums = {name: sha256(data).hexdigest() for name, data in parts.items()}
    files = case.files()
    sums |= {name: expected.sha256.hex() for name, (_, expected) in files.items()}
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    parts["SHA256SUMS"] = lines.encode()
    stream_durably(out, lambda file: _fill(file, parts, files, progress), private=True, replace=False)
    return dict(sorted(sums.items()))


def _fill(
    file: BinaryIO,
    parts: dict[str, bytes],
    files: dict[str, tuple[Path, FileDigest]],
    progress: Callable[[int], None] | None,
) -> None:
    """Nothing is compressed: compressors differ between machines, and media are compressed already."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted([*parts, *files]):
            if name in parts:
                archive.writestr(_entry(name, len(parts[name])), parts[name])
            else:
                _stream(archive, name, *files[name], progress)


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system, entry.external_attr, entry.file_size = 3, _FILE, size
    return entry


def _stream(
    archive: zipfile.ZipFile, name: str, work: Path, expected: FileDigest, progress: Callable[[int], None] | None
) -> None:
    hasher, left = sha256(), expected.size
    with _opened(work) as source, archive.open(_entry(name, expected.size), "w") as target:
        while left > 0 and (chunk := _read(source, work, min(_CHUNK, left))):
            hasher.update(chunk)
            target.write(chunk)
            left -= len(chunk)
            if progress:
                progress(len(chunk))
        grown = bool(_read(source, work, 1))
    if hasher.digest() != expected.sha256 or grown:
        raise InputError(f"{work} changed while it was read.", "Wait until no program writes to it, then try again.")


def _opened(work: Path) -> BinaryIO:
    try:
        return open_regular(work)
    except OSError as error:
        raise InputError(f"{work} cannot be read: {error.strerror}.", "Check the name and permissions.") from error


def _read(source: BinaryIO, work: Path, count: int) -> bytes:
    try:
        return source.read(count)
    except OSError as error:
        raise InputError(f"{work} cannot be read: {error.strerror}.", "Check the file and its disk.") from error
