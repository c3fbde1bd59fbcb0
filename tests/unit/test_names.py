"""Names that others chose cannot break a line, leave a folder, or pretend to be another."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.names import columns, file_name, one_line, shorten

HOSTILE = st.text(st.characters() | st.sampled_from('"\\/<>&\n\r\t\x1b\u202e\u2066\u200b\u2028\ud800'), max_size=60)


@given(HOSTILE)
def test_one_line_has_neither_controls_nor_bidirectional_marks(name: str) -> None:
    shown = one_line(name)
    assert shown.splitlines() in ([], [shown]) and one_line(shown) == shown
    assert all(c in "\u200c\u200d" or unicodedata.category(c)[0] != "C" for c in shown)
    shown.encode()


def test_what_people_write_stays_as_it_is() -> None:
    for name in ("café.jpg", "фото 1.png", "写真.webp", "\u0645\u06cc\u200c\u062e.txt", "a&b <1>.svg"):
        assert one_line(name) == name
    assert one_line("a\u202egpj.exe\n\x1b[2J") == "a\\u202egpj.exe\\x0a\\x1b[2J"


@given(HOSTILE)
def test_a_file_name_stays_in_its_folder(name: str) -> None:
    made = file_name(name)
    assert made and len(made.encode()) <= 200 and not set(made) & set('/\\:*?"<>|\0\n\u202e')
    assert made not in (".", "..") and made[0] not in ".-~ " and made[-1] not in " ."
    assert file_name(made) == made


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("photo.jpg", "photo.jpg"), ("../../etc/passwd", "_.._etc_passwd"), ("C:\\x.png", "C__x.png"),
        ("写真.webp", "写真.webp"), ("", "work"), ("..", "work"), ("con.txt", "_con.txt"), ("-rf", "rf"),
        ("a\u202egpj.exe", "a_gpj.exe"), (f"{'n' * 400}.jpg", f"{'n' * 176}.jpg"),
    ],
)  # fmt: skip
def test_file_names(name: str, made: str) -> None:
    assert file_name(name) == made


@given(HOSTILE, st.integers(3, 40))
def test_shortened_text_fits(name: str, width: int) -> None:
    assert columns(shorten(one_line(name), width)) <= width
    assert shorten("collage-of-many-things.png", 15) == "collage…ngs.png"
