"""Every state of every page, as tables: what the code knows is compared with what stands here, so none is forgotten.

| Page | States | Table |
|---|---|---|
| Register | six steps and the end; how far a transaction is | STEPS, PROGRESS |
| Deals | states and statuses of a deal, for payer, payee, strangers and nobody | deals_in.CASES |
| Oracle desk | a challenge's stages, a verdict's outcomes | STAGES |
| Verify | the answers | ANSWERS |
| all | no node, another chain, no contracts, no index, a broken index | TROUBLES |
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import get_args

import pytest
import streamlit as st
from deals_in import ANNUL, CASES, OVERTURN, UPHOLD, Case, challenge, court_on, rule
from pages import (
    WALLET,
    Page,
    as_demo,
    as_wallet,
    claimed,
    deals_page,
    desk_page,
    dropped,
    mine,
    register_page,
    retract,
    sealed,
    send,
    verify_page,
    wait,
    work,
)

from app import progress
from app.dealing import VERBS
from app.views import register
from countersign.canonical import to_hex
from countersign.deal.timeline import STATUS
from countersign.records import Outcome, Stage, State
from countersign.seal import object_call
from countersign.settings import Settings
from tools.create2 import ROOT
from tools.devnet import Devnet
from tools.market import BUYER, SELLER, Market


@pytest.fixture
def court(chain: Devnet) -> Market:
    return court_on(chain)


# Register


def _with_file(_: Devnet) -> Page:
    page = register_page()
    page.drop("register-drop", work())
    return page


def _with_creator(chain: Devnet) -> Page:
    page = _with_file(chain)
    page.press("Continue as demo account 0")
    return page


def _with_seal(chain: Devnet) -> Page:
    page = as_demo(work())
    page.press("Seal this work")
    mine(chain)
    page.run()
    return page


def _secret(chain: Devnet) -> Page:
    page = sealed(chain, work(), as_demo)
    page.press("Keep it secret for now")
    return page


STEPS: tuple[tuple[Callable[[Devnet], Page], str], ...] = (
    (lambda _: register_page(), "Sealed first is not the same as created"),
    (_with_file, "The account that seals is the creator."),
    (_with_creator, "This becomes part of the sealed work"),
    (lambda _: as_demo(work()), "Expected cost"),
    (_with_seal, "Sign the certificate: whoever you give it to"),
    (lambda chain: sealed(chain, work(), as_demo), "**Claiming** puts the work's hash under your name"),
    (_secret, "Sealed and secret"),
)
"""How to get to each step, the end after the last one, and what is said there."""


def test_every_step_is_in_the_table() -> None:
    assert len(STEPS) == len(register._STEPS) + 1


@pytest.mark.parametrize("number", range(1, len(STEPS) + 1))
def test_steps(chain: Devnet, number: int) -> None:
    make, words = STEPS[number - 1]
    page = make(chain)
    assert words in page.text
    assert page.text.count("cs-step cs-done") == number - 1
    assert page.text.count("cs-step cs-now") == (number <= len(register._STEPS))


def _sent(chain: Devnet) -> Page:
    page = as_wallet(work())
    chain.rpc("evm_setAutomine", False)
    intent = page.intent()
    page.reply(chain.rpc("eth_sendTransaction", {"from": intent["from"], **intent["call"]}))
    chain.rpc("evm_setAutomine", True)
    return page


def _mined(chain: Devnet) -> Page:
    page = as_wallet(work())
    page.reply(send(chain, page))
    return page


def _reverted(chain: Devnet) -> Page:
    """A rival claims first."""
    content = work()
    rival, page = sealed(chain, content, as_demo), sealed(chain, content, as_wallet)
    call = page.intent()["call"]
    rival.press("Claim it now")
    page.reply(chain.send({"from": WALLET, "gas": hex(400_000), **call}))
    return page


def _dropped(_: Devnet) -> Page:
    page = as_wallet(work())
    page.reply("0x" + "42" * 32)
    return page


PROGRESS: dict[str, tuple[Callable[[Devnet], Page], str]] = {
    "ready": (lambda _: as_wallet(work()), "Expected cost"),
    "sent": (_sent, "Waiting for a block."),
    "mined": (_mined, "more blocks until nothing can undo it."),
    "final": (_with_seal, "Sealed for ever in block"),
    "reverted": (_reverted, "The contract refused"),
    "dropped": (_dropped, "The network forgot this transaction"),
}


def test_every_progress_is_in_the_table() -> None:
    assert set(PROGRESS) == set(get_args(progress.State))


@pytest.mark.parametrize("state", PROGRESS)
def test_progress(chain: Devnet, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    monkeypatch.setattr(progress, "GRACE", 0.0)
    make, words = PROGRESS[state]
    assert words in make(chain).text


# Deals


def test_every_state_and_status_of_a_deal_is_in_the_table() -> None:
    assert {case.state for case in CASES} == set(State)
    assert {case.status for case in CASES} == set(STATUS)


def _look(case: Case, file: object, who: str) -> Page:
    if case.state != State.NONE:
        return deals_page(deal=to_hex(file.deal_id), **({"as_": who} if who else {}))  # type: ignore[attr-defined]
    page = deals_page(**({"as_": who} if who else {}))
    page.drop_document("terms-drop", file.to_text(), "mill.terms.json")  # type: ignore[attr-defined]
    return page


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_deal_in_every_state_for_everybody(court: Market, case: Case) -> None:
    file = case.make(court)
    alive = case.state not in (State.NONE, State.ENDED)
    offers = {
        f"demo-{BUYER}": {*case.anyone, *case.payer, *(["release"] if alive else [])},
        f"demo-{SELLER}": {*case.anyone, *case.payee, *(["refund"] if alive else [])},
        "demo-4": set(case.anyone),
        "": set(),
    }
    if case.state != State.NONE:
        assert court.client.deal_of(file.deal_id).state == case.state
    for who, verbs in offers.items():
        page = _look(case, file, who)
        assert STATUS[case.status] in page.text and case.status.capitalize() in page.text
        assert {verb for verb, label in VERBS.items() if label in page.buttons} == verbs, who


# Oracle desk


def _challenged(court: Market, ruling: int | None = None) -> None:
    _, subject = court.judged(title="Harbour")
    challenge(court, subject)
    if ruling is not None:
        rule(court, ruling)


STAGES: dict[Stage, tuple[Callable[[Market], object], str, Outcome]] = {
    Stage.UNCHALLENGED: (lambda court: court.judged(10, title="Harbour"), "It can be challenged:", Outcome.FAIL),
    Stage.CHALLENGED: (_challenged, "Challenged: the arbiter may rule.", Outcome.PASS),
    Stage.UPHELD: (lambda court: _challenged(court, UPHOLD), "Challenged and upheld.", Outcome.PASS),
    Stage.ANNULLED: (lambda court: _challenged(court, ANNUL), "Annulled by the arbiter.", Outcome.VOID),
    Stage.OVERTURNED: (lambda court: _challenged(court, OVERTURN), "Overturned by the arbiter.", Outcome.FAIL),
    Stage.DECLINED: (lambda court: _challenged(court, 0), "Challenged; the arbiter gave no ruling.", Outcome.PASS),
}


def test_every_stage_and_outcome_is_in_the_table() -> None:
    """A request without an outcome is among the requests."""
    assert set(STAGES) == set(Stage)
    assert {outcome for _, _, outcome in STAGES.values()} == set(Outcome) - {Outcome.NONE}


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_verdicts_in_every_stage(court: Market, stage: Stage) -> None:
    make, words, outcome = STAGES[stage]
    make(court)
    page = desk_page()
    assert words in page.text and f"Harbour: {outcome.name.capitalize()}" in page.text


def test_an_arbiter_that_stays_silent(court: Market) -> None:
    _challenged(court)
    wait(court.chain, court.policy.ruling_time + 2)
    assert "Challenged; the arbiter gave no ruling." in desk_page().text


def test_requests_with_and_without_an_answer_in_time(court: Market) -> None:
    assert "No request waits" in desk_page().text
    court.requested(title="Harbour")
    assert "Harbour" in desk_page().text and "left" in desk_page().text
    wait(court.chain, 602)
    assert "lapsed: anyone may ask again" in desk_page().text


# Verify


def _superseded(chain: Devnet) -> Page:
    content = work()
    first, second = sealed(chain, content, as_demo), sealed(chain, content, as_wallet)
    first.press("Claim it now")
    mine(chain)
    return dropped(content, second.kept().to_json())


def _rivalled(chain: Devnet) -> Page:
    content = work()
    first, second = sealed(chain, content, as_demo), sealed(chain, content, as_wallet)
    chain.send({"from": WALLET, **second.intent()["call"]})
    mine(chain)
    return dropped(content, first.kept().to_json())


def _retracted(chain: Devnet) -> Page:
    content = work()
    certificate = claimed(chain, content).kept()
    retract(chain, certificate)
    mine(chain)
    assert "Retracted" in dropped(content, None).text
    return dropped(content, certificate.to_json())


def _objected(chain: Devnet, with_certificate: bool = True) -> Page:
    content = work()
    certificate = claimed(chain, content).kept()
    call = object_call(certificate.contracts, certificate.work.content, bytes(32), "")
    chain.send({"from": WALLET, "to": to_hex(call.to), "data": to_hex(call.data)})
    return dropped(content, certificate.to_json() if with_certificate else None)


def _draft(_: Devnet) -> Page:
    content = work()
    return dropped(content, as_demo(content).kept().to_json())


def _on_record(chain: Devnet) -> Page:
    content = work()
    claimed(chain, content)
    return dropped(content, None)


def _verified(chain: Devnet, change: bytes = b"") -> Page:
    content = work()
    return dropped(content + change, claimed(chain, content).kept().to_json())


def _away(chain: Devnet) -> Page:
    """Certificate and record were there before the node went."""
    content = work()
    certificate = claimed(chain, content).kept().to_json()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNTERSIGN_RPC", "http://127.0.0.1:9")
        st.cache_resource.clear()
        return dropped(content, certificate)


ANSWERS: dict[str, tuple[str, Callable[[Devnet], Page]]] = {
    "Verified": ("good", _verified),
    "The certificate is genuine": ("good", lambda chain: dropped(None, claimed(chain, work()).kept().to_json())),
    "On record": ("good", _on_record),
    "Verified, with a warning": ("warn", _rivalled),
    "Verified, but objected to": ("warn", _objected),
    "On record, but objected to": ("warn", lambda chain: _objected(chain, with_certificate=False)),
    "Retracted": ("warn", _retracted),
    "Superseded": ("warn", _superseded),
    "Not verified": ("bad", lambda chain: _verified(chain, b"!")),
    "A draft, no proof yet": ("neutral", _draft),
    "No record": ("neutral", lambda _: dropped(work(), None)),
    "Cannot check now": ("neutral", _away),
}


def _titles() -> set[str]:
    """Every text in app/outcome.py that can be an answer's title."""
    calls = (node for node in ast.walk(ast.parse((ROOT / "app" / "outcome.py").read_text())))
    titles = (node.args[1] for node in calls if isinstance(node, ast.Call) and ast.unparse(node.func) == "Outcome")
    return {str(text.value) for title in titles for text in ast.walk(title) if isinstance(text, ast.Constant)}


