"""Train the two models of "arrived undamaged" and write weights, metrics and figures of the cards.

`python -m tools.train_intact` makes pairs (photograph at dispatch, photograph at arrival) from real photographs, learns
on some photographs and measures on others that were never learnt from. `--dry` prints cross-validated figures of the
learning photographs only: choose features and settings by those, never by the held-out ones.
"""

from __future__ import annotations

import argparse
import io
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from countersign.checks.base import MODELS
from countersign.checks.features import differences, structure
from countersign.checks.intact import NET, TREES, calibrated, net_logit, score_of, trees_logit
from countersign.checks.pictures import small

Generator = np.random.Generator
Picture = Image.Image

LEARNT = {
    "astronaut": "public domain (NASA)",
    "brick": "CC0-1.0",
    "cell": "CC0-1.0",
    "chelsea": "CC0-1.0 (Stefan van der Walt)",
    "clock_motion": "public domain (Stefan van der Walt)",
    "flower": "CC-BY-2.0 (vultilion, flickr.com/photos/vultilion/6056698931)",
    "grass": "CC0-1.0",
    "gravel": "CC0-1.0",
    "hubble_deep_field": "public domain (NASA)",
    "ihc": "no known copyright restrictions (CMMI)",
    "retina": "CC0-1.0 (Mikael Häggström)",
}
HELD_OUT = {
    "camera": "CC0-1.0 (Lav Varshney)",
    "china": "CC-BY-2.0 (danielbuechele, flickr.com/photos/danielbuechele/6061409035)",
    "coffee": "CC0-1.0 (Rachel Michetti)",
    "coins": "no known copyright restrictions (Brooklyn Museum)",
    "rocket": "public domain (SpaceX)",
}
"""Licences as stated in the wheels: docstrings of skimage.data, sklearn/datasets/images/README.txt.

Left out, as nothing there says they are free: moon, page, colorwheel, stereo_motorcycle, lfw_subset."""


# Photographs


@cache
def photograph(name: str) -> Picture:
    """A photograph from the wheels of scikit-image or scikit-learn, RGB."""
    return Image.open(_file(name)).convert("RGB")


def _file(name: str) -> Path:
    folders = [_package("skimage") / "data", _package("sklearn") / "datasets" / "images"]
    return next(path for folder in folders for path in folder.glob(f"{name}.*"))


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{name} is not installed: run `make setup`.")
    return Path(spec.origin).parent


def scene(name: str, rng: Generator) -> Picture:
    """A part of the photograph as the picture at dispatch, 300 to 480 pixels on the long side."""
    whole = photograph(name)
    share = rng.uniform(0.6, 1.0) if min(whole.size) >= 400 else rng.uniform(0.85, 1.0)
    part = whole.crop(_window(whole, share, share, rng))
    if rng.random() < 0.5:
        part = part.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return _resized(part, rng.uniform(300, 480) / max(part.size))


def varied(picture: Picture, rng: Generator) -> Picture:
    """Another camera, light and taste: so that few photographs to learn from look like more."""
    shown = ImageEnhance.Color(picture).enhance(rng.uniform(0.2, 1.6))
    shown = ImageEnhance.Contrast(shown).enhance(rng.uniform(0.6, 1.3))
    shown = ImageEnhance.Sharpness(shown).enhance(rng.uniform(0.0, 2.0))
    return _tinted(shown, rng.uniform(0.75, 1.15) * rng.uniform(0.8, 1.1, 3))


def _window(picture: Picture, across: float, down: float, rng: Generator) -> tuple[int, int, int, int]:
    width, height = int(picture.width * across), int(picture.height * down)
    left, top = rng.integers(picture.width - width + 1), rng.integers(picture.height - height + 1)
    return int(left), int(top), int(left) + width, int(top) + height


def _resized(picture: Picture, factor: float) -> Picture:
    size = max(32, round(picture.width * factor)), max(32, round(picture.height * factor))
    return picture.resize(size, Image.Resampling.LANCZOS)


# What a second photograph does without damage


def photographed_again(picture: Picture, rng: Generator) -> Picture:
    """Slightly other light, white balance, framing (up to 1 % at each edge), scale and noise."""
    margins = rng.uniform(0, 0.01, 4) * np.array([picture.width, picture.height] * 2)
    left, top, right, bottom = margins.astype(int)
    framed = picture.crop((left, top, picture.width - right, picture.height - bottom))
    framed = _resized(framed, rng.uniform(0.7, 1.4))
    lit = ImageEnhance.Contrast(framed).enhance(rng.uniform(0.92, 1.08))
    return _noisy(_tinted(lit, rng.uniform(0.92, 1.08) * rng.uniform(0.96, 1.04, 3)), rng.uniform(0, 3), rng)


