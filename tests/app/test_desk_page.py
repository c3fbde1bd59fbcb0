"""The Oracle desk, on a real chain; its states one by one: test_states.py."""

from __future__ import annotations

import pytest
from mocks import call, deploy
from pages import WALLET, desk_page, send, wait

from app.judging import said_in
from countersign.canonical import checksum, from_address, to_hex
from countersign.records import Call, Outcome, Stage
from tools.devnet import Devnet
from tools.market import BUYER, NODES, Market, address, signer


@pytest.fixture
def market(chain: Devnet) -> Market:
    return Market(chain)


@pytest.fixture
def court(chain: Devnet) -> Market:
    """With an arbiter, and 300 seconds to challenge."""
    return Market(chain, 300, deploy(chain, "Arbiter", 10**16))


def test_an_empty_chain_says_what_comes_next(chain: Devnet) -> None:
    page = desk_page()
    for words in (
        "No request waits",
        "There is no verdict yet",
        "countersign policy create",
        "countersign oracle join",
    ):
        assert words in page.text
    assert "Attestations are signed by node processes, never by a wallet" in page.text


def test_open_requests_show_age_seats_and_deadline(market: Market) -> None:
    market.requested(title="Harbour")
    wait(market.chain, 65)
    page = desk_page()
    assert "Harbour" in page.text and "Asked 1 min" in page.text and "8 min" in page.text
    assert "2 must pass it; 3 of 3 seats may sign" in page.text
    wait(market.chain, 600)
    page.run()
    assert "lapsed: anyone may ask again" in page.text


def test_verdicts_show_signers_scores_and_evidence(market: Market) -> None:
    _, subject = market.requested(title="Harbour")
    evidence = market.submit(subject, score=87)
    page = desk_page()
    assert "Harbour: Pass" in page.text and "Final: nobody challenged it." in page.text
    assert "87 of 100" in page.text and to_hex(evidence) in page.text
    assert checksum(market.policy.seats[0].node) in page.text and "No request waits" in page.text


def test_evidence_of_a_verdict_that_another_contract_submitted_is_not_invented(market: Market) -> None:
    assert said_in(bytes(32)) == ()
    sent = market.send(BUYER, Call(address(BUYER), b"\x01\x02\x03\x04" + bytes(200)))
    assert said_in(bytes.fromhex(sent[2:])) == ()


def test_a_verdict_is_challenged_and_ruled(court: Market) -> None:
    _, subject = court.judged(title="Harbour")
    page = desk_page(as_="demo-0")
    assert "It can be challenged:" in page.text
    page.press("Challenge")
    assert "Give a reason" in page.text
    page.fill(challenge_reason="It is a copy.")
    assert "bond of 0.01 ETH and the arbiter's price of 0.01 ETH" in page.text and "0.02 ETH" in page.text
    page.press("Challenge the verdict")
    assert court.client.verdict(subject, court.address).stage == Stage.CHALLENGED
    assert "Challenged: the arbiter may rule." in page.text and "Challenge" not in page.buttons
    court.send(BUYER, Call(court.policy.arbiter, call("give(uint256,uint256)", 1, 3)))
    page.run()
    assert "Overturned by the arbiter." in page.text and "Harbour: Fail" in page.text
    assert court.client.verdict_of(subject, court.address)[0] == Outcome.FAIL


def test_no_challenge_without_account_arbiter_or_time(court: Market) -> None:
    court.judged()
    assert "Challenge" not in desk_page().buttons
    page = desk_page(as_="demo-0")
    assert "Challenge" in page.buttons
    wait(court.chain, 301)
    page.run()
    assert "Challenge" not in page.buttons and "Final: nobody challenged it." in page.text


def test_without_an_arbiter_nobody_is_asked_to_challenge(market: Market) -> None:
    market.judged()
    page = desk_page(as_="demo-0")
    assert "Challenge" not in page.buttons and "Nobody can challenge the verdict: there is no arbiter." in page.text


def test_policies_and_nodes_are_explained(market: Market) -> None:
    page = desk_page()
    assert "Pass needs 2 of them at 50 or more of 100; Fail needs 2 below." in page.text
    assert "3 nodes answer: does the delivery match the brief? All judge with the same model." in page.text
    for node in NODES:
        assert checksum(address(node)) in page.text
    assert "serves, stake 1 ETH" in page.text


def test_a_wallet_joins_adds_and_leaves(market: Market) -> None:
    page = desk_page(as_=WALLET)
    page.fill(desk_stake="2.5")
    page.press("Join")
    page.connect(WALLET)
    assert int(page.intent()["call"]["value"], 16) == 25 * 10**17
    page.reply(send(market.chain, page))
    assert market.client.node_of(from_address(WALLET)).stake == 25 * 10**8
    assert "Done: Join" in page.text and "Add to the stake" in page.buttons
    page.press("Leave")
    page.reply(send(market.chain, page))
    assert "leaving, stake free from" in page.text and "Leave" not in page.buttons
    wait(market.chain, 14 * 86400 + 2)
    page.run()
    page.press("Withdraw stake and rewards")
    page.reply(send(market.chain, page))
    assert market.client.node_of(from_address(WALLET)).stake == 0
    page.press("Add to the stake")
    page.reply(send(market.chain, page))
    assert market.client.node_of(from_address(WALLET)).stake > 0, "joining again is another wish than the first time"


@pytest.mark.parametrize(("amount", "sentence"), [("0", "not possible"), ("1.0000000001", "9 decimals"), ("x", "'x'")])
def test_an_impossible_stake_gets_a_sentence(market: Market, amount: str, sentence: str) -> None:
    page = desk_page(as_="demo-0")
    page.fill(desk_stake=amount)
    assert sentence in page.text


def test_the_desk_never_asks_for_a_signature(market: Market) -> None:
    market.requested()
    page = desk_page(as_=checksum(signer(NODES[0]).address))
    assert not [label for label in page.buttons if "ttest" in label or "ign" in label]
