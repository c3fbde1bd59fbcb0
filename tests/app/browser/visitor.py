"""A person with a browser, and perhaps a wallet."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, WebSocket, expect

from countersign.canonical import checksum
from tools.devnet import DevnetError
from tools.market import address
from tools.webapp import WebApp

WAIT = 30_000
"""Milliseconds until a page that says nothing has failed: the machine may be busy."""
WALLET = checksum(address(1))
SMALLEST = 24
"""CSS pixels of a touch target, each way (WCAG 2.2, 2.5.8)."""

_FAKE_WALLET = Path(__file__).with_name("fake_wallet.js")
_REPORT = """
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile }) =>
  reportViolation(`${effectiveDirective} forbids ${blockedURI} in ${new URL(sourceFile, location).pathname}`));
"""
_KNOWN = re.compile(r"script-src forbids wasm-eval in /static/js/protobuf\.\w+\.js")
"""Streamlit's long.js tries WebAssembly once, to count faster, and does without."""
_SMALL_BUTTONS = """(smallest) => {
  const all = (root) =>
    [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
  return all(document)
    .filter((one) => one.matches("button, [role=button], [role=tab], select") && one.checkVisibility())
    .map((one) => [one.textContent.trim() || one.ariaLabel || one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, { width, height }]) => width && Math.min(width, height) < smallest)
    .map(([name, { width, height }]) => `${name}: ${width} x ${height}`);
}"""
_QUIET = """() => {
  const running = document.querySelector("[data-testid=stApp]").dataset.testScriptState !== "notRunning";
  const now = performance.now();
  window.quietSince = running ? undefined : (window.quietSince ?? now);
  return window.quietSince !== undefined && now - window.quietSince > 400;
}"""
_WIDTH = "() => Math.max(document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth)"


class Visitor:
    """One context of the browser: nothing of it is left for the next visitor. ``complaints`` are the console's errors
    and warnings and violations of the security policy; ``foreign`` are requests to other hosts."""

    def __init__(self, browser: Browser, web: WebApp, *, wallet: bool = True, width: int = 1200) -> None:
        self.web = web
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.sent_bytes = 0
        self.context = browser.new_context(accept_downloads=True, viewport={"width": width, "height": 800})
        self.context.expose_function("reportViolation", self._report)
        self.context.add_init_script(_REPORT)
        if wallet:
            self.context.expose_function("walletRpc", self._rpc)
            self.context.add_init_script(path=_FAKE_WALLET)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(WAIT)
        self._listen(self.page)

    def _listen(self, page: Page) -> None:
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("websocket", self._listen_to_socket)
        page.on("request", lambda request: self._note(request.url, request.post_data_buffer))

    def _listen_to_socket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: self._count(len(payload)))

    def _report(self, violation: str) -> None:
        if not _KNOWN.fullmatch(violation):
            self.complaints.append(violation)

    def _count(self, sent: int) -> None:
        self.sent_bytes += sent

    def _note(self, url: str, body: bytes | None) -> None:
        self._count(len(body or b""))
        if not url.startswith((self.web.url, "blob:", "data:")):
            self.foreign.append(url)

    def _rpc(self, method: str, params: list[Any]) -> Any:
        try:
            return self.web.chain.rpc(method, *params)
        except DevnetError as error:
            raise RuntimeError(str(error)) from error

    # The page

    def open(self, path: str) -> None:
        """Type an address."""
        self.page.goto(self.web.url + path)

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name).click()

    def follow(self, name: str) -> None:
        """Click a link of the sidebar."""
        self.page.get_by_role("link", name=name, exact=True).click()

    def text(self, words: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_text(words).locator("visible=true").first

    def sees(self, words: str | re.Pattern[str]) -> None:
        expect(self.text(words)).to_be_visible(timeout=WAIT)

    def misses(self, words: str) -> None:
        """Waits until the words are gone."""
        expect(self.page.get_by_text(words).locator("visible=true")).to_have_count(0, timeout=WAIT)

    def settles(self) -> None:
        """Waits until nothing has been drawn for a while. A page that is being drawn when somebody goes on to another
        one may put its own address back: Streamlit's, and known to whoever presses forward at once."""
        self.page.evaluate("() => { delete window.quietSince; }")
        self.page.wait_for_function(_QUIET, timeout=WAIT, polling=50)

    def give(self, *files: Path) -> None:
        self.page.locator("input[type=file]").first.set_input_files([str(file) for file in files])

    def save(self, button: str, folder: Path) -> Path:
        """Press a button that downloads a file; the file, under the name it has."""
        with self.page.expect_download() as download:
            self.click(button)
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def write(self, label: str, text: str) -> None:
        """Type into a field, as a person does: after the page has taken the one before."""
        self.settles()
        field = self.page.get_by_label(label, exact=True).first
        field.fill(text)
        field.press("Enter")

    def fits(self) -> None:
        """Nothing is wider than the window, and a finger hits every button."""
        width = self.page.evaluate("innerWidth")
        assert self.page.evaluate(_WIDTH) <= width
        assert self.page.evaluate(_SMALL_BUTTONS, SMALLEST) == []

    # The wallet

    @property
    def go(self) -> Locator:
        """The button that opens the wallet."""
        return self.page.locator("button.go")

    def connect(self) -> None:
        self.click("Connect Fox Wallet")

    def wallet(self, **values: Any) -> None:
        """Something changes in the wallet; see fake_wallet.js."""
        self.page.evaluate("values => fakeWallet.set(values)", values)

    def answer(self, confirmed: bool) -> None:
        """Confirm or refuse in the wallet's open dialog."""
        self.page.evaluate("confirmed => fakeWallet.answer(confirmed)", confirmed)

    def answer_late(self) -> None:
        """Confirm the dialog of a page that is gone: the wallet sends, and no page hears of it."""
        dialog = self.page.evaluate("fakeWallet.state.dialog")
        self.web.chain.send(dialog["params"][0])

    def asked(self, method: str) -> int:
        """How often this visitor's pages have asked the wallet for something."""
        return int(self.page.evaluate("method => fakeWallet.state.asked.filter((m) => m === method).length", method))

    def sent(self) -> int:
        """Transactions of the wallet's account, ever."""
        return int(self.web.chain.rpc("eth_getTransactionCount", WALLET, "pending"), 16)

    # Ways through the app

    def prepare_draft(self, work: Path) -> None:
        """Up to the step that seals, with the wallet as creator."""
        self.open("/")
        self.give(work)
        self.page.get_by_text("My wallet").click()
        self.connect()
        self.click("Continue with this account")
        self.click("Save the draft and continue")
        self.sees("is saved in this browser")
        expect(self.go).to_be_enabled(timeout=WAIT)
