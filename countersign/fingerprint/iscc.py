"""What a work resembles: its ISCC (ISO 24138:2024), 64 bits for the content, the data and the exact bytes each.

The Content-Code survives re-encoding and resizing (images, plain text), the Data-Code survives changes to a part of a
file of any type, the Instance-Code is the file's BLAKE3, cut to 64 bits. A likeness is a hint and never a proof.

A work's ``fingerprint`` holds them in 32 bytes (ADR 10): ISCC-CODE header 2, zeros 6, Content 8, Data 8, Instance 8.
Zeros alone mean "none". Computing needs the extra ``media``; reading a fingerprint needs nothing.
"""

from __future__ import annotations

import base64
import codecs
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from countersign.durable import open_regular
from countersign.errors import InputError, MissingExtra

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "FORMATS",
    "KINDS",
    "MAX_PIXELS",
    "MAX_TEXT",
    "Fingerprint",
    "code_of",
    "examine",
    "fingerprint_of",
    "image_code",
    "iscc_code",
    "text_code",
    "unpack_fingerprint",
]

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
"""What is opened as an image. No EPS, PDF or SVG: those run programs."""
MAX_PIXELS = 64_000_000
"""Images with more get no Content-Code: 64 million take 256 MB a copy, and 760 MB at most on the way."""
MAX_TEXT = 2_000_000
"""Texts of more bytes get no Content-Code: this many take about 50 MB on the way, 320 MB with the worst letters."""

_HEADERS = {"text": b"\x50\x01", "image": b"\x51\x01", "": b"\x55\x00"}
"""ISCC-CODE headers by kind of Content-Code: main type 5, subtype, version 0, which units follow."""
KINDS = ("text", "image")
_CHUNK = 1 << 20
_SIDE = 32
_BAND = 64
"""Rows that are looked at together for a border: a whole image's difference would take as much memory as the image."""
_FINE = 256
"""Pixels of the shorter side that are enough before the last step down to 32."""


@dataclass(frozen=True)
class Fingerprint:
    """A file's codes, 8 bytes each. ``kind`` is "image", "text" or "" for a file without Content-Code (``content`` is
    empty then); ``note`` says why there is none."""

    kind: str
    content: bytes
    data: bytes
    instance: bytes
    note: str = ""

    @property
    def packed(self) -> bytes:
        """The 32 bytes for :attr:`Work.fingerprint <countersign.records.Work>`."""
        return _HEADERS[self.kind] + bytes(6) + self.content.rjust(8, b"\0") + self.data + self.instance

    @property
    def code(self) -> str:
        """The ISCC-CODE as text: ``ISCC:`` and base32 (RFC 4648, no padding) of header and units."""
        body = _HEADERS[self.kind] + self.content + self.data + self.instance
        return "ISCC:" + base64.b32encode(body).decode().rstrip("=")


def iscc_code(path: Path) -> str:
    """The file's ISCC-CODE with 64-bit units. Raises InputError for a file that cannot be read, MissingExtra."""
    return examine(path).code


def fingerprint_of(path: Path) -> bytes:
    """The file's codes in 32 bytes. Raises as :func:`iscc_code`."""
    return examine(path).packed


def unpack_fingerprint(fingerprint: bytes) -> Fingerprint | None:
    """The codes in the 32 bytes of a work, or None when they are none or of another layout: anyone may claim
    anything."""
    header, zeros, content = fingerprint[:2], fingerprint[2:8], fingerprint[8:16]
    kind = next((kind for kind, known in _HEADERS.items() if known == header), None)
    if len(fingerprint) != 32 or kind is None or any(zeros) or (not kind and any(content)):
        return None
    return Fingerprint(kind, content if kind else b"", fingerprint[16:24], fingerprint[24:])


def code_of(fingerprint: bytes) -> str | None:
    """The ISCC-CODE that a work's 32 bytes hold, or None."""
    parts = unpack_fingerprint(fingerprint)
    return parts.code if parts else None


def examine(path: Path) -> Fingerprint:
    """The codes of a file, told by its bytes and not by its name. What cannot be opened, or is too large, has no
    Content-Code but a ``note``. Raises InputError when the file cannot be read or is empty, MissingExtra."""
    try:
        with open_regular(path) as file:
            kind, content, note = _content(file)
            file.seek(0)
            data, instance = _sum(file)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.", "Check the name and disk.") from error
    return Fingerprint(kind, content, data, instance, note)


def _sum(file: IO[bytes]) -> tuple[bytes, bytes]:
    """Data-Code and Instance-Code in constant memory."""
    lib = _library()
    data, instance = lib.DataHasher(), lib.InstanceHasher()
    size = 0
    while chunk := file.read(_CHUNK):
        size += len(chunk)
        data.update(chunk)
        instance.update(chunk)
    if not size:
        raise InputError("The file is empty.", "An empty file has nothing to compare; choose another file.")
    return _body(data.finalize(64)), _body(instance.finalize(64))


def _library() -> Any:
    try:
        import iscc_lib
    except ImportError as error:
        raise MissingExtra("media", "The ISCC of a file") from error
    return iscc_lib


def _body(unit: Any) -> bytes:
    body: bytes = _library().iscc_decode(unit["iscc"])[4]
    return body


