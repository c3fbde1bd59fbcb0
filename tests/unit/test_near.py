"""The search for near codes finds what comparing with every code finds, whatever the codes are."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

if importlib.util.find_spec("numpy") is None:
    pytest.skip("numpy is not installed (extra media)", allow_module_level=True)

import numpy as np

from countersign.fingerprint import near
from countersign.fingerprint.near import NearIndex, code_array, scan

WORD = st.integers(0, 2**64 - 1)


def by_hand(codes: list[int], code: int, distance: int) -> list[tuple[int, int]]:
    apart = [(at, (one ^ code).bit_count()) for at, one in enumerate(codes)]
    return [(at, bits) for at, bits in apart if bits <= distance]


def answer(index: NearIndex, code: int, distance: int) -> list[tuple[int, int]]:
    positions, distances = index.query(code, distance)
    return list(zip(positions.tolist(), distances.tolist(), strict=True))


@st.composite
def crowds(draw: st.DrawFn) -> list[int]:
    """Codes that share most of their bits, often all of them, beside some that share none."""
    centres = draw(st.lists(WORD, min_size=1, max_size=3))
    changes = st.lists(st.integers(0, 63), max_size=6)
    alike = draw(st.lists(st.tuples(st.sampled_from(centres), changes), min_size=1, max_size=60))
    near_ones = [centre ^ sum({1 << bit for bit in bits}) for centre, bits in alike]
    return draw(st.permutations(near_ones + draw(st.lists(WORD, max_size=20))))


@pytest.fixture(params=[((16,) * 4, (21, 21, 22)), ((21, 21, 22), (21, 21, 22)), ((8,) * 8, (8,) * 8)])
def small_segments(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables already for a few codes, and never a scan of a segment because the codes are few."""
    monkeypatch.setattr(near, "_TAIL", 4)
    monkeypatch.setattr(near, "_PARTS", request.param)
    monkeypatch.setattr(near, "_SCANNED", 1e-6)


@pytest.mark.usefixtures("small_segments")
def test_tables_find_what_comparing_with_every_code_finds() -> None:
    @settings(max_examples=40, deadline=None)
    @given(crowds(), st.integers(0, 11), st.integers(0, 63), st.integers(1, 9))
    def check(codes: list[int], distance: int, bit: int, at_once: int) -> None:
        index = NearIndex()
        for start in range(0, len(codes), at_once):
            index.add(code_array(codes[start : start + at_once]))
        assert len(index) == len(codes)
        for code in (codes[0], codes[-1] ^ 1 << bit):
            assert answer(index, code, distance) == by_hand(codes, code, distance)

    check()


@given(st.lists(WORD, max_size=50), WORD, st.integers(0, 64))
def test_a_scan_finds_the_same(codes: list[int], code: int, distance: int) -> None:
    positions, distances = scan(code_array(codes), code, distance)
    assert list(zip(positions.tolist(), distances.tolist(), strict=True)) == by_hand(codes, code, distance)
    assert answer(NearIndex(code_array(codes)), code, distance) == by_hand(codes, code, distance)


@pytest.mark.parametrize("kept", [0xFFFFFFFFFFFFFFFF, 0xFFFF0000FFFF0F0F, 0x00000000000000FF, 0])
def test_many_codes_with_few_different_bits(kept: int) -> None:
    rng = np.random.default_rng(kept & 7)
    codes = rng.integers(0, 2**64, 70_000, dtype="u8") & np.uint64(kept)
    index = NearIndex(codes[:50_000])
    index.add(codes[50_000:])
    for distance in (0, 3, 8, 16, 40, 64):
        code = int(rng.choice(codes)) ^ 0b10010
        for mine, theirs in zip(index.query(code, distance), scan(codes, code, distance), strict=True):
            assert mine.tolist() == theirs.tolist()


def test_the_crowded_part_is_avoided(monkeypatch: pytest.MonkeyPatch) -> None:
    """All codes agree in 16 of their bits: the table of these bits holds them all in one bucket."""
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 2**64, 200_000, dtype="u8") & np.uint64(0xFFFFFFFFFFFF0000)
    index, code = NearIndex(codes), int(codes[5]) ^ 1 << 40
    compared: list[int] = []
    count = near._count
    monkeypatch.setattr(near, "_count", lambda words: compared.append(len(words)) or count(words))
    assert (5, 1) in answer(index, code, 7)
    assert sum(compared) < 20_000


def test_an_empty_index_has_nothing() -> None:
    assert answer(NearIndex(), 7, 64) == [] and len(NearIndex()) == 0
