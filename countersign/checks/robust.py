"""A check that must not change its mind: the same picture, treated harmlessly, has to score alike.

Against pictures that are tuned until a model says yes: such tuning seldom survives re-encoding, rescaling and a crop.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from typing import TYPE_CHECKING

from countersign.checks import intact
from countersign.checks.base import Check, Finding, Material, extra, judged

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Robust", "net", "trees"]

AGREE = 20
"""Scores this close are alike."""


class Robust:
    """The lowest score over the picture as delivered, re-encoded, rescaled and cropped by 0.5 %.

    When they differ by more than AGREE points, the excess is taken off as well. Its ``weights`` say that it wraps.
    """

    def __init__(self, check: Check) -> None:
        with extra("The robust check"):
            from countersign.checks import pictures
        self._open = pictures.open_picture
        self._check = check
        self.name = f"robust-{check.name}"
        self.weights = hashlib.sha256(b"countersign-robust/1" + check.weights).digest()
        self.licence = check.licence

    @property
    def card(self) -> str:
        return self._check.card

    def run(self, material: Material) -> Finding:
        return judged(self._judge, material)

    def _judge(self, material: Material) -> Finding:
        found = {"as delivered": self._check.run(material)}
        if found["as delivered"].score == 0:
            return found["as delivered"]
        variants = _variants(self._open(material.content))
        found |= {name: self._check.run(replace(material, content=content)) for name, content in variants.items()}
        lowest = min(found.values(), key=lambda one: one.score)
        spread = max(one.score for one in found.values()) - lowest.score
        score = max(0, lowest.score - max(0, spread - AGREE))
        reason = (
            lowest.reason if spread <= AGREE else "The model changes its mind when the picture is treated harmlessly."
        )
        return Finding(score, reason, {name: one.score for name, one in found.items()} | lowest.details)


def net() -> Robust:
    return Robust(intact.net())


def trees() -> Robust:
    return Robust(intact.trees())


def _variants(picture: Image) -> dict[str, bytes]:
    width, height = picture.size
    dx, dy = max(1, width // 200), max(1, height // 200)
    return {
        "re-encoded": _jpeg(picture),
        "rescaled": _jpeg(picture.resize((max(1, width * 4 // 5), max(1, height * 4 // 5)))),
        "cropped": _jpeg(picture.crop((dx, dy, max(dx + 1, width - dx), max(dy + 1, height - dy)))),
    }


def _jpeg(picture: Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()