class _NoContent(Exception):
    """There is no Content-Code; the message says why."""


def _content(file: IO[bytes]) -> tuple[str, bytes, str]:
    """Kind, Content-Code and note."""
    try:
        picture = _picture(file)
        if picture is not None:
            return "image", image_code(picture), ""
        file.seek(0)
        return "text", text_code(_text(file)), ""
    except _NoContent as reason:
        return "", b"", str(reason)


def _picture(file: IO[bytes]) -> Image | None:
    """The first frame of an image, unpacked; None when these bytes are no image of a known format."""
    image = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = image.open(file, formats=FORMATS)
    except image.DecompressionBombError as error:
        raise _NoContent(f"The image has too many pixels; at most {MAX_PIXELS:,} are compared.") from error
    except Exception:  # decoders raise nearly every exception type on hostile bytes
        return None
    width, height = picture.size
    if width * height > MAX_PIXELS:  # known from the header, before anything is unpacked
        raise _NoContent(f"The image has {width} x {height} pixels; at most {MAX_PIXELS:,} are compared.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture.load()
            return _flat(picture)
    except Exception as error:
        raise _NoContent("The image is damaged or cut short, so its look cannot be compared.") from error


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingExtra("media", "The ISCC of an image") from error
    Image.init()  # else WebP and TIFF are unknown to open(formats=)
    return Image


def _flat(picture: Image) -> Image:
    """Upright by its EXIF orientation, RGB, on white where it is transparent."""
    from PIL import ImageOps

    ImageOps.exif_transpose(picture, in_place=True)
    if not picture.has_transparency_data:
        return picture if picture.mode == "RGB" else picture.convert("RGB")
    shown = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    white = _pillow().new("RGB", shown.size, "white")
    white.paste(shown, mask=shown)
    result: Image = white
    return result


def image_code(picture: Image) -> bytes:
    """The 64-bit Image-Code of an upright RGB image: borders of the colour of the first pixel cut off, grey, 32 x 32
    bicubic, then the sign of each low frequency of its cosine transform against their median (ISO 24138, Image-Code).

    Where the shorter side has over 511 pixels, whole blocks are averaged first, to 256 or more: 4 times faster at
    12 MP. On real pictures that moves the code by 2 bits at most, mostly by none (``tests/unit/test_iscc.py``).
    """
    from PIL.Image import Resampling

    picture = _without_border(picture)
    if (factor := min(picture.size) // _FINE) > 1:
        picture = picture.reduce(factor)
    grey = picture.convert("L").resize((_SIDE, _SIDE), Resampling.BICUBIC)
    return _body(_library().gen_image_code_v0(grey.tobytes(), 64))


def _without_border(picture: Image) -> Image:
    width, height = picture.size
    first = picture.getpixel((0, 0))
    edges = ((0, 0, width, 1), (0, 0, 1, height), (0, height - 1, width, height), (width - 1, 0, width, height))
    if not any(_is_plain(picture.crop(edge), first) for edge in edges):  # nearly always, and it costs nothing
        return picture
    boxes = [box for top in range(0, height, _BAND) if (box := _unlike(picture, first, top))]
    if not boxes:
        return picture
    left, top, right, bottom = zip(*boxes, strict=True)
    return picture.crop((min(left), min(top), max(right), max(bottom)))


def _unlike(picture: Image, colour: Any, top: int) -> tuple[int, int, int, int] | None:
    """The box around all pixels of another colour within a band of the image; None when there are none."""
    from PIL import ImageChops

    band = picture.crop((0, top, picture.width, min(top + _BAND, picture.height)))
    box = ImageChops.difference(band, _pillow().new(band.mode, band.size, colour)).getbbox()
    return (box[0], box[1] + top, box[2], box[3] + top) if box else None


def _is_plain(edge: Image, colour: Any) -> bool:
    return bool(edge.getextrema() == tuple((channel, channel) for channel in colour))


def _text(file: IO[bytes]) -> str:
    """A plain text in UTF-8. Binary files are known by their first bytes."""
    head = file.read(4096)
    if _is_binary(head):
        raise _NoContent("The file is neither an image that can be opened (" + ", ".join(FORMATS) + ") nor plain text.")
    if head.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(b"<"):
        raise _NoContent("The file is markup (HTML, SVG, XML); only plain text is compared.")
    rest = file.read(MAX_TEXT + 1 - len(head))
    if len(head) + len(rest) > MAX_TEXT:
        raise _NoContent(f"The text has over {MAX_TEXT:,} bytes; longer ones are not compared.")
    try:
        return (head + rest).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _NoContent("The text is not UTF-8, so its words cannot be compared.") from error


def _is_binary(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return True
    return any(unicodedata.category(one) == "Cc" and one not in "\t\n\r\f" for one in text)


def text_code(text: str) -> bytes:
    """The 64-bit Text-Code: MinHash over 13-letter pieces of the text without case, spaces, marks and punctuation
    (ISO 24138, Text-Code)."""
    unit = _library().gen_text_code_v0(text, 64)
    if not unit["characters"]:
        raise _NoContent("The text has no letters or digits to compare.")
    return _body(unit)
