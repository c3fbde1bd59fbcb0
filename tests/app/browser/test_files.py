"""Files stay on the visitor's computer: hashed there, in constant memory, whatever their size."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from hashlib import file_digest
from pathlib import Path

from playwright.sync_api import Browser

from browser.visitor import Visitor

LARGE = 200 << 20
MB = 1 << 20


def test_bad_files_get_a_sentence(visitor: Visitor, tmp_path: Path) -> None:
    visitor.open("/")
    empty = tmp_path / "empty.png"
    empty.touch()
    visitor.give(empty)
    visitor.sees("empty.png is empty")
    broken = tmp_path / "x.countersign.json"
    broken.write_text(json.dumps({"format": "something else"}))
    visitor.give(broken)
    visitor.sees("This is not a valid certificate")


def test_a_large_file_is_hashed_here_in_constant_memory(
    visitor: Visitor, browser: Browser, work: Path, tmp_path: Path
) -> None:
    """Above the WebCrypto limit the WebAssembly engine takes over, in the worker's own policy."""
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(LARGE)
    visitor.open("/verify")
    visitor.give(work)
    visitor.sees("No record")  # so that both sides have loaded what they need for any file
    pages, server = _renderers(browser), [visitor.web.pid]
    before = _peaks(pages), _peaks(server)
    visitor.sent_bytes = 0
    visitor.give(large)
    visitor.sees(re.compile(r"Hashing large.bin on this computer: [1-9]\d? %"))
    with large.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    visitor.page.wait_for_url(f"**/verify?content=0x{digest}")
    visitor.sees("No record")
    assert visitor.sent_bytes < 20_000, "the file's name, size and hash are all that is sent"
    assert _grown(pages, before[0]) < 80 * MB
    assert _grown(server, before[1]) < 30 * MB


def _renderers(browser: Browser) -> list[int]:
    """Process ids of all pages."""
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return [process["id"] for process in processes if process["type"] == "renderer"]


def _peaks(processes: Iterable[int]) -> list[int]:
    """Bytes of memory that each process has held at most, so far."""
    status = (Path(f"/proc/{number}/status").read_text() for number in processes)
    return [int(re.search(r"VmHWM:\s+(\d+) kB", text)[1]) << 10 for text in status]  # type: ignore[index]


def _grown(processes: Iterable[int], before: list[int]) -> int:
    """By how much the peak of the process that grew most has grown."""
    return max(now - then for now, then in zip(_peaks(processes), before, strict=True))
