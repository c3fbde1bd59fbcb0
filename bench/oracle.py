"""How fast a committee is: its checks on one core, and a verdict by five node processes on a local chain."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from bench.figures import Figure
from countersign.checks import Check, Material, delivery_check
from countersign.deal.brief import Brief
from countersign.records import Outcome
from scripts.committee import CHECKS
from scripts.payment import PaymentStory
from tools.deployment import deploy_local
from tools.devnet import Devnet
from tools.train_intact import photograph

__all__ = ["measure"]

_PICTURES = ("china", "flower", "astronaut", "chelsea", "coffee", "rocket")
"""Photographs of 0.1 to 0.3 megapixels, from the wheels of scikit-learn and scikit-image."""
_CAPTION = "COUNTERSIGN 2026"
_ROUNDS, _VERDICTS = 2, 5
_VERDICT_LIMIT = 5.0


def measure() -> list[Figure]:
    """``checks_per_s``, each check's ``…_ms`` (median), ``verdict_s`` (median), ``verdict_slowest_s``."""
    return [*_checks(), *_verdicts()]


# Checks


def _checks() -> list[Figure]:
    materials = [_material(name) for name in _PICTURES]
    with _one_core():
        committee = [delivery_check(name) for name in CHECKS]
        _require_pass(committee, materials)  # which also warms the models up
        times = {name: _times(check, materials) for name, check in zip(CHECKS, committee, strict=True)}
    each = [Figure(f"{name}_ms", _median(1000 * t for t in spent), "ms") for name, spent in times.items()]
    spent = [t for one in times.values() for t in one]
    return [Figure("checks_per_s", round(len(spent) / sum(spent), 1), "/s"), *each]


@contextmanager
def _one_core() -> Iterator[None]:
    """Within it this thread, and those it starts, share one core (where the system can do that: Linux)."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _material(name: str) -> Material:
    """A delivery as in the payment story: a captioned photograph, beside the preview that the buyer knows."""
    from PIL import Image, ImageDraw, ImageFont

    picture: Image.Image = photograph(name)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((10, 10, 350, 74), fill="white")
    draw.text((20, 18), _CAPTION, fill="black", font=ImageFont.load_default(36))
    content, seen = BytesIO(), BytesIO()
    picture.save(content, "PNG")
    picture.save(seen, "JPEG", quality=90)
    reference = seen.getvalue()
    brief = Brief(name, media_types=("image/png",), must_show=(_CAPTION,), reference=sha256(reference).digest())
    return Material(content.getvalue(), brief, reference)


def _require_pass(committee: list[Check], materials: list[Material]) -> None:
    """The time of checks that refuse at once would say nothing."""
    for material in materials:
        scores = [check.run(material).score for check in committee]
        assert sum(score >= 50 for score in scores) > len(scores) / 2, (material.brief.title, scores)


def _times(check: Check, materials: list[Material]) -> list[float]:
    """Seconds of each run."""
    times = []
    for material in materials * _ROUNDS:
        start = time.perf_counter()
        check.run(material)
        times.append(time.perf_counter() - start)
    return times


def _median(values: Iterator[float]) -> float:
    return round(statistics.median(values), 2)


# Verdicts


class _Deliveries(PaymentStory):
    """Good deliveries only, one after the other; nobody lies."""

    def run(self) -> None:
        with self._committee():
            photo, seen = self.seller_claims_a_photograph()
            for number in range(_VERDICTS + 1):
                terms = self._opened(f"Deal {number}", seen)
                subject = self._delivered("Delivered and requested", terms, photo)
                self._judged("Judged", subject, Outcome.PASS)


def _verdicts() -> list[Figure]:
    """Seconds from a request on chain to its verdict on chain; the first, which warms the nodes up, is left out."""
    with tempfile.TemporaryDirectory() as folder, Devnet(block_time=1) as chain:
        deploy_local(chain)
        story = _Deliveries(chain.url, Path(folder))
        story.run()
    spent = story.verdict_seconds[1:]
    return [
        Figure("verdict_s", _median(iter(spent)), "s", limit=_VERDICT_LIMIT),
        Figure("verdict_slowest_s", round(max(spent), 2), "s", limit=_VERDICT_LIMIT),
    ]
