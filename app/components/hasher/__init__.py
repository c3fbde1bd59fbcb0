"""Drop or choose a file: hashed in the browser, never uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from app.assets import asset_url, module_stub
from app.components import ignore, news
from countersign.canonical import from_hex
from countersign.errors import CertificateError, InputError

__all__ = ["Document", "WorkFile", "document_of", "hasher", "work_file_of"]


@dataclass(frozen=True)
class WorkFile:
    """What the browser says of a work: its name, size in bytes and SHA-256 (32 bytes)."""

    name: str
    size: int
    content: bytes


@dataclass(frozen=True)
class Document:
    """A certificate, draft or file of terms that the browser read."""

    name: str
    text: str


_HTML = f"""<link rel="stylesheet" href="{asset_url("component.css")}">
<div class="cs column">
  <label class="drop">
    <span class="prompt"></span>
    <span>or <b>choose a file</b></span>
    <span class="hint muted"></span>
    <input type="file" multiple>
  </label>
  <div class="progress column" hidden>
    <span class="percent" role="status"></span>
    <progress max="1" value="0"></progress>
    <div class="row"><button class="stop" type="button">Stop</button></div>
  </div>
  <div class="file" hidden>
    <img alt="Preview of the work" hidden>
    <div class="column">
      <div><span class="name"></span> <span class="size muted"></span></div>
      <div><span class="muted">SHA-256</span> <span class="sha mono"></span></div>
      <div><button class="again" type="button">Choose another file</button></div>
    </div>
  </div>
  <p class="problem" role="alert" hidden></p>
</div>"""

_component = st.components.v2.component("countersign_hasher", html=_HTML, js=module_stub("hasher.js"))


def hasher(
    key: str, *, prompt: str, hint: str, shown: WorkFile | None, documents: str = ".countersign.json"
) -> tuple[WorkFile | None, Document | None]:
    """Mount the drop zone; ``shown`` is the file already chosen; files that end in ``documents`` are read, all others
    only hashed. Returns work and document as far as they are new.

    Raises InputError or CertificateError when the browser sends what no file gives.
    """
    file = {"name": shown.name, "size": shown.size, "sha256": shown.content.hex()} if shown else None
    result = _component(
        key=key,
        data={"prompt": prompt, "hint": hint, "file": file, "documents": documents},
        default={"file": None, "document": None},
        on_file_change=ignore,
        on_document_change=ignore,
    )
    file_news, document_news = news(f"{key}-file", result.file), news(f"{key}-document", result.document)
    return work_file_of(file_news), document_of(document_news)


def work_file_of(raw: dict[str, Any] | None) -> WorkFile | None:
    """The browser's answer as a record. Raises InputError."""
    if raw is None:
        return None
    name, size = str(raw.get("name", ""))[:255], raw.get("size")
    if not isinstance(size, int) or size < 1:
        raise InputError(f"{name} is empty.", "Choose another file.")
    return WorkFile(name, size, from_hex(str(raw.get("sha256", "")), 32, "SHA-256"))


def document_of(raw: dict[str, Any] | None) -> Document | None:
    """The browser's answer as a record. Raises CertificateError."""
    if raw is None:
        return None
    text = raw.get("text")
    if not isinstance(text, str):
        raise CertificateError("The document could not be read.", "Choose the file again.")
    return Document(str(raw.get("name", ""))[:255], text)
