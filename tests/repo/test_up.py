"""`make up`, as a person uses it: it starts, answers, stops, resumes, and says what is wrong."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.create2 import ROOT
from tools.devnet import find_anvil
from tools.ports import free_port

pytestmark = pytest.mark.xdist_group("ape")

Up = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def ports() -> dict[str, str]:
    return {"COUNTERSIGN_RPC_PORT": str(free_port()), "COUNTERSIGN_WEB_PORT": str(free_port())}


@pytest.fixture
def up(tmp_path: Path, ports: dict[str, str]) -> Iterator[Up]:
    """Starts the supervisor with a home and ports of its own; what a failing test leaves running is stopped."""
    path = os.pathsep.join([str(find_anvil().parent), os.environ["PATH"]])
    env = {**os.environ, **ports, "COUNTERSIGN_HOME": str(tmp_path), "PATH": path}
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "scripts.up"]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.communicate()


def until_open(process: subprocess.Popen[str]) -> str:
    """What it prints until it names the page."""
    assert process.stdout and process.stderr
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("Open http"):
            return "".join(lines)
    pytest.fail("it ended: " + "".join(lines) + process.stderr.read())


def children(process: subprocess.Popen[str], word: str) -> list[int]:
    listing = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    return [int(pid) for pid, parent, args in rows if int(parent) == process.pid and word in args]


def test_it_starts_answers_stops_and_resumes(up: Up, ports: dict[str, str]) -> None:
    first = up()
    shown = until_open(first)
    assert "block 0)" in shown
    assert urllib.request.urlopen(f"http://127.0.0.1:{ports['COUNTERSIGN_WEB_PORT']}", timeout=10).status == 200
    first.send_signal(signal.SIGINT)
    assert first.wait(60) == 0

    second = up()
    block = re.search(r"block (\d+)\)", until_open(second))
    assert block and int(block.group(1)) >= 3
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0


def test_a_part_that_dies_is_named_and_stops_the_rest(up: Up, ports: dict[str, str]) -> None:
    process = up()
    until_open(process)
    (index,) = children(process, "index sync")
    os.kill(index, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "index ended (exit -9)" in errors
    for port in ports.values():
        assert socket.socket().connect_ex(("127.0.0.1", int(port))) != 0


def test_a_taken_port_is_named(up: Up, ports: dict[str, str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(ports["COUNTERSIGN_WEB_PORT"])))
        other.listen()
        process = up()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert errors.startswith(f"countersign: Port {ports['COUNTERSIGN_WEB_PORT']} is taken")
    assert len(errors.splitlines()) == 1