def encoded(picture: Picture, rng: Generator) -> bytes:
    """As JPEG, WebP (quality 70 to 95) or PNG."""
    kind = rng.choice(["JPEG", "JPEG", "WEBP", "PNG"])
    out = io.BytesIO()
    picture.save(out, str(kind), quality=int(rng.integers(70, 96)), **({"compress_level": 1} if kind == "PNG" else {}))
    return out.getvalue()


def _tinted(picture: Picture, gains: npt.NDArray[np.float64]) -> Picture:
    return _picture(np.asarray(picture, dtype=np.float64) * gains)


def _noisy(picture: Picture, deviation: float, rng: Generator) -> Picture:
    values = np.asarray(picture, dtype=np.float64)
    return _picture(values + rng.normal(0, deviation, values.shape))


def _picture(values: npt.NDArray[np.float64]) -> Picture:
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


# Damage


def crop(picture: Picture, rng: Generator) -> Picture:
    """10 to 45 % of the width, the height or both are missing."""
    across, down = rng.uniform(0.55, 0.9, 2)
    side = rng.integers(3)
    return picture.crop(_window(picture, 1.0 if side == 0 else across, 1.0 if side == 1 else down, rng))


def occlusion(picture: Picture, rng: Generator) -> Picture:
    """A patch of 3 to 25 % of the area or a bar of 3 to 12 % across, clearly lighter or darker than what it hides."""
    size = float(rng.uniform(0.17, 0.5)), float(rng.uniform(0.17, 0.5))
    bar = float(rng.uniform(0.03, 0.12))
    across, down = [size, (1.0, bar), (bar, 1.0)][rng.integers(3)]
    box = _window(picture, across, down, rng)
    shown = picture.copy()
    shown.paste(_contrast(picture.crop(box), rng), box)
    return shown


def _contrast(hidden: Picture, rng: Generator) -> tuple[int, int, int]:
    """A colour at least 70 grey levels away from the mean of what is hidden."""
    mean = float(np.asarray(hidden).mean())
    while True:
        colour = rng.integers(0, 256, 3) if rng.random() < 0.5 else np.repeat(rng.integers(0, 256), 3)
        if abs(float(colour.mean()) - mean) >= 70:
            return int(colour[0]), int(colour[1]), int(colour[2])


def scratches(picture: Picture, rng: Generator) -> Picture:
    """3 to 10 broken lines, 0.6 to 1.5 % of the short side wide, each a quarter of it long or longer."""
    shown = picture.copy()
    draw, short = ImageDraw.Draw(shown), min(picture.size)
    for _ in range(rng.integers(3, 11)):
        start = rng.uniform(0, 1, 2) * picture.size
        bend = start + rng.choice([-1, 1], 2) * rng.uniform(0.15, 0.4, 2) * short
        end = bend + rng.choice([-1, 1], 2) * rng.uniform(0.1, 0.3, 2) * short
        line = [(float(x), float(y)) for x, y in (start, bend, end)]
        spot = picture.crop(_around(line, picture))
        draw.line(line, fill=_contrast(spot, rng), width=max(2, round(short * rng.uniform(0.006, 0.015))))
    return shown


def _around(line: Sequence[tuple[float, float]], picture: Picture) -> tuple[int, int, int, int]:
    xs, ys = ([min(max(int(p[i]), 0), picture.size[i] - 2) for p in line] for i in (0, 1))
    return min(xs), min(ys), max(xs) + 2, max(ys) + 2


def blur(picture: Picture, rng: Generator) -> Picture:
    """Out of focus: Gaussian of 0.8 to 2.5 % of the short side."""
    return picture.filter(ImageFilter.GaussianBlur(min(picture.size) * rng.uniform(0.008, 0.025)))


def noise(picture: Picture, rng: Generator) -> Picture:
    """Deviation 25 to 60 of 255."""
    return _noisy(picture, rng.uniform(25, 60), rng)


def compression(picture: Picture, rng: Generator) -> Picture:
    """JPEG quality 1 to 6, or pixels of 2.5 to 5 % of the short side."""
    if rng.random() < 0.5:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=int(rng.integers(1, 7)))
        return Image.open(out).convert("RGB")
    pixel = min(picture.size) * rng.uniform(0.025, 0.05)
    coarse = picture.resize((round(picture.width / pixel), round(picture.height / pixel)), Image.Resampling.BOX)
    return coarse.resize(picture.size, Image.Resampling.NEAREST)


