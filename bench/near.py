"""Near codes among ten million, found exactly, beside faiss and a plain scan; an image's ISCC beside iscc-core."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.figures import Figure
from bench.timing import best, progress, seconds
from countersign.fingerprint.iscc import image_code
from countersign.fingerprint.near import NearIndex, scan
from countersign.index.similar import DISTANCE

__all__ = ["measure"]

_CODES = 10_000_000
_QUERIES = 100
_PEER_QUERIES = 5
_BAR_MS = 2.0
_BAR_SKEW = 5.0
_BAR_IMAGE_MS = 10.0
_PLANTED = 4
"""Neighbours planted for each query, at distances up to the declared one."""

Codes = npt.NDArray[np.uint64]
Search = Callable[[int], Any]


def measure(codes: int = _CODES, queries: int = _QUERIES, peers: int = _PEER_QUERIES) -> list[Figure]:
    """``query_10m_ms`` (median), ``recall`` and ``skewed_ratio`` at the default distance, ``iscc_image_ms``."""
    rng = np.random.default_rng(24138)
    plain, skewed = (_planted(rng, make(rng, codes), queries) for make in (_random, _real))
    fast, found, others = _searched(*plain, peers)
    slow, found_skewed, others_skewed = _searched(*skewed, peers)
    note = f"{codes:,} codes, distance {DISTANCE}, median of {queries} queries, each with planted neighbours."
    real = "Codes of parts of real pictures, each with up to 12 bits changed: many share most of their bits."
    return [
        Figure("query_10m_ms", round(fast, 3), "ms", peers=others, limit=_BAR_MS, note=note),
        Figure("recall", min(found, found_skewed), "", least=1.0, note="Of what a scan of all codes finds, both sets."),
        Figure("query_skewed_ms", round(slow, 3), "ms", peers=others_skewed, note=real),
        Figure("skewed_ratio", round(slow / fast, 2), "x", limit=_BAR_SKEW),
        *_image(),
    ]


# Codes


def _random(rng: np.random.Generator, count: int) -> Codes:
    return rng.integers(0, 2**64, count, dtype="u8")


def _real(rng: np.random.Generator, count: int) -> Codes:
    """Ten million pictures that are at hand nowhere: real codes, and as many variations of each as are needed."""
    progress("codes of real pictures")
    real = np.array([int.from_bytes(image_code(part)) for part in _parts(rng)], dtype="u8")
    codes: Codes = rng.choice(real, count)
    for _ in range(12):
        bit = np.uint64(1) << rng.integers(0, 64, count, dtype="u8")
        codes ^= np.where(rng.random(count) < 0.5, bit, np.uint64(0))
    return codes


def _parts(rng: np.random.Generator, of_each: int = 200) -> list[Any]:
    from tools.similarity import pictures

    parts = []
    for picture in pictures().values():
        picture.thumbnail((256, 256))
        for _ in range(of_each):
            side = rng.uniform(0.4, 0.9)
            width, height = int(picture.width * side), int(picture.height * side)
            x, y = rng.integers(picture.width - width), rng.integers(picture.height - height)
            parts.append(picture.crop((x, y, x + width, y + height)))
    return parts


def _planted(rng: np.random.Generator, codes: Codes, queries: int) -> tuple[Codes, list[int]]:
    """The codes, and queries that each have neighbours among them at known distances."""
    wanted = [int(code) for code in rng.choice(codes, queries)]
    for code in wanted:
        for place in rng.integers(0, len(codes), _PLANTED):
            bits = rng.choice(64, rng.integers(0, DISTANCE + 1), replace=False)
            codes[place] = code ^ sum(1 << int(bit) for bit in bits)
    return codes, wanted


# Search


def _searched(codes: Codes, queries: list[int], peers: int) -> tuple[float, float, dict[str, float]]:
    """Median ms of a query, the share of what a scan finds, and the same ms of others."""
    progress(f"tables for {len(codes):,} codes")
    index = NearIndex(codes)
    for code in queries[:peers]:
        index.query(code, DISTANCE)  # the first query makes lists that all others use
    ours = _median(lambda code: index.query(code, DISTANCE), queries)
    progress("others search the same codes")
    plain: Search = lambda code: scan(codes, code, DISTANCE)  # noqa: E731
    others = {"numpy, every code compared": _median(plain, queries[:peers]), **_faiss(codes, queries[:peers])}
    return ours, _recall(index, codes, queries[:peers]), others


def _median(search: Search, queries: list[int]) -> float:
    return round(1000 * statistics.median(seconds(partial(search, code)) for code in queries), 3)


def _recall(index: NearIndex, codes: Codes, queries: list[int]) -> float:
    """Exactly 1 only where every query has the very answer of a scan."""
    found = missed = 0
    for code in queries:
        (mine, my_bits), (all_, bits) = index.query(code, DISTANCE), scan(codes, code, DISTANCE)
        right = set(zip(mine.tolist(), my_bits.tolist(), strict=True))
        wanted = set(zip(all_.tolist(), bits.tolist(), strict=True))
        assert right <= wanted
        found, missed = found + len(right), missed + len(wanted - right)
    return found / (found + missed)


def _faiss(codes: Codes, queries: list[int]) -> dict[str, float]:
    """faiss compares with every code too, in C++ on one thread; none where it is not installed, which is said."""
    try:
        import faiss  # type: ignore[import-untyped]
    except ImportError:
        progress("faiss is left out: it is not installed (group bench)")
        return {}
    faiss.omp_set_num_threads(1)
    flat = faiss.IndexBinaryFlat(64)
    flat.add(codes.view("u1").reshape(-1, 8))

    def search(code: int) -> object:
        return flat.range_search(np.array([code], dtype="u8").view("u1").reshape(1, 8), DISTANCE + 1)

    return {"faiss IndexBinaryFlat, one thread": _median(search, queries)}


# The ISCC of an image


def _image() -> list[Figure]:
    """12 megapixels that are unpacked already: a real picture, enlarged; and with a frame, which is cut off."""
    from PIL import ImageOps

    picture = _enlarged((4000, 3000))
    framed = ImageOps.expand(_enlarged((3800, 2800)), 100, "white")
    runs = [*(partial(make, one) for one in (picture, framed) for make in (image_code, _by_the_steps))]
    ours, theirs, ours_framed, theirs_framed = (round(1000 * s, 1) for s in best(*runs, clock=time.process_time))
    peer, note = "Pillow at full size, then iscc-core", "Image-Code of 12 megapixels, after decoding"
    return [
        Figure("iscc_image_ms", ours, "ms", peers={peer: theirs}, limit=_BAR_IMAGE_MS, note=f"{note}."),
        Figure("iscc_framed_ms", ours_framed, "ms", peers={peer: theirs_framed}, note=f"{note}, with a plain border."),
    ]


def _by_the_steps(picture: Any) -> object:
    """The standard's steps one by one, and iscc-core."""
    import iscc_core  # type: ignore[import-untyped]
    from PIL import Image, ImageChops

    plain = Image.new("RGB", picture.size, picture.getpixel((0, 0)))
    trimmed = picture.crop(ImageChops.difference(picture, plain).getbbox())
    grey = trimmed.convert("L").resize((32, 32), Image.Resampling.BICUBIC)
    return iscc_core.gen_image_code_v0(list(grey.tobytes()), 64)


def _enlarged(size: tuple[int, int]) -> Any:
    from tools.similarity import pictures

    return pictures()["chelsea.png"].resize(size)
