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

from countersign.canonical import checksum, to_hex
from countersign.certificate import Certificate
from countersign.deal.terms import TermsFile
from countersign.records import State
from tools.browser import chromium, find_chromium
from tools.devnet import DevnetError
from tools.market import SELLER, Market, address
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

    def write(self, label: str, text: str) -> None:
        field = self.page.get_by_label(label, exact=True).first
        field.fill(text)
        field.press("Enter")

    def go(self) -> None:
        """The button that opens the wallet."""
        self.page.locator("button.go").click()

    def width(self) -> int:
        return int(self.control("return document.querySelector('.stMain').scrollWidth"))

    def asked(self, method: str) -> int:
        return int(self.page.evaluate("method => fakeWallet.asked.filter((m) => m === method).length", method))

    def be(self, account: int) -> None:
        """The person chooses another account in the wallet."""
        self.control(
            f"fakeWallet.account = {account}; return walletRpc('eth_accounts', [])"
            f".then((all) => fakeWallet.emit('accountsChanged', [all[{account}]]))"
        )

    def on_the_right_chain(self) -> None:
        """After a page was loaded: the wallet knows the local chain already."""
        self.control("fakeWallet.known.push('0x7a69'); fakeWallet.chain = '0x7a69'")

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


def test_a_deal_from_terms_to_payment(visitor: Visitor, web: WebApp, tmp_path: Path) -> None:
    """Propose, open, deliver, ask; the committee signs outside the app; settle. By wallet, as buyer and as seller."""
    market, seller = Market(web.chain), checksum(address(SELLER))
    visitor.page.goto(f"{web.url}/deals")
    visitor.page.get_by_text("My wallet").click()
    visitor.click("Connect Fox Wallet")
    visitor.click("Continue with this account")
    visitor.click("New deal")
    visitor.write("Seller's address", seller)
    visitor.write("Amount", "0.25")
    visitor.write("Title", "The old mill at dusk")
    visitor.click("Show me the terms")
    visitor.sees("puts 0.25 ETH into the escrow")
    with visitor.page.expect_download() as download:
        visitor.click("Download the terms file")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    file = TermsFile.load(path)
    assert path.name == "the-old-mill-at-dusk.terms.json" and checksum(file.terms.payee) == seller

    visitor.click("Pay into the escrow")
    visitor.sees("The escrow takes 0.25 ETH from you")
    visitor.on_the_right_chain()
    visitor.go()
    visitor.sees("Awaiting delivery")
    assert market.client.deal_of(file.deal_id).state == State.STARTED

    picture = tmp_path / "mill.jpg"
    picture.write_bytes(b"the old mill")
    visitor.page.goto(f"{web.url}/deals?deal={to_hex(file.deal_id)}&as={seller}")
    visitor.click("Deliver")
    visitor.give(picture)
    visitor.sees("Choose another file")
    visitor.write("Where can nodes fetch it?", "https://example.org/mill.jpg")
    visitor.sees("has the SHA-256")
    visitor.on_the_right_chain()
    visitor.be(SELLER)
    visitor.go()
    visitor.sees("nobody was asked to judge it yet")
    visitor.click("Request a verdict")
    visitor.sees("0.001 ETH")
    visitor.go()
    visitor.sees("The committee was asked and may answer")

    market.submit(market.subject(file, market.client.deal_of(file.deal_id)))
    visitor.sees("The verdict is Pass, for good.")  # by itself: the page looks each second
    visitor.click("Settle")
    visitor.go()
    visitor.sees("All money was paid out.")
    visitor.sees("0.25 ETH to the payee")
    visitor.page.goto(f"{web.url}/desk")
    visitor.page.get_by_role("tab", name="Verdicts").click()
    visitor.sees("The old mill at dusk: Pass")


def test_phones_have_no_sideways_scrolling(visitor: Visitor, work: Path) -> None:
    visitor.page.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/verify"):
        visitor.page.goto(visitor.web.url + path)
        visitor.give(work)
        visitor.sees("Choose another file")
        assert visitor.width() <= 360
    for path, words in (("/deals?as=demo-3", "New deal"), ("/deals?as=demo-3&new=1", "Show me"), ("/desk", "Requests")):
        visitor.page.goto(visitor.web.url + path)
        visitor.sees(words)
        assert visitor.width() <= 360


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
    for path in ("/", "/verify", "/deals", "/desk", "/healthz", "/_stcore/health"):
        with urllib.request.urlopen(web.url + path) as response:
            policy = response.headers["content-security-policy"]
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