def cast(picture: Picture, rng: Generator) -> Picture:
    """One or two channels at 50 to 75 %: faded or stained all over."""
    weak = rng.permutation([True, bool(rng.integers(2)), False])
    return _tinted(picture, np.where(weak, rng.uniform(0.5, 0.75), 1.0))


def truncation(picture: Picture, rng: Generator) -> Picture:
    """The lowest 10 to 60 % are flat grey, as after a broken transfer."""
    top = int(picture.height * rng.uniform(0.4, 0.9))
    shown = picture.copy()
    shown.paste((128, 128, 128), (0, top, picture.width, picture.height))
    return shown


def rotation(picture: Picture, rng: Generator) -> Picture:
    """Lying on its side or head, or tilted by 5 to 30 degrees."""
    if rng.random() < 0.5:
        return picture.rotate(int(rng.choice([90, 180, 270])), expand=True)
    return picture.rotate(rng.choice([-1, 1]) * rng.uniform(5, 30), Image.Resampling.BICUBIC, fillcolor=(128, 128, 128))


def stain(picture: Picture, rng: Generator) -> Picture:
    """2 to 5 translucent spots with a darker rim, each 12 to 35 % of the short side across."""
    mask = Image.new("L", picture.size)
    draw, short = ImageDraw.Draw(mask), min(picture.size)
    for _ in range(rng.integers(2, 6)):
        x, y = rng.uniform(0.1, 0.9, 2) * picture.size
        rx, ry = rng.uniform(0.06, 0.175, 2) * short
        strength = int(rng.integers(110, 200))
        draw.ellipse((x - rx, y - ry, x + rx, y + ry), strength * 2 // 3, strength, max(2, short // 60))
    mean = float(np.asarray(picture).mean())
    colour = (70, 45, 20) if mean > 90 else (225, 205, 170)
    return Image.composite(Image.new("RGB", picture.size, colour), picture, mask.filter(ImageFilter.GaussianBlur(1.5)))


DAMAGE: dict[str, Callable[[Picture, Generator], Picture]] = {
    f.__name__: f for f in (crop, occlusion, scratches, blur, noise, compression, cast, truncation, rotation, stain)
}
OTHER = "other picture"
KINDS = (*DAMAGE, OTHER)


# Pairs


@dataclass(frozen=True)
class Pair:
    """Both files as bytes; ``kind`` names the damage, "" for none."""

    source: str
    kind: str
    reference: bytes
    arrival: bytes


def pairs(source: str, others: Sequence[str], rounds: int, seed: int) -> Iterator[Pair]:
    """Per round one damaged pair of each kind and as many undamaged ones."""
    rng = np.random.default_rng([seed, *source.encode()])
    for kind in (*KINDS, *[""] * len(KINDS)) * rounds:
        yield _pair(source, kind, others, rng)


def _pair(source: str, kind: str, others: Sequence[str], rng: Generator) -> Pair:
    sent = scene(source, rng)
    if source in LEARNT and rng.random() < 0.5:
        sent = varied(sent, rng)
    subject = sent
    if kind == OTHER:
        subject = scene(str(rng.choice([o for o in others if o != source])), rng)
    elif kind:
        subject = DAMAGE[kind](sent, rng)
    return Pair(source, kind, encoded(sent, rng), encoded(photographed_again(subject, rng), rng))


@dataclass(frozen=True)
class Row:
    """A pair in numbers; ``features`` by model."""

    source: str
    kind: str
    features: dict[str, dict[str, int]]


def rows(sources: Sequence[str], rounds: int, seed: int) -> list[Row]:
    """Features of all pairs, computed on every core; the order is that of the sources."""
    jobs = [(source, tuple(sources), rounds, seed) for source in sources]
    with ProcessPoolExecutor() as pool:
        return [row for chunk in pool.map(_rows_of, jobs) for row in chunk]


def _rows_of(job: tuple[str, Sequence[str], int, int]) -> list[Row]:
    return [_row(pair) for pair in pairs(*job)]


def _row(pair: Pair) -> Row:
    before, after = small(pair.reference), small(pair.arrival)
    return Row(pair.source, pair.kind, {TREES: differences(before, after), NET: structure(before, after)})


# Learning

Weights = dict[str, Any]
Matrix = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Learn = Callable[[list[str], Matrix, Flags], Weights]
FOLDS = 5


def table(data: Sequence[Row], model: str) -> tuple[list[str], Matrix, Flags]:
    """Feature names, the matrix and which rows are undamaged."""
    names = sorted(data[0].features[model])
    return names, np.array([[row.features[model][name] for name in names] for row in data]), _undamaged(data)


def _undamaged(data: Sequence[Row]) -> Flags:
    return np.array([row.kind == "" for row in data])


def learn_trees(names: list[str], x: Matrix, y: Flags) -> Weights:
    """Gradient boosting; thresholds and leaves rounded to integers."""
    from sklearn.ensemble import GradientBoostingClassifier  # type: ignore[import-untyped]

    boosted = GradientBoostingClassifier(
        n_estimators=220,
        max_depth=3,
        learning_rate=0.08,
        subsample=0.6,
        max_features=0.3,
        min_samples_leaf=12,
        random_state=7,
    )
    boosted.fit(x, y)
    trees = [_tree(one.tree_, boosted.learning_rate) for one in boosted.estimators_[:, 0]]
    return {"format": f"countersign-{TREES}/1", "features": names, "trees": trees}


def _tree(tree: Any, rate: float) -> Weights:
    inner = tree.children_left >= 0
    return {
        "split": np.where(inner, tree.feature, -1).tolist(),
        "limit": np.where(inner, np.floor(tree.threshold), 0).astype(int).tolist(),
        "left": np.where(inner, tree.children_left, 0).tolist(),
        "right": np.where(inner, tree.children_right, 0).tolist(),
        "value": np.rint(1000 * rate * tree.value[:, 0, 0]).astype(int).tolist(),
    }


def learn_net(names: list[str], x: Matrix, y: Flags) -> Weights:
    """A network with one hidden layer on standardised, clipped features; rounded to thousandths."""
    from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]

    mean, deviation = np.rint(x.mean(axis=0)).astype(int), np.maximum(1, np.rint(x.std(axis=0))).astype(int)
    net = MLPClassifier((48,), alpha=0.3, learning_rate_init=0.003, max_iter=80, random_state=7)
    with warnings.catch_warnings(action="ignore"):  # it stops before it has converged, on purpose
        net.fit(np.clip((x - mean) / deviation, -4, 4), y)
    standard = np.stack([mean, deviation], axis=1).tolist()
    layers = [_layer(*layer) for layer in zip(net.coefs_, net.intercepts_, strict=True)]
    return {"format": f"countersign-{NET}/1", "features": names, "standard": standard, "layers": layers}


