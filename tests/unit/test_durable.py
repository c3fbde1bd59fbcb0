"""Files survive crashes: the old one or the new one, never half of either."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

import pytest

from countersign import durable
from countersign.durable import connect, make_private_folder, stream_durably, transaction, write_durably
from countersign.errors import InputError

CRASH = """
import os, sys, pathlib
from countersign import durable
def crash(*_, **__): os._exit(9)
places = {"fsync": os, "fchmod": os, "replace": pathlib.Path}
setattr(places[sys.argv[2]], sys.argv[2], crash)
durable.write_durably(pathlib.Path(sys.argv[1]), b"new")
"""


@pytest.mark.parametrize("at", ["fchmod", "fsync", "replace"])
def test_a_crash_before_the_rename_leaves_the_old_file(tmp_path: Path, at: str) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")
    assert subprocess.run([sys.executable, "-c", CRASH, path, at], check=False).returncode == 9
    assert path.read_bytes() == b"old"
    write_durably(path, b"new")
    assert path.read_bytes() == b"new"


def test_it_syncs_before_it_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: done.append("sync") or sync(fd))
    monkeypatch.setattr(Path, "replace", lambda *a: done.append("rename") or rename(*a))
    write_durably(tmp_path / "file", b"x")
    assert done == ["sync", "rename", "sync"]


@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_modes(tmp_path: Path, private: bool, mode: int) -> None:
    write_durably(tmp_path / "file", b"x", private=private)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_of_many_who_race_to_make_a_file_one_wins(tmp_path: Path) -> None:
    path, refused = tmp_path / "file", list[str]()
    start = threading.Barrier(8)

    def race(number: int) -> None:
        start.wait()
        try:
            write_durably(path, b"%d" % number, replace=False)
        except InputError as error:
            refused.append(error.message)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7 and all("exists already" in message for message in refused)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_where_there_are_no_hard_links_a_file_is_still_new_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    write_durably(tmp_path / "file", b"one", replace=False)
    with pytest.raises(InputError, match="exists already"):
        write_durably(tmp_path / "file", b"two", replace=False)
    assert (tmp_path / "file").read_bytes() == b"one" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("lockable", [True, False])
def test_where_files_must_have_names_and_folders_no_locks_a_file_is_still_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool, lockable: bool
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE")
    if not lockable:
        monkeypatch.setattr("fcntl.flock", lambda *_: (_ for _ in ()).throw(OSError(9, "Bad file descriptor")))
    write_durably(tmp_path / "file", b"one", replace=replace)
    assert (tmp_path / "file").read_bytes() == b"one" and len(list(tmp_path.iterdir())) == 1


def test_what_a_crash_left_goes_with_the_next_write_in_its_folder(tmp_path: Path) -> None:
    """It may hold a salt or a key."""
    for at in ("fchmod", "replace"):
        assert subprocess.run([sys.executable, "-c", CRASH, tmp_path / "file", at], check=False).returncode == 9
        assert len([entry for entry in tmp_path.iterdir() if entry.name.startswith(".")]) == 1
        write_durably(tmp_path / "another", b"x")
        assert [entry.name for entry in tmp_path.iterdir()] == ["another"]


def test_who_holds_the_folder_holds_nobody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody who may open it can take its lock, and keep it."""
    monkeypatch.setattr(durable, "_PATIENCE", 0.05)
    hog = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(hog, fcntl.LOCK_SH)
    with ThreadPoolExecutor(1) as pool:
        try:
            for replace in (False, True):
                pool.submit(write_durably, tmp_path / "file", b"x", replace=replace).result(10)
        finally:
            os.close(hog)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("replace", [True, False])
def test_where_locks_do_not_exclude_nobody_publishes_what_another_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    """As on some network drives: whose unfinished file another writer takes for a dead one's fails, and can repeat."""
    filled, go = ({content: threading.Event() for content in (b"A", b"B")} for _ in range(2))

    def slow(content: bytes) -> Callable[[BinaryIO], None]:
        def fill(file: BinaryIO) -> None:
            file.write(content)
            filled[content].set()
            assert go[content].wait(10)

        return fill

    monkeypatch.delattr(os, "O_TMPFILE")
    monkeypatch.setattr("fcntl.flock", lambda *_: None)
    with ThreadPoolExecutor(2) as pool:
        done = {}
        for content in (b"A", b"B"):
            done[content] = pool.submit(stream_durably, tmp_path / content.decode(), slow(content), replace=replace)
            assert filled[content].wait(10)
        for content in (b"A", b"B"):
            go[content].set()
            done[content].exception(10)
    assert isinstance(done[b"A"].exception(), InputError) and done[b"B"].exception() is None
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"B": b"B"}
    write_durably(tmp_path / "A", b"A", replace=replace)
    assert (tmp_path / "A").read_bytes() == b"A"


