"""The pages without a browser: Streamlit's AppTest, with the components' answers given by the test."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from typing import Any

from eth_account import Account
from streamlit.testing.v1 import AppTest

from countersign.canonical import to_hex
from countersign.certificate import Certificate
from countersign.seal import retract_call
from tools.devnet import Devnet

DEMO = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
WALLET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
"""Published development accounts 0 and 1, and the key of 1."""

_ticks = count(1)


def _register() -> None:
    from app.views import register

    register.page()


def _verify() -> None:
    from app.views import verify

    verify.page()


def _deals() -> None:
    from app.views import deals

    deals.page()


def _desk() -> None:
    from app.views import desk

    desk.page()


def deals_page(**address: str) -> Page:
    """The Deals page; ``address`` is what its address says: ``deal``, ``new``, ``as_``."""
    return _at(_deals, address)


def desk_page(**address: str) -> Page:
    """The Oracle desk; ``as_`` is who looks."""
    return _at(_desk, address)


def _at(page: Callable[[], None], address: dict[str, str]) -> Page:
    app = AppTest.from_function(page, default_timeout=30)
    for name, value in address.items():
        app.query_params[name.rstrip("_")] = value
    return Page(app)


def register_page() -> Page:
    """The Register page, freshly opened."""
    return Page(AppTest.from_function(_register, default_timeout=30))


def verify_page(content: str = "") -> Page:
    """The Verify page, opened with ``?content=``."""
    app = AppTest.from_function(_verify, default_timeout=30)
    if content:
        app.query_params["content"] = content
    return Page(app)


class Page:
    """A page, what it says, and the browser's side of its components."""

    def __init__(self, app: AppTest) -> None:
        self.app = app.run()

    @property
    def text(self) -> str:
        """Everything the page says; Markdown without its escapes, HTML as it is sent."""
        app = self.app
        blocks = (app.markdown, app.error, app.warning, app.info, app.caption, app.title, app.header, app.subheader)
        words = [element.value for group in blocks for element in group]
        bodies = [element.proto.body for element in self.app.get("html")]
        return "\n".join([re.sub(r"\\(\W)", r"\1", "\n".join(words)), *bodies])

    @property
    def buttons(self) -> list[str]:
        """Labels of the buttons one can press."""
        return [button.label for button in self.app.button if not button.disabled]

    def press(self, label: str) -> None:
        """Press a button."""
        button = next((button for button in self.app.button if button.label == label), None)
        assert button, f"no button {label!r}: {self.buttons}\n{self.text}"
        button.click()
        self.run()

    def run(self) -> None:
        """Draw the page anew; no page may end in a traceback."""
        self.app.run()
        assert not self.app.exception, self.app.exception

    def component(self, name: str) -> dict[str, Any] | None:
        """The data that the page hands to a component, or None when it is not there."""
        for element in self.app.get("bidi_component"):
            if element.proto.component_name == f"countersign_{name}":
                return dict(json.loads(element.proto.json))
        return None

    def answer(self, key: str, **state: Any) -> None:
        """The browser reports ``state`` of the component ``key``."""
        before = self.app.session_state[key] if key in self.app.session_state else None  # noqa: SIM401 - it has no get
        self.app.session_state[key] = {**dict(before or {}), **state}
        self.run()

    def drop(self, key: str, work: bytes, name: str = "photo.jpg") -> None:
        """Drop a file."""
        digest = sha256(work).hexdigest()
        self.answer(key, file={"name": name, "size": len(work), "sha256": digest, "seq": next(_ticks)})

    def drop_document(self, key: str, text: str, name: str = "photo.jpg.countersign.json") -> None:
        """Drop a certificate, a draft, or terms."""
        self.answer(key, document={"name": name, "text": text, "seq": next(_ticks)})

    def fill(self, **values: str) -> None:
        """Write into text fields, by key (``_`` for ``-``)."""
        fields = {field.key: field for field in (*self.app.text_input, *self.app.text_area)}
        for key, value in values.items():
            fields[key.replace("_", "-")].set_value(value)
        self.run()

    def choose(self, key: str, value: Any) -> None:
        """Choose from a list."""
        self.app.selectbox(key=key).set_value(value)
        self.run()

    def store_draft(self) -> Certificate:
        """The browser acknowledges the draft; returns it."""
        shelf = self.component("vault")
        assert shelf is not None
        self.answer("shelf", saved={"stamp": shelf["save"]["stamp"]})
        return Certificate.from_json(shelf["save"]["text"])

    def answer_find(self, unproved: bool = False) -> None:
        """The browser says whether the delivery is on its shelf without a proof of its seal."""
        shelf = self.component("vault")
        assert shelf is not None
        self.answer("delivery-shelf", found={"content": shelf["find"], "unproved": unproved})

    def kept(self) -> Certificate:
        """The certificate that the page gives to the browser to keep."""
        shelf = self.component("vault")
        assert shelf is not None
        return Certificate.from_json(shelf["save"]["text"])

    def connect(self, account: str, chain_id: int = 31337) -> None:
        """The wallet reports its account."""
        self.answer("wallet", wallet={"name": "Fox Wallet", "account": account, "chainId": hex(chain_id)})

    def intent(self) -> dict[str, Any]:
        """What the wallet is asked."""
        data = self.component("wallet")
        assert data is not None
        return dict(data["intent"])

    def reply(self, value: str) -> None:
        """The wallet answers the intent at hand."""
        self.answer("wallet", answer={"id": self.intent()["id"], "ok": True, "value": value})

    def refuse(self, code: int, message: str) -> None:
        """The wallet refuses the intent at hand."""
        error = {"code": code, "message": message}
        self.answer("wallet", answer={"id": self.intent()["id"], "ok": False, "error": error})


