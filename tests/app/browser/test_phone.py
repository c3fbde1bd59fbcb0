"""On 360 pixels every page and every state is as wide as the window, and every button as large as a finger."""

from __future__ import annotations

from pathlib import Path

import pytest
from deals_in import CASES, Case

from browser.visitor import WALLET, Visitor
from countersign.canonical import to_hex
from countersign.deal.timeline import STATUS
from countersign.records import State
from tools.market import BUYER, SELLER, Market

LONG = "The old mill at dusk, as seen from the other side of the river, with Donaudampfschifffahrtsgesellschaftskapitän"


def test_register_from_the_first_look_to_the_claim_and_verify(phone: Visitor, work: Path, tmp_path: Path) -> None:
    phone.open("/")
    phone.sees("or choose a file")
    phone.fits()
    phone.give(work)
    phone.sees("Continue as demo account 0")
    phone.fits()
    phone.page.get_by_text("My wallet").click()
    phone.connect()
    phone.sees(WALLET)
    phone.fits()
    phone.click("Continue with this account")
    phone.sees("How was it made?")
    phone.page.get_by_text("More: AI model, metadata (optional)").click()
    phone.sees("Drop a metadata document here")
    phone.fits()
    phone.click("Save the draft and continue")
    phone.sees("is saved in this browser")
    phone.sees("Expected cost")
    phone.fits()
    phone.wallet(chain="0x1")
    phone.sees("Your wallet is on chain 1")
    phone.fits()
    phone.click("Seal this work")
    phone.sees("until nothing can undo it")
    phone.fits()
    phone.sees("Sign the certificate")
    phone.fits()
    phone.click("Sign the certificate")
    phone.sees("Keep it secret for now")
    phone.fits()
    certificate = phone.save("Download the certificate", tmp_path)
    phone.click("Keep it secret for now")
    phone.sees("Sealed and secret")
    phone.fits()

    phone.open("/verify")
    phone.sees("or choose a file")
    phone.fits()
    phone.give(work)
    phone.sees("No record")
    phone.fits()
    phone.give(certificate)
    phone.sees("Check it yourself")
    phone.fits()


def test_deals_list_form_and_confirmation(phone: Visitor, court: Market) -> None:
    waiting = court.opened(title=LONG)
    phone.open("/deals")
    phone.sees("Who are you?")
    phone.fits()
    phone.open(f"/deals?as=demo-{BUYER}")
    phone.sees(LONG)
    phone.fits()
    phone.click("New deal")
    phone.sees("Show me the terms")
    phone.page.get_by_text("What this policy means").click()
    phone.sees("Pass needs 2 of them")
    phone.fits()
    phone.open(f"/deals?as=demo-{SELLER}&deal={to_hex(waiting.deal_id)}")
    phone.click("Deliver")
    phone.sees("countersign deal deliver")
    phone.fits()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_deal_in_every_state(phone: Visitor, court: Market, tmp_path: Path, case: Case) -> None:
    file = case.make(court)
    if case.state == State.NONE:
        terms = tmp_path / "mill.terms.json"
        terms.write_text(file.to_text())
        phone.open(f"/deals?as=demo-{BUYER}")
        phone.give(terms)
    else:
        phone.open(f"/deals?as=demo-{BUYER}&deal={to_hex(file.deal_id)}")
    phone.sees(STATUS[case.status])
    phone.sees("Who judges")
    phone.fits()


def test_the_desk_tab_by_tab(phone: Visitor, court: Market) -> None:
    court.requested(title=LONG)
    court.judged(title=LONG)
    phone.open(f"/desk?as=demo-{BUYER}")
    tabs = {"Requests": "may sign", "Verdicts": "evidence", "Policies": "Pass needs", "Nodes": "Your account as a node"}
    for tab, words in tabs.items():
        phone.page.get_by_role("tab", name=tab).click()
        phone.sees(words)
        phone.fits()
    phone.page.get_by_role("tab", name="Verdicts").click()
    phone.click("Challenge")
    phone.sees("please confirm")
    phone.fits()
