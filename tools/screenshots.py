"""Screenshots of every page, light, dark and at 360 px. `make pictures` keeps those that the README shows.

    python -m tools.screenshots [--out FOLDER]

Runs chain, contracts and web app of its own, plays a creator, a buyer and a seller with demo accounts, and looks at
what a visitor sees.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import skimage
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from countersign.canonical import objection_id, text_hash, to_hex
from countersign.certificate import Certificate
from countersign.deal.flow import policy_call, policy_or_none, request_call
from countersign.oracle.decide import OBJECTION
from countersign.seal import object_call
from countersign.seal.objection import Answer, Exhibit, Grounds, dump_evidence, evidence_digest, inline_uri
from tools.browser import chromium
from tools.create2 import ROOT
from tools.market import BUYER, NODES, SELLER, Market, address
from tools.webapp import WebApp

WAIT = 30_000
LARGEST = 300_000
WORK_NAME = "cat.png"
PICTURE = Path(skimage.__file__).parent / "data" / "chelsea.png"


@dataclass(frozen=True)
class Look:
    """A colour scheme and a window."""

    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int


LOOKS = (Look("light", "light", 1200, 900), Look("dark", "dark", 1200, 900), Look("phone", "light", 360, 740))


class Camera:
    """One browser window that saves what it sees."""

    def __init__(self, browser: Browser, look: Look, url: str, folder: Path) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": look.width, "height": look.height}, color_scheme=look.scheme, accept_downloads=True
        )
        self.page.set_default_timeout(WAIT)
        self._look, self._url, self._folder = look, url, folder

    def open(self, path: str, words: str = "choose a file") -> None:
        """Go to a page and wait until it says these words: a drop zone is alive, unless told otherwise."""
        self.page.goto(self._url + path)
        self.sees(words)

    def sees(self, text: str) -> None:
        """Wait for words."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=WAIT)

    def click(self, text: str) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=text).click()

    def give(self, *files: Path) -> None:
        """Choose files."""
        self.page.locator("input[type=file]").first.set_input_files([str(file) for file in files])

    def shoot(self, name: str) -> None:
        """Save the whole page: the window grows to hold it."""
        self.page.wait_for_timeout(700)
        content = int(self.page.evaluate("document.querySelector('.stMainBlockContainer').scrollHeight"))
        self._resize(max(self._look.height, content + 60))
        path = self._folder / f"{name}-{self._look.name}.png"
        self.page.screenshot(path=path)
        self._resize(self._look.height)
        _shrink(path)

    def _resize(self, height: int) -> None:
        self.page.set_viewport_size({"width": self._look.width, "height": height})
        self.page.wait_for_timeout(300)


def _shrink(path: Path) -> None:
    """256 colours are enough for pages, and keep the repository small."""
    with Image.open(path) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path.name} is {path.stat().st_size:,} bytes: show less on it.")


def register(camera: Camera, work: Path) -> Path:
    """The Register page from the first look to the claim; returns the certificate."""
    camera.open("/")
    camera.shoot("register-start")
    camera.give(work)
    camera.sees("Continue as demo account 0")
    camera.shoot("register-creator")
    camera.click("Continue as demo account 0")
    camera.sees("How was it made?")
    camera.page.get_by_role("combobox").last.click()
    camera.page.get_by_text("Made by a generative AI model").click()
    camera.shoot("register-disclosure")
    camera.click("Save the draft and continue")
    camera.sees("is saved in this browser")
    camera.sees("Expected cost")
    camera.shoot("register-seal")
    camera.click("Seal this work")
    camera.sees("until nothing can undo it")
    camera.click("Sign the certificate")
    camera.sees("Claim it now")
    camera.shoot("register-claim")
    camera.click("Claim it now")
    camera.sees("Sealed and claimed")
    camera.shoot("register-done")
    with camera.page.expect_download() as download:
        camera.click("Download the certificate")
    certificate = work.with_name(download.value.suggested_filename)
    download.value.save_as(certificate)
    return certificate


def verify(camera: Camera, work: Path, certificate: Path) -> None:
    """The Verify page: nothing yet, verified, one byte changed, no record."""
    camera.open("/verify")
    camera.shoot("verify-start")
    camera.give(work, certificate)
    camera.sees("Claimed by the creator")
    camera.shoot("verify-verified")
    changed = work.with_name(f"changed-{work.name}")
    changed.write_bytes(work.read_bytes()[:-1] + b"\0")
    camera.open("/verify")
    camera.give(changed, certificate)
    camera.sees("Not verified")
    camera.shoot("verify-changed")
    camera.open("/verify")
    camera.give(changed)
    camera.sees("No record")
    camera.shoot("verify-no-record")


