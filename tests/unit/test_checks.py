"""Checks: composition, the table, arithmetic and refusals. What the models make of photographs is in tests/checks."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.checks import NAMES, AllOf, AnyOf, Finding, Material, delivery_check, open_check
from countersign.checks.base import MODELS, extra, manifest_digest
from countersign.checks.filetype import normal
from countersign.checks.intact import NET, TREES, Intact, net_logit, score_of, trees_logit
from countersign.checks.text import letters, readable
from countersign.deal.brief import Brief
from countersign.errors import InputError, MissingExtra

NOTHING = Material(b"", Brief("A photograph"))


@dataclass
class Fixed:
    """A check that always says the same and counts how often it was asked."""

    name: str
    score: int
    licence: str = "Apache-2.0"
    card: str = "# card"
    asked: list[Material] = field(default_factory=list)

    @property
    def weights(self) -> bytes:
        return hashlib.sha256(self.name.encode()).digest()

    def run(self, material: Material) -> Finding:
        self.asked.append(material)
        return Finding(self.score, f"{self.name} says {self.score}.", {"seen": self.name})


# Composition


def test_all_of_takes_the_lowest_and_keeps_every_part() -> None:
    found = AllOf([Fixed("a", 80), Fixed("b", 30), Fixed("c", 60)]).run(NOTHING)
    assert (found.score, found.reason) == (30, "b says 30.")
    assert found.details["c"] == {"score": 60, "reason": "c says 60.", "seen": "c"}


def test_any_of_takes_the_highest() -> None:
    assert AnyOf([Fixed("a", 10), Fixed("b", 70), Fixed("c", 60)]).run(NOTHING).reason == "b says 70."


@pytest.mark.parametrize(("join", "score"), [(AllOf, 0), (AnyOf, 100)])
def test_a_settled_outcome_asks_no_further(join: type[AllOf | AnyOf], score: int) -> None:
    late = Fixed("late", 50)
    found = join([Fixed("first", score), late]).run(NOTHING)
    assert found.score == score and list(found.details) == ["first"] and not late.asked


def test_the_weights_of_a_composition_do_not_depend_on_the_order() -> None:
    a, b = Fixed("a", 1), Fixed("b", 2, licence="MIT")
    both = AllOf([a, b])
    assert both.weights == AllOf([b, a]).weights == hashlib.sha256(b"".join(sorted([a.weights, b.weights]))).digest()
    assert both.weights != AllOf([a]).weights
    assert (both.name, both.licence) == ("a+b", "Apache-2.0 AND MIT")


def test_a_manifest_is_what_sha256sum_prints(tmp_path: Path) -> None:
    for name in ("b.bin", "a.bin"):
        (tmp_path / name).write_text(name)
    lines = "".join(f"{hashlib.sha256(n.encode()).hexdigest()}  {n}\n" for n in ("a.bin", "b.bin"))
    assert manifest_digest([tmp_path / "b.bin", tmp_path / "a.bin"]) == hashlib.sha256(lines.encode()).digest()


# The table


def test_an_unknown_check_is_refused_by_naming_the_known() -> None:
    with pytest.raises(InputError, match=r"no check 'vibes'\. Choose one of: file-type, intact-net, intact-trees"):
        open_check("vibes")


@pytest.mark.parametrize("name", NAMES)
def test_every_check_says_what_it_is(name: str) -> None:
    check = open_check(name)
    assert check.name == name and len(check.weights) == 32 and check.licence == "Apache-2.0"
    for part in name.removeprefix("robust-").split("+"):
        assert f"# {part}\n" in check.card and "Known failures" in check.card
    assert check.weights == open_check(name).weights


def test_different_checks_have_different_weights() -> None:
    assert len({open_check(name).weights for name in NAMES}) == len(NAMES)


def test_a_delivery_check_looks_at_the_file_type_first() -> None:
    check = delivery_check("intact-trees")
    found = check.run(Material(b"#!/bin/sh\n", Brief("A photograph", media_types=("image/jpeg",))))
    assert check.name == "file-type+intact-trees" and found.score == 0 and list(found.details) == ["file-type"]
    assert delivery_check("file-type").name == "file-type"


def test_importing_the_checks_needs_no_extra() -> None:
    heavy = "numpy", "PIL", "magika", "onnxruntime", "cv2", "web3"
    code = f"import sys, countersign.checks; print([m for m in {heavy} if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "package", "purpose"),
    [
        ("file-type", "magika", "The file type check"),
        ("text-shown", "rapidocr_onnxruntime", "The text check"),
        ("intact-net", "numpy", "The check 'intact-net'"),
        ("robust-intact-trees", "numpy", "The check 'intact-trees'"),
    ],
)
def test_a_missing_extra_is_named(name: str, package: str, purpose: str) -> None:
    code = f"""
