"""The Register page, on a real chain; its states one by one: test_states.py."""

from __future__ import annotations

import pytest
from eth_account import Account
from pages import DEMO, KEY, WALLET, as_demo, as_wallet, mine, register_page, sealed, send, work

from app import progress
from countersign.canonical import checksum, to_hex
from countersign.seal import claim_call
from countersign.verify import verify
from tools.devnet import Devnet


def test_opens_with_an_explanation(chain: Devnet) -> None:
    page = register_page()
    assert "Sealed first is not the same as created" in page.text
    assert page.component("hasher")


def test_demo_account_from_file_to_claim(chain: Devnet) -> None:
    page = as_demo(work())
    assert "Expected cost" in page.text
    page.press("Seal this work")
    assert "more block" in page.text
    mine(chain)
    page.run()
    page.press("Sign the certificate")
    certificate = page.kept()
    assert certificate.signature and certificate.proof and checksum(certificate.creator) == DEMO
    page.press("Claim it now")
    mine(chain)
    page.run()
    assert "Sealed and claimed" in page.text
    report = verify(page.kept(), certificate.work.content, block_hash=page.kept().proof.check().block.hash)
    assert report.outcome == "verified"
    assert next(s for s in report.steps if s.name == "claim").state == "pass"


def test_nothing_is_offered_before_the_draft_is_stored(chain: Devnet) -> None:
    page = register_page()
    page.drop("register-drop", work())
    page.press("Continue as demo account 0")
    page.press("Save the draft and continue")
    assert "Seal this work" not in page.buttons
    page.store_draft()
    assert "Seal this work" in page.buttons


def test_a_browser_that_cannot_store_needs_the_download_first(chain: Devnet) -> None:
    page = register_page()
    page.drop("register-drop", work())
    page.press("Continue as demo account 0")
    page.press("Save the draft and continue")
    shelf = page.component("vault")
    assert shelf
    stamp = shelf["save"]["stamp"]
    page.answer("shelf", saved={"stamp": stamp, "error": "This browser does not store data (private)."})
    assert "Download the draft" in page.text and "Seal this work" not in page.buttons
    page.answer("shelf", downloaded={"stamp": stamp})
    assert "Seal this work" in page.buttons


def test_wallet_from_file_to_claim(chain: Devnet) -> None:
    page = as_wallet(work())
    page.reply(send(chain, page))
    mine(chain)
    page.run()
    intent = page.intent()
    assert intent["kind"] == "sign"
    page.reply(to_hex(Account.from_key(KEY).sign_typed_data(full_message=intent["typed"]).signature))
    assert page.kept().signature
    page.reply(send(chain, page))
    mine(chain)
    page.run()
    assert "Sealed and claimed" in page.text


def test_the_same_wish_is_the_same_intent(chain: Devnet) -> None:
    """So that the browser's journal answers it after a reload instead of asking twice."""
    page = as_wallet(work())
    first = page.intent()
    page.run()
    assert page.intent() == first
    again = register_page()
    again.app.session_state["shelf"] = {"opened": {"id": "x", "text": page.kept().to_json(), "by": "wallet", "seq": 1}}
    again.run()
    assert again.intent()["id"] == first["id"]


def test_a_refusal_is_said_and_can_be_repeated(chain: Devnet) -> None:
    page = as_wallet(work())
    page.refuse(4001, "User rejected the request.")
    assert "Declined: you said no in Fox Wallet" in page.text
    page.reply(send(chain, page))
    assert "Declined" not in page.text and "more block" in page.text


@pytest.mark.parametrize(
    ("message", "words"),
    [("insufficient funds for gas", "cannot pay"), ("the flux is out", "the flux is out")],
)
def test_other_refusals(chain: Devnet, message: str, words: str) -> None:
    page = as_wallet(work())
    page.refuse(-32000, message)
    assert words in page.text


def test_an_answer_to_another_intent_is_not_taken(chain: Devnet) -> None:
    page = as_wallet(work())
    page.answer("wallet", answer={"id": "other", "ok": True, "value": "0x" + "11" * 32})
    assert page.intent()["kind"] == "send"


def test_an_empty_account_is_told_before_the_wallet_opens(chain: Devnet) -> None:
    page = as_wallet(work(), "0x00000000000000000000000000000000000000aa")
    assert "Next:" in page.text and "ETH" in page.text
    assert page.component("wallet") is None


