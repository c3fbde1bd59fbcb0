"""The file of terms as text: the browser brings it and takes it away; nothing of it stays here."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from countersign.deal.terms import SUFFIX, TermsFile
from countersign.errors import InputError

__all__ = ["file_name", "from_text", "to_text"]


def from_text(text: str, name: str) -> TermsFile:
    """Read and check. Raises InputError, which names the file as the visitor does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "terms"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            return TermsFile.load(path)
        except InputError as error:
            raise InputError(error.message.replace(str(path), name), error.next_step) from error


def to_text(file: TermsFile) -> str:
    """What :func:`from_text` and the command line read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "terms"
        file.save(path)
        return path.read_text(encoding="utf-8")


def file_name(title: str) -> str:
    """A name that every system takes."""
    return (re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40] or "deal") + SUFFIX