def test_what_a_living_writer_has_not_finished_stays(tmp_path: Path) -> None:
    """Also when it could not wait for its turn; and what only has such a name, a folder or a link, harms nobody."""
    living = tmp_path / ".countersign-unfinished-0"
    living.write_bytes(b"A")
    (tmp_path / ".countersign-unfinished-1").mkdir()
    (tmp_path / ".countersign-unfinished-2").symlink_to(living)
    os.mkfifo(tmp_path / ".countersign-unfinished-3")
    with living.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        write_durably(tmp_path / "file", b"x")
        assert living.exists()
    write_durably(tmp_path / "file", b"y")
    assert not living.exists() and (tmp_path / "file").read_bytes() == b"y"


def test_a_crash_while_a_new_file_is_made_leaves_nothing(tmp_path: Path) -> None:
    for at in ("fchmod", "fsync", "link"):
        crash = CRASH.replace('"fsync": os', '"link": os, "fsync": os').replace('b"new"', 'b"new", replace=False')
        assert subprocess.run([sys.executable, "-c", crash, tmp_path / "file", at], check=False).returncode == 9
        assert list(tmp_path.iterdir()) == []


def test_writers_of_one_folder_never_meet_in_a_file(tmp_path: Path) -> None:
    """They take turns, in threads as in processes: each file is whole, whoever wrote it last."""
    contents = [bytes([number]) * 10_000 for number in range(6)]

    def write(content: bytes) -> None:
        for _ in range(5):
            write_durably(tmp_path / "shared", content)
            write_durably(tmp_path / f"own{content[0]}", content)
            assert (tmp_path / "shared").read_bytes() in contents

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, contents))
    assert [(tmp_path / f"own{n}").read_bytes() for n in range(6)] == contents
    assert len(list(tmp_path.iterdir())) == 7


def test_links_are_replaced_and_not_followed(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"kept")
    link.symlink_to(target)
    with pytest.raises(InputError, match="exists already"):
        write_durably(link, b"new", replace=False)
    write_durably(link, b"new")
    assert target.read_bytes() == b"kept" and not link.is_symlink()


def test_refusals_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: No such file"):
        write_durably(tmp_path / "no" / "file", b"")
    with pytest.raises(InputError, match="cannot be written: Is a directory"):
        write_durably(tmp_path, b"")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be created"):
        make_private_folder(tmp_path / "file" / "home")
    make_private_folder(tmp_path / "a" / "home")
    assert stat.S_IMODE((tmp_path / "a" / "home").stat().st_mode) == 0o700


@pytest.mark.parametrize("replace", [True, False])
def test_what_cannot_be_finished_leaves_nothing(tmp_path: Path, replace: bool) -> None:
    def broken(file: BinaryIO) -> None:
        file.write(b"half")
        raise InputError("The source is gone.", "Look for it.")

    with pytest.raises(InputError, match="The source is gone"):
        stream_durably(tmp_path / "file", broken, replace=replace)
    assert list(tmp_path.iterdir()) == []
    stream_durably(tmp_path / "file", lambda file: [file.write(b"x" * 100_000) for _ in range(30)], replace=replace)
    assert (tmp_path / "file").stat().st_size == 3_000_000


def test_a_child_forked_while_a_file_is_written_holds_nobody_up(tmp_path: Path) -> None:
    """As the workers of a data loader, which live long: they have the folder open, and its lock with it."""
    child = 0

    def fill(file: BinaryIO) -> None:
        nonlocal child
        child = os.fork()
        if not child:
            signal.pause()
        file.write(b"x")

    stream_durably(tmp_path / "file", fill)
    try:
        probe = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(probe)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_full_disk_ends_a_transaction_and_the_next_one_works(tmp_path: Path) -> None:
    db = connect(tmp_path / "file.sqlite")
    db.execute("CREATE TABLE t (x BLOB)")
    db.execute("PRAGMA max_page_count = 10")
    with pytest.raises(sqlite3.OperationalError, match="full"), transaction(db):
        db.execute("INSERT INTO t VALUES (?)", (bytes(100_000),))
    with transaction(db):
        db.execute("INSERT INTO t VALUES (1)")
    assert db.execute("SELECT count(*) FROM t").fetchone() == (1,)


def test_what_cannot_be_committed_is_rolled_back(tmp_path: Path) -> None:
    db = connect(tmp_path / "file.sqlite")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("CREATE TABLE t (x INTEGER PRIMARY KEY, y REFERENCES t DEFERRABLE INITIALLY DEFERRED)")
    with pytest.raises(sqlite3.IntegrityError), transaction(db):
        db.execute("INSERT INTO t VALUES (1, 2)")
    with transaction(db):
        db.execute("INSERT INTO t VALUES (2, 2)")
    assert db.execute("SELECT x FROM t").fetchall() == [(2,)]