def test_a_dropped_transaction_can_be_sent_again(chain: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    page = as_wallet(work())
    first = page.intent()["id"]
    monkeypatch.setattr(progress, "GRACE", 0.0)
    page.reply("0x" + "42" * 32)
    assert "forgot this transaction" in page.text
    page.press("Send again")
    assert page.intent()["id"] != first


def test_a_reverted_claim_says_why(chain: Devnet) -> None:
    """Somebody claims the same bytes with an earlier seal while our claim is on its way."""
    content = work()
    rival, page = sealed(chain, content, as_demo), sealed(chain, content, as_wallet)
    claim = page.intent()["call"]
    rival.press("Claim it now")
    transaction = chain.send({"from": WALLET, "gas": hex(400_000), **claim})
    page.reply(transaction)
    assert "refused" in page.text and "is claimed by" in page.text


def test_a_hopeless_claim_is_refused_before_it_costs_anything(chain: Devnet) -> None:
    content = work()
    rival, page = sealed(chain, content, as_demo), sealed(chain, content, as_wallet)
    rival.press("Claim it now")
    page.run()
    assert "is claimed by" in page.text and page.component("wallet") is None


def test_keeping_it_secret(chain: Devnet) -> None:
    page = sealed(chain, work(), as_demo)
    page.press("Keep it secret for now")
    assert "Sealed and secret" in page.text
    assert page.kept().signature


def test_a_signature_by_somebody_else_is_refused(chain: Devnet) -> None:
    page = as_wallet(work())
    page.reply(send(chain, page))
    mine(chain)
    page.run()
    wrong = Account.create().sign_typed_data(full_message=page.intent()["typed"]).signature
    page.reply(to_hex(wrong))
    assert "This signature is by" in page.text
    assert not page.kept().signature


def test_a_draft_is_taken_up_where_the_chain_says_it_is(chain: Devnet) -> None:
    page = as_demo(work())
    draft = page.kept()
    page.press("Seal this work")
    mine(chain)
    later = register_page()
    later.drop_document("register-drop", draft.to_json())
    later.store_draft()
    assert "Sign the certificate" in later.buttons


def test_a_certificate_comes_back_to_be_claimed(chain: Devnet) -> None:
    certificate = sealed(chain, work(), as_demo).kept()
    page = register_page()
    page.drop_document("register-drop", certificate.to_json())
    assert "Claim it now" in page.buttons


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": "countersign-certificate/1"}', "null", "\x00"])
def test_broken_drafts_are_refused(chain: Devnet, text: str) -> None:
    page = register_page()
    page.drop_document("register-drop", text)
    assert "not a valid certificate" in page.text


def test_a_draft_of_another_chain_is_refused(chain: Devnet) -> None:
    draft = as_demo(work()).kept()
    page = register_page()
    page.drop_document("register-drop", draft.to_json().replace('"chainId": 31337', '"chainId": 1'))
    assert "for chain 1" in page.text


def test_bytes_claimed_by_somebody_are_warned_of(chain: Devnet) -> None:
    content = work()
    page = sealed(chain, content, as_demo)
    page.press("Claim it now")
    late = register_page()
    late.drop("register-drop", content)
    assert "claims these very bytes already" in late.text


def test_a_bad_model_id_is_refused(chain: Devnet) -> None:
    page = register_page()
    page.drop("register-drop", work())
    page.press("Continue as demo account 0")
    page.app.text_input(key="model").set_value("gpt-17")
    page.run()
    assert "is not 32 bytes of hex" in page.text


def test_disclosure_goes_into_the_work(chain: Devnet) -> None:
    page = register_page()
    page.drop("register-drop", work())
    page.press("Continue as demo account 0")
    page.app.selectbox(key="origin").set_value("trainedAlgorithmicMedia")
    page.app.text_input(key="model").set_value("0x" + "ab" * 32)
    page.drop("metadata-drop", b"who, what, where")
    page.press("Save the draft and continue")
    made = page.store_draft().work
    assert made.origin == "trainedAlgorithmicMedia" and made.model == b"\xab" * 32 and any(made.metadata)


def test_another_chain_has_no_demo_accounts(chain: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st

    monkeypatch.setenv("COUNTERSIGN_CHAIN", "1")
    st.cache_resource.clear()
    page = register_page()
    page.drop("register-drop", work())
    data = page.component("wallet")
    assert data and "Demo account" not in page.text
    assert "rpcUrls" not in data["chain"]


def test_the_node_serves_another_chain(chain: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st

    monkeypatch.setenv("COUNTERSIGN_CHAIN", "11155111")
    st.cache_resource.clear()
    page = register_page()
    page.drop("register-drop", work())
    page.connect(WALLET, 11155111)
    page.press("Continue with this account")
    page.press("Save the draft and continue")
    page.store_draft()
    assert "serves chain 31337, not 11155111" in page.text


def test_start_over_and_change(chain: Devnet) -> None:
    page = register_page()
    page.drop("register-drop", work())
    page.press("Continue as demo account 0")
    page.press("Change")
    assert "Continue as demo account 0" in page.buttons
    page.press("Start over")
    assert "Start over" not in page.buttons


def test_the_claim_call_is_the_packages(chain: Devnet) -> None:
    page = sealed(chain, work(), as_wallet)
    assert page.intent()["call"]["data"] == to_hex(claim_call(page.kept()).data)