def _layer(weights: npt.NDArray[np.float64], bias: npt.NDArray[np.float64]) -> Weights:
    return {
        "weights": np.rint(1000 * weights.T).astype(int).tolist(),
        "bias": np.rint(1000 * bias).astype(int).tolist(),
    }


LEARN: dict[str, Learn] = {TREES: learn_trees, NET: learn_net}
RAW = {"slope": 1000, "intercept": 0}
"""Not calibrated."""


def logits(weights: Weights, data: Sequence[Row], model: str) -> list[int]:
    """The outputs in thousandths, by the code that nodes run."""
    evaluate = trees_logit if model == TREES else net_logit
    return [evaluate(weights, row.features[model]) for row in data]


def out_of_fold(data: Sequence[Row], model: str) -> list[int]:
    """An output for every row from a model that never saw its photograph."""
    sources = sorted({row.source for row in data})
    found: dict[int, int] = {}
    for fold in range(FOLDS):
        away = {i: row for i, row in enumerate(data) if row.source in sources[fold::FOLDS]}
        weights = LEARN[model](*table([row for i, row in enumerate(data) if i not in away], model)) | RAW
        found |= dict(zip(away, logits(weights, list(away.values()), model), strict=True))
    return [found[i] for i in range(len(data))]


def calibration(outputs: Sequence[int], undamaged: Flags) -> Weights:
    """Platt scaling: slope and intercept in thousandths."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    fitted = LogisticRegression(C=1e3).fit(np.array(outputs)[:, None] / 1000, undamaged)
    return {"slope": round(1000 * float(fitted.coef_[0, 0])), "intercept": round(1000 * float(fitted.intercept_[0]))}


# Figures


def figures(scores: Sequence[int], data: Sequence[Row]) -> Weights:
    """Accuracy, confusion, recall by kind, accuracy by photograph, calibration error; shares are 0..1."""
    undamaged, passed = _undamaged(data), np.array(scores) >= 50
    right = passed == undamaged
    return {
        "pairs": len(data),
        "accuracy": _share(right),
        "undamaged passed": int((passed & undamaged).sum()),
        "undamaged failed": int((~passed & undamaged).sum()),
        "damaged passed": int((passed & ~undamaged).sum()),
        "damaged failed": int((~passed & ~undamaged).sum()),
        "calibration error": _calibration_error(np.array(scores), undamaged),
        "recall": _by([row.kind or "undamaged" for row in data], right),
        "photographs": _by([row.source for row in data], right),
    }


def _share(right: Flags) -> float:
    return round(float(right.mean()), 4)


def _by(labels: Sequence[str], right: Flags) -> dict[str, float]:
    return {label: _share(right[np.array(labels) == label]) for label in sorted(set(labels))}


def _calibration_error(scores: Matrix, undamaged: Flags) -> float:
    """Expected calibration error over ten bins."""
    bins = np.minimum(scores // 10, 9)
    gaps = [abs(float((scores[bins == b] / 100 - undamaged[bins == b]).sum())) for b in set(bins.tolist())]
    return round(sum(gaps) / len(scores), 4)


def digests(sources: Iterable[str]) -> dict[str, str]:
    """SHA-256 of each photograph's file."""
    return {name: sha256(_file(name).read_bytes()).hexdigest() for name in sources}


