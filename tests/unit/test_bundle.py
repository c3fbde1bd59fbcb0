"""A bundle gives every certificate back; whatever is wrong with its file is a sentence, never a false certificate."""

from __future__ import annotations

import os
import sqlite3
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import CONTRACTS, CREATOR, THIEF, World, block_hash

from countersign import seal
from countersign.certificate import Bundle, Certificate, bundle_beside
from countersign.certificate.bundle import safe_name
from countersign.errors import CertificateError, CountersignError, InputError, SignerError, WrongChain
from countersign.records import ZERO, Contracts, Work
from countersign.seal import Batch, batch
from countersign.seal.folder import Files, changed, digest
from countersign.verify import verify

SECRET = b"s" * 32
SIZE = 2500
"""Three pages."""


def content(number: int) -> bytes:
    return sha256(b"work %d" % number).digest()


def batch_at(path: Path, creator: bytes = CREATOR, contracts: Contracts = CONTRACTS) -> Batch:
    return Batch(path, creator, contracts, SECRET)


def drafted(path: Path, size: int, first: int = 0, **said: Any) -> Path:
    with batch_at(path) as batch:
        works = [Work(content(n), **said) for n in range(first, first + size)]
        batch.add_all(seal.Draft(f"d/{n}", work, seal.salt_of(SECRET, work)) for n, work in enumerate(works))
        batch.draft()
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of three pages, sealed and proved in a chain's state that is made up."""
    path = drafted(tmp_path_factory.mktemp("bundle") / "large.countersign.bundle", SIZE, origin="print")
    with batch_at(path) as batch:
        batch.record(World().sealed(batch.certificate, CREATOR).prove(batch.certificate, CREATOR))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return drafted(tmp_path / "small.countersign.bundle", 5)


# What comes out


def test_every_certificate_of_a_bundle_is_the_one_a_batch_in_memory_gives(large: Path) -> None:
    works = [Work(content(n), origin="print") for n in range(SIZE)]
    entries = [seal.Draft(f"d/{n}", work, seal.salt_of(SECRET, work)) for n, work in enumerate(works)]
    expected = seal.drafts(entries, CREATOR, CONTRACTS)
    with Bundle(large) as bundle:
        made = [replace(certificate, sealer=None, proof=None) for certificate in bundle.certificates()]
        assert made == expected
        for number in (0, 1, 1023, 1024, SIZE - 1):
            assert bundle.at(number) == bundle.named(f"d/{number}") == bundle.of(content(number))
        assert bundle.named("d/none") is None is bundle.of(content(SIZE))


def test_a_certificate_out_of_a_bundle_verifies_offline(large: Path) -> None:
    with Bundle(large) as bundle:
        [taken, last] = [bundle.at(0), bundle.at(SIZE - 1)]
    report = verify(taken, content(0), block_hash=block_hash(taken))
    assert report.outcome == "verified", report
    assert verify(last, content(SIZE - 1), block_hash=block_hash(last)).outcome != "verified"  # claimed, or not?
    proved = World().sealed(last, CREATOR).prove(last, CREATOR)
    assert verify(proved, content(SIZE - 1), block_hash=block_hash(proved)).outcome == "verified"


def test_a_certificate_with_another_bundles_path_is_none(large: Path, tmp_path: Path) -> None:
    other = drafted(tmp_path / "other.countersign.bundle", SIZE, first=SIZE)
    with Bundle(large) as ours, Bundle(other) as theirs:
        for forged in (
            replace(ours.at(7), path=theirs.at(7).path),
            replace(theirs.at(7), root=ours.common.root, proof=ours.common.proof, sealer=CREATOR),
            replace(ours.at(7), path=ours.at(8).path),
        ):
            assert verify(forged, forged.work.content, block_hash=block_hash(ours.common)).outcome == "not verified"


def test_parents_are_told_and_must_be_those(tmp_path: Path) -> None:
    path, parents = tmp_path / "p.countersign.bundle", (b"a" * 32, b"b" * 32)
    with batch_at(path) as batch:
        batch.add("w", Work(content(1), parents=seal.parents_root(parents)), parents)
        batch.draft()
    with Bundle(path) as bundle:
        assert bundle.at(0).parents == parents and Certificate.from_json(bundle.at(0).to_json()) == bundle.at(0)
    spoilt(path, "UPDATE works SET told = ?", b"a" * 64)
    with Bundle(path) as bundle, pytest.raises(CertificateError, match="parents"):
        bundle.at(0)


# What goes in


def test_parents_that_a_work_does_not_name_are_refused(tmp_path: Path) -> None:
    with batch_at(tmp_path / "b") as batch, pytest.raises(InputError, match="not those its work names"):
        batch.add("w", Work(content(1)), (b"a" * 32,))


