"""The command line as a person uses it, in this process."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from countersign.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document of --json."""
        return json.loads(self.out)


class Cli:
    """Runs ``countersign`` in this process, with a home and a node of its own."""

    def __init__(self, url: str, home: Path) -> None:
        self.url, self.home = url, home

    def __call__(self, *arguments: object, key: str | None = None, passphrase: str | None = None) -> Outcome:
        """Run a command with the common options added; ``passphrase`` goes through a file descriptor."""
        command = [*map(str, arguments), "--rpc", self.url, "--home", str(self.home)]
        command += ["--key", key] if key else []
        if passphrase is None:
            return self.bare(*command)
        reading, writing = os.pipe()
        os.write(writing, passphrase.encode() + b"\n")
        os.close(writing)
        try:
            return self.bare(*command, "--passphrase-fd", str(reading))
        finally:
            os.close(reading)

    @staticmethod
    def bare(*arguments: str) -> Outcome:
        """Run exactly this."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            main(list(arguments))
        code = ended.value.code
        return Outcome(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