def test_every_answer_is_in_the_table() -> None:
    assert set(ANSWERS) == _titles()


@pytest.mark.parametrize("title", ANSWERS)
def test_answers(chain: Devnet, title: str) -> None:
    kind, make = ANSWERS[title]
    assert f'cs-banner cs-{kind}" role="status"' in (page := make(chain)).text
    assert f"<h2>{title}</h2>" in page.text


# Trouble, on every page

PAGES: dict[str, Callable[[], Page]] = {
    "register": lambda: as_demo(work()),
    "verify": lambda: verify_page("0x" + "ab" * 32),
    "deals": lambda: deals_page(as_="demo-0"),
    "desk": desk_page,
}
_INDEXED = ("deals", "desk")


def _no_node(_: Devnet, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("COUNTERSIGN_RPC", "http://127.0.0.1:9")


def _no_contracts(chain: Devnet, _: pytest.MonkeyPatch) -> None:
    registry = as_demo(work()).kept().contracts.registry
    chain.rpc("anvil_setCode", to_hex(registry), "0x")


def _broken_index(_: Devnet, __: pytest.MonkeyPatch) -> None:
    path = Settings.from_env().index_path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"this is no database, whatever its name says" * 100)


def _no_index(_: Devnet, patch: pytest.MonkeyPatch) -> None:
    """As on a public chain, whose index is another process's work."""
    patch.setattr("app.finding.is_local", lambda: False)