def test_a_batch_is_private_and_adding_is_durable_and_repeatable(tmp_path: Path) -> None:
    path, work = tmp_path / "b.countersign.bundle", Work(content(1))
    with batch_at(path) as batch:
        batch.add("one", work)
    with batch_at(path) as again:
        again.add("one", work)
        again.add("two", work)
        assert again.size == 2 and stat.S_IMODE(path.stat().st_mode) == 0o600
        with pytest.raises(InputError, match="Two works are called one"):
            again.add("one", Work(content(2)))
        with pytest.raises(InputError, match="Two works"):
            again.add_all([seal.Draft("three", work, ZERO), seal.Draft("one", Work(content(2)), ZERO)])
        assert again.size == 2
        root = again.draft().root
        assert again.draft().root == root
        with pytest.raises(InputError, match="closed"):
            again.add("four", work)


def test_an_empty_batch_is_not_sealed(tmp_path: Path) -> None:
    with batch_at(tmp_path / "b") as batch, pytest.raises(InputError, match="there are no works"):
        batch.draft()


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", ".", "a\0b", "a\\b", "\ud800"])
def test_a_name_that_leads_elsewhere_is_none(tmp_path: Path, name: str) -> None:
    assert not safe_name(name)
    with batch_at(tmp_path / "b") as batch, pytest.raises(InputError, match="relative path"):
        batch.add(name, Work(content(1)))


def test_a_batch_belongs_to_a_creator_a_chain_and_one_process(small: Path) -> None:
    with pytest.raises(SignerError):
        batch_at(small, THIEF)
    with pytest.raises(WrongChain):
        batch_at(small, contracts=replace(CONTRACTS, chain_id=1))
    with batch_at(small), pytest.raises(InputError, match="Another process"):
        batch_at(small)


