"""Are the words the brief asks for readable in the picture? RapidOCR: text detection and recognition (PP-OCRv4)."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from countersign.checks.base import BadContent, Finding, Material, card_of, extra, judged, manifest_digest

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["TextShown", "letters", "readable"]

LONG_SIDE = 2000
MAX_WANTED, MAX_READ = 2_000, 10_000  # the comparison takes their product; a brief must not stall a node
SLACK = 6
"""One wrong, missing or added character is forgiven per so many in a phrase; shorter phrases must be exact."""


class TextShown:
    """Score 100 when every phrase of ``must_show`` is readable; else 49 times the readable share.

    So one missing phrase fails at the usual pass score of 50, and the score still tells how much was found. A brief
    without phrases asks for nothing: any still picture scores 100, so combine this check with another then.
    """

    name = "text-shown"
    licence = "Apache-2.0"

    def __init__(self) -> None:
        with extra("The text check"):
            from rapidocr_onnxruntime import RapidOCR  # type: ignore[import-untyped]

            from countersign.checks import pictures
        self._open = pictures.open_picture
        self._ocr = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)  # threads add in varying order
        self._one_at_a_time = threading.Lock()
        self.weights = manifest_digest(list(_models().glob("*.onnx")))

    @property
    def card(self) -> str:
        return card_of(self.name)

    def run(self, material: Material) -> Finding:
        return judged(self._judge, material)

    def _judge(self, material: Material) -> Finding:
        picture = self._open(material.content)
        wanted = material.brief.must_show
        if not wanted:
            return Finding(100, "The brief asks for no words.")
        if sum(map(len, wanted)) > MAX_WANTED:
            raise BadContent(
                f"The brief asks for more than {MAX_WANTED:,} characters to be shown, too many for this check."
            )
        lines = self._lines(picture)
        missing = [phrase for phrase in wanted if not readable(phrase, lines)]
        details = {"read": lines, "missing": missing}
        if not missing:
            return Finding(100, "Every phrase of the brief can be read in the picture.", details)
        found = len(wanted) - len(missing)
        named = ", ".join(f"'{phrase}'" for phrase in missing)
        return Finding(49 * found // len(wanted), f"Not readable in the picture: {named}.", details)

    def _lines(self, picture: Image) -> list[str]:
        """The lines of text in reading order, top to bottom."""
        import numpy as np

        blue_first = np.ascontiguousarray(np.asarray(_handy(picture))[:, :, ::-1])
        try:
            with self._one_at_a_time:
                found, _ = self._ocr(blue_first)
        except Exception as error:  # odd shapes break OpenCV in many ways
            raise BadContent("The picture's shape cannot be searched for text.") from error
        return [str(text) for _, text, _ in found or ()]


def _handy(picture: Image) -> Image:
    """At most LONG_SIDE long, and padded to a quarter of that across: the detector enlarges the short side to 736
    pixels, whatever becomes of the long one, so that a picture one pixel wide would fill the memory.
    """
    from PIL import ImageOps

    picture.thumbnail((LONG_SIDE, LONG_SIDE))
    least = max(picture.size) // 4
    return ImageOps.pad(
        picture, (max(picture.width, least), max(picture.height, least)), color="white", centering=(0, 0)
    )


def readable(phrase: str, lines: Sequence[str]) -> bool:
    """Whether the phrase occurs in the lines, one after the other; case, spaces, accents, punctuation ignored."""
    wanted = letters(phrase)
    return bool(wanted) and _distance(wanted, letters("".join(lines))[:MAX_READ]) <= len(wanted) // SLACK


def letters(text: str) -> str:
    """Letters and digits only, without case and accents, compatibility forms unified."""
    return "".join(c for c in unicodedata.normalize("NFKD", text).casefold() if c.isalnum())


def _distance(wanted: str, text: str) -> int:
    """Least edit distance of ``wanted`` to any part of ``text`` (Sellers 1980)."""
    column = list(range(len(wanted) + 1))
    best = column[-1]
    for shown in text:
        above, column[0] = column[0], 0
        for i, letter in enumerate(wanted, 1):
            above, column[i] = column[i], min(above + (letter != shown), column[i] + 1, column[i - 1] + 1)
        best = min(best, column[-1])
    return best


def _models() -> Path:
    spec = find_spec("rapidocr_onnxruntime")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "models"
