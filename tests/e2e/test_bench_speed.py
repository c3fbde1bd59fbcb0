"""The bench groups `hash`, `merkle`, `near` and `index` at a small size, and the page: ratios only, with room for a
busy machine. `make bench` measures them at full size against their bars."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench import __main__ as program
from bench import hash as hashing
from bench import index, merkle, near, overhead, report
from bench.figures import Figure
from bench.index.chain import EVENTS_PER_ROUND, Chain, fill
from bench.index.peers import by_hand, by_web3
from countersign.fingerprint import digest

Figures = dict[str, Figure]

RESULTS = {
    "merkle": [
        Figure("root_1m_s", 0.74, "s", peers={"hashlib flat": 1.02, "others": 10.0}),
        Figure("peak_mb", 175, "MB"),
    ],
    "index": [Figure("vs_web3", 21.5, "x", least=40.0), Figure("vs_executemany", 0.9, "x", least=0.8)],
}


def by_name(figures: list[Figure]) -> Figures:
    return {figure.name: figure for figure in figures}


# Speed


@pytest.fixture(scope="module")
def trees() -> Figures:
    return by_name(merkle.measure(leaves=100_000, peer_leaves=10_000, runs=5, js=False))


def test_a_tree_is_as_fast_as_hashlib_and_far_ahead_of_others(trees: Figures) -> None:
    assert trees["root_1m_vs_hashlib"].value <= 1.0 and trees["root_1m_vs_hashlib"].met
    assert trees["root_1m_vs_best_peer"].value >= 5.0 and trees["root_1m_vs_best_peer"].met


def test_a_tree_takes_no_more_than_its_levels_and_its_leaves(trees: Figures) -> None:
    assert 20 < trees["peak_mb"].value < 100
    assert 0 < trees["proof_ms"].value < 10


def test_a_slow_tree_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(merkle.MerkleTree):
        def __init__(self, leaves: list[bytes]) -> None:
            super().__init__(leaves)
            super().__init__(leaves)

    monkeypatch.setattr(merkle, "MerkleTree", Slow)
    slow = by_name(merkle.measure(leaves=50_000, peer_leaves=1_000, runs=3, js=False))
    assert not slow["root_1m_vs_hashlib"].met


def test_a_file_is_hashed_about_as_fast_as_memory() -> None:
    figures = by_name(hashing.measure(megabytes=64, runs=5))
    plain = figures["file_mb_s"].peers["hashlib, the same bytes in memory"]
    assert figures["file_mb_s"].value >= 0.7 * plain


def test_a_seal_adds_little_to_content_credentials() -> None:
    figures = by_name(overhead.measure(runs=5, sides=(1200, 900)))
    assert figures["seal_c2pa_ms"].value > 0 and "stable-diffusion-xl" in figures["seal_c2pa_ms"].note
    assert figures["seal_c2pa_vs_c2pa"].value <= 3, "small pictures on a busy machine; the bar is for 12 megapixels"


def test_a_machine_without_openssl_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing.shutil, "which", lambda _: None)
    figures = by_name(hashing.measure(megabytes=1, runs=1))
    assert "no openssl program" in figures["vs_hashlib"].note and "vs_openssl" not in figures


def test_several_files_are_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each thread is in the middle of its file while the other is."""
    from threading import Barrier

    both, files = Barrier(2, timeout=20), [tmp_path / "a", tmp_path / "b"]
    for file in files:
        file.write_bytes(bytes(1000))
    whole = digest.digest_file
    monkeypatch.setattr(hashing, "digest_file", lambda path: whole(path, lambda _: both.wait() and None))
    hashing._in_parallel(files)


def test_near_codes_are_found_exactly_and_far_ahead_of_a_scan() -> None:
    """At a million codes a scan takes milliseconds, the tables a fraction of one; with ten times as many it takes ten
    times as long, and the tables hardly longer."""
    figures = by_name(near.measure(codes=1_000_000, queries=40, peers=5))
    assert figures["recall"].value == 1.0
    assert figures["query_10m_ms"].value <= figures["query_10m_ms"].peers["numpy, every code compared"] / 2
    assert figures["skewed_ratio"].value <= 10
    peer = figures["iscc_image_ms"].peers["Pillow at full size, then iscc-core"]
    assert figures["iscc_image_ms"].value <= peer / 1.5


