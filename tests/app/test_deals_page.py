"""The Deals page, on a real chain; its states one by one: test_states.py."""

from __future__ import annotations

import json
import threading

import pytest
from mocks import call, deploy
from pages import WALLET, Page, deals_page, mine, send, wait

from countersign.canonical import checksum, from_address, to_hex
from countersign.index.store import Store
from countersign.index.sync import catch_up
from countersign.records import Call, State
from countersign.settings import Settings
from tools.devnet import Devnet
from tools.market import BUYER, SELLER, Market, address

SELLER_ADDRESS = checksum(address(SELLER))


@pytest.fixture
def market(chain: Devnet) -> Market:
    return Market(chain)


def deal_page(file: object, account: int | str = BUYER) -> Page:
    """A deal, looked at by a demo account or by the wallet's."""
    who = f"demo-{account}" if isinstance(account, int) else account
    return deals_page(as_=who, deal=to_hex(file.deal_id))  # type: ignore[attr-defined]


def confirm(page: Page, label: str) -> None:
    """Choose what to do, then do it: two buttons of one name, one after the other."""
    page.press(label)
    page.press(label)


# The list and the form


def test_without_an_account_it_explains_and_asks(chain: Devnet) -> None:
    page = deals_page()
    assert "Money waits in an escrow" in page.text and "Who are you?" in page.text
    page.press("Continue as demo account 0")
    assert "You have no deals yet" in page.text
    page.press("Change account")
    assert "Who are you?" in page.text


def test_the_list_says_role_status_money_and_next_deadline(market: Market) -> None:
    market.opened()
    market.judged(title="A finished one")
    buyer, seller = deals_page(as_="demo-0"), deals_page(as_=SELLER_ADDRESS)
    assert "You buy for **0.5 ETH**: **passed**. You may settle." in buyer.text
    assert "You sell for **0.5 ETH**: **awaiting delivery**. You may deliver. Next deadline in " in seller.text
    buyer.press("A finished one")
    assert "The verdict is Pass, for good." in buyer.text
    buyer.press("All deals")
    assert "The old mill" in buyer.buttons


def test_new_deal_from_form_to_payment(market: Market) -> None:
    page = deals_page(as_="demo-0")
    page.press("New deal")
    page.fill(new_payee=SELLER_ADDRESS, new_amount="0.5", new_title="The old mill", new_show="mill\n1872")
    page.app.slider(key="new-silence").set_value(30)
    page.run()
    assert "If nobody gives a verdict in time,** the seller gets 0.15 ETH and you get 0.35 ETH back." in page.text
    page.press("Show me the terms")
    assert "0.5 ETH into the escrow" in page.text and "1872" in page.text and "Not open" in page.text
    page.press("Pay into the escrow")
    assert "it cannot be undone" in page.text and "You send along" in page.text
    page.press("Pay into the escrow")
    assert "Awaiting delivery" in page.text and "Done: Pay into the escrow" in page.text
    identifier = bytes.fromhex("".join(page.app.query_params["deal"]).removeprefix("0x"))
    assert market.client.deal_of(identifier).state == State.STARTED


def test_terms_can_be_changed_before_they_are_opened(market: Market) -> None:
    page = deals_page(as_="demo-0", new="yes")
    page.fill(new_payee=SELLER_ADDRESS, new_amount="0.5", new_title="The old mill")
    page.press("Show me the terms")
    page.press("Change the terms")
    page.fill(new_amount="0.75")
    page.press("Show me the terms")
    assert "0.75 ETH into the escrow" in page.text and "The old mill" in page.text


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"new_title": ""}, "The title is missing."),
        ({"new_payee": ""}, "The seller's address is missing."),
        ({"new_payee": "0x12"}, "0x12"),
        ({"new_payee": checksum(address(BUYER))}, "Payer and payee are the same."),
        ({"new_payee": "0x" + "00" * 20}, "The payee is the zero address."),
        ({"new_amount": ""}, "The amount is missing."),
        ({"new_amount": "half"}, "'half' is not an amount."),
        ({"new_amount": "0"}, "The amount is 0."),
        ({"new_arbiter": SELLER_ADDRESS}, "The arbiter is one of the parties."),
        ({"new_arbiter": WALLET}, "is no arbiter"),
    ],
)
def test_bad_terms_get_a_sentence(market: Market, fields: dict[str, str], sentence: str) -> None:
    page = deals_page(as_="demo-0", new="yes")
    page.fill(**{"new_payee": SELLER_ADDRESS, "new_amount": "0.5", "new_title": "The old mill"} | fields)
    page.press("Show me the terms")
    assert sentence in page.text and "Next:" in page.text