def objected(camera: Camera, market: Market, work: Path, certificate: Path) -> None:
    """The Verify page of a work that a stranger objects to: upheld by a committee, answered by the claimant."""
    content, contracts = Certificate.load(certificate).work.content, market.client.contracts
    grounds = Grounds("similar work", Exhibit(content), Exhibit(b"\x2a" * 32), statement="My cat, drawn a year before.")
    subject = _say(market, SELLER, content, grounds)
    court = copy(market)
    court.policy = replace(market.policy, check=text_hash(OBJECTION))
    if policy_or_none(market.client, court.address) is None:
        court.send(BUYER, policy_call(court.client.deals, court.policy))
    court.send(BUYER, request_call(court.client.deals, subject, court.address, court.policy))
    court.submit(subject, 100)
    _say(market, BUYER, content, Answer(subject, "It is another cat, and mine."))
    call = object_call(contracts, content, b"\x17" * 32, "https://stranger.example/letter.pdf")
    market.send(NODES[0], call)
    camera.open("/verify")
    camera.give(work, certificate)
    camera.sees("Objected to")
    camera.shoot("verify-objected")


def _say(market: Market, account: int, content: bytes, said: Grounds | Answer) -> bytes:
    """Publish an objection or an answer; its id."""
    document, c = dump_evidence(said), market.client.contracts
    digest = evidence_digest(document)
    market.send(account, object_call(c, content, digest, inline_uri(document)))
    return objection_id(c.chain_id, c.registry, content, address(account), digest)


def deals(camera: Camera, market: Market) -> None:
    """The Deals page: the list, new terms, a deal that waits for its delivery, one that is paid."""
    waiting = market.opened(title="The old mill at dusk", silence_share=2500)
    market.requested(title="Harbour in the rain")
    passed, _ = market.judged(title="A cat, drawn by a model")
    camera.open(f"/deals?as=demo-{BUYER}")
    camera.shoot("deals-list")
    camera.open(f"/deals?as=demo-{BUYER}&new=yes", "If nobody judges")
    camera.shoot("deals-new")
    camera.open(f"/deals?as=demo-{SELLER}&deal={to_hex(waiting.deal_id)}", "What happened")
    camera.shoot("deals-waiting")
    camera.click("Deliver")
    camera.sees("choose a file")
    camera.shoot("deals-deliver")
    camera.open(f"/deals?as=demo-{BUYER}&deal={to_hex(passed.deal_id)}", "What happened")
    camera.click("Settle")
    camera.sees("Expected cost")
    camera.shoot("deals-settle")
    camera.click("Settle")
    camera.sees("All money was paid out")
    camera.shoot("deals-paid")


_TABS = {"Requests": "may sign", "Verdicts": "evidence", "Policies": "Pass needs", "Nodes": "serves"}
"""Of the desk, with words that show that it is drawn."""


def desk(camera: Camera) -> None:
    """The Oracle desk, tab by tab."""
    camera.open(f"/desk?as=demo-{NODES[0]}", "Harbour in the rain")
    for tab, words in (
        ("Requests", "may sign"),
        ("Verdicts", "evidence"),
        ("Policies", "Pass needs"),
        ("Nodes", "serves"),
    ):
        camera.page.get_by_role("tab", name=tab).click()
        camera.page.get_by_text(words).locator("visible=true").first.wait_for()
        camera.shoot(f"desk-{tab.lower()}")


def _work(folder: Path, look: Look) -> Path:
    """A work of its own for each look: the same picture, other trailing bytes."""
    path = folder / look.name / WORK_NAME
    path.parent.mkdir()
    shutil.copyfile(PICTURE, path)
    with path.open("ab") as file:
        file.write(look.name.encode())
    return path


def take_all(out: Path, scratch: Path) -> None:
    """Take every picture into ``out``."""
    with WebApp(scratch / "home", block_time=2) as app, chromium() as browser:
        market = Market(app.chain)
        for look in LOOKS:
            camera = Camera(browser, look, app.url, out)
            work = _work(scratch, look)
            certificate = register(camera, work)
            verify(camera, work, certificate)
            objected(camera, market, work, certificate)
            deals(camera, market)
            desk(camera)
            camera.page.close()


def main() -> int:
    """Read the arguments and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / ".build" / "screenshots")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        take_all(out, Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
