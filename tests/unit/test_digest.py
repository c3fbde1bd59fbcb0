"""Digests of files as people have them: empty, missing, unreadable, changing, endless, huge."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.errors import InputError
from countersign.fingerprint import digest
from countersign.fingerprint.digest import digest_file


@given(size=st.one_of(st.integers(1, 5000), st.sampled_from([(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])))
def test_it_is_sha_256_of_exactly_the_bytes(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    path = tmp_path_factory.getbasetemp() / "digested"  # one file for all examples
    data = os.urandom(min(size, 1000)) * (size // min(size, 1000) + 1)
    path.write_bytes(data[:size])
    seen: list[int] = []
    found = digest_file(path, seen.append)
    assert (found.sha256, found.size) == (hashlib.sha256(data[:size]).digest(), size)
    assert sum(seen) == size


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        digest_file(path)
    assert caught.value.next_step
    return caught.value.message


def test_what_cannot_be_sealed_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert refusal(empty).endswith("is empty.")
    assert refusal(tmp_path / "none").endswith("does not exist.")
    assert refusal(tmp_path / "dangling" / "x").endswith("does not exist.")
    assert refusal(tmp_path).endswith("is a folder.")
    assert "cannot be read" in refusal(loop)
    assert "cannot be read" in refusal(tmp_path / ("n" * 300))
    assert "cannot be read" in refusal(empty / "inside")


def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    code = (
        "import sys, pathlib; from countersign.fingerprint.digest import digest_file as d; d(pathlib.Path(sys.argv[1]))"
    )
    for path in (pipe, Path("/dev/zero")):
        run = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=20, check=False
        )
        assert "is not a regular file" in run.stderr


def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.geteuid():
        assert "cannot be read: Permission denied" in refusal(path)
        return
    # Root reads everything: ask as nobody, in a child.
    path.parent.chmod(0o755)
    child = os.fork()
    if child == 0:  # pragma: no cover - the child's exit status is the test
        os.setgroups([])
        os.setuid(65534)
        try:
            digest_file(path)
        except InputError as error:
            os._exit(0 if "cannot be read: Permission denied" in error.message else 2)
        except BaseException:
            os._exit(3)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("change", ["append", "truncate", "overwrite"])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "growing"
    path.write_bytes(bytes(3 << 20))
    os.utime(path, ns=(0, 0))

    def meddle(_: int) -> None:
        with path.open("r+b") as file:
            if change == "truncate":
                file.truncate(2 << 20)
            else:
                file.seek(0, os.SEEK_END if change == "append" else os.SEEK_SET)
                file.write(b"more")

    with pytest.raises(InputError, match="changed while it was read"):
        digest_file(path, meddle)


def test_five_gigabytes_take_constant_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading is real and in one small buffer; hashing 5 GB takes 20 s, so only `make deep` does that."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(5 << 30)
    if "tools.deep" not in sys.modules:
        monkeypatch.setattr(digest, "sha256", _Counter)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert digest_file(path).size == 5 << 30
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8 << 10  # KiB


class _Counter:
    def update(self, chunk: memoryview) -> None:
        """Counts nothing: the file's size is counted by the caller."""

    def digest(self) -> bytes:
        return bytes(32)