def test_too_little_time_for_the_committee_is_refused(market: Market) -> None:
    page = deals_page(as_="demo-0", new="yes")
    page.fill(new_payee=SELLER_ADDRESS, new_amount="0.5", new_title="The old mill")
    page.choose("new-judge", "10m")
    page.press("Show me the terms")
    assert "too short for this policy" in page.text and "at least 20 min" in page.text


def test_a_reference_needs_a_place(market: Market) -> None:
    page = deals_page(as_="demo-0", new="yes")
    page.fill(new_payee=SELLER_ADDRESS, new_amount="0.5", new_title="The old mill")
    page.drop("new-drop", b"the agreed preview")
    page.press("Show me the terms")
    assert "Nobody knows where the reference is found." in page.text
    page.fill(new_reference_uri="https://example.org/preview.png")
    page.press("Show me the terms")
    assert "It is compared with 0x" in page.text


# Terms from somebody else


def test_a_terms_file_is_shown_before_anything_is_paid(market: Market) -> None:
    file = market.terms()
    page = deals_page(as_=SELLER_ADDRESS)
    page.drop_document("terms-drop", file.to_text(), "mill.terms.json")
    assert "puts 0.5 ETH into the escrow" in page.text and "Not open" in page.text
    assert "Pay into the escrow" not in page.buttons
    assert "Change the terms" not in page.buttons


def test_the_file_of_an_open_deal_leads_to_the_deal(market: Market) -> None:
    page = deals_page(as_="demo-0")
    page.drop_document("terms-drop", market.opened().to_text(), "mill.terms.json")
    assert "Awaiting delivery" in page.text and "Opened with 0.5 ETH" in page.text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: d["terms"].update(amount="1"), "mill.terms.json was changed: its dealId does not follow"),
        (lambda d: d.update(brief=d["brief"].replace("dusk", "dawn")), "its brief is not the one"),
        (lambda d: d.update(format="other"), "mill.terms.json is not a file of terms."),
        (lambda d: d.update(escrow=WALLET), "is for the escrow"),
    ],
)
def test_a_changed_terms_file_is_refused(market: Market, change: object, sentence: str) -> None:
    document = json.loads(market.terms().to_text())
    change(document)  # type: ignore[operator]
    page = deals_page(as_="demo-0")
    page.drop_document("terms-drop", json.dumps(document), "mill.terms.json")
    assert sentence in page.text and "/tmp" not in page.text


def test_another_file_is_no_terms_file(market: Market) -> None:
    page = deals_page(as_="demo-0")
    page.drop("terms-drop", b"a picture")
    assert "photo.jpg is not a file of terms." in page.text


# By wallet


def test_a_wallet_opens_with_the_money_and_is_told_before(market: Market) -> None:
    file = market.terms(payer=from_address(WALLET))
    page = deals_page(as_=WALLET)
    page.drop_document("terms-drop", file.to_text(), "mill.terms.json")
    page.press("Pay into the escrow")
    page.connect(WALLET)
    intent = page.intent()
    assert int(intent["call"]["value"], 16) == 5 * 10**17 and "0.5 ETH from you" in page.text
    page.refuse(4001, "User rejected the request.")
    assert "Declined: you said no in Fox Wallet" in page.text
    page.reply(send(market.chain, page))
    assert "Awaiting delivery" in page.text and "Done: Pay into the escrow" in page.text
    assert market.client.deal_of(file.deal_id).state == State.STARTED


def test_the_same_wish_is_the_same_intent_after_a_reload(market: Market) -> None:
    """So that the browser's journal answers instead of asking twice."""
    file = market.opened(payer=from_address(WALLET), payee=address(SELLER))
    ids = []
    for _ in range(2):
        page = deal_page(file, WALLET)
        page.press("Release the money")
        ids.append(page.intent()["id"])
    assert ids[0] == ids[1]


def test_nothing_else_is_offered_while_a_transaction_is_on_its_way(market: Market) -> None:
    page = deal_page(market.opened(payer=from_address(WALLET)), WALLET)
    page.press("Release the money")
    page.connect(WALLET)
    market.chain.rpc("evm_setAutomine", False)
    intent = page.intent()
    sent = market.chain.rpc("eth_sendTransaction", {"from": intent["from"], **intent["call"]})
    page.reply(sent)
    assert "Waiting for a block." in page.text and "Release the money" not in page.buttons
    market.chain.rpc("evm_setAutomine", True)
    mine(market.chain, 1)
    page.run()
    assert "Done: Release the money" in page.text and "All money was paid out." in page.text


