"""Two different ways to put the difference of two photographs into numbers. Needs the extra ``checks`` (numpy).

Integers throughout, so that every machine gets the same numbers: ratios are in thousandths, intensities in grey levels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from countersign.checks.pictures import SIDE, Small

__all__ = ["differences", "structure"]

Ints = npt.NDArray[np.int64]
Features = dict[str, int]

BLOCK = 8
CELL = 16
REACH = 2
"""Pixels that a block may have moved: 1 % of the side."""


def differences(reference: Small, arrival: Small) -> Features:
    """For ``intact-trees``: what is left, block by block, after evening out light, colour and small shifts."""
    before, after = _wide(reference), _wide(arrival)
    evened, light = _even_out(before, after)
    rest = _residual(_smooth(evened), _smooth(after)) // 9
    found = light | _shape(reference, arrival) | _rest_features(rest)
    found |= _relative_features(rest, _busyness(_grey(evened)))
    return found | _sharpness(_grey(evened), _grey(after))


def structure(reference: Small, arrival: Small) -> Features:
    """For ``intact-net``: edge directions, frequency bands and colours by region; no pixel is compared with a pixel."""
    before, after = _wide(reference), _wide(arrival)
    found = _shape(reference, arrival) | _edge_features(_grey(before), _grey(after))
    found |= _band_features(_grey(before), _grey(after))
    return found | _colour_features(before, after) | _tone_features(_grey(before), _grey(after))


# Shared


def _wide(picture: Small) -> Ints:
    return picture.rgb.astype(np.int64)


def _grey(rgb: Ints) -> Ints:
    """BT.601 luma, 0..255."""
    grey: Ints = (299 * rgb[..., 0] + 587 * rgb[..., 1] + 114 * rgb[..., 2]) // 1000
    return grey


def _tiles(values: Ints, side: int) -> Ints:
    """Sums over side x side tiles of the first two axes."""
    rows, columns = values.shape[0] // side, values.shape[1] // side
    tiles: Ints = values.reshape(rows, side, columns, side, *values.shape[2:]).sum(axis=(1, 3))
    return tiles


def _share(part: Ints, other: Ints, floor: int) -> Ints:
    """part / (part + other) in thousandths, 500 where both are alike; ``floor`` damps small numbers."""
    share: Ints = 1000 * (part + floor) // (part + other + 2 * floor)
    return share


def _ranks(name: str, values: Ints, permille: tuple[int, ...]) -> Features:
    ordered = np.sort(values, axis=None)
    return {f"{name}_{p}": int(ordered[(ordered.size - 1) * p // 1000]) for p in permille}


def _shape(reference: Small, arrival: Small) -> Features:
    one, other = reference.width * arrival.height, arrival.width * reference.height
    return {"shape": 1000 * abs(one - other) // max(one, other)}


# Differences


def _even_out(before: Ints, after: Ints) -> tuple[Ints, Features]:
    """The reference in the light of the arrival, and how far the light moved, per channel and between channels."""
    x, y = _tiles(before, BLOCK) // BLOCK**2, _tiles(after, BLOCK) // BLOCK**2
    fits = [_line(x[..., c].ravel(), y[..., c].ravel()) for c in range(3)]
    gains, offsets = zip(*fits, strict=True)
    evened = np.clip(before * np.array(gains) // 1000 + np.array(offsets), 0, 255)
    middle = [128 * gain // 1000 + offset for gain, offset in fits]
    return evened, {
        "gain_low": min(gains),
        "gain_high": max(gains),
        "middle_low": min(middle),
        "middle_high": max(middle),
        "middle_spread": max(middle) - min(middle),
        "alike": _likeness(_grey(x), _grey(y)),
    }


def _line(x: Ints, y: Ints) -> tuple[int, int]:
    """Least squares y = gain / 1000 * x + offset, fitted again to the better half of the points."""
    gain, offset = _fit(x, y)
    errors = np.abs(y - gain * x // 1000 - offset)
    better = np.argsort(errors, kind="stable")[: errors.size // 2]
    return _fit(x[better], y[better])


def _fit(x: Ints, y: Ints) -> tuple[int, int]:
    n, sx, sy = x.size, int(x.sum()), int(y.sum())
    spread = n * int((x * x).sum()) - sx * sx
    joint = n * int((x * y).sum()) - sx * sy
    gain = min(max(1000 * joint // spread, 400), 2500) if spread > 4 * n * n else 1000
    return gain, (1000 * sy - gain * sx) // (1000 * n)


def _likeness(x: Ints, y: Ints) -> int:
    """Pearson correlation in thousandths; 0 when one is flat."""
    dx, dy = x.size * x - x.sum(), y.size * y - y.sum()
    dx, dy = dx // x.size, dy // y.size
    scale = float((dx * dx).sum()) * float((dy * dy).sum())
    return int(1000 * int((dx * dy).sum()) / np.sqrt(scale)) if scale else 0


def _smooth(values: Ints) -> npt.NDArray[np.int16]:
    """Sums over 3 x 3 neighbourhoods: nine times the mean."""
    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="edge").astype(np.int16)
    rows = padded[:-2] + padded[1:-1] + padded[2:]
    smooth: npt.NDArray[np.int16] = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    return smooth


def _residual(before: npt.NDArray[np.int16], after: npt.NDArray[np.int16]) -> Ints:
    """Per block the smallest mean difference (three channels summed) over all shifts within REACH."""
    padded = np.pad(before, ((REACH, REACH), (REACH, REACH), (0, 0)), mode="edge")
    sums = [_tiles(np.abs(moved - after).sum(axis=2, dtype=np.int64), BLOCK) for moved in _moved(padded)]
    least: Ints = np.minimum.reduce(sums) // BLOCK**2
    return least


def _moved(padded: npt.NDArray[np.int16]) -> Iterator[npt.NDArray[np.int16]]:
    for dy in range(2 * REACH + 1):
        for dx in range(2 * REACH + 1):
            yield padded[dy : dy + SIDE, dx : dx + SIDE]


def _rest_features(rest: Ints) -> Features:
    found = _ranks("rest", rest, (250, 500, 750, 900, 950, 980, 995, 1000))
    found |= {f"rest_over_{level}": int((rest > level).sum()) for level in (20, 40, 80)}
    return found | {
        "rest_row": int(rest.mean(axis=1).max()),
        "rest_column": int(rest.mean(axis=0).max()),
        "rest_bottom": int(rest[-3:].mean()),
        "rest_edge": int(np.concatenate([rest[0], rest[-1], rest[:, 0], rest[:, -1]]).mean()),
    }


def _busyness(grey: Ints) -> Ints:
    """Standard deviation of grey per block."""
    n = BLOCK**2
    sums, squares = _tiles(grey, BLOCK), _tiles(grey * grey, BLOCK)
    deviation: Ints = np.sqrt((n * squares - sums * sums) // (n * n)).astype(np.int64)
    return deviation


def _relative_features(rest: Ints, busyness: Ints) -> Features:
    """A difference means more where the picture is calm."""
    return _ranks("relative", 1000 * rest // (3 * busyness + 12), (250, 500, 750, 900, 950, 980, 995, 1000))


def _sharpness(before: Ints, after: Ints) -> Features:
    one, other = _tiles(_steps(before), BLOCK), _tiles(_steps(after), BLOCK)
    calm = one <= np.sort(one, axis=None)[one.size // 4]
    found = _ranks("sharp", _share(other, one, 64), (10, 50, 250, 500, 750, 950, 990))
    return found | {"grain": int(_share(other[calm].sum(), one[calm].sum(), 64))}


def _steps(grey: Ints) -> Ints:
    """Absolute differences to the right and lower neighbours."""
    right = np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))
    down: Ints = np.abs(np.diff(grey, axis=0, append=grey[-1:]))
    total: Ints = right + down
    return total


# Structure


def _edge_features(before: Ints, after: Ints) -> Features:
    """Histograms of edge directions per cell, compared by their L1 distance, and the cells' share of edge strength."""
    one, other = _directions(before), _directions(after)
    total, totals = one.sum(axis=2), other.sum(axis=2)
    shares = 1000 * one // (total[..., None] + 400), 1000 * other // (totals[..., None] + 400)
    turned = np.abs(shares[0] - shares[1]).sum(axis=2)
    found = _ranks("turned", turned, (250, 500, 750, 900, 970, 1000))
    found |= _ranks("strength", _share(totals, total, 400), (0, 30, 100, 250, 500, 750, 900, 970, 1000))
    return found | {"turned_all": int(np.abs(shares[0].sum(axis=(0, 1)) - shares[1].sum(axis=(0, 1))).sum())}