def mine(chain: Devnet, blocks: int = 3) -> None:
    """Blocks two seconds apart: the third after a seal makes it final, and a claim must be later than its seal."""
    chain.rpc("anvil_mine", hex(blocks), hex(2))


def wait(chain: Devnet, seconds: int) -> None:
    """Let the chain's time pass."""
    chain.rpc("evm_increaseTime", seconds)
    chain.rpc("evm_mine")


def work() -> bytes:
    return secrets.token_bytes(64)


def as_demo(content: bytes) -> Page:
    """A page that is ready to seal by demo account 0."""
    page = register_page()
    page.drop("register-drop", content)
    page.press("Continue as demo account 0")
    page.press("Save the draft and continue")
    page.store_draft()
    return page


def as_wallet(content: bytes, account: str = WALLET) -> Page:
    """A page that is ready to seal by wallet."""
    page = register_page()
    page.drop("register-drop", content)
    page.app.radio(key="creator-kind").set_value("My wallet")
    page.run()
    page.connect(account)
    page.press("Continue with this account")
    page.press("Save the draft and continue")
    page.store_draft()
    page.connect(account)
    return page


def send(chain: Devnet, page: Page) -> str:
    """What a wallet does with the intent at hand: the transaction's hash."""
    intent = page.intent()
    return chain.send({"from": intent["from"], **intent["call"]})


def sealed(chain: Devnet, content: bytes, start: object) -> Page:
    """A page with a signed certificate, before the claim."""
    page: Page = start(content)  # type: ignore[operator]
    if start is as_demo:
        page.press("Seal this work")
        mine(chain)
        page.run()
        page.press("Sign the certificate")
    else:
        page.reply(send(chain, page))
        mine(chain)
        page.run()
        signature = Account.from_key(KEY).sign_typed_data(full_message=page.intent()["typed"]).signature
        page.reply(to_hex(signature))
    return page


def claimed(chain: Devnet, content: bytes) -> Page:
    """A page with a claimed work, both final."""
    page = sealed(chain, content, as_demo)
    page.press("Claim it now")
    mine(chain)
    page.run()
    return page


def dropped(content: bytes | None, certificate: str | None) -> Page:
    """The Verify page after a work, a certificate or both were dropped."""
    page = verify_page()
    if content:
        page.drop("verify-drop", content)
    if certificate:
        page.drop_document("verify-drop", certificate)
    return page


def retract(chain: Devnet, certificate: Certificate) -> None:
    """Demo account 0 takes its claim back."""
    call = retract_call(certificate.contracts, certificate.work.content)
    chain.send({"from": DEMO, "to": to_hex(call.to), "data": to_hex(call.data)})
