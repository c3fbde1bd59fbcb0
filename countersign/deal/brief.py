"""The brief: what is ordered, in words for people and in fields that checks read.

A brief is a small JSON document; the terms bind the SHA-256 of its exact bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from countersign.canonical import from_hex, to_hex
from countersign.errors import InputError
from countersign.records import ZERO

__all__ = ["FORMAT", "MAX_BYTES", "Brief", "brief_digest", "dump_brief", "load_brief"]

FORMAT = "countersign-brief/1"
MAX_BYTES = 64 * 1024
"""A larger document is no brief."""
_MOST_BRACKETS = 500
"""Deeply nested JSON can exhaust the parser's stack, and with it the process."""


@dataclass(frozen=True)
class Brief:
    """What is ordered. Fields left at their default ask for nothing."""

    title: str
    text: str = ""
    """Free words for people; no check reads them."""
    media_types: tuple[str, ...] = ()
    """The delivery must be one of these, e.g. ``image/jpeg``."""
    must_show: tuple[str, ...] = ()
    """Phrases that must be readable in the delivered picture."""
    reference: bytes = ZERO
    """SHA-256 of the picture the delivery is compared with: the photograph at dispatch, or the agreed preview."""
    reference_uri: str = ""
    """Where the reference is found."""


def dump_brief(brief: Brief) -> bytes:
    """The document of a brief: canonical JSON (sorted keys, no spaces, UTF-8)."""
    document = {
        "format": FORMAT,
        "title": brief.title,
        "text": brief.text,
        "mediaTypes": list(brief.media_types),
        "mustShow": list(brief.must_show),
        "reference": to_hex(brief.reference),
        "referenceUri": brief.reference_uri,
    }
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def brief_digest(document: bytes) -> bytes:
    """What the terms hold: SHA-256 of the document's exact bytes."""
    return sha256(document).digest()


def load_brief(document: bytes) -> Brief:
    """Read a brief. Raises InputError when it is none."""
    try:
        if len(document) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        if document.count(b"[") + document.count(b"{") > _MOST_BRACKETS:
            raise ValueError("it holds too many brackets")
        return _brief(json.loads(document))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"This is not a brief: {error}.", f"A brief is JSON with format '{FORMAT}'.") from error


def _brief(fields: Any) -> Brief:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError("its format is another")
    return Brief(
        title=_text(fields, "title"),
        text=_text(fields, "text"),
        media_types=_texts(fields, "mediaTypes"),
        must_show=_texts(fields, "mustShow"),
        reference=from_hex(_text(fields, "reference") or to_hex(ZERO), 32, "reference"),
        reference_uri=_text(fields, "referenceUri"),
    )


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"'{name}' is not a text")
    return _unicode(value)


def _texts(fields: dict[str, Any], name: str) -> tuple[str, ...]:
    values = fields.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"'{name}' is not a list of texts")
    return tuple(map(_unicode, values))


def _unicode(value: str) -> str:
    """JSON can hold half of a surrogate pair, which nothing could print or write."""
    value.encode()
    return value
