"""What people come for, from the first click to the end, by wallet."""

from __future__ import annotations

import re
from pathlib import Path

from deals_in import WINDOW
from pages import wait

from browser.visitor import Visitor
from countersign.canonical import checksum, to_hex
from countersign.certificate import Certificate
from countersign.deal.terms import TermsFile
from countersign.records import State
from tools.market import SELLER, Market, address


def test_a_creator_registers_claims_and_somebody_verifies(
    visitor: Visitor, stranger: Visitor, work: Path, tmp_path: Path
) -> None:
    visitor.prepare_draft(work)
    visitor.click("Seal this work")
    visitor.click("Sign the certificate")
    visitor.sees("Proved by the chain and signed by you")
    certificate = visitor.save("Download the certificate", tmp_path)
    assert certificate.name == "poem.txt.countersign.json" and Certificate.load(certificate).signature
    visitor.page.reload()
    visitor.sees("Proved by the chain and signed by you")
    visitor.click("Claim it now")
    visitor.sees("Sealed and claimed")

    stranger.open("/verify")
    stranger.give(work, certificate)
    stranger.sees(re.compile("^Verified$"))
    stranger.sees("Claimed by the creator as of block")
    changed = tmp_path / "changed.txt"
    changed.write_bytes(work.read_bytes() + b"!")
    stranger.page.reload()
    stranger.give(changed, certificate)
    stranger.sees("Not verified")


def test_a_deal_from_terms_to_payment(visitor: Visitor, court: Market, tmp_path: Path) -> None:
    """Propose, open, deliver, ask; the committee signs outside the app; settle. As buyer and as seller."""
    seller, wallet_of_seller = checksum(address(SELLER)), SELLER
    visitor.open("/deals")
    visitor.page.get_by_text("My wallet").click()
    visitor.connect()
    visitor.click("Continue with this account")
    visitor.click("New deal")
    visitor.write("Seller's address", seller)
    visitor.write("Amount", "0.25")
    visitor.write("Title", "The old mill at dusk")
    visitor.click("Show me the terms")
    visitor.sees("puts 0.25 ETH into the escrow")
    path = visitor.save("Download the terms file", tmp_path)
    file = TermsFile.load(path)
    assert path.name == "the-old-mill-at-dusk.terms.json" and checksum(file.terms.payee) == seller
    visitor.click("Pay into the escrow")
    visitor.sees("The escrow takes 0.25 ETH from you")
    visitor.go.click()
    visitor.sees("Awaiting delivery")
    assert court.client.deal_of(file.deal_id).state == State.STARTED

    picture = tmp_path / "mill.jpg"
    picture.write_bytes(b"the old mill")
    visitor.open(f"/deals?deal={to_hex(file.deal_id)}&as={seller}")
    visitor.click("Deliver")
    visitor.give(picture)
    visitor.sees("Choose another file")
    visitor.write("Where can nodes fetch it?", "https://example.org/mill.jpg")
    visitor.sees("has the SHA-256")
    visitor.wallet(account=wallet_of_seller)
    visitor.go.click()
    visitor.sees("nobody was asked to judge it yet")
    visitor.click("Request a verdict")
    visitor.sees("0.001 ETH")
    visitor.go.click()
    visitor.sees("The committee was asked and may answer")

    court.submit(court.subject(file, court.client.deal_of(file.deal_id)))
    visitor.sees("The committee says Pass; that can still change.")  # by itself: the page looks each second
    wait(court.chain, WINDOW + 2)
    visitor.sees("The verdict is Pass, for good.")
    visitor.click("Settle")
    visitor.go.click()
    visitor.sees("All money was paid out.")
    visitor.sees("0.25 ETH to the payee")
    visitor.open("/desk")
    visitor.page.get_by_role("tab", name="Verdicts").click()
    visitor.sees("The old mill at dusk: Pass")
