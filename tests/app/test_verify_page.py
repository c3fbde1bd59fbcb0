"""The Verify page, on a real chain; its answers one by one: test_states.py."""

from __future__ import annotations

from hashlib import sha256

import pytest
import streamlit as st
from pages import DEMO, as_demo, claimed, dropped, sealed, verify_page, work

from tools.devnet import Devnet


def test_opens_with_an_explanation(chain: Devnet) -> None:
    assert "What you learn" in [header.value for header in verify_page().app.subheader]


def test_verified(chain: Devnet) -> None:
    content = work()
    page = dropped(content, claimed(chain, content).kept().to_json())
    assert "Verified" in page.text and "cs-banner cs-good" in page.text
    assert any(
        code.value.startswith("countersign verify photo.jpg --offline --block-hash 0x") for code in page.app.code
    )


def test_one_changed_byte(chain: Devnet) -> None:
    content = work()
    page = dropped(content + b"!", claimed(chain, content).kept().to_json())
    assert "Not verified" in page.text and "cs-banner cs-bad" in page.text and "Step 1, content" in page.text


def test_sealed_but_secret_is_verified(chain: Devnet) -> None:
    content = work()
    page = dropped(content, sealed(chain, content, as_demo).kept().to_json())
    assert "Verified" in page.text and "not claimed by anybody" in page.text


def test_record_without_certificate(chain: Devnet) -> None:
    content = work()
    claimed(chain, content)
    page = dropped(content, None)
    assert "On record" in page.text and DEMO in page.text


def test_deep_link(chain: Devnet) -> None:
    content = work()
    claimed(chain, content)
    assert "On record" in verify_page("0x" + sha256(content).hexdigest()).text


def test_pasted_hash(chain: Devnet) -> None:
    page = verify_page()
    page.app.text_input(key="verify-pasted").set_value("AB" * 32)
    page.run()
    assert "No record" in page.text
    assert page.app.query_params["content"] == "ab" * 32


@pytest.mark.parametrize("content", ["0x12", "hello", "0x" + "zz" * 32, "0x" + "ab" * 33])
def test_bad_hash(chain: Devnet, content: str) -> None:
    assert "is not 32 bytes of hex" in verify_page(content).text


def test_bad_certificate(chain: Devnet) -> None:
    assert "not a valid certificate" in dropped(None, "{}").text


def test_markup_in_names_is_only_text(chain: Devnet) -> None:
    content = work()
    text = claimed(chain, content).kept().to_json().replace("photo.jpg", "<img src=x onerror=alert(1)>.jpg")
    assert "<img" not in dropped(content, text).text


def test_cannot_check_now(chain: Devnet, monkeypatch: pytest.MonkeyPatch) -> None:
    content = work()
    certificate = claimed(chain, content).kept().to_json()
    monkeypatch.setenv("COUNTERSIGN_RPC", "http://127.0.0.1:1")
    st.cache_resource.clear()
    assert "Cannot check now" in dropped(content, None).text
    with_certificate = dropped(content, certificate).text
    assert "Cannot check now" in with_certificate and "Not verified" not in with_certificate
