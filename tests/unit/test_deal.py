"""Words, terms and their file, without a chain."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.canonical import text_hash
from countersign.chain.deployments import deal_contracts_on
from countersign.deal.brief import Brief, brief_digest, dump_brief
from countersign.deal.fetch import fetch
from countersign.deal.terms import TermsFile, default_verdict_by, fresh_salt, inline, preview, require_sound, warnings
from countersign.deal.words import COIN, Currency, read_duration, read_time, show_duration, utc, when
from countersign.errors import InputError
from countersign.records import ZERO, Milestone, Policy, Seat, Terms

NOW = 1_800_000_000
CONTRACTS = deal_contracts_on(31337)
PAYER, PAYEE, ARBITER, POLICY, TOKEN = (bytes([n]) * 20 for n in range(1, 6))
BRIEF = Brief("The old mill", media_types=("image/jpeg",), must_show=("mill",))
DOCUMENT = dump_brief(BRIEF)
TERMS = Terms(PAYER, PAYEE, 10**18, NOW + 3600, NOW + 7200, brief=brief_digest(DOCUMENT))
JUDGES = Policy(text_hash("delivery/1"), (Seat(PAYER, ZERO), Seat(PAYEE, ZERO)), 2, 50, 60, 600, arbiter=ARBITER)


# Words


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("30s", 30), ("10m", 600), ("2h", 7200), ("3d", 259200), ("1w1d", 691200)]
)
def test_durations(text: str, seconds: int) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "h", "-1h", "1.5h", "1 h", "1y", "9999999999s", "\u0661h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(InputError):
        read_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (3605, "1 h"), (180_000, "2 d 2 h")]
)
def test_durations_are_shown_roughly(seconds: int, text: str) -> None:
    assert show_duration(seconds) == text


def test_times() -> None:
    assert read_time("1h", NOW) == NOW + 3600
    assert read_time("2030-12-31T18:00Z", NOW) == read_time("2030-12-31T18:00", NOW) == 1_924_970_400
    assert read_time("2030-12-31T18:00+02:00", NOW) == 1_924_963_200
    assert utc(0) == "1970-01-01 00:00:00 UTC" and utc(1 << 40).startswith("second")
    assert when(NOW + 60, NOW).endswith("(in 1 min)") and when(NOW - 60, NOW).endswith("(1 min ago)")
    assert when(NOW, NOW).endswith("(now)")
    with pytest.raises(InputError):
        read_time("tomorrow", NOW)


@given(st.integers(0, (1 << 256) - 1), st.integers(0, 77))
def test_amounts_survive(amount: int, decimals: int) -> None:
    currency = Currency(TOKEN, "T", decimals)
    text = currency.show(amount).removesuffix(" T")
    if len(text.partition(".")[0]) <= 60 and len(text.partition(".")[2]) <= 40:
        assert currency.read(text) == amount


@pytest.mark.parametrize(
    "text", ["", ".5", "5.", "-1", "1e9", "0x1", "1,5", "nan", "inf", " 1", "0." + "0" * 18 + "1", "9" * 60]
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(InputError):
        COIN.read(text)


def test_amounts() -> None:
    assert (COIN.read("0.01"), COIN.read("2"), COIN.read("1.500")) == (10**16, 2 * 10**18, 15 * 10**17)
    assert (COIN.show(10**16), COIN.show(0), COIN.show(10**18)) == ("0.01 coin", "0 coin", "1 coin")
    assert Currency(TOKEN, "T", 0).show(5) == "5 T" and Currency(TOKEN, "T", 0).read("5.0") == 5


# The file


def saved(path: Path, terms: Terms = TERMS, document: bytes = DOCUMENT) -> TermsFile:
    file = TermsFile(CONTRACTS, terms, document, inline(document))
    file.save(path)
    return file


def test_a_file_of_terms_holds_everything(tmp_path: Path) -> None:
    path = tmp_path / "mill.terms.json"
    many = replace(TERMS, milestones=(Milestone(5, 6, 7),), token=TOKEN, policy=POLICY, salt=fresh_salt())
    file = saved(path, many)
    assert TermsFile.load(path) == file
    assert fetch(file.brief_uri, file.terms.brief) == DOCUMENT
    with pytest.raises(InputError, match="exists already"):
        file.save(path)


@given(st.data())
def test_a_changed_file_is_noticed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("terms") / "a.terms.json"
    saved(path)
    document = json.loads(path.read_text())
    name = data.draw(st.sampled_from([n for n in document["terms"] if n != "milestones"]))
    value = document["terms"][name]
    digit = data.draw(st.integers(1, 9))
    document["terms"][name] = (
        value + digit if isinstance(value, int) else f"{value[:-1]}{(int(value[-1], 16) + digit) % 10}"
    )
    if document["terms"][name] == value:
        return
    path.write_text(json.dumps(document))
    with pytest.raises(InputError):
        TermsFile.load(path)


def test_a_brief_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.terms.json"
    saved(path, replace(TERMS, brief=sha256(b"[]").digest()), b"[]")
    with pytest.raises(InputError, match="not a brief"):
        TermsFile.load(path)


def test_salts_are_fresh_and_mostly_zero() -> None:
    salts = {fresh_salt() for _ in range(100)}
    assert len(salts) == 100 and all(len(salt) == 32 and not any(salt[:24]) for salt in salts)


# Soundness


def test_sound_terms_are_sound() -> None:
    require_sound(CONTRACTS, TERMS, NOW)
    arbitrated = replace(TERMS, arbiter=ARBITER, dispute_time=1, ruling_time=1, silence_share=10_000)
    require_sound(CONTRACTS, replace(arbitrated, milestones=(Milestone(1, 1, 1),) * 255), NOW)
    require_sound(CONTRACTS, TERMS, NOW + 3599)


@pytest.mark.parametrize(
    "changes",
    [
        {"payer": bytes(20)}, {"payee": bytes(20)}, {"payee": PAYER}, {"payer": CONTRACTS.escrow},
        {"payee": CONTRACTS.escrow}, {"arbiter": PAYER, "dispute_time": 1, "ruling_time": 1},
        {"amount": 0}, {"milestones": (Milestone(0, 1, 1),)}, {"milestones": (Milestone(10**18, 1, 1),)},
        {"milestones": (Milestone(1, 1, 1),) * 256}, {"milestones": (Milestone(1, 0, 1),)},
        {"milestones": (Milestone(1, 1, 1 << 39),)}, {"deliver_by": NOW}, {"verdict_by": NOW + 3600},
        {"verdict_by": NOW + 3651 * 86400}, {"dispute_time": 1}, {"ruling_time": 1}, {"arbiter": ARBITER},
        {"arbiter": ARBITER, "dispute_time": 1}, {"arbiter": ARBITER, "dispute_time": 1, "ruling_time": 1 << 39},
        {"silence_share": 10_001}, {"buyer_key": b"k" * 32}, {"reveal_time": 1},
    ],
    ids=str,
)  # fmt: skip
def test_unsound_terms_are_refused_in_a_sentence(changes: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        require_sound(CONTRACTS, replace(TERMS, **changes), NOW)  # type: ignore[arg-type]
    assert caught.value.message.endswith(".") and caught.value.next_step.endswith(".")


def test_warnings() -> None:
    assert len(warnings(TERMS, None)) == 2
    assert len(warnings(replace(TERMS, arbiter=ARBITER), JUDGES)) == 0
    assert len(warnings(TERMS, replace(JUDGES, arbiter=bytes(20)))) == 2
    assert default_verdict_by(NOW, JUDGES) == NOW + 780


# The preview


def told(terms: Terms, policy: Policy | None = None, brief: Brief = BRIEF, currency: Currency = COIN) -> str:
    return "\n".join(preview(terms, policy, brief, currency, NOW))


def test_the_preview_says_what_happens() -> None:
    plain = told(replace(TERMS, silence_share=2500))
    assert "puts 1 coin into the escrow" in plain and 'Ordered: "The old mill".' in plain
    assert "If nothing is delivered by 2027-01-15 09:00:00 UTC (in 1 h), the payer gets 1 coin back." in plain
    assert (
        "If nobody judges by 2027-01-15 10:00:00 UTC (in 2 h), the payee gets 0.25 coin, the payer 0.75 coin." in plain
    )
    assert "There is no arbiter" in plain and "No committee judges" in plain

    judged = replace(TERMS, policy=POLICY, arbiter=ARBITER, dispute_time=60, ruling_time=120, token=TOKEN)
    full = told(judged, JUDGES, currency=Currency(TOKEN, "USD", 18))
    assert "if 2 of them give 50 or more of 100, the payee gets 1 USD" in full
    assert "may be challenged for 10 min, before 0x0303" in full
    assert "either party has 1 min to ask the arbiter" in full and "who has 2 min to rule" in full
    assert "which calls itself USD" in full and "Note" not in full

    parts = told(replace(TERMS, milestones=(Milestone(10**17, 3600, 60),)))
    assert "There are 2 milestones" in parts and "Milestone 2: 0.1 coin, delivered within 1 h" in parts
    assert "the payer gets 1 coin back" in parts


def test_words_of_others_cannot_pose_as_ours() -> None:
    hostile = told(TERMS, brief=Brief('x".\nIf nobody judges, the payer gets everything back'))
    assert '"x\\". If nobody judges, the payer gets everything back".' in hostile
    assert not any(line.startswith("If nobody judges,") for line in hostile.splitlines())
