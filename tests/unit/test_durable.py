"""Files survive crashes: the old one or the new one, never half of either."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from countersign.durable import make_private_folder, write_durably
from countersign.errors import InputError

CRASH = """
import os, sys, pathlib
from countersign import durable
def crash(*_): os._exit(9)
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
    def none(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", none)
    write_durably(tmp_path / "file", b"one", replace=False)
    with pytest.raises(InputError, match="exists already"):
        write_durably(tmp_path / "file", b"two", replace=False)
    assert (tmp_path / "file").read_bytes() == b"one" and len(list(tmp_path.iterdir())) == 1


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
