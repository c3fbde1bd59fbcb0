"""A picture's bytes without its Content Credentials, found by walking the container.

The manifest itself tells which bytes it leaves out; whoever writes it chooses them, so it is never asked. Only what
C2PA 2.2 (appendix A.3, "Embedding manifests into assets") gives to manifests is dropped: chunks ``caBX`` of PNG, and of
JPEG the APP11 segments of a JUMBF superbox with C2PA's UUID. No picture decoder looks at either, but one between two
pieces of image data would end the picture there, and one behind the index of a multi-picture file (CIPA DC-007) would
come to lie where that finds another picture: such a file is taken for no picture at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from countersign.durable import open_regular
from countersign.errors import InputError

__all__ = ["EMBEDDABLE", "Walked", "holds", "media_type", "original_digest", "original_of", "walk",
           "without_credentials"]  # fmt: skip

EMBEDDABLE = ("image/jpeg", "image/png")
"""Where manifests are embedded: dropping them gives the original bytes back, exactly."""

_PNG = b"\x89PNG\r\n\x1a\n"
_C2PA = bytes.fromhex("6332706100110010800000aa00389b71")
"""UUID of C2PA's manifest store, in the JUMBF description box."""
_MOST = 1 << 16
"""Segments or chunks of any real picture; more are a trap."""
_CHUNK = 1 << 20
_BRANDS = {b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic",
           b"mif1": "image/heif", b"qt  ": "video/quicktime", b"M4A ": "audio/mp4"}  # fmt: skip


def media_type(head: bytes) -> str | None:
    """The media type that a file's first 16 bytes say, whatever its name; None for those without Content Credentials
    here: text, JSON, model weights, and documents that may run code (SVG, PDF), which are never looked into."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(_PNG):
        return "image/png"
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    starts = {b"GIF8": "image/gif", b"II*\0": "image/tiff", b"MM\0*": "image/tiff", b"fLaC": "audio/flac",
              b"ID3": "audio/mpeg"}  # fmt: skip
    return next((kind for start, kind in starts.items() if head.startswith(start)), None)


@dataclass(frozen=True)
class Walked:
    """What a picture consists of: ``credentials`` are the (start, end) of its C2PA parts; its image data start at
    ``scan``, or at 0 in a PNG, which was walked to its end."""

    credentials: tuple[tuple[int, int], ...]
    scan: int = 0

    def is_whole(self, data: bytes) -> bool:
        """Whether a JPEG's end marker follows: compressed image data cannot contain it."""
        return self.scan == 0 or data.rfind(b"\xff\xd9", self.scan) >= 0


def walk(file: BinaryIO) -> Walked | None:
    """Walk a JPEG or PNG; None when it is neither, or not well-formed up to its first scan (JPEG) or end (PNG)."""
    size = file.seek(0, 2)
    file.seek(0)
    kind = media_type(file.read(16))
    try:
        if kind == "image/jpeg":
            credentials, scan = _jpeg(file, size)
            return Walked(tuple(credentials), scan)
        if kind == "image/png":
            return Walked(tuple(_png(file, size)))
    except _Malformed:
        pass
    return None


class _Malformed(Exception):
    pass


def _png(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    at, drawn, between = len(_PNG), False, False
    for _ in range(_MOST):
        head = _at(file, at, 8)
        end = at + 12 + int.from_bytes(head[:4])
        if end > size:
            break
        if head[4:] == b"caBX":
            between = drawn
            yield at, end
        if head[4:] in (b"IDAT", b"fdAT"):
            if between:
                break
            drawn = True
        if head[4:] == b"IEND":
            return
        at = end
    raise _Malformed


def _jpeg(file: BinaryIO, size: int) -> tuple[list[tuple[int, int]], int]:
    """The C2PA parts, and where the first scan starts."""
    found: list[tuple[int, int]] = []
    at, box, indexed = 2, None, False
    for _ in range(_MOST):
        head = _at(file, at, 4)
        marker, end = head[1], at + 2 + int.from_bytes(head[2:])
        if head[0] != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD9 or end < at + 4 or end > size:
            if head[:2] != b"\xff\xff":  # a fill byte
                break
            at += 1
            continue
        if marker == 0xDA:
            return found, end
        body = _at(file, at + 4, min(end - at - 4, 48))
        indexed = indexed or (marker == 0xE2 and body.startswith(b"MPF\0"))
        box = _c2pa_box(body, box) if marker == 0xEB else None
        if box and indexed:
            break
        if box:
            found.append((at, end))
        at = end
    raise _Malformed


def _c2pa_box(body: bytes, before: bytes | None) -> bytes | None:
    """What the next segment of the same manifest starts with (ISO/IEC 19566-5, annex D), or None when this segment is
    not of a manifest: common identifier, box instance, packet number, then the box's header again."""
    if before is not None and body.startswith(before):
        return _next(body, len(before) - 8)
    if body[:2] != b"JP" or body[4:8] != b"\0\0\0\1" or body[12:16] != b"jumb":
        return None
    header = 16 if body[8:12] == b"\0\0\0\1" else 8
    description = body[8 + header :]
    return _next(body, header) if description[4:8] == b"jumd" and description[8:24] == _C2PA else None


def _next(body: bytes, header: int) -> bytes:
    return body[:4] + (int.from_bytes(body[4:8]) + 1).to_bytes(5)[-4:] + body[8 : 8 + header]


def _at(file: BinaryIO, position: int, count: int) -> bytes:
    file.seek(position)
    data = file.read(count)
    if len(data) < count:
        raise _Malformed
    return data


def without_credentials(data: bytes) -> bytes:
    """The picture's bytes without C2PA parts; the same bytes when it has none or is no picture."""
    walked = walk(BytesIO(data))
    return b"".join(_kept(BytesIO(data), walked)) if walked else data


def holds(signed: bytes, original: bytes) -> bool:
    """Whether dropping the C2PA parts of ``signed`` gives ``original`` back."""
    walked, at, kept = walk(BytesIO(signed)), 0, 0
    if walked is None:
        return False
    for start, end in (*walked.credentials, (len(signed), 0)):
        if not original.startswith(signed[at:start], kept):
            return False
        kept, at = kept + start - at, end
    return kept == len(original)


def original_of(file: Path) -> Path | None:
    """The original of a published copy, by its name: ``photo.c2pa.jpg`` → ``photo.jpg``; None for other names."""
    stem, middle, rest = file.name.rpartition(".c2pa.")
    return file.with_name(f"{stem}.{rest}") if middle and stem and "." not in rest else None


def original_digest(path: Path) -> bytes | None:
    """SHA-256 (32 bytes) of a JPEG or PNG without its C2PA parts; None when there are none to drop.

    Raises InputError when the file cannot be read.
    """
    try:
        with open_regular(path) as file:
            walked = walk(file)
            if walked is None or not walked.credentials:
                return None
            hasher = sha256()
            for block in _kept(file, walked):
                hasher.update(block)
            return hasher.digest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the name and permissions.") from error


def _kept(file: BinaryIO, walked: Walked) -> Iterator[bytes]:
    at = 0
    for start, end in (*walked.credentials, (file.seek(0, 2), 0)):
        file.seek(at)
        while block := file.read(min(start - at, _CHUNK)):
            yield block
            at += len(block)
        at = end
