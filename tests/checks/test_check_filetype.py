"""File types: what the brief asks for, what it leaves open."""

from __future__ import annotations

from pathlib import Path

import pytest
from picturefiles import encode
from PIL import Image

from countersign.checks import Check, Material, open_check
from countersign.deal.brief import Brief

NOTHING_ASKED = Brief("Anything")


@pytest.fixture(scope="module")
def check() -> Check:
    return open_check("file-type")


@pytest.mark.parametrize("wanted", ["image/jpeg", "image/jpg", "IMAGE/JPEG", "image/*", "*/*"])
def test_the_type_asked_for_passes(check: Check, coffee: Image.Image, wanted: str) -> None:
    brief = Brief("A photograph", media_types=("image/png", wanted))
    assert check.run(Material(encode(coffee), brief)).score >= 90


@pytest.mark.parametrize("wanted", ["image/png", "text/*", "image", "nonsense", ""])
def test_another_type_fails(check: Check, coffee: Image.Image, wanted: str) -> None:
    found = check.run(Material(encode(coffee), Brief("A photograph", media_types=(wanted,))))
    assert found.score == 0 and "JPEG" in found.reason and found.details["type"] == "image/jpeg"


def test_without_a_wish_known_types_pass(check: Check, coffee: Image.Image) -> None:
    for content in (encode(coffee), encode(coffee, "PNG"), b"Dear buyer,\n\nhere is the text you ordered.\n"):
        assert check.run(Material(content, NOTHING_ASKED)).score >= 50


def test_without_a_wish_executables_unknown_and_empty_files_fail(check: Check) -> None:
    for content in (Path("/proc/self/exe").read_bytes(), bytes(range(256)) * 8, b""):
        assert check.run(Material(content, NOTHING_ASKED)).score == 0


def test_a_program_named_picture_is_seen_through(check: Check) -> None:
    program = Path("/proc/self/exe").read_bytes()
    assert check.run(Material(program, Brief("A photograph", media_types=("image/jpeg",)))).score == 0