# Writing

ROUNDS, HELD_OUT_ROUNDS, SEED = 10, 7, 2026
MARKS = "<!-- figures: written by tools/train_intact.py -->", "<!-- end of figures -->"


def held_out_rows() -> list[Row]:
    """What the figures on the cards are measured on."""
    return rows(sorted(HELD_OUT), HELD_OUT_ROUNDS, SEED + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train intact-trees and intact-net; write weights, metrics, cards.")
    parser.add_argument("--dry", action="store_true", help="only cross-validate on the learning photographs")
    dry = parser.parse_args().dry
    learnt = rows(sorted(LEARNT), ROUNDS, SEED)
    held_out = [] if dry else held_out_rows()
    for model in LEARN:
        outputs = out_of_fold(learnt, model)
        scale = calibration(outputs, _undamaged(learnt))
        scores = [score_of(calibrated(scale, output)) for output in outputs]
        measured = {"cross-validated": figures(scores, learnt)}
        if held_out:
            weights = LEARN[model](*table(learnt, model)) | scale
            measured["held out"] = figures([score_of(x) for x in logits(weights, held_out, model)], held_out)
            write(model, weights, measured)
        print(json.dumps({model: measured}, indent=1))


def write(model: str, weights: Weights, measured: Weights) -> None:
    """Weights, metrics with the photographs' digests, and the figures on the card."""
    compact = json.dumps(weights, separators=(",", ":"), sort_keys=True)
    (MODELS / f"{model}.json").write_text(compact + "\n", encoding="utf-8")
    metrics = measured | {"photographs": {"learnt": digests(LEARNT), "held out": digests(HELD_OUT)}}
    (MODELS / f"{model}.metrics.json").write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    card = MODELS / f"{model}.md"
    before, _, rest = card.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    card.write_text(f"{before}{MARKS[0]}\n\n{in_words(measured)}\n{MARKS[1]}{after}", encoding="utf-8")


def in_words(measured: Weights) -> str:
    """The figures as Markdown."""
    held, folds = measured["held out"], measured["cross-validated"]
    lines = [
        f"Held-out accuracy **{held['accuracy']:.1%}** on {held['pairs']} pairs from photographs never learnt from; "
        f"{folds['accuracy']:.1%} cross-validated by photograph on the {folds['pairs']} pairs learnt from. "
        f"Calibration error {held['calibration error']:.1%}.",
        "",
        "| Held out | passed (50 or higher) | failed |",
        "|---|---|---|",
        f"| undamaged | {held['undamaged passed']} | {held['undamaged failed']} |",
        f"| damaged | {held['damaged passed']} | {held['damaged failed']} |",
        "",
        "| Judged rightly | held out | cross-validated |",
        "|---|---|---|",
        *(f"| {kind} | {share:.1%} | {folds['recall'][kind]:.1%} |" for kind, share in held["recall"].items()),
        "",
        "By held-out photograph: " + ", ".join(f"{k} {v:.1%}" for k, v in held["photographs"].items()) + ".",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
