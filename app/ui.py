"""The few shapes that all pages share. Text from outside is escaped here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Literal

import streamlit as st

from app.progress import Progress
from countersign.canonical import checksum, to_hex
from countersign.errors import CountersignError

__all__ = [
    "Possible",
    "banner",
    "checklist",
    "facts",
    "guarded",
    "history",
    "link",
    "plain",
    "possible",
    "problem",
    "short",
    "step",
    "summary",
    "track",
    "who",
]

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|$~:<>&])")
StepState = Literal["done", "now", "later"]
_STEP_WORDS = {"done": "Done", "now": "", "later": ""}


def plain(text: str) -> str:
    """Text for a Markdown place, shown exactly as it is."""
    return _MARKDOWN.sub(r"\\\1", text)


def problem(error: CountersignError) -> None:
    """What went wrong and what to do next."""
    st.error(f"{plain(error.message)}\n\n**Next:** {plain(error.next_step)}")


@contextmanager
def guarded(key: str) -> Iterator[None]:
    """A part of a page whose trouble is said in words, with a way to look again."""
    try:
        yield
    except CountersignError as error:
        problem(error)
        st.button("Try again", key=f"again-{key}")


def short(value: bytes) -> str:
    """An address or hash that a person can recognise; the whole one stands elsewhere."""
    text = checksum(value) if len(value) == 20 else to_hex(value)
    return f"{text[:8]}…{text[-6:]}"


@contextmanager
def step(number: int, title: str, state: StepState) -> Iterator[None]:
    """A numbered card: done, now or later."""
    with st.container(border=True, key=f"step-{number}-{state}", gap="small"):
        mark = "✓" if state == "done" else str(number)
        words = _STEP_WORDS[state]
        st.html(
            f'<div class="cs-step cs-{state}"><span class="cs-mark" aria-hidden="true">{mark}</span>'
            f'<h2>{escape(title)}</h2><span class="cs-state">{words}</span></div>'
        )
        yield


def summary(text: str, detail: str = "") -> None:
    """One line that stands for a finished step."""
    extra = f' <span class="cs-mono">{escape(detail)}</span>' if detail else ""
    st.html(f'<p class="cs-summary">{escape(text)}{extra}</p>')


def facts(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values, one below the other."""
    items = "".join(f"<dt>{escape(name)}</dt><dd{_MONO * _is_hex(value)}>{escape(value)}</dd>" for name, value in rows)
    st.html(f'<dl class="cs-facts">{items}</dl>')


_MONO = ' class="cs-mono"'


def _is_hex(value: str) -> bool:
    return re.fullmatch("0x[0-9a-fA-F]+", value) is not None


def history(rows: Iterable[tuple[str, str, str]]) -> None:
    """What happened, oldest first: time, words, transaction."""
    items = "".join(
        f'<li><span>{escape(time)}</span><p>{escape(words)}</p><p class="cs-mono">{escape(transaction)}</p></li>'
        for time, words, transaction in rows
    )
    st.html(f'<ol class="cs-history">{items}</ol>')


def link(words: str, uri: str) -> None:
    """A link to somebody else's site: it learns neither this page nor its visitor's session."""
    st.html(
        f'<p><a href="{escape(uri)}" target="_blank" rel="noopener noreferrer nofollow">'
        f'{escape(words)}</a> <span class="cs-mono">{escape(uri[:120])}</span></p>'
    )


def who(name: str, address: str) -> None:
    """Who acts on this page."""
    shown = f' <span class="cs-mono">{escape(address)}</span>' if address else ""
    st.html(f'<p class="cs-who">You are <b>{escape(name)}</b>{shown}</p>')


_TRACK = (("ready", "Ready"), ("sent", "Sent"), ("mined", "Mined"), ("final", "Final"))


def track(progress: Progress) -> None:
    """A transaction's way: Ready, Sent, Mined, Final; or where it left it."""
    names = [name for name, _ in _TRACK]
    reached = names.index(progress.state) if progress.state in names else 1
    items = []
    for i, (_, label) in enumerate(_TRACK):
        state = "done" if i < reached or progress.state == "final" else "now" if i == reached else "later"
        if progress.failed and i == reached:
            state, label = "bad", progress.state.capitalize()
        items.append(f'<li class="cs-{state}">{label}</li>')
    st.html(f'<ol class="cs-track">{"".join(items)}</ol><p class="cs-words">{escape(progress.words)}</p>')


_MARKS = {"pass": "✓", "fail": "✕", "unknown": "?", "warn": "!", "note": "\u2013"}
_MEANING = {"pass": "passed", "fail": "failed", "unknown": "could not be checked", "warn": "warning", "note": "note"}


def checklist(rows: Iterable[tuple[int, str, str, str]]) -> None:
    """Numbered verification steps: number, name, state, detail."""
    items = "".join(
        f'<li class="cs-{state}"><span class="cs-mark" role="img" aria-label="{_MEANING[state]}">{_MARKS[state]}</span>'
        f"<div><b>{number}. {escape(name[:1].upper() + name[1:])}</b><p>{escape(detail)}</p></div></li>"
        for number, name, state, detail in rows
    )
    st.html(f'<ol class="cs-checks">{items}</ol>')


def banner(kind: Literal["good", "bad", "warn", "neutral"], title: str, words: str) -> None:
    """The answer to the page's question, before any detail."""
    mark = {"good": "✓", "bad": "✕", "warn": "!", "neutral": "\u2013"}[kind]
    st.html(
        f'<section class="cs-banner cs-{kind}" role="status"><span class="cs-mark" aria-hidden="true">{mark}</span>'
        f"<div><h2>{escape(title)}</h2><p>{escape(words)}</p></div></section>"
    )


@dataclass(frozen=True)
class Possible:
    """``who`` may do ``what`` in ``span``, with ``effect``; whether it is open now, and the visitor's own."""

    who: str
    what: str
    span: str
    effect: str
    open: bool
    own: bool


def possible(rows: Iterable[Possible]) -> None:
    """Who may do what next, and until when."""
    items = "".join(
        f'<li class="{"cs-now" if row.open else "cs-later"}{" cs-own" * row.own}"><p><b>{escape(row.who)}</b> may '
        f"{escape(row.what)} <span>{escape(row.span)}</span></p><p>{escape(row.effect)}</p></li>"
        for row in rows
    )
    st.html(f'<ol class="cs-next">{items}</ol>')
