"""Arrived undamaged: on real photographs, on hostile bytes, and as accurate as the cards say."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from statistics import mean
from typing import Any

import numpy as np
import pytest
from picturefiles import animated, encode
from PIL import Image, ImageEnhance

from countersign.checks import Check, Material, open_check
from countersign.checks.base import MODELS
from countersign.records import ZERO
from tools.train_intact import (
    DAMAGE,
    HELD_OUT,
    LEARNT,
    OTHER,
    Row,
    digests,
    encoded,
    figures,
    held_out_rows,
    in_words,
    logits,
    photograph,
    score_of,
)

Arrived = Callable[[bytes], Material]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_same_picture_passes_in_any_encoding(
    intact: Check, arrived: Arrived, coffee: Image.Image, kind: str
) -> None:
    assert intact.run(arrived(encode(coffee, kind))).score >= 80


def test_a_smaller_and_slightly_brighter_picture_passes(intact: Check, arrived: Arrived, coffee: Image.Image) -> None:
    again = ImageEnhance.Brightness(coffee.resize((480, 320))).enhance(1.05)
    assert intact.run(arrived(encode(again))).score >= 50


@pytest.mark.parametrize("kind", DAMAGE)
def test_each_kind_of_damage_fails_most_times(intact: Check, arrived: Arrived, coffee: Image.Image, kind: str) -> None:
    rng = np.random.default_rng(1)
    scores = [intact.run(arrived(encoded(DAMAGE[kind](coffee, rng), rng))).score for _ in range(5)]
    assert sum(score < 50 for score in scores) >= 3


@pytest.mark.parametrize("other", sorted({*HELD_OUT, *LEARNT} - {"coffee"}))
def test_another_picture_fails(intact: Check, arrived: Arrived, other: str) -> None:
    assert intact.run(arrived(encode(photograph(other)))).score < 50


def _bytes_of_many_kinds(coffee: Image.Image) -> dict[str, bytes]:
    jpeg = encode(coffee)
    two = [coffee.resize((60, 40)), coffee.resize((60, 40)).transpose(Image.Transpose.ROTATE_180)]
    return {
        "nothing": b"",
        "words": b"undamaged, honestly",
        "zeros": bytes(10_000),
        "half a JPEG": jpeg[: len(jpeg) // 2],
        "half a PNG": (png := encode(coffee, "PNG"))[: len(png) // 2],
        "a JPEG's head": jpeg[:20],
        "a PNG with a broken size": png[:16] + b"\x7f\xff\xff\xff\x7f\xff\xff\xff" + png[24:],
        "a bomb": _bomb(),
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
        "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "a moving GIF": animated(two, "GIF"),
        "a moving PNG": animated(two, "PNG"),
        "a moving WebP": animated(two, "WEBP"),
    }


def _bomb() -> bytes:
    """A PNG of 100 megapixels in some kilobytes."""
    return encode(Image.new("1", (10_000, 10_000)), "PNG")


def test_hostile_bytes_score_nothing_and_stop_nobody(intact: Check, arrived: Arrived, coffee: Image.Image) -> None:
    for name, content in _bytes_of_many_kinds(coffee).items():
        found = intact.run(arrived(content))
        assert found.score == 0 and found.reason.startswith("The delivery "), name


def test_a_bomb_is_refused_by_its_size(intact: Check, arrived: Arrived) -> None:
    assert "10000 x 10000 pixels" in intact.run(arrived(_bomb())).reason


def test_flipped_bytes_never_raise(intact: Check, arrived: Arrived, coffee: Image.Image) -> None:
    rng = np.random.default_rng(3)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"):
        whole = np.frombuffer(encode(coffee.resize((96, 64)), kind), dtype=np.uint8)
        for _ in range(12):
            broken = whole.copy()
            broken[rng.integers(0, min(400, broken.size), 4)] = rng.integers(0, 256, 4)
            assert 0 <= intact.run(arrived(broken.tobytes())).score <= 100


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_tiny_pictures_are_judged_like_any(intact: Check, arrived: Arrived, size: tuple[int, int]) -> None:
    assert intact.run(arrived(encode(Image.new("RGB", size), "PNG"))).score < 50


def test_what_is_transparent_is_not_seen(intact: Check, arrived: Arrived, coffee: Image.Image) -> None:
    hidden = coffee.copy()
    hidden.putalpha(0)
    assert intact.run(arrived(encode(hidden, "PNG"))).score < 50


def test_a_picture_that_says_it_lies_on_its_side_is_turned(
    intact: Check, arrived: Arrived, coffee: Image.Image
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned right
    turned = encode(coffee.transpose(Image.Transpose.ROTATE_90), exif=exif)
    assert intact.run(arrived(turned)).score >= 50


def test_the_reference_must_be_the_one_the_brief_names(intact: Check, arrived: Arrived, coffee: Image.Image) -> None:
    material = arrived(encode(coffee))
    missing = intact.run(replace(material, reference=None))
    assert (missing.score, missing.reason[:30]) == (0, "There is no reference photogra")
    other = intact.run(replace(material, reference=material.content + b"\0"))
    assert (other.score, other.reason) == (0, "The reference photograph is not the one the brief names.")
    unnamed = replace(material, brief=replace(material.brief, reference=ZERO))
    assert intact.run(unnamed).score == 0


def test_a_broken_reference_is_named_as_such(intact: Check, arrived: Arrived, coffee: Image.Image) -> None:
    material = arrived(encode(coffee))
    broken = replace(material, reference=b"junk", brief=replace(material.brief, reference=sha256(b"junk").digest()))
    assert intact.run(broken).reason.startswith("The reference cannot be opened")


def test_two_processes_agree(tmp_path: Any, coffee: Image.Image) -> None:
    rng = np.random.default_rng(5)
    sent = tmp_path / "sent.jpg"
    sent.write_bytes(encode(coffee))
    for i, damage in enumerate(DAMAGE.values()):
        (tmp_path / f"{i:02}.arrived").write_bytes(encoded(damage(coffee, rng), rng))
    code = """
