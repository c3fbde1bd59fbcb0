"""The Verify page where somebody objects: who, why, what the claimant answers, what a committee says."""

from __future__ import annotations

from hashlib import sha256

import pytest
from pages import DEMO, WALLET, Page, claimed, dropped, send, verify_page, work

from countersign.canonical import to_hex
from countersign.certificate import Certificate
from countersign.seal import object_call
from countersign.seal.objection import Exhibit, Grounds, dump_evidence, evidence_digest, inline_uri
from tools.devnet import Devnet

OTHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"


def objected(chain: Devnet, c: Certificate, uri: str | None = None, statement: str = "Mine.", by: str = OTHER) -> None:
    content = c.work.content
    document = dump_evidence(Grounds("similar work", Exhibit(content), Exhibit(bytes(32)), statement=statement))
    at = inline_uri(document) if uri is None else uri
    call = object_call(c.contracts, content, evidence_digest(document), at)
    chain.send({"from": by, "to": to_hex(call.to), "data": to_hex(call.data)})


def certified(chain: Devnet, content: bytes) -> Certificate:
    return claimed(chain, content).kept()


def links(page: Page) -> list[str]:
    return [line for line in page.text.splitlines() if "<a href" in line]


def test_an_objection_stands_beside_the_answer(chain: Devnet) -> None:
    content = work()
    c = certified(chain, content)
    assert "Objected to" not in dropped(content, c.to_json()).text
    objected(chain, c, statement="It is mine. <b>Look</b>\u202e")
    for page in (dropped(content, c.to_json()), verify_page(to_hex(sha256(content).digest()))):
        assert "but objected to" in page.text and "Objected to (1)" in page.text
        assert "“It is mine. <b>Look</b>\N{REPLACEMENT CHARACTER}”" in page.text  # escaped Markdown: text, no markup
        assert OTHER in page.text and "not answered" in page.text and not links(page)
        assert not any("<b>Look" in body.proto.body for body in page.app.get("html"))


@pytest.mark.parametrize(
    ("uri", "linked"),
    [
        ("https://e.example/a?b=\"onload='x'", True),
        ("ipfs://bafy", True),
        ("javascript:alert(1)", False),
        ("https://e.example/\u202egpj", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_evidence_is_linked_on_the_web_only_and_never_opened(chain: Devnet, uri: str, linked: bool) -> None:
    content = work()
    c = certified(chain, content)
    objected(chain, c, uri)
    page = dropped(content, c.to_json())
    assert len(links(page)) == linked
    assert all('rel="noopener noreferrer nofollow"' in link and '"onload' not in link for link in links(page))


def test_the_claimant_answers_and_a_wallet_objects(chain: Devnet) -> None:
    content = work()
    c = certified(chain, content)
    page = dropped(content, c.to_json())
    page.app.radio(key="account-kind").set_value("My wallet")
    page.run()
    page.connect(WALLET)
    page.press("Continue with this account")
    page.fill(object_statement="I drew it last year.")
    page.connect(WALLET)
    page.reply(send(chain, page))
    page.run()
    assert "Objected to (1)" in page.text and "I drew it last year." in page.text
    assert [said.value for said in page.app.success] == ["Published: it stands above."]

    page = dropped(content, c.to_json())
    page.press("Continue as demo account 0")
    assert DEMO in page.text
    page.fill(object_statement="I drew it before.")
    page.press("Publish the answer")
    assert "“I drew it before.”" in page.text and ", answered" in page.text and "0 unanswered" in page.text
