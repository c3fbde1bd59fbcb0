"""What all commands share."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from countersign.cli.shell import Shell
from countersign.errors import SignerError
from countersign.settings import Settings


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("unit", "rate"), [("B", "MB/s"), (" works", "works/s")])
def test_a_terminal_sees_progress_with_its_rate(monkeypatch: pytest.MonkeyPatch, unit: str, rate: str) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Shell(Settings(Path(), "", 1), False, None).progress(2, "Digesting 2 files", unit) as advance:
        advance(1)
        advance(1)
    shown = terminal.getvalue()
    assert "Digesting 2 files" in shown and "100%" in shown and rate in shown


def test_a_pipe_and_json_see_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, as_json in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        with Shell(Settings(Path(), "", 1), as_json, None).progress(1, "Digesting") as advance:
            advance(1)
        assert stream.getvalue() == ""


def test_passphrases_are_read_one_line_each(tmp_path: Path) -> None:
    lines = tmp_path / "lines"
    lines.write_bytes("one\nzwei ä\n".encode() + b"\xff\n")
    with lines.open("rb") as opened:
        shell = Shell(Settings(Path(), "", 1), False, opened.fileno())
        assert [shell.ask("keystore"), shell.ask("PKCS#12")] == ["one", "zwei ä"]
        with pytest.raises(SignerError, match="file descriptor"):
            shell.ask("not UTF-8")
