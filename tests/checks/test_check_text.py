"""Words in pictures, read by the real models."""

from __future__ import annotations

import pytest
from picturefiles import encode
from PIL import Image, ImageDraw, ImageFont

from countersign.checks import Check, Finding, Material, open_check
from countersign.deal.brief import Brief


@pytest.fixture(scope="module")
def check() -> Check:
    return open_check("text-shown")


@pytest.fixture(scope="module")
def label(coffee: Image.Image) -> bytes:
    """The photograph with a label on it."""
    picture = coffee.copy()
    draw = ImageDraw.Draw(picture)
    draw.rectangle((20, 20, 420, 150), fill="white")
    draw.text((40, 30), "Countersign No. 42", fill="black", font=ImageFont.load_default(40))
    draw.text((40, 90), "HANDLE WITH CARE", fill=(150, 20, 20), font=ImageFont.load_default(40))
    return encode(picture)


def _run(check: Check, content: bytes, *phrases: str) -> Finding:
    return check.run(Material(content, Brief("A label", must_show=phrases)))


def test_every_phrase_readable_is_full_score(check: Check, label: bytes) -> None:
    assert _run(check, label, "countersign no 42", "Handle with care").score == 100


def test_a_missing_phrase_fails_and_is_named(check: Check, label: bytes) -> None:
    found = _run(check, label, "handle with care", "invoice")
    assert (found.score, found.reason) == (24, "Not readable in the picture: 'invoice'.")
    assert found.details["missing"] == ["invoice"] and len(found.details["read"]) >= 2


def test_the_same_picture_without_the_label_fails(check: Check, coffee: Image.Image) -> None:
    assert _run(check, encode(coffee), "handle with care").score == 0


def test_no_phrases_ask_only_for_a_picture(check: Check, coffee: Image.Image) -> None:
    assert _run(check, encode(coffee)).score == 100
    assert _run(check, b"no picture").score == 0


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (9000, 2), (33, 700)])
def test_odd_shapes_neither_raise_nor_fill_the_memory(check: Check, size: tuple[int, int]) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert _run(check, encode(Image.new("RGB", size, "white"), "PNG"), "word").score == 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2_000_000  # kilobytes


def test_a_brief_that_asks_for_a_book_is_refused(check: Check, label: bytes) -> None:
    found = _run(check, label, "a" * 2001)
    assert found.score == 0 and "too many for this check" in found.reason


def test_reading_twice_reads_the_same(check: Check, label: bytes) -> None:
    assert _run(check, label, "care") == _run(open_check("text-shown"), label, "care")
