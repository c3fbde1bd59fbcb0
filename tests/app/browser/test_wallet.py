"""Everything that can come between a click and a transaction, on the Register page and on a deal."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from browser.visitor import WAIT, WALLET, Visitor
from countersign.canonical import from_address, to_hex
from tools.market import SELLER, Market

SEND = "eth_sendTransaction"


@dataclass
class Errand:
    """A page that is ready to ask the wallet for one transaction. ``link``: of the sidebar; ``title`` and ``opens``:
    what one clicks to be there again, if it takes more than the link."""

    visitor: Visitor
    done: re.Pattern[str]
    link: str
    title: str = ""
    opens: str = ""

    def go(self) -> None:
        expect(self.visitor.go).to_be_enabled(timeout=WAIT)
        self.visitor.go.click()

    def waits_for_the_wallet(self) -> None:
        self.visitor.sees("Check Fox Wallet…")

    def is_done(self) -> None:
        self.visitor.sees(self.done)

    def come_back(self) -> None:
        """To the same step, on a page that was loaded anew."""
        if self.opens:
            self.visitor.click(self.opens)


def _seal(visitor: Visitor, work: Path) -> Errand:
    visitor.prepare_draft(work)
    done = re.compile("until nothing can undo it|Sealed for ever")
    return Errand(visitor, done, "Register")


def _release(visitor: Visitor, court: Market) -> Errand:
    title = f"Errand {secrets.token_hex(4)}"
    file = court.opened(title=title, payer=from_address(WALLET))
    visitor.open(f"/deals?deal={to_hex(file.deal_id)}&as={WALLET}")
    visitor.click("Release the money")
    visitor.connect()
    return Errand(visitor, re.compile("All money was paid out."), "Deals", title, "Release the money")


@pytest.fixture(params=["seal", "release"])
def errand(request: pytest.FixtureRequest, visitor: Visitor, court: Market, work: Path) -> Iterator[Errand]:
    """Whatever happens on the way, in the end one transaction was sent."""
    ready = _seal(visitor, work) if request.param == "seal" else _release(visitor, court)
    before = visitor.sent()
    yield ready
    ready.is_done()
    assert visitor.sent() == before + 1


def test_wrong_chain_then_no_then_two_clicks(errand: Errand) -> None:
    visitor = errand.visitor
    visitor.wallet(chain="0x1", known=["0x1"])
    visitor.sees("Your wallet is on chain 1. This needs Countersign local.")
    visitor.wallet(declines=True)
    visitor.click("Switch to Countersign local")
    visitor.sees("You declined in the wallet.")
    visitor.wallet(declines=False)
    visitor.click("Switch to Countersign local")
    visitor.misses("Your wallet is on chain 1")

    visitor.wallet(declines=True)
    errand.go()
    visitor.sees("Declined: you said no in Fox Wallet. Nothing was sent.")
    visitor.wallet(declines=False, holds=True, asked=[])
    errand.go()
    errand.waits_for_the_wallet()
    visitor.go.click(force=True)  # as a double click does
    visitor.go.dblclick(force=True)
    visitor.answer(True)
    errand.is_done()
    assert visitor.asked(SEND) == 1


def test_the_wallet_is_asked_for_its_chain_first(errand: Errand) -> None:
    """Whoever does not press the switch is led there by the request itself."""
    errand.visitor.wallet(chain="0x1", known=["0x1"])
    errand.go()
    errand.is_done()
    assert errand.visitor.asked("wallet_addEthereumChain") == 1


def test_reload_while_the_wallet_asks_and_its_dialog_is_gone(errand: Errand) -> None:
    visitor = errand.visitor
    visitor.wallet(holds=True)
    errand.go()
    errand.waits_for_the_wallet()
    visitor.page.reload()
    errand.come_back()
    visitor.sees("A request from before the reload may still be open: look into your wallet first.")
    visitor.wallet(holds=False)
    visitor.click("Ask the wallet again")


def test_reload_while_the_wallet_asks_and_its_dialog_is_answered_later(errand: Errand) -> None:
    """No page hears of it: the chain says so."""
    visitor = errand.visitor
    visitor.wallet(holds=True)
    errand.go()
    errand.waits_for_the_wallet()
    visitor.page.reload()
    errand.come_back()
    visitor.sees("Ask the wallet again")
    visitor.answer_late()
    errand.is_done()
    assert visitor.asked(SEND) == 1


def test_reload_after_sending_finds_the_transaction(errand: Errand) -> None:
    visitor = errand.visitor
    errand.go()
    errand.is_done()
    visitor.page.reload()
    errand.is_done()
    assert visitor.asked(SEND) == 1


def test_another_page_and_back_while_the_wallet_asks(errand: Errand) -> None:
    visitor = errand.visitor
    visitor.wallet(holds=True)
    errand.go()
    errand.waits_for_the_wallet()
    visitor.follow("Verify")
    visitor.sees("What you learn")
    visitor.page.go_back()
    errand.waits_for_the_wallet()
    visitor.follow("Verify")
    visitor.sees("What you learn")
    visitor.answer(True)
    visitor.page.go_back()
    errand.is_done()
    assert visitor.asked(SEND) == 1


def test_by_the_sidebar_and_back_while_the_wallet_asks(errand: Errand) -> None:
    visitor = errand.visitor
    visitor.wallet(holds=True)
    errand.go()
    errand.waits_for_the_wallet()
    visitor.follow("Oracle desk")
    visitor.sees("Attestations are signed by node processes")
    visitor.follow(errand.link)
    if errand.opens:
        visitor.click(errand.title)
        visitor.click(errand.opens)
    errand.waits_for_the_wallet()
    visitor.answer(True)
    errand.is_done()
    assert visitor.asked(SEND) == 1


def test_another_account_is_not_asked(errand: Errand) -> None:
    visitor = errand.visitor
    visitor.wallet(account=SELLER)
    visitor.sees(f"This needs the account {WALLET}. Choose it in Fox Wallet.")
    expect(visitor.go).to_be_disabled()
    visitor.wallet(account=1, holds=True)
    errand.go()
    errand.waits_for_the_wallet()
    visitor.wallet(account=SELLER)  # while the wallet asks: what was asked stays what was asked
    visitor.sees("This needs the account")
    visitor.wallet(account=1)
    visitor.answer(True)
    errand.is_done()
    assert visitor.asked(SEND) == 1


def test_a_wallet_that_is_locked_is_connected_again(errand: Errand) -> None:
    visitor = errand.visitor
    visitor.wallet(locked=True)
    visitor.sees("Connect your wallet to go on.")
    expect(visitor.go).to_be_disabled()
    visitor.connect()
    visitor.sees("You declined in the wallet.")
    visitor.wallet(locked=False)
    visitor.connect()
    errand.go()
