"""The check that must not change its mind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from picturefiles import encode
from PIL import Image

from countersign.checks import Finding, Material, open_check
from countersign.checks.robust import Robust

Arrived = Callable[[bytes], Material]


@dataclass
class Fooled:
    """Says yes to exactly these bytes, as a model does to a picture tuned for it."""

    tuned: bytes
    otherwise: int
    name: str = "fooled"
    weights: bytes = bytes(32)
    licence: str = "Apache-2.0"
    card: str = "# fooled"

    def run(self, material: Material) -> Finding:
        return Finding(95 if material.content == self.tuned else self.otherwise, "It says so.")


@pytest.mark.parametrize("name", ["robust-intact-net", "robust-intact-trees"])
def test_an_honest_picture_keeps_its_score(name: str, arrived: Arrived, coffee: Image.Image) -> None:
    found = open_check(name).run(arrived(encode(coffee)))
    assert found.score >= 50 and {"as delivered", "re-encoded", "rescaled", "cropped"} <= set(found.details)
    json.dumps(found.details)


@pytest.mark.parametrize(("otherwise", "score"), [(80, 80), (60, 45), (30, 0), (0, 0)])
def test_disagreement_costs_more_than_the_lowest_score(
    otherwise: int, score: int, arrived: Arrived, coffee: Image.Image
) -> None:
    content = encode(coffee)
    found = Robust(Fooled(content, otherwise)).run(arrived(content))
    assert found.score == score
    assert ("changes its mind" in found.reason) is (otherwise < 75)


def test_bad_bytes_score_nothing(arrived: Arrived) -> None:
    assert open_check("robust-intact-trees").run(arrived(b"junk")).score == 0
    assert Robust(Fooled(b"junk", 0)).run(arrived(b"junk")).score == 0
