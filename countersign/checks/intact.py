"""Did the goods arrive undamaged? Two own models compare the photograph at dispatch with the one at arrival.

They share neither features nor kind: ``intact-trees`` is boosted trees on block differences, ``intact-net`` a small
network on edges, frequency bands and colours; so one trick does not fool both. Both are integers from pixel to score.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from countersign.checks.base import MODELS, BadContent, Finding, Material, card_of, extra, judged
from countersign.errors import InputError

if TYPE_CHECKING:
    from countersign.checks.pictures import Small

__all__ = ["NET", "TREES", "Intact", "calibrated", "net", "net_logit", "score_of", "trees", "trees_logit"]

NET, TREES = "intact-net", "intact-trees"
Features = Mapping[str, int]


class Intact:
    """A model file under ``models/`` as a check. Score 50 or higher: undamaged is the likelier."""

    licence = "Apache-2.0"

    def __init__(self, name: str, path: Path | None = None) -> None:
        with extra(f"The check '{name}'"):
            from countersign.checks import features, pictures
        self.name = name
        self._small = pictures.small
        self._features = features.differences if name == TREES else features.structure
        raw = _read(path or MODELS / f"{name}.json")
        self.weights = sha256(raw).digest()
        self._logit = _model(name, raw)

    @property
    def card(self) -> str:
        return card_of(self.name)

    def run(self, material: Material) -> Finding:
        return judged(self._judge, material)

    def _judge(self, material: Material) -> Finding:
        reference = _bound_reference(material)
        score = self.score(self._small(reference, "The reference"), self._small(material.content))
        verdict = "arrived as it was sent" if score >= 50 else "looks damaged, or is another picture"
        return Finding(score, f"Compared with the reference, the delivery {verdict}.", {})

    def score(self, reference: Small, arrival: Small) -> int:
        """0..100: the calibrated probability in percent that the arrival is undamaged."""
        return score_of(self._logit(self._features(reference, arrival)))


trees: Callable[[], Intact] = partial(Intact, TREES)
net: Callable[[], Intact] = partial(Intact, NET)


def _bound_reference(material: Material) -> bytes:
    """The reference, which must be the bytes the brief names: else a node could be shown any picture."""
    if material.reference is None:
        raise BadContent("There is no reference photograph to compare the delivery with.")
    if sha256(material.reference).digest() != material.brief.reference:
        raise BadContent("The reference photograph is not the one the brief names.")
    return material.reference


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The weights {path.name} cannot be read: {error.strerror}.", "Reinstall countersign."
        ) from error


def _model(name: str, raw: bytes) -> Callable[[Features], int]:
    """The model's logit as a function of its features. Raises InputError when the weights are broken."""
    try:
        weights = json.loads(raw)
        if weights["format"] != f"countersign-{name}/1":
            raise ValueError("another format")
        logit = partial(trees_logit if name == TREES else net_logit, weights)
        logit(dict.fromkeys(weights["features"], 0))
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(f"The weights of '{name}' are broken.", "Reinstall countersign.") from error
    return logit


def score_of(logit: int) -> int:
    """Percent for a logit in thousandths; even odds give 50."""
    return round(100 / (1 + math.exp(-max(-20_000, min(20_000, logit)) / 1000)))


def calibrated(weights: Mapping[str, Any], raw: int) -> int:
    """Platt scaling with ``slope`` and ``intercept`` in thousandths."""
    return raw * int(weights["slope"]) // 1000 + int(weights["intercept"])


def trees_logit(weights: Mapping[str, Any], features: Features) -> int:
    """Sum of the trees' leaves, calibrated, in thousandths."""
    values = [features[name] for name in weights["features"]]
    return calibrated(weights, sum(_leaf(tree, values) for tree in weights["trees"]))


def _leaf(tree: Mapping[str, Sequence[int]], values: Sequence[int]) -> int:
    """``split`` is the feature's number per node, -1 at a leaf; go left when the value is at most ``limit``."""
    node = 0
    while (feature := tree["split"][node]) >= 0:
        node = tree["left" if values[feature] <= tree["limit"][node] else "right"][node]
    return tree["value"][node]


def net_logit(weights: Mapping[str, Any], features: Features) -> int:
    """The network's output, calibrated, in thousandths. Values and weights are in thousandths too."""
    values = [_standard(features[n], *ms) for n, ms in zip(weights["features"], weights["standard"], strict=True)]
    layers = weights["layers"]
    for layer in layers[:-1]:
        values = [max(0, value) for value in _layer(layer, values)]
    return calibrated(weights, _layer(layers[-1], values)[0])


def _standard(value: int, mean: int, deviation: int) -> int:
    """Distance from the mean in thousandths of the standard deviation; clipped, so no single feature rules."""
    return max(-4000, min(4000, (value - mean) * 1000 // deviation))


def _layer(layer: Mapping[str, Any], values: Sequence[int]) -> list[int]:
    rows = zip(layer["weights"], layer["bias"], strict=True)
    return [sum(w * v for w, v in zip(row, values, strict=True)) // 1000 + bias for row, bias in rows]
