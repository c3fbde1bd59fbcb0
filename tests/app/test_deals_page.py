"""The Deals page in every state, on a real chain."""

from __future__ import annotations

import pytest
from market import SELLER, Market, address
from pages import deals_page

from countersign.canonical import checksum
from tools.devnet import Devnet


@pytest.fixture
def market(chain: Devnet) -> Market:
    return Market(chain)


def test_without_an_account_it_explains_and_asks(chain: Devnet) -> None:
    page = deals_page()
    assert "Money waits in an escrow" in page.text and "Who are you?" in page.text
    page.press("Continue as demo account 0")
    assert "You have no deals yet" in page.text


def test_new_deal_from_form_to_payment(market: Market) -> None:
    page = deals_page(as_="demo-0")
    page.press("New deal")
    page.fill(new_payee=checksum(address(SELLER)), new_amount="0.5", new_title="The old mill", new_show="mill\n1872")
    page.press("Show me the terms")
    assert "0.5 ETH into the escrow" in page.text and "1872" in page.text
    page.press("Pay into the escrow")
    assert "Everybody can see it" in page.text and "0.5 ETH" in page.text
    page.press("Pay into the escrow")
    print(page.text)
    assert "Awaiting delivery" in page.text
