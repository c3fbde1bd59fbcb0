"""What a check is: it looks at bytes and says 0 to 100, with a reason a person can read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from countersign.deal.brief import Brief
from countersign.errors import MissingExtra

__all__ = [
    "AllOf",
    "AnyOf",
    "BadContent",
    "Check",
    "Finding",
    "Material",
    "Precedence",
    "card_of",
    "extra",
    "judged",
    "manifest_digest",
]

MODELS = Path(__file__).parent / "models"


@dataclass(frozen=True)
class Precedence:
    """When the chain says that two works were sealed (seconds): the objector's ``own``, None unless the objector's
    identity holds a standing claim on it, and the ``disputed`` one, None when nobody claims it."""

    own: int | None
    disputed: int | None

    @property
    def earlier(self) -> bool:
        """Whether the objector's is strictly earlier."""
        return self.own is not None and self.disputed is not None and self.own < self.disputed


@dataclass(frozen=True)
class Material:
    """What a node looks at: the delivered bytes, the brief, and the bytes behind ``brief.reference`` if it has them.
    Of an objection: the disputed work, an empty brief, the objector's own work, and ``precedence``."""

    content: bytes
    brief: Brief
    reference: bytes | None = None
    precedence: Precedence | None = None


@dataclass(frozen=True)
class Finding:
    """A score from 0 (no) to 100 (yes), one sentence for people, and JSON-able details for the evidence file."""

    score: int
    reason: str
    details: dict[str, Any] = field(default_factory=dict)


class Check(Protocol):
    """One AI model and how it judges. The same bytes give the same score.

    ``weights`` is the SHA-256 of the weights file, or of a manifest when there are several: what ModelRegistry knows as
    ``Model.weights``. ``licence`` is SPDX, ``card`` the model card as Markdown.
    """

    @property
    def name(self) -> str: ...
    @property
    def weights(self) -> bytes: ...
    @property
    def licence(self) -> str: ...
    @property
    def card(self) -> str: ...

    def run(self, material: Material) -> Finding:
        """Judge. Bad content scores 0 and never raises: a delivery must not be able to stop a node."""
        ...


class BadContent(Exception):
    """The content cannot be judged; the message is the finding's reason."""


def judged(judge: Callable[[Material], Finding], material: Material) -> Finding:
    """The judge's finding, or score 0 with the reason when the content cannot be judged."""
    try:
        return judge(material)
    except BadContent as bad:
        return Finding(0, str(bad))


@contextmanager
def extra(purpose: str) -> Iterator[None]:
    """Around imports that the extra ``checks`` brings. Raises MissingExtra when one fails."""
    try:
        yield
    except ImportError as error:
        raise MissingExtra("checks", purpose) from error


def card_of(name: str) -> str:
    """The model card shipped for a check, Markdown."""
    return (MODELS / f"{name}.md").read_text(encoding="utf-8")


def manifest_digest(files: Sequence[Path]) -> bytes:
    """SHA-256 over one line ``sha256  name`` per file, sorted by name: what ``sha256sum`` prints."""
    lines = (f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n" for p in sorted(files, key=lambda p: p.name))
    return hashlib.sha256("".join(lines).encode()).digest()


class _Composition:
    """Several checks as one; its ``weights`` are the SHA-256 over the parts' sorted weights."""

    join = ""

    def __init__(self, parts: Sequence[Check]) -> None:
        self.parts = tuple(parts)
        self.name = self.join.join(part.name for part in self.parts)
        self.weights = hashlib.sha256(b"".join(sorted(part.weights for part in self.parts))).digest()
        self.licence = " AND ".join(sorted({part.licence for part in self.parts}))

    @property
    def card(self) -> str:
        return "\n\n".join(part.card for part in self.parts)

    def _first(self, material: Material, settled: int) -> list[Finding]:
        """Findings in order; stops after the first with the score that settles the outcome."""
        found: list[Finding] = []
        for part in self.parts:
            found.append(part.run(material))
            if found[-1].score == settled:
                break
        return found

    def _joined(self, found: Sequence[Finding], decisive: Finding) -> Finding:
        details = {
            part.name: {"score": one.score, "reason": one.reason} | one.details
            for part, one in zip(self.parts, found, strict=False)
        }
        return Finding(decisive.score, decisive.reason, details)


class AllOf(_Composition):
    """The lowest score counts. Parts run in order, so put the cheap ones first: a 0 ends it."""

    join = "+"

    def run(self, material: Material) -> Finding:
        found = self._first(material, settled=0)
        return self._joined(found, min(found, key=lambda one: one.score))


class AnyOf(_Composition):
    """The highest score counts. A 100 ends it."""

    join = "|"

    def run(self, material: Material) -> Finding:
        found = self._first(material, settled=100)
        return self._joined(found, max(found, key=lambda one: one.score))