import sys
sys.modules['{package}'] = None
from countersign.checks import open_check
from countersign.errors import MissingExtra
try:
    open_check('{name}')
except MissingExtra as error:
    print(error)
"""
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == f"{purpose} needs the extra 'checks'. Run: pip install 'countersign[checks]'."


def test_only_failed_imports_become_missing_extras() -> None:
    with pytest.raises(MissingExtra), extra("This"):
        raise ImportError("libGL.so.1")
    with pytest.raises(ZeroDivisionError), extra("This"):
        _ = 1 // 0


# Arithmetic


@pytest.mark.parametrize(("logit", "score"), [(0, 50), (1, 50), (-50, 49), (10**9, 100), (-(10**9), 0), (1099, 75)])
def test_scores_are_percent(logit: int, score: int) -> None:
    assert score_of(logit) == score


@given(st.integers(-30_000, 30_000), st.integers(0, 1000))
def test_scores_rise_with_the_logit(logit: int, more: int) -> None:
    assert 0 <= score_of(logit) <= score_of(logit + more) <= 100


def test_trees_add_their_leaves_and_go_left_on_equal() -> None:
    stump = {"split": [0, -1, -1], "limit": [7, 0, 0], "left": [1, 0, 0], "right": [2, 0, 0], "value": [0, -300, 500]}
    weights = {"features": ["x"], "slope": 2000, "intercept": 10, "trees": [stump, stump]}
    assert trees_logit(weights, {"x": 7}) == -1190
    assert trees_logit(weights, {"x": 8}) == 2010


def test_the_net_standardises_clips_and_rectifies() -> None:
    layers = [{"weights": [[1000], [-1000]], "bias": [0, 0]}, {"weights": [[500, 250]], "bias": [100]}]
    weights = {"features": ["x"], "standard": [[10, 2]], "layers": layers, "slope": 1000, "intercept": 0}
    assert net_logit(weights, {"x": 12}) == 600
    assert net_logit(weights, {"x": 8}) == 350
    assert net_logit(weights, {"x": 10**6}) == 2100


@pytest.mark.parametrize("name", [TREES, NET])
@pytest.mark.parametrize("broken", [b"", b"{}", b"[]", b'{"format": "countersign-intact-trees/2"}', b"\xff"])
def test_broken_weights_are_refused(name: str, broken: bytes, tmp_path: Path) -> None:
    path = tmp_path / "weights.json"
    path.write_bytes(broken)
    with pytest.raises(InputError, match=f"The weights of '{name}' are broken. Reinstall countersign."):
        Intact(name, path)


def test_weights_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        Intact(NET, tmp_path / "none.json")


@pytest.mark.parametrize("name", [TREES, NET])
def test_weights_are_integers_only(name: str) -> None:
    raw = (MODELS / f"{name}.json").read_bytes()
    json.loads(raw, parse_float=lambda text: pytest.fail(f"{text} is no integer"))
    assert open_check(name).weights == hashlib.sha256(raw).digest()


# Words


@pytest.mark.parametrize(
    ("phrase", "lines", "found"),
    [
        ("Fragile", ["FRAG ILE!"], True),
        ("No. 42", ["number", "NO 42"], True),
        ("handle with care", ["handle", "with core"], True),  # one wrong of 14
        ("handle with care", ["hondle", "wlth", "core"], False),  # three wrong
        ("42", ["43"], False),  # short phrases are exact
        ("Münster", ["Munster"], True),
        ("ﬁne", ["fine"], True),
        ("!!!", ["!!!"], False),
        ("word", [], False),
    ],
)
def test_what_counts_as_readable(phrase: str, lines: list[str], found: bool) -> None:
    assert readable(phrase, lines) is found


@given(st.text(), st.text(max_size=5), st.text(max_size=5))
def test_a_phrase_is_found_in_whatever_surrounds_it(phrase: str, before: str, after: str) -> None:
    assert readable(phrase, [before, phrase, after]) is bool(letters(phrase))


@pytest.mark.parametrize(
    ("given_", "meant"),
    [("image/JPG", "image/jpeg"), (" text/plain; charset=utf-8 ", "text/plain"), ("image/png", "image/png"), ("", "")],
)
def test_media_types_are_brought_to_one_name(given_: str, meant: str) -> None:
    assert normal(given_) == meant
