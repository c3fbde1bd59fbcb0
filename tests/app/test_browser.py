"""The web app in a real browser on a real chain, with an injected EIP-6963 wallet whose dialogs the test answers."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from countersign.certificate import Certificate
from tools.browser import chromium, find_chromium
from tools.devnet import DevnetError
from tools.webapp import WebApp

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium: run tools/install_browser")

FAKE_WALLET = Path(__file__).with_name("fake_wallet.js")
WAIT = 20_000


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebApp]:
    with WebApp(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


class Visitor:
    """A person with a browser and a wallet."""

    def __init__(self, browser: Browser, web: WebApp) -> None:
        self.web = web
        self.context = browser.new_context(accept_downloads=True)
        self.context.expose_function("walletRpc", self._rpc)
        self.context.add_init_script(path=FAKE_WALLET)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.set_default_timeout(WAIT)

    def _rpc(self, method: str, params: list[Any]) -> Any:
        try:
            return self.web.chain.rpc(method, *params)
        except DevnetError as error:
            raise RuntimeError(str(error)) from error

    def _note(self, url: str) -> None:
        if not url.startswith((self.web.url, "blob:", "data:")):
            self.foreign.append(url)

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=WAIT)

    def give(self, *files: Path) -> None:
        self.page.locator("input[type=file]").first.set_input_files([str(file) for file in files])

    def control(self, script: str) -> Any:
        return self.page.evaluate(f"() => {{ {script} }}")

    def asked(self, method: str) -> int:
        return int(self.page.evaluate("method => fakeWallet.asked.filter((m) => m === method).length", method))

    def prepare_draft(self, work: Path) -> None:
        """Up to the step that seals, with the wallet as creator."""
        self.page.goto(self.web.url)
        self.give(work)
        self.page.get_by_text("My wallet").click()
        self.click("Connect Fox Wallet")
        self.click("Continue with this account")
        self.click("Save the draft and continue")
        self.sees("is saved in this browser")


@pytest.fixture
def visitor(browser: Browser, web: WebApp) -> Iterator[Visitor]:
    person = Visitor(browser, web)
    yield person
    person.context.close()
    assert person.complaints == []
    assert person.foreign == []


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "poem.txt"
    path.write_text(f"Written at {time.time_ns()}.\n")
    return path


def test_register_with_a_wallet_and_verify(visitor: Visitor, work: Path, tmp_path: Path) -> None:
    """Wrong chain, refusal, double click and reload on the way from file to verified certificate."""
    visitor.prepare_draft(work)

    visitor.sees("Your wallet is on chain 1")
    visitor.click("Switch to Countersign local")
    expect(visitor.page.get_by_text("Your wallet is on chain 1")).to_be_hidden()

    visitor.control("fakeWallet.decline = true")
    visitor.click("Seal this work")
    visitor.sees("Declined: you said no in Fox Wallet")

    visitor.control("fakeWallet.decline = false; fakeWallet.delay = 600; fakeWallet.asked.length = 0")
    seal = visitor.page.locator("button.go")
    seal.dblclick()
    visitor.sees("Check Fox Wallet…")
    visitor.click("Sign the certificate")
    assert visitor.asked("eth_sendTransaction") == 1
    visitor.control("fakeWallet.delay = 0")

    visitor.sees("Proved by the chain and signed by you")
    with visitor.page.expect_download() as download:
        visitor.click("Download the certificate")
    certificate = tmp_path / download.value.suggested_filename
    download.value.save_as(certificate)
    assert certificate.name == "poem.txt.countersign.json"
    assert Certificate.load(certificate).signature

    visitor.page.reload()
    visitor.sees("Proved by the chain and signed by you")
    visitor.control("fakeWallet.chain = '0x7a69'")
    visitor.click("Claim it now")
    visitor.sees("Sealed and claimed")

    visitor.page.goto(f"{visitor.web.url}/verify")
    visitor.give(work, certificate)
    visitor.sees("Verified")
    visitor.sees("Claimed by the creator now")


def test_reload_while_the_wallet_asks_sends_nothing_twice(visitor: Visitor, work: Path) -> None:
    visitor.prepare_draft(work)
    visitor.control(
        "fakeWallet.chain = '0x7a69'; fakeWallet.known.push('0x7a69'); fakeWallet.emit('chainChanged', '0x7a69')"
    )
    visitor.control("fakeWallet.delay = 60000")
    visitor.click("Seal this work")
    visitor.sees("Check Fox Wallet…")
    visitor.page.reload()
    visitor.sees("A request from before the reload may still be open")
    visitor.control("fakeWallet.chain = '0x7a69'")
    visitor.click("Ask the wallet again")
    visitor.sees("Sign the certificate")
    assert visitor.asked("eth_sendTransaction") == 1
    visitor.page.reload()
    visitor.sees("Sealed for ever in block")
    assert visitor.asked("eth_sendTransaction") == 0


def test_a_draft_is_taken_up_from_the_shelf(visitor: Visitor, work: Path) -> None:
    visitor.prepare_draft(work)
    visitor.page.goto(visitor.web.url)
    visitor.sees("draft, not finished")
    visitor.click("Open")
    visitor.sees("is saved in this browser")
    visitor.sees("poem.txt")


def test_verify_answers_without_certificate_and_by_link(visitor: Visitor, work: Path) -> None:
    visitor.page.goto(f"{visitor.web.url}/verify")
    visitor.give(work)
    visitor.sees("No record")
    link = visitor.page.url
    assert "content=0x" in link
    visitor.page.goto(link)
    visitor.sees("No record")


def test_bad_files_get_a_sentence(visitor: Visitor, tmp_path: Path) -> None:
    visitor.page.goto(visitor.web.url)
    empty = tmp_path / "empty.png"
    empty.touch()
    visitor.give(empty)
    visitor.sees("empty.png is empty")
    broken = tmp_path / "x.countersign.json"
    broken.write_text(json.dumps({"format": "something else"}))
    visitor.give(broken)
    visitor.sees("This is not a valid certificate")


def test_a_large_file_is_hashed_in_chunks(visitor: Visitor, tmp_path: Path) -> None:
    """Above the WebCrypto limit the WebAssembly engine takes over, in the worker's own policy."""
    import hashlib

    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.seek((65 << 20) - 1)
        file.write(b"\0")
    visitor.page.goto(f"{visitor.web.url}/verify")
    visitor.give(large)
    visitor.sees("No record")
    assert hashlib.sha256(large.read_bytes()).hexdigest() in visitor.page.url


def test_phones_have_no_sideways_scrolling(visitor: Visitor, work: Path) -> None:
    visitor.page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/verify"):
        visitor.page.goto(visitor.web.url + path)
        visitor.give(work)
        visitor.sees("Choose another file")
        assert visitor.control("return document.querySelector('.stMain').scrollWidth") <= 360


def test_the_node_going_away_is_said_in_words(browser: Browser, tmp_path: Path, work: Path) -> None:
    with WebApp(tmp_path) as app:
        person = Visitor(browser, app)
        person.page.goto(f"{app.url}/verify")
        person.sees("or choose a file")
        app.chain.stop()
        time.sleep(2)
        person.give(work)
        person.sees("Cannot check now")
        person.context.close()


def test_security_headers(web: WebApp) -> None:
    for path in ("/", "/verify", "/healthz", "/_stcore/health"):
        with urllib.request.urlopen(web.url + path) as response:
            policy = response.headers["content-security-policy"]
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
