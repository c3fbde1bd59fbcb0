"""Ways through the app: back and forward, links from elsewhere, a draft found again; without any wallet as well."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from playwright.sync_api import expect

from browser.visitor import WAIT, WALLET, Visitor
from countersign.canonical import from_address, to_hex
from tools.market import SELLER, Market

NO_WALLET = "No wallet found in this browser. Sending and signing need one, looking does not."


def test_back_and_forward_on_a_deal(visitor: Visitor, court: Market) -> None:
    court.opened(title="A view of the harbour")
    visitor.open("/deals?as=demo-0")
    visitor.click("A view of the harbour")
    visitor.sees("What happened")
    visitor.page.go_back()
    visitor.sees("Terms from somebody else")
    visitor.click("New deal")
    visitor.sees("You are the payer.")
    visitor.page.go_back()
    visitor.sees("Terms from somebody else")
    visitor.settles()
    visitor.page.go_forward()
    visitor.sees("You are the payer.")


def test_back_and_forward_keep_a_registration(visitor: Visitor, work: Path) -> None:
    visitor.prepare_draft(work)
    visitor.follow("Deals")
    visitor.sees("Who are you?")
    visitor.page.go_back()
    visitor.sees("is saved in this browser")
    visitor.sees("Expected cost")
    expect(visitor.go).to_be_enabled(timeout=WAIT)
    visitor.settles()
    visitor.page.go_forward()
    visitor.sees("Who are you?")


def test_a_draft_is_taken_up_from_the_shelf(visitor: Visitor, work: Path) -> None:
    visitor.prepare_draft(work)
    visitor.open("/")
    visitor.sees("draft, not finished")
    visitor.click("Open")
    visitor.sees("is saved in this browser")
    visitor.sees("poem.txt")


def test_a_work_whose_draft_is_on_the_shelf_is_not_delivered(visitor: Visitor, court: Market, work: Path) -> None:
    """A delivery shows the work to everybody. The page that says so is another session than the one that drafted."""
    file = court.opened(title="A poem")
    visitor.prepare_draft(work)
    visitor.open(f"/deals?deal={to_hex(file.deal_id)}&as=demo-{SELLER}")
    visitor.click("Deliver")
    visitor.give(work)
    visitor.sees("Choose another file")
    visitor.write("Where can nodes fetch it?", "https://example.org/poem.txt")
    visitor.sees("poem.txt is not sealed for good yet: its draft is still on this computer.")


def test_a_link_to_a_work_needs_no_wallet(stranger: Visitor, work: Path) -> None:
    stranger.open("/verify")
    stranger.give(work)
    stranger.sees("No record")
    link = stranger.page.url
    assert link.endswith(f"content=0x{sha256(work.read_bytes()).hexdigest()}")
    stranger.page.goto(link)
    stranger.sees("No record")


def test_a_link_to_a_deal_is_readable_without_a_wallet(stranger: Visitor, court: Market) -> None:
    file = court.opened(payer=from_address(WALLET))
    stranger.open(f"/deals?deal={to_hex(file.deal_id)}")
    stranger.sees("Awaiting delivery")
    stranger.sees("Opened with 0.5 ETH")
    stranger.page.get_by_text("My wallet").click()
    stranger.sees(NO_WALLET)
    stranger.open(f"/deals?deal={to_hex(file.deal_id)}&as={WALLET}")
    stranger.click("Release the money")
    stranger.sees(NO_WALLET)
    stranger.sees("Connect your wallet to go on.")


def test_links_to_the_desk_and_to_a_draft_are_readable_without_a_wallet(stranger: Visitor, court: Market) -> None:
    court.requested(title="A lighthouse")
    stranger.open(f"/desk?as={WALLET}")
    stranger.sees("A lighthouse")
    stranger.open("/?draft=0123456789abcdef")
    stranger.sees("or choose a file")
    stranger.open(f"/deals?deal=0x12&as=demo-{SELLER}")
    stranger.sees("Next:")