def test_what_was_removed_while_one_waited_for_it_is_not_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seal would be sent, and the file of its salts have no name any more."""
    path, opened, removed = tmp_path / "b.countersign.bundle", batch._opened, threading.Event()

    def slowly(path: Path) -> object:
        waiting = opened(path)
        removed.set()
        return waiting

    with batch_at(path) as first, ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(batch, "_opened", slowly)
        second = pool.submit(batch_at, path)
        assert removed.wait(10)
        path.unlink()
        first.close()
        with pytest.raises(InputError, match="has removed"):
            second.result(10)


def test_a_full_disk_is_called_what_it_is(tmp_path: Path) -> None:
    with batch_at(tmp_path / "b.countersign.bundle") as made:
        made._db.execute("PRAGMA max_page_count = 12")
        with pytest.raises(InputError, match=r"full.*Check the disk"):
            made.add_all(seal.Draft(f"{n}", Work(content(n)), bytes(32)) for n in range(1000))
        assert made.size == 0
        made.add("a", Work(content(1)))


def test_what_is_not_finished_is_no_bundle_yet(tmp_path: Path) -> None:
    path = tmp_path / "b.countersign.bundle"
    with batch_at(path) as batch:
        batch.add("one", Work(content(1)))
    with pytest.raises(CertificateError, match="not finished"):
        Bundle(path)


def test_files_left_out_leave_no_gaps(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    for number in range(30):
        (folder / f"{number}").write_bytes(b"" if number % 3 == 0 else b"%d" % number)
    files, path = Files({"": folder}), tmp_path / "f.countersign.bundle"
    with batch_at(path) as batch:
        batch.expect(files.listed(), "", "")
        refused = digest(batch, files, seal.Said(), lambda _: None)
        assert len(refused) == 10 and all("is empty" in bad.why for bad in refused)
        with pytest.raises(InputError, match="10 works are not digested"):
            batch.draft()
        batch.leave_out(bad.entry for bad in refused)
        assert list(changed(batch, files)) == []
        batch.draft()
    with Bundle(path) as bundle:
        assert {c.name: c.work.content for c in bundle.certificates()} == {
            str(n): sha256(b"%d" % n).digest() for n in range(30) if n % 3
        }


def test_a_file_that_changes_before_the_seal_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    for name in ("same", "longer", "touched", "gone"):
        (folder / name).write_bytes(b"x")
    files = Files({"": folder})
    with batch_at(tmp_path / "b") as batch:
        batch.expect(files.listed(), "", "")
        assert digest(batch, files, seal.Said(), lambda _: None) == []
        (folder / "longer").write_bytes(b"xy")
        os.utime(folder / "touched", ns=(1, 1))
        (folder / "gone").unlink()
        assert set(changed(batch, files)) == {"longer", "touched", "gone"}


# Files of strangers


def spoilt(path: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement, values)


def all_of(path: Path) -> list[Certificate]:
    with Bundle(path) as bundle:
        return [*bundle.certificates(), bundle.at(0), *filter(None, [bundle.named("d/1"), bundle.of(content(1))])]


SPOILT: dict[str, tuple[str, Any]] = {
    "salt": ("UPDATE works SET salt = ? WHERE position = 3", b"x" * 32),
    "short salt": ("UPDATE works SET salt = ?", b"x"),
    "text as salt": ("UPDATE works SET salt = ?", "x" * 32),
    "content": ("UPDATE works SET content = ? WHERE position = 3", b"x" * 32),
    "huge content": ("UPDATE works SET content = zeroblob(?) WHERE position = 3", 5 << 20),
    "origin": ("UPDATE works SET origin = ?", "alien"),
    "blob as name": ("UPDATE works SET name = ? WHERE position = 3", b"x"),
    "bytes that are no text as name": ("UPDATE works SET name = CAST(? AS TEXT) WHERE position = 3", b"\xff\xfe"),
    "path as name": ("UPDATE works SET name = ? WHERE position = 3", "../../x"),
    "position": ("UPDATE works SET position = ? WHERE position = 3", 2**62),
    "negative position": ("UPDATE works SET position = ? WHERE position = 3", -1),
    "page": ("UPDATE pages SET leaves = ?", b"x" * 160),
    "short page": ("UPDATE pages SET leaves = ?", b"x" * 31),
    "no page": ("DELETE FROM pages WHERE number = ?", 0),
    "roots": ("UPDATE roots SET root = ?", b"x" * 32),
    "more roots": ("INSERT INTO roots VALUES (1, ?)", b"x" * 32),
    "no certificate": ("DELETE FROM meta WHERE name = ?", "certificate"),
    "deep certificate": ("UPDATE meta SET value = ? WHERE name = 'certificate'", "[" * 100_000),
    "format": ("UPDATE meta SET value = ? WHERE name = 'format'", "countersign-bundle/2"),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_changed_bundle_is_refused_with_a_sentence(small: Path, what: str) -> None:
    spoilt(small, *SPOILT[what])
    with pytest.raises(CertificateError) as refused:
        all_of(small)
    assert refused.value.message.endswith(".") and refused.value.exit_code == 2


def test_a_bundle_with_two_pages_exchanged_is_refused(large: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.countersign.bundle"
    copy.write_bytes(large.read_bytes())
    for old, new in ((0, 9), (1, 0), (9, 1)):
        spoilt(copy, f"UPDATE pages SET number = {new} WHERE number = ?", old)
    with Bundle(copy) as bundle:
        for number in (0, 1500):
            with pytest.raises(CertificateError, match="does not lead to its root"):
                bundle.at(number)
        assert bundle.at(SIZE - 1).work.content == content(SIZE - 1)


@pytest.mark.parametrize(
    "program",
    [
        "CREATE VIEW works AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i FROM n) SELECT i AS position FROM n",
        "CREATE TABLE works (position INTEGER, name TEXT GENERATED ALWAYS AS (zeroblob(1000000000)))",
    ],
)  # fmt: skip
def test_a_bundle_that_is_a_program_does_not_run(small: Path, program: str) -> None:
    for index in ("works_by_name", "works_by_content"):
        spoilt(small, f"DROP INDEX {index}")
    spoilt(small, "DROP TABLE works")
    spoilt(small, program)
    began = time.monotonic()
    with pytest.raises(CertificateError, match="format"):
        Bundle(small)
    assert time.monotonic() < began + 5


def test_a_file_with_a_torn_transaction_is_not_read(small: Path) -> None:
    small.with_name(small.name + "-journal").write_bytes(bytes.fromhex("d9d505f920a163d7") + bytes(100))
    with pytest.raises(CertificateError, match="not finished"):
        Bundle(small)


@pytest.mark.parametrize("data", [b"", b"x", b"SQLite format 3\0", b"{}" * 1000])
def test_what_is_no_bundle_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.countersign.bundle"
    path.write_bytes(data)
    with pytest.raises(CertificateError):
        Bundle(path)


def test_missing_files_folders_and_pipes_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe"):
        with pytest.raises(CountersignError):
            Bundle(path)


@given(st.integers(0, 2**32), st.booleans())
def test_a_damaged_bundle_gives_true_certificates_or_none(large: Path, seed: int, cut: bool) -> None:
    """Bytes changed anywhere, or the end missing: what still comes out leads to the sealed root."""
    random, data = Random(seed), bytearray(large.read_bytes())
    if cut:
        del data[random.randrange(len(data)) :]
    for _ in range(random.randint(1, 40)):
        if data:
            data[random.randrange(len(data))] = random.randrange(256)
    damaged = large.with_name(f"damaged-{seed % 7}")
    damaged.write_bytes(data)
    try:
        with Bundle(damaged) as bundle:
            made = [bundle.at(random.randrange(SIZE)), bundle.named(f"d/{seed % SIZE}"), bundle.of(content(3))]
    except CertificateError:
        return
    for certificate in filter(None, made):
        assert certificate.proven_root == certificate.root


def test_the_bundle_of_a_folder_lies_beside_it() -> None:
    assert bundle_beside(Path("a/photos")) == Path("a/photos.countersign.bundle")
    for nameless in (Path(), Path("/")):
        with pytest.raises(InputError, match="without a name"):
            bundle_beside(nameless)
