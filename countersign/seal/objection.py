"""What an objection and its answer say: small JSON documents, whose SHA-256 the chain holds as ``evidence``. Pure.

Any document may be evidence; these are the ones that tools show and nodes judge. docs/adr/0011.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from countersign.canonical import from_hex, to_hex
from countersign.errors import InputError
from countersign.records import ZERO

__all__ = [
    "ANSWER_FORMAT",
    "FORMAT",
    "INLINE",
    "KINDS",
    "MAX_BYTES",
    "Answer",
    "Exhibit",
    "Grounds",
    "dump_evidence",
    "evidence_digest",
    "inline_uri",
    "load_evidence",
]

FORMAT, ANSWER_FORMAT = "countersign-objection/1", "countersign-answer/1"
KINDS = ("earlier work", "similar work", "other")
MAX_BYTES = 16 * 1024
"""A larger document is neither."""
INLINE = 4 * 1024
"""Bytes up to which a document travels whole in its own URI: about 100,000 gas, and nothing has to be hosted."""
_MOST_BRACKETS, _MOST_COPIES = 100, 8


@dataclass(frozen=True)
class Exhibit:
    """A work that an objection is about: SHA-256 of its exact bytes, and URIs where they are."""

    content: bytes
    copies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grounds:
    """Why somebody objects. ``own`` is the objector's work, with its certificate's SHA-256 (zeros: none) and URI."""

    kind: str
    disputed: Exhibit
    own: Exhibit | None = None
    certificate: bytes = ZERO
    certificate_uri: str = ""
    statement: str = ""


@dataclass(frozen=True)
class Answer:
    """What the claimant says to an objection, named by its id; with the SHA-256 (zeros: none) and URI of a document."""

    objection: bytes
    statement: str
    document: bytes = ZERO
    document_uri: str = ""


def dump_evidence(said: Grounds | Answer) -> bytes:
    """The document: canonical JSON (sorted keys, no spaces, UTF-8)."""
    fields = _answer_fields(said) if isinstance(said, Answer) else _grounds_fields(said)
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _answer_fields(said: Answer) -> dict[str, Any]:
    return {
        "format": ANSWER_FORMAT,
        "objection": to_hex(said.objection),
        "statement": said.statement,
        "document": to_hex(said.document),
        "documentUri": said.document_uri,
    }


def _grounds_fields(said: Grounds) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": said.kind,
        "disputed": _exhibit_fields(said.disputed),
        "own": _exhibit_fields(said.own) if said.own else None,
        "certificate": to_hex(said.certificate),
        "certificateUri": said.certificate_uri,
        "statement": said.statement,
    }


def _exhibit_fields(work: Exhibit) -> dict[str, Any]:
    return {"content": to_hex(work.content), "copies": list(work.copies)}


def evidence_digest(document: bytes) -> bytes:
    """What ``object`` publishes: SHA-256 of the document's exact bytes."""
    return sha256(document).digest()


def inline_uri(document: bytes) -> str:
    """The document as a ``data:`` URI (RFC 2397)."""
    return "data:application/json;base64," + base64.b64encode(document).decode()


def load_evidence(document: bytes) -> Grounds | Answer:
    """Read a document. Raises InputError when it is neither."""
    try:
        if len(document) > MAX_BYTES:
            raise ValueError(f"it is larger than {MAX_BYTES} bytes")
        if document.count(b"[") + document.count(b"{") > _MOST_BRACKETS:  # deep nesting exhausts the parser's stack
            raise ValueError("it holds too many brackets")
        return _evidence(json.loads(document))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"This is no objection that can be read: {error}.", f"It is JSON with format '{FORMAT}'."
        ) from error


def _evidence(fields: Any) -> Grounds | Answer:
    form = fields.get("format") if isinstance(fields, dict) else None
    if form == ANSWER_FORMAT:
        objection, document = (from_hex(_text(fields, name), 32, name) for name in ("objection", "document"))
        return Answer(objection, _text(fields, "statement"), document, _text(fields, "documentUri"))
    if form != FORMAT:
        raise ValueError("its format is another")
    if fields["kind"] not in KINDS:
        raise ValueError(f"its kind is none of: {', '.join(KINDS)}")
    return Grounds(
        fields["kind"],
        _exhibit(fields["disputed"]),
        _exhibit(fields["own"]) if fields["own"] is not None else None,
        from_hex(_text(fields, "certificate"), 32, "certificate's digest"),
        _text(fields, "certificateUri"),
        _text(fields, "statement"),
    )


def _exhibit(fields: Any) -> Exhibit:
    copies = fields["copies"]
    if not isinstance(copies, list) or len(copies) > _MOST_COPIES or not all(isinstance(c, str) for c in copies):
        raise ValueError(f"'copies' is no list of at most {_MOST_COPIES} texts")
    return Exhibit(from_hex(_text(fields, "content"), 32, "content"), tuple(map(_unicode, copies)))


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise ValueError(f"'{name}' is not a text")
    return _unicode(value)


def _unicode(value: str) -> str:
    """JSON can hold half of a surrogate pair, which nothing could print or write."""
    value.encode()
    return value