def _directions(grey: Ints) -> Ints:
    """Edge strength per cell in 8 directions (the signs of both gradients and which is larger): (12, 12, 8)."""
    gx = np.diff(grey, axis=1, append=grey[:, -1:])
    gy = np.diff(grey, axis=0, append=grey[-1:])
    bins = 4 * (np.abs(gx) > np.abs(gy)) + 2 * (gx > 0) + (gy > 0)
    strength = np.abs(gx) + np.abs(gy)
    return np.stack([_tiles(np.where(bins == b, strength, 0), CELL) for b in range(8)], axis=2)


def _band_features(before: Ints, after: Ints) -> Features:
    """Haar wavelets in four octaves: energy, energy where it is most and least, energy where it was calm, coherence."""
    found: Features = {}
    for octave in range(4):
        before, ones = _haar(before)
        after, others = _haar(after)
        found |= _octave_features(f"band_{octave}", ones, others, CELL >> (octave + 1))
    return found


def _octave_features(name: str, ones: Ints, others: Ints, side: int) -> Features:
    found = {f"{name}_{way}": int(_share(_energy(others[..., way]), _energy(ones[..., way]), 9**4)) for way in range(3)}
    cells, cells_after = (_tiles((details * details).sum(axis=2), side) for details in (ones, others))
    found |= _ranks(name, _share(cells_after, cells, 20 * side * side), (0, 50, 500, 950, 1000))
    calm = cells <= np.sort(cells, axis=None)[cells.size // 4]
    found[f"{name}_calm"] = int(_share(cells_after[calm].sum(), cells[calm].sum(), 4 * int(calm.sum()) * side * side))
    joint = 2 * _tiles((ones * others).sum(axis=2), side)
    if side == CELL // 2:  # the finest details never lie on each other twice
        return found
    coherence = 1000 * (joint + 20 * side * side) // (cells + cells_after + 20 * side * side)
    found[f"{name}_coherence"] = int(1000 * joint.sum() // (cells.sum() + cells_after.sum() + 9**4))
    return found | _ranks(f"{name}_coherence", coherence, (10, 50, 100, 250, 500))


def _energy(details: Ints) -> Ints:
    energy: Ints = (details * details).sum()
    return energy


def _haar(grey: Ints) -> tuple[Ints, Ints]:
    """One level: the half-size mean, and the details across, down and diagonal as the last axis."""
    a, b, c, d = grey[::2, ::2], grey[::2, 1::2], grey[1::2, ::2], grey[1::2, 1::2]
    details = [(a - b + c - d) // 2, (a + b - c - d) // 2, (a - b - c + d) // 2]
    return (a + b + c + d) // 4, np.stack(details, axis=2)


def _colour_features(before: Ints, after: Ints) -> Features:
    """How red - green and blue - green moved by region, their finest detail, and how far their histograms overlap."""
    found: Features = {}
    for name, channel in (("red", 0), ("blue", 2)):
        one, other = (p[..., channel] - p[..., 1] for p in (before, after))
        moved = (_tiles(other, CELL) - _tiles(one, CELL)) // CELL**2
        found |= _ranks(f"{name}_moved", moved, (0, 30, 250, 500, 750, 970, 1000))
        fine, fine_after = (_energy(_haar(p)[1]) for p in (one, other))
        found[f"{name}_fine"] = int(_share(fine_after, fine, 9**4))
        found[f"{name}_tint"] = _tint(before, after, channel)
        found[f"{name}_overlap"] = _overlap((one + 256) // 16, (other + 256) // 16, 32)
    return found


def _tint(before: Ints, after: Ints, channel: int) -> int:
    """How far the channel's share beside green moved, in thousandths, either way."""
    shares = [_share(p[..., channel].sum(), p[..., 1].sum(), SIDE * SIDE) for p in (before, after)]
    return abs(int(shares[1]) - int(shares[0]))


def _tone_features(before: Ints, after: Ints) -> Features:
    """How light moved by region against the picture's median move, and the overlap of the tone histograms."""
    moved = (_tiles(after, CELL) - _tiles(before, CELL)) // CELL**2
    middle = int(np.sort(moved, axis=None)[moved.size // 2])
    found = _ranks("tone_moved", np.abs(moved - middle), (500, 750, 900, 970, 1000))
    return found | {"tone_middle": abs(middle), "tone_overlap": _overlap(before // 16, after // 16, 16)}


def _overlap(one: Ints, other: Ints, bins: int) -> int:
    """Shared part of two histograms in thousandths."""
    counts = (np.bincount(bins_of.ravel(), minlength=bins) for bins_of in (one, other))
    return int(1000 * np.minimum(*counts).sum() // one.size)