Trouble = Callable[[Devnet, pytest.MonkeyPatch], None]
TROUBLES: tuple[tuple[Trouble, str, tuple[str, ...]], ...] = (
    (_no_node, "does not answer", tuple(PAGES)),
    (_no_contracts, "There is no Countersign registry", tuple(PAGES)),
    (_broken_index, "countersign index rebuild", _INDEXED),
    (_no_index, "There is no index", _INDEXED),
)


@pytest.mark.parametrize(
    ("cause", "words", "name"),
    [(cause, words, name) for cause, words, names in TROUBLES for name in names],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:20],
)
def test_trouble_is_said_in_words(
    chain: Devnet, monkeypatch: pytest.MonkeyPatch, cause: Trouble, words: str, name: str
) -> None:
    cause(chain, monkeypatch)
    st.cache_resource.clear()
    page = PAGES[name]()
    assert words in page.text and "Next:" in page.text
    assert str(Settings.from_env().index_path) not in page.text


@pytest.mark.parametrize("name", ["verify", "deals", "desk"])
def test_a_node_of_another_chain(chain: Devnet, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("COUNTERSIGN_CHAIN", "11155111")
    st.cache_resource.clear()
    assert "serves chain 31337, not 11155111" in PAGES[name]().text


@pytest.mark.parametrize(
    ("open_page", "words"),
    [
        (lambda: verify_page("0x12"), "is not 32 bytes of hex"),
        (lambda: deals_page(deal="0x12"), "is not 32 bytes of hex"),
        (lambda: deals_page(deal="0x" + "11" * 32), "There is no open deal"),
        (lambda: deals_page(as_="demo-99"), "Who are you?"),
        (lambda: deals_page(as_="javascript:"), "Who are you?"),
        (lambda: deals_page(new="yes"), "Who are you?"),
        (lambda: desk_page(as_="0x12"), "Who are you?"),
    ],
)
def test_a_link_that_leads_nowhere(chain: Devnet, open_page: Callable[[], Page], words: str) -> None:
    assert words in open_page().text