ROUNDS = 5


def test_the_index_is_far_ahead_of_web3() -> None:
    """And finds what the others find, or they would not be compared. So few events are soon overtaken by what every
    index costs at least: the full size shows more."""
    with Chain() as chain:
        client = fill(chain, ROUNDS)
        head, events = client.head().number, ROUNDS * EVENTS_PER_ROUND + 1
        assert by_hand(client, 0, head) == by_web3(client, 0, head) == events
        figures = by_name(index.figures(client, ROUNDS, runs=3))
    assert figures["vs_web3"].value >= 2
    assert figures["vs_executemany"].value >= 0.5
    assert figures["vs_raw"].value > 0 and figures["backfill_events_per_s"].value > 0


# The page


def test_the_page_says_what_misses_its_bar_and_draws_what_has_peers(tmp_path: Path) -> None:
    report.write(RESULTS, tmp_path / "b.md", "python -m bench", "2026-01-01")
    page = (tmp_path / "b.md").read_text()
    assert "1 of 2 bars are met. Missed:\n\n- index: `vs_web3` is 21.5 x (≥ 40)" in page
    assert "| hashlib flat | 1.02 s |" in page and "Written by `python -m bench` on 2026-01-01" in page
    drawn = re.findall(r"\((images/[^)]+)\)", page)
    assert drawn == ["images/bench-merkle.svg"] and all((tmp_path / name).exists() for name in drawn)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["b.md"]


def test_a_plot_is_the_same_for_the_same_figures_and_needs_no_font(tmp_path: Path) -> None:
    first, again = report.plot(RESULTS["merkle"]), report.plot(RESULTS["merkle"])
    assert first == again != report.plot([Figure("root_1m_s", 0.75, "s", peers={"hashlib flat": 1.02})])
    text = first.decode()
    assert "<text" not in text and "<dc:date>" not in text and "http" not in re.sub(r'"http://[^"]+"', "", text)


def test_an_interrupted_run_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "b.md"
    page.write_text("old")
    monkeypatch.setattr(sys, "argv", ["bench", "merkle", "index", "--out", str(page)])
    monkeypatch.setattr(merkle, "measure", lambda: RESULTS["merkle"])

    def interrupted() -> list[Figure]:
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "measure", interrupted)
    with pytest.raises(KeyboardInterrupt):
        program.main()
    assert page.read_text() == "old" and list(tmp_path.iterdir()) == [page]
    monkeypatch.setattr(index, "measure", lambda: RESULTS["index"])
    assert program.main() == 1, "a bar is missed"
    assert "# Benchmarks" in page.read_text()


def test_results_are_on_stdout_and_progress_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "merkle", "--json"])
    monkeypatch.setattr(merkle, "measure", lambda: RESULTS["merkle"])
    assert program.main() == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["bench"] == "merkle" and "merkle is measured" in said.err


def test_a_page_in_no_folder_is_refused_before_anything_is_measured() -> None:
    command = [sys.executable, "-m", "bench", "--out", "nowhere/b.md"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "nowhere is no folder" in run.stderr


@pytest.mark.parametrize(
    ("figure", "met", "bar"),
    [
        (Figure("a", 1, "x"), True, ""),
        (Figure("a", 0.89, "x", least=0.9), False, "MISSED (≥ 0.90)"),
        (Figure("a", 1.0, "x", limit=1.0), True, "met (≤ 1)"),
        (Figure("a", 301, "MB", limit=300), False, "MISSED (≤ 300)"),
    ],
)
def test_a_bar_is_judged_and_said(figure: Figure, met: bool, bar: str) -> None:
    assert (figure.met, figure.bar) == (met, bar)