def test_a_transaction_that_reverts_is_explained(market: Market) -> None:
    """The payee refunds while the payer's release is in the wallet."""
    file = market.opened(payer=from_address(WALLET))
    page = deal_page(file, WALLET)
    page.press("Release the money")
    page.connect(WALLET)
    intent = page.intent()
    market.act(SELLER, "refund", file)
    sent = market.chain.send({"from": intent["from"], **intent["call"], "gas": hex(300_000)})
    page.reply(sent)
    assert "The contract refused" in page.text
    page.press("Go on")
    assert "All money was paid out." in page.text


# From delivery to payment


def test_seller_delivers_committee_passes_anyone_settles(market: Market) -> None:
    file = market.opened()
    page = deal_page(file, SELLER)
    page.press("Deliver")
    key = f"delivery-{file.deal_id.hex()[:16]}"
    assert "countersign deal deliver" in "".join(code.value for code in page.app.code)
    page.drop("deliver-drop", b"the picture")
    page.fill(**{f"{key}_uri": "ftp://example.org/mill.jpg"})
    assert "has the SHA-256" not in page.text and "is nothing" not in page.text, "before the browser has answered"
    page.answer_find(unproved=True)
    assert "photo.jpg is not sealed for good yet: its draft is still on this computer." in page.text
    page.answer_find()
    assert "is nothing that nodes can fetch" in page.text
    page.fill(**{f"{key}_uri": "https://example.org/mill.jpg"})
    assert "has the SHA-256 0x" in page.text
    page.press("Deliver")
    assert "Delivered; nobody was asked to judge it yet." in page.text
    confirm(page, "Request a verdict")
    assert "Judging" in page.text and "The committee** may" not in page.text

    deal = market.client.deal_of(file.deal_id)
    subject = market.subject(file, deal)
    before = market.client.balance(file.terms.payee)
    market.submit(subject)
    page.run()
    assert "The verdict is Pass, for good." in page.text and "The payee gets 0.5 ETH." in page.text
    stranger = deal_page(file, 4)
    confirm(stranger, "Settle")
    assert "All money was paid out." in stranger.text
    assert "Paid (verdict): 0.5 ETH to the payee, 0 ETH to the payer" in stranger.text
    assert market.client.balance(file.terms.payee) - before == 5 * 10**17


def test_a_failed_delivery_refunds(market: Market) -> None:
    file, _ = market.judged(score=10)
    page = deal_page(file)
    assert "The verdict is Fail, for good." in page.text
    confirm(page, "Settle")
    assert "Paid (verdict): 0 ETH to the payee, 0.5 ETH to the payer" in page.text


def test_payer_releases_and_payee_refunds(market: Market) -> None:
    for account, label, words in (
        (BUYER, "Release the money", "Paid (release): 0.5 ETH to the payee"),
        (SELLER, "Refund the payer", "Paid (refund): 0 ETH to the payee, 0.5 ETH to the payer"),
    ):
        page = deal_page(market.opened(), account)
        page.press(label)
        assert "This is your own decision" in page.text
        page.press("Not now")
        confirm(page, label)
        assert words in page.text


def test_what_is_overdue_expires(market: Market) -> None:
    page = deal_page(market.opened())
    assert "Expire the deal" not in page.buttons
    wait(market.chain, 3602)
    page.run()
    assert "Nothing was delivered in time." in page.text
    confirm(page, "Expire the deal")
    assert "Paid (undelivered)" in page.text


def test_a_silent_committee_lapses_and_the_silence_share_applies(market: Market) -> None:
    file, _ = market.requested(silence_share=5000)
    page = deal_page(file)
    assert "The committee was asked and may answer." in page.text
    wait(market.chain, 602)
    page.run()
    assert "it may be asked again" in page.text and "Request a verdict" in page.buttons
    wait(market.chain, 7200)
    page.run()
    assert "No verdict counts" in page.text
    confirm(page, "Expire the deal")
    assert "Paid (silence): 0.25 ETH to the payee, 0.25 ETH to the payer" in page.text


def test_a_stranger_is_offered_nothing_of_the_parties(market: Market) -> None:
    page = deal_page(market.opened(), 4)
    assert "it is somebody else's turn" in page.text
    assert not {"Release the money", "Refund the payer", "Deliver"} & set(page.buttons)


# Arbiters, tokens, credits


def test_a_dispute_pays_the_arbiter_and_its_ruling_is_settled(market: Market) -> None:
    arbiter = deploy(market.chain, "Arbiter", 10**16)
    file, _ = market.delivered(arbiter=arbiter, dispute_time=600, ruling_time=600)
    wait(market.chain, 7202)
    page = deal_page(file)
    page.press("Dispute")
    assert "Give a reason" in page.text
    page.fill(reason="It shows another mill.")
    assert "0.01 ETH" in page.text
    page.press("Dispute")
    assert "The arbiter was asked." in page.text
    market.send(BUYER, Call(arbiter, call("give(uint256,uint256)", 1, 3)))
    page.run()
    confirm(page, "Settle")
    assert "The arbiter ruled: half" in page.text and "Paid (ruling): 0.25 ETH to the payee" in page.text


