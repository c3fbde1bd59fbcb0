"""Names that others chose, made harmless: as one line of text, and as the name of a file."""

from __future__ import annotations

import unicodedata

__all__ = ["columns", "escaped", "file_name", "one_line", "shorten"]

_JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian, Hindi and some pictograms are written; they move no other character."""
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{kind}{n}" for kind in ("COM", "LPT") for n in range(10))}
_FORBIDDEN = set('<>:"/\\|?*')
_MAX_BYTES = 180


def one_line(text: str) -> str:
    """``text`` with every character escaped that breaks a line, moves others (bidirectional controls), hides, or has
    no agreed shape: a name cannot pretend to be more than a name."""
    return "".join(character if _plain(character) else escaped(character) for character in text)


def _plain(character: str) -> bool:
    kind = unicodedata.category(character)
    return character in _JOINERS or not (kind[0] == "C" or kind in ("Zl", "Zp"))


def escaped(character: str) -> str:
    """``\\xNN``, ``\\uNNNN`` or ``\\UNNNNNNNN``, as Python writes it."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def shorten(text: str, width: int) -> str:
    """``text`` in at most ``width`` columns: the middle gives way, so that an extension stays visible."""
    if columns(text) <= width:
        return text
    head, tail = _fitting(text, width - width // 2 - 1), _fitting(text[::-1], width // 2)[::-1]
    return f"{head}…{tail}"


def columns(text: str) -> int:
    """Columns of a monospaced line: East Asian wide characters take two (UAX #11)."""
    return sum(map(_width, text))


def _width(character: str) -> int:
    return 0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")


def _fitting(text: str, width: int) -> str:
    taken = 0
    for at, character in enumerate(text):
        taken += _width(character)
        if taken > width:
            return text[:at]
    return text


def file_name(text: str, fallback: str = "work") -> str:
    """A name that every system can write and that stays inside its folder: no separators, no control or bidirectional
    characters, none that Windows refuses, not hidden, at most 180 bytes of UTF-8 with its extension kept."""
    kept = "".join("_" if c in _FORBIDDEN or not _plain(c) or c in _JOINERS else c for c in text)
    kept = unicodedata.normalize("NFC", kept).strip(" .").lstrip("-~")
    if kept.partition(".")[0].strip().upper() in _RESERVED:
        kept = f"_{kept}"
    stem, dot, extension = kept.rpartition(".") if "." in kept else (kept, "", "")
    ending = (dot + extension) if len(extension.encode()) <= 20 else ""
    stem = stem if ending or not dot else kept
    room = _MAX_BYTES - len(ending.encode())
    return (stem.encode()[:room].decode(errors="ignore") + ending) or fallback
