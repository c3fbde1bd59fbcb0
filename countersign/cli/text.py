"""Text that is safe to print."""

from __future__ import annotations

import re

__all__ = ["one_line", "printable"]

_CONTROL = re.compile(r"\x1b(?!\[[0-9;]*m)|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """``text`` without control characters but line ends, tabs and colours: file names and nodes' words are not ours."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str, longest: int = 500) -> str:
    """What a stranger wrote, on one line: without line ends, colours and marks that turn the direction of writing, so
    that it cannot pass for words of ours."""
    text = " ".join(text.split())
    shown = text if len(text) <= longest else f"{text[:longest]}…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