def test_a_verdict_is_challenged_on_its_deal(chain: Devnet) -> None:
    market = Market(chain, 300, deploy(chain, "Arbiter", 10**16))
    file, subject = market.judged()
    page = deal_page(file)
    assert "The committee says Pass; that can still change." in page.text and "Next change in" in page.text
    page.press("Challenge the verdict")
    page.fill(reason="It is a copy.")
    assert "bond of 0.01 ETH and the arbiter's price of 0.01 ETH" in page.text
    page.press("Challenge the verdict")
    assert market.client.challenge_of(subject, market.address).challenger == address(BUYER)


def test_a_token_is_allowed_then_paid(market: Market) -> None:
    token = deploy(market.chain, "Dollar")
    market.send(BUYER, Call(token, call("mint(address,uint256)", address(BUYER), 10**9)))
    page = deals_page(as_="demo-0", new="yes")
    page.choose("new-kind", "A token (ERC-20)")
    page.fill(new_payee=SELLER_ADDRESS, new_amount="90.5", new_title="Site", new_token=checksum(token))
    page.press("Show me the terms")
    page.press("Pay into the escrow")
    assert "First step: allow the escrow to take 90.5 USD" in page.text
    page.press(next(label for label in page.buttons if label.startswith("Allow 90.5 USD")))
    confirm(page, "Pay into the escrow")
    assert "Awaiting delivery" in page.text


def test_an_address_without_code_is_no_token(market: Market) -> None:
    page = deals_page(as_="demo-0", new="yes")
    page.choose("new-kind", "A token (ERC-20)")
    page.fill(new_payee=SELLER_ADDRESS, new_amount="1", new_title="Site", new_token=WALLET)
    page.press("Show me the terms")
    assert "is not a token: there is no code" in page.text


def test_a_credit_can_be_withdrawn(market: Market) -> None:
    """The payee's account refuses money, so the payment is credited; later it takes it."""
    file = market.opened()
    refuses = "0x60006000fd"
    market.chain.rpc("anvil_setCode", SELLER_ADDRESS, refuses)
    market.act(BUYER, "release", file, 0)
    market.chain.rpc("anvil_setCode", SELLER_ADDRESS, "0x")
    page = deals_page(as_=f"demo-{SELLER}")
    assert "A payment of 0.5 ETH to you had failed." in page.text
    confirm(page, "Withdraw the credit")
    assert "had failed" not in page.text and market.client.credit_of(bytes(20), address(SELLER)) == 0


# Trouble


def test_who_cannot_pay_is_told_so(market: Market) -> None:
    file = market.terms(amount=10**24)
    page = deals_page(as_="demo-0")
    page.drop_document("terms-drop", file.to_text(), "mill.terms.json")
    page.press("Pay into the escrow")
    assert "this needs 1000000.000000 ETH" in page.text


def test_an_unknown_or_broken_address_gets_a_sentence(market: Market) -> None:
    assert "There is no open deal" in deals_page(as_="demo-0", deal="0x" + "11" * 32).text
    assert "Next:" in deals_page(as_="demo-0", deal="0x12").text
    assert "Who are you?" in deals_page(as_="demo-99").text
    assert "Who are you?" in deals_page(as_="javascript:").text


def test_two_indexers_of_one_file_do_not_disturb_the_page(market: Market) -> None:
    """`make up` runs a follower beside the app."""
    stop, path = threading.Event(), Settings.from_env().index_path
    store = Store(path, market.client.contracts)
    store.close()

    def run() -> None:
        while not stop.is_set():
            other = Store(path, market.client.contracts)
            catch_up(market.client, other)
            other.close()

    follower = threading.Thread(target=run)
    follower.start()
    try:
        for number in range(5):
            market.opened(title=f"Number {number}")
            assert f"Number {number}" in deals_page(as_="demo-0").buttons
    finally:
        stop.set()
        follower.join()


def test_words_of_the_other_party_cannot_look_like_ours(market: Market) -> None:
    market.opened(title="<script>alert(1)</script> [link](https://evil.example) **bold**")
    page = deals_page(as_="demo-0")
    raw = "\n".join(element.value for element in page.app.markdown) + "".join(
        element.proto.body for element in page.app.get("html")
    )
    assert "<script>alert" not in raw and "[link](https://evil" not in raw