import hashlib, pathlib, sys
from countersign.checks import Material, open_check
from countersign.deal.brief import Brief
folder = pathlib.Path(sys.argv[1])
sent = (folder / "sent.jpg").read_bytes()
brief = Brief("x", reference=hashlib.sha256(sent).digest())
for name in ("intact-net", "intact-trees"):
    check = open_check(name)
    print([check.run(Material(p.read_bytes(), brief, sent)).score for p in sorted(folder.glob("*.arrived"))])
"""
    run = [sys.executable, "-c", code, str(tmp_path)]
    printed = [subprocess.run(run, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    assert printed[0] == printed[1] and len(printed[0]) > 40


# The figures on the cards


@pytest.fixture(scope="module")
def held_out() -> list[Row]:
    return held_out_rows()


@pytest.mark.parametrize("model", ["intact-trees", "intact-net"])
def test_the_card_states_what_is_measured(model: str, held_out: list[Row]) -> None:
    metrics = json.loads((MODELS / f"{model}.metrics.json").read_text())
    weights = json.loads((MODELS / f"{model}.json").read_text())
    measured = figures([score_of(logit) for logit in logits(weights, held_out, model)], held_out)
    stated = metrics["held out"]
    assert measured["accuracy"] == pytest.approx(stated["accuracy"], abs=0.01)
    assert mean(measured["recall"].values()) == pytest.approx(mean(stated["recall"].values()), abs=0.02)
    assert in_words(metrics) in open_check(model).card


def test_held_out_photographs_are_never_learnt_from(held_out: list[Row]) -> None:
    learnt, kept = digests(LEARNT), digests(HELD_OUT)
    assert not set(learnt.values()) & set(kept.values()) and {row.source for row in held_out} == set(HELD_OUT)
    for model in ("intact-trees", "intact-net"):
        metrics = json.loads((MODELS / f"{model}.metrics.json").read_text())
        assert metrics["photographs"] == {"learnt": learnt, "held out": kept}
        assert set(metrics["cross-validated"]["photographs"]) == set(LEARNT)


def test_the_two_models_do_not_fail_alike(held_out: list[Row]) -> None:
    """Together they miss less damage than the better one alone, which is why a policy takes both."""
    damaged = [row for row in held_out if row.kind and row.kind != OTHER]
    missed = {}
    for model in ("intact-trees", "intact-net"):
        weights = json.loads((MODELS / f"{model}.json").read_text())
        missed[model] = {i for i, logit in enumerate(logits(weights, damaged, model)) if score_of(logit) >= 50}
    both = missed["intact-trees"] & missed["intact-net"]
    assert len(both) <= min(len(one) for one in missed.values())
    assert len(both) < max(len(one) for one in missed.values())
