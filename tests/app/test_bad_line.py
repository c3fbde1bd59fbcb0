"""The pages while the line to the chain delays, drops, repeats and garbles: a sentence each time, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import streamlit as st
from deals_in import court_on
from faults import FaultProxy, at_random, seed_of
from pages import DEMO, Page, as_demo, deals_page, desk_page, mine, verify_page, work

from countersign.canonical import to_hex
from tools.devnet import Devnet
from tools.market import SELLER

PATIENCE = 40
SEEDS = [seed_of(0) + number for number in range(3)]


@pytest.fixture
def line(chain: Devnet, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """Between the app and its chain; faultless until a test gives it faults."""
    with FaultProxy(chain.url) as proxy:
        monkeypatch.setenv("COUNTERSIGN_RPC", proxy.url)
        st.cache_resource.clear()
        yield proxy


def patiently(page: Page, label: str, until: str, chain: Devnet) -> None:
    """Press ``label`` where it is offered, and look again, until the page offers or says ``until``."""
    for _ in range(PATIENCE):
        if until in page.buttons or until in page.text:
            return
        if label in page.buttons:
            page.press(label)
        mine(chain, 1)
        page.run()
    raise AssertionError(f"never {until!r}: {page.buttons}\n{page.text}")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_work_is_sealed_and_claimed_once(chain: Devnet, line: FaultProxy, seed: int) -> None:
    before = int(chain.rpc("eth_getTransactionCount", DEMO, "latest"), 16)
    page = as_demo(work())
    line.faults = at_random(seed, 0.1)
    patiently(page, "Seal this work", "Sign the certificate", chain)
    patiently(page, "Sign the certificate", "Claim it now", chain)
    patiently(page, "Claim it now", "Sealed and claimed", chain)
    assert line.faults_met(), "nothing was tested"
    assert int(chain.rpc("eth_getTransactionCount", DEMO, "latest"), 16) == before + 2


@pytest.mark.parametrize("seed", SEEDS)
def test_every_page_says_in_words_what_it_cannot_know(chain: Devnet, line: FaultProxy, seed: int) -> None:
    file, content = court_on(chain).opened(), work()
    line.faults = at_random(seed, 0.5)
    pages = [deals_page(as_=f"demo-{SELLER}"), deals_page(deal=to_hex(file.deal_id)), desk_page(), verify_page()]
    for page in pages:
        page.run()
        assert page.text
    pages[-1].drop("verify-drop", content)
    assert "No record" in pages[-1].text or "Cannot check now" in pages[-1].text
    assert line.faults_met(), "nothing was tested"
