"""The buyer's and the seller's day on the command line, on a real chain, by careful and by clumsy hands."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from commandline import Cli, Outcome
from dealing import Place, Watched, address
from test_cli import done, refused

from countersign.canonical import checksum, deal_id, from_address, from_hex, keccak, policy_address, subject_of, to_hex
from countersign.chain.codec import encode_call
from countersign.chain.deployments import deal_contracts_on
from countersign.deal import flow
from countersign.deal.terms import TermsFile
from countersign.deal.words import COIN
from countersign.records import Call, Milestone, Policy, Terms
from tools.deployment import deploy_local
from tools.devnet import Devnet

BUYER, SELLER, OTHER = "test:1", "test:2", "test:3"
PAYER, PAYEE = (checksum(address(account)) for account in (1, 2))
COMMANDS = [
    ["policy", "create"], ["policy", "show"], ["policy", "list"], ["request"], ["deal", "propose"], ["deal", "open"],
    ["deal", "deliver"], ["deal", "release"], ["deal", "refund"], ["deal", "settle"], ["deal", "dispute"],
    ["deal", "expire"], ["deal", "withdraw"], ["deal", "show"], ["deal", "list"],
]  # fmt: skip


@pytest.fixture
def place(chain: Devnet) -> Place:
    """The mining chain."""
    return Place(chain)


@pytest.fixture
def policy(place: Place) -> str:
    """A policy whose nodes serve."""
    place.create(place.policy())
    return checksum(policy_address(place.client.deals, place.policy()))


@pytest.fixture
def propose(cli: Cli, tmp_path: Path) -> Callable[..., Outcome]:
    """Proposes a deal in tmp_path, by the buyer, with these options changed; None leaves one out."""

    def run(name: str = "mill", **changes: object) -> Outcome:
        said = {"payee": PAYEE, "amount": "0.5", "deliver_by": "1h", "verdict_by": "3h", "title": "Mill"} | changes
        options = [
            part
            for option, value in said.items()
            if value is not None
            for each in (value if isinstance(value, list) else [value])
            for part in (f"--{option.replace('_', '-')}", each)
        ]
        return cli("deal", "propose", tmp_path / name, *options, "--json", key=BUYER)

    return run


def terms_of(outcome: Outcome) -> Path:
    return Path(done(outcome).json["file"])


def balance(place: Place, account: str) -> int:
    return place.client.balance(from_address(account))


def sent_by(place: Place, account: str) -> int:
    return int(place.chain.rpc("eth_getTransactionCount", account, "latest"), 16)


def status(cli: Cli, terms: Path) -> str:
    return str(done(cli("deal", "show", terms, "--json")).json["status"])


def subject_on(place: Place, terms: Path) -> bytes:
    identifier = TermsFile.load(terms).deal_id
    deal = place.client.deal_of(identifier)
    return subject_of(identifier, deal.milestone, deal.delivery)


# The main job


def test_a_deal_from_proposal_to_payment(
    cli: Cli, place: Place, policy: str, propose: Callable[..., Outcome], work: Path
) -> None:
    terms = terms_of(propose(policy=policy, verdict_by=None, type=["image/jpeg"], show=["mill"]))
    assert done(cli("deal", "show", terms, "--json"), 1).json["status"] == "not open"
    refused(cli("deal", "open", terms, key=SELLER), "not the payer", PAYER)
    opened = done(cli("deal", "open", terms, key=BUYER))
    assert "if 2 of them give 50 or more of 100, the payee gets 0.5 coin" in opened.out
    before = sent_by(place, PAYER)
    assert done(cli("deal", "open", terms, "--json", key=BUYER)).json["transaction"] is None
    assert (sent_by(place, PAYER), status(cli, terms)) == (before, "awaiting delivery")

    refused(cli("request", terms, key=SELLER), "Nothing is delivered")
    refused(cli("deal", "deliver", terms, work, key=BUYER), "not the payee")
    delivered = done(cli("deal", "deliver", terms, work, "--json", key=SELLER)).json
    assert delivered["uri"].startswith("file://") and delivered["request"] == "requested, round 1"
    before = sent_by(place, PAYEE)
    again = done(cli("deal", "deliver", terms, work, "--json", key=SELLER)).json
    assert (again["request"], sent_by(place, PAYEE)) == ("requested already", before)
    assert done(cli("request", terms, "--json", key=SELLER)).json["request"] == "requested already"
    assert status(cli, terms) == "judging"

    place.submit(subject_on(place, terms), from_address(policy), 90)
    shown = done(cli("deal", "show", terms)).out
    assert "passing" in shown and "anyone    may settle    from" in shown
    refused(cli("deal", "settle", terms, key=OTHER), "possible after", code=1)
    assert done(cli("request", terms, "--json", key=SELLER)).json["request"] == "decided: Pass"
    place.chain.rpc("evm_increaseTime", 30)
    place.chain.rpc("anvil_mine", "0x1")
    had = balance(place, PAYEE)
    assert done(cli("deal", "settle", terms, key=OTHER)).out.endswith("settle: the payee gets 0.5 coin\n")
    assert balance(place, PAYEE) == had + 5 * 10**17
    before = sent_by(place, checksum(address(3)))
    done(cli("deal", "settle", terms, key=OTHER))
    assert (sent_by(place, checksum(address(3))), status(cli, terms)) == (before, "ended")

    done(cli("index", "sync"))
    history = done(cli("deal", "show", to_hex(TermsFile.load(terms).deal_id))).out
    for event in ("opened with 0.5 coin", "milestone 1 delivered", "verdict requested, round 1",
                  "verdict Pass, bound 90", "verdict: 0.5 coin to the payee, 0 coin to the payer"):  # fmt: skip
        assert event in history
    place.chain.rpc("anvil_mine", "0x3")  # what is not final yet would be printed once more when it is
    assert done(cli("deal", "show", terms, "--watch")).out.count("ended") == 1
    mine = done(cli("deal", "list", "--json", key=SELLER)).json
    assert (mine[0]["role"], mine[0]["status"], mine[0]["amount"]) == ("payee", "ended", "0.5 coin")
    refused(cli("deal", "release", terms, key=BUYER), "The deal is ended", code=1)


def test_a_token_is_approved_for_exactly_the_amount(
    cli: Cli, place: Place, propose: Callable[..., Outcome], tmp_path: Path
) -> None:
    token = place.deploy("Dollar")
    outcome = propose("usd", token=checksum(token), amount="12.5")
    assert any("12.5 USD2Jandmore" in line for line in outcome.json["preview"])
    terms = terms_of(outcome)
    refused(cli("deal", "open", terms, key=BUYER), "has 0 USD2Jandmore")
    place.mint(token, address(1), 20_000_000)
    place.send(1, flow.approve_call(place.client.deals, token, 5))  # not enough, and cannot be raised
    before = sent_by(place, PAYER)
    done(cli("deal", "open", terms, key=BUYER))
    assert sent_by(place, PAYER) == before + 3
    assert flow.allowance_of(place.client, token, address(1)) == 0
    assert flow.balance_of(place.client, token, place.client.deals.escrow) == 12_500_000
    done(cli("deal", "release", terms, key=BUYER))
    done(cli("deal", "release", terms, key=BUYER))
    assert flow.balance_of(place.client, token, address(2)) == 12_500_000

    second = terms_of(propose("again", token=checksum(token), amount="7"))
    done(cli("deal", "open", second, key=BUYER))
    done(cli("deal", "refund", second, key=SELLER))
    assert flow.balance_of(place.client, token, address(1)) == 7_500_000


def test_tokens_that_are_refused(cli: Cli, place: Place, propose: Callable[..., Outcome]) -> None:
    fee = place.deploy("FeeDollar")
    place.mint(fee, address(1), 10**9)
    terms = terms_of(propose("fee", token=checksum(fee)))
    refused(cli("deal", "open", terms, key=BUYER), "takes a fee", code=1)
    done(cli("deal", "show", terms), 1)
    refused_json(propose("none", token=checksum(address(9))), "no code")
    refused_json(propose("uncounted", token=checksum(place.deploy("Uncounted"))), "decimals")
    refused_json(propose("fine", token=checksum(fee), amount="0.1234567"), "too many digits")


def refused_json(outcome: Outcome, *words: str, code: int = 2) -> None:
    done(outcome, code)
    assert set(outcome.json) == {"error", "next"}
    for word in words:
        assert word in outcome.json["error"] + outcome.json["next"], outcome.json


def test_milestones_are_named(cli: Cli, place: Place, propose: Callable[..., Outcome], work: Path) -> None:
    """A release that was meant for the first milestone must not pay the second."""
    terms = terms_of(propose(milestone=["0.2:1h:1h", "0.1:1h:1h"]))
    done(cli("deal", "open", terms, key=BUYER))
    refused(cli("deal", "deliver", terms, work, key=SELLER), "3 milestones", "--milestone")
    refused(cli("deal", "deliver", terms, work, "--milestone", 2, key=SELLER), "has not started")
    done(cli("deal", "deliver", terms, work, "--milestone", 1, key=SELLER))
    had = balance(place, PAYEE)
    assert "milestone 2 starts" in done(cli("deal", "release", terms, "--milestone", 1, key=BUYER)).out
    assert balance(place, PAYEE) == had + 2 * 10**17
    done(cli("deal", "release", terms, "--milestone", 1, key=BUYER))
    refused(cli("deal", "deliver", terms, work, "--milestone", 1, key=SELLER), "paid already")
    assert balance(place, PAYEE) == had + 2 * 10**17
    assert "milestone  2 of 3" in done(cli("deal", "show", terms)).out
    paid = balance(place, PAYER)
    done(cli("deal", "refund", terms, key=SELLER))
    assert balance(place, PAYER) == paid + 3 * 10**17


def test_a_silent_committee_lapses_and_the_silence_share_rules(
    cli: Cli, place: Place, propose: Callable[..., Outcome], work: Path
) -> None:
    with _own_chain(cli) as own:
        policy = own.policy()
        own.create(policy)
        at = checksum(policy_address(own.client.deals, policy))
        terms = terms_of(propose(policy=at, deliver_by="100s", verdict_by=None, silence_share="30"))
        done(cli("deal", "open", terms, key=BUYER))
        done(cli("deal", "deliver", terms, work, "--no-request", key=SELLER))
        assert status(cli, terms) == "delivered"
        asked = done(cli("request", terms, "--json", key=OTHER)).json
        assert asked["request"] == "requested, round 1"
        _pass_time(own, 61)
        assert status(cli, terms) == "lapsed"
        assert done(cli("request", terms, "--json", key=OTHER)).json["request"] == "requested, round 2"
        refused(cli("deal", "expire", terms, key=OTHER), "possible after", code=1)
        _pass_time(own, 400)
        assert status(cli, terms) == "unjudged"
        had = balance(own, PAYEE)
        out = done(cli("deal", "expire", terms, key=OTHER)).out
        assert "the payee gets 0.15 coin, the payer 0.35 coin" in out
        assert balance(own, PAYEE) == had + 15 * 10**16


def test_a_dispute(cli: Cli, place: Place, propose: Callable[..., Outcome], work: Path) -> None:
    with _own_chain(cli) as own:
        court = own.deploy("Court")
        times = {"dispute_time": "1m", "ruling_time": "2m", "arbiter": checksum(court)}
        terms = terms_of(propose(deliver_by="1m", verdict_by="2m", **times))
        done(cli("deal", "open", terms, key=BUYER))
        done(cli("deal", "deliver", terms, work, key=SELLER))
        early = cli("deal", "dispute", terms, "--reason", "Another mill.", key=BUYER)
        refused(early, "possible after", code=1)
        _pass_time(own, 121)
        shown = done(cli("deal", "show", terms)).out
        assert "party     may dispute   now, until" in shown
        asked = done(cli("deal", "dispute", terms, "--reason", "Another mill.", "--json", key=BUYER)).json
        assert asked["cost"] == 1000 and asked["rulingBy"] >= own.now + 100
        done(cli("deal", "dispute", terms, "--reason", "Another mill.", key=BUYER))
        own.rule(court, 1, 3)
        assert status(cli, terms) == "ruled"
        assert "the payee gets 0.25 coin, the payer 0.25 coin" in done(cli("deal", "settle", terms, key=OTHER)).out


@contextmanager
def _own_chain(cli: Cli) -> Iterator[Place]:
    """A chain whose clock only the test moves."""
    with Devnet() as chain:
        deploy_local(chain)
        cli.url = chain.url
        yield Place(chain)


def _pass_time(place: Place, seconds: int) -> None:
    place.chain.rpc("evm_increaseTime", seconds)
    place.chain.rpc("anvil_mine", "0x1")


def test_the_watch_ends_with_the_deal(cli: Cli, place: Place, propose: Callable[..., Outcome]) -> None:
    terms = terms_of(propose())
    done(cli("deal", "open", terms, key=BUYER))
    release = flow.deal_call(place.client.deals, "release", TermsFile.load(terms).terms, 0)
    with Watched(place.chain, lambda: place.send(1, release)) as proxy:
        shown = done(Cli(proxy.url, cli.home)("deal", "show", terms, "--watch", "--json")).out
    pictures = [json.loads(line)["status"] for line in shown.splitlines()]
    assert (pictures[0], pictures[-1]) == ("awaiting delivery", "ended")


# The timeline says what the chain does


def test_the_timeline_is_the_chain_to_the_second(cli: Cli, place: Place) -> None:
    """Whatever it says possible succeeds in a block of the first and the last second, and not one second outside."""
    with _own_chain(cli) as own:
        court = own.deploy("Court")
        policy = own.policy(submit_time=30, challenge_time=20, arbiter=court, ruling_time=40, bond=5)
        own.create(policy)
        _Story(own, court, policy).tell()


VERBS = ("open", "deliver", "release", "refund", "settle", "dispute", "expire", "challenge")
ROLES = (("payer", 1), ("payee", 2), ("anyone", 3))


class _Story:
    """Brings deals into every state and compares, for each verb, party and second, with the chain."""

    def __init__(self, place: Place, court: bytes, policy: Policy) -> None:
        self.place, self.court, self.policy = place, court, policy
        self.client = place.client
        self.at = policy_address(self.client.deals, policy)
        self.number = 0
        self.compared = 0

    def tell(self) -> None:
        for arbiter in (self.court, bytes(20)):
            for score in (None, 90, 10):
                self._deal(arbiter, score)
        for ruling in (1, 2, 3, None):
            self._disputed(ruling)
            self._challenged(ruling)
        assert self.compared > 2000

    def _terms(self, arbiter: bytes) -> Terms:
        self.number += 1
        now = self.place.now
        dispute, ruling = (15, 25) if any(arbiter) else (0, 0)
        return Terms(
            address(1), address(2), 1000, now + 50, now + 200, policy=self.at, arbiter=arbiter, silence_share=2500,
            milestones=(Milestone(300, 40, 120),), salt=self.number.to_bytes(32, "big"), dispute_time=dispute,
            ruling_time=ruling,
        )  # fmt: skip

    def _deal(self, arbiter: bytes, score: int | None) -> None:
        terms = self._terms(arbiter)
        self._compare(terms)
        self.place.send(1, flow.open_call(self.client.deals, terms, ""))
        for milestone in (0, 1):
            self._compare(terms)
            self._do(2, "deliver", terms, milestone, sha256(b"x").digest(), "")
            self._compare(terms)
            if score is not None:
                self._judge(terms, milestone, score)
                self._compare(terms)
            if milestone == 0:
                self._do(1, "release", terms, milestone)

    def _judge(self, terms: Terms, milestone: int, score: int) -> None:
        subject = subject_of(deal_id(self.client.deals, terms), milestone, sha256(b"x").digest())
        self.place.send(0, flow.request_call(self.client.deals, subject, self.at, self.policy))
        self._compare(terms)
        self.place.submit(subject, self.at, score)

    def _disputed(self, ruling: int | None) -> None:
        terms = self._terms(self.court)
        self.place.send(1, flow.open_call(self.client.deals, terms, ""))
        self._do(2, "deliver", terms, 0, sha256(b"x").digest(), "")
        self.place.chain.rpc("evm_setNextBlockTimestamp", terms.verdict_by + 1)
        self.place.send(1, flow.deal_call(self.client.deals, "dispute", terms, "", value=1000))
        self._compare(terms)
        if ruling:
            self.place.rule(self.court, int.from_bytes(self._disputes(), "big"), ruling)
            self._compare(terms)

    def _challenged(self, ruling: int | None) -> None:
        terms = self._terms(self.court)
        self.place.send(1, flow.open_call(self.client.deals, terms, ""))
        self._do(2, "deliver", terms, 0, sha256(b"x").digest(), "")
        self._judge(terms, 0, 90)
        self.place.send(3, self._call("challenge", terms, 0))
        self._compare(terms)
        if ruling:
            self.place.rule(self.court, int.from_bytes(self._disputes(), "big"), ruling)
            self._compare(terms)

    def _disputes(self) -> bytes:
        """How many the court has, as a word."""
        call = {"to": to_hex(self.court), "data": to_hex(keccak(b"disputes()")[:4])}
        return bytes.fromhex(self.client.rpc("eth_call", call, "latest")[2:])

    def _do(self, account: int, verb: str, terms: Terms, *arguments: Any) -> None:
        self.place.send(account, flow.deal_call(self.client.deals, verb, terms, *arguments))

    def _compare(self, terms: Terms) -> None:
        now = self.place.now
        deal, _, line = flow.timeline_on(self.client, terms, now, COIN)
        edges = {t + d for o in line.options for t in (o.opens, o.closes or now) for d in (-1, 0, 1)} | {now}
        tries = [
            (verb, role, account, time)
            for verb in VERBS
            for role, account in ROLES
            for time in sorted(edges)
            if time >= now and (verb != "open" or role == "payer")  # anybody may open; payers are who is meant to
        ]
        calls = {verb: self._call(verb, terms, deal.milestone) for verb in VERBS}
        real = self.place.possible([(account, calls[verb], time) for verb, _, account, time in tries])
        for (verb, role, _, time), possible in zip(tries, real, strict=True):
            said = any(o.verb == verb and self._may(role, o.who) and o.open_at(time) for o in line.options)
            assert said == possible, (deal.state, verb, role, time - now, line)
        self.compared += len(tries)

    @staticmethod
    def _may(role: str, who: str) -> bool:
        return who in (role, "anyone") or (who == "party" and role in ("payer", "payee"))

    def _call(self, verb: str, terms: Terms, milestone: int) -> Call:
        deals = self.client.deals
        if verb == "open":
            return flow.open_call(deals, terms, "")
        if verb == "challenge":
            subject = subject_of(deal_id(deals, terms), milestone, sha256(b"x").digest())
            return Call(deals.oracle, encode_call("Oracle", "challenge", subject, self.at, ""), 1005)
        if verb == "dispute":
            return flow.deal_call(deals, verb, terms, "", value=1000 if any(terms.arbiter) else 0)
        arguments = {"deliver": (milestone, sha256(b"y").digest(), ""), "release": (milestone,)}.get(verb, ())
        return flow.deal_call(deals, verb, terms, *arguments)


# Bad input


def test_terms_that_nobody_could_open(cli: Cli, place: Place, policy: str, propose: Callable[..., Outcome]) -> None:
    escrow = checksum(place.client.deals.escrow)
    for changes, words in (
        ({"payee": "0x" + "00" * 20}, "zero address"),
        ({"payer": "0x" + "00" * 20}, "zero address"),
        ({"payee": PAYER}, "are the same"),
        ({"payee": escrow}, "escrow itself"),
        ({"payee": "0x12"}, "20 bytes"),
        ({"amount": "0"}, "amount is 0"),
        ({"amount": "-1"}, "not an amount"),
        ({"amount": "1e3"}, "not an amount"),
        ({"amount": "0.0000000000000000001"}, "too many digits"),
        ({"deliver_by": "2020-01-01"}, "was due"),
        ({"deliver_by": "soon"}, "is no time"),
        ({"verdict_by": "1h"}, "not after the delivery"),
        ({"verdict_by": "4000d"}, "ten years"),
        ({"verdict_by": None}, "Nothing says when"),
        ({"policy": checksum(address(9))}, "no policy"),
        ({"policy": checksum(address(9)), "verdict_by": None}, "no policy"),
        ({"policy": policy, "verdict_by": "3700s"}, "too short for this policy"),
        ({"arbiter": checksum(address(9)), "dispute_time": "1h", "ruling_time": "1h"}, "is no arbiter"),
        ({"arbiter": escrow, "dispute_time": "1h", "ruling_time": "1h"}, "is no arbiter"),
        ({"arbiter": PAYEE, "dispute_time": "1h", "ruling_time": "1h"}, "one of the parties"),
        ({"arbiter": escrow}, "needs time"),
        ({"dispute_time": "1h"}, "no arbiter"),
        ({"silence_share": "101"}, "silence share"),
        ({"silence_share": "0.001"}, "silence share"),
        ({"milestone": ["0.5:1h:1h"]}, "gets nothing"),
        ({"milestone": ["0:1h:1h"]}, "gets nothing"),
        ({"milestone": ["0.1:1h"]}, "not a milestone"),
        ({"milestone": ["0.1:1h:4000d"]}, "ten years"),
        ({"title": None}, "Nothing is ordered"),
        ({"brief": "/none"}, "says already"),
        ({"reference": "0x" + "12" * 32}, "not a file"),
    ):  # fmt: skip
        refused_json(propose(**changes), words)
    refused(cli("deal", "propose", "x", "--payee", PAYEE, "--amount", "1", "--deliver-by", "1h", "--verdict-by", "2h",
                "--title", "x"), "No key is given")  # fmt: skip


def test_a_proposal_is_never_overwritten(propose: Callable[..., Outcome]) -> None:
    terms = terms_of(propose())
    kept = terms.read_bytes()
    refused_json(propose(amount="5"), "exists already")
    assert terms.read_bytes() == kept


def test_the_brief_can_be_a_file_and_served(cli: Cli, propose: Callable[..., Outcome], tmp_path: Path) -> None:
    first = terms_of(propose("one", text="Red\nIf nobody judges, you get it back."))
    shown = done(cli("deal", "open", first, key=BUYER)).out
    assert 'In words: "Red If nobody judges, you get it back.".' in shown
    brief = tmp_path / "one.brief.json"
    with _served(tmp_path) as url:
        second = terms_of(propose("two", title=None, brief=str(brief), brief_uri=f"{url}/one.brief.json"))
        refused_json(propose("three", title=None, brief=str(brief), brief_uri=f"{url}/two.terms.json"), "other bytes")
    assert TermsFile.load(second).brief == brief.read_bytes() == TermsFile.load(first).brief
    assert not (tmp_path / "two.brief.json").exists()
    brief.write_text("{}")
    refused_json(propose("four", title=None, brief=str(brief)), "not a brief")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_files_that_are_no_terms(cli: Cli, propose: Callable[..., Outcome], tmp_path: Path) -> None:
    terms = terms_of(propose())
    good = json.loads(terms.read_text())
    for changes, words in (
        ({"format": "other"}, "not a file of terms"),
        ({"more": 1}, "not a file of terms"),
        ({"terms": good["terms"] | {"amount": "1"}}, "dealId does not follow"),
        ({"dealId": "0x" + "12" * 32}, "dealId does not follow"),
        ({"brief": "{}"}, "not the one that its terms name"),
        ({"brief": 1}, "must be texts"),
        ({"escrow": PAYER}, "does not know"),
        ({"escrow": None}, "is missing"),
        ({"chainId": True}, "is missing"),
        ({"chainId": 1}, "dealId does not follow"),
        ({"terms": {}}, "not the fields of terms"),
    ):  # fmt: skip
        terms.write_text(json.dumps(good | changes))
        refused(cli("deal", "open", terms, key=BUYER), words)
    terms.write_bytes(b"\xff[" * 100)
    refused(cli("deal", "show", terms), "not a file of terms")
    refused(cli("deal", "show", tmp_path), "cannot be read")
    refused(cli("deal", "show", tmp_path / "none"), "cannot be read")
    refused(cli("deal", "show", "0x12"), "deal id")
    refused(cli("deal", "show", "0x" + "12" * 32), "no open deal")
    elsewhere = TermsFile.load(_write(terms, good))
    other = replace(elsewhere, contracts=deal_contracts_on(1))
    other.save(tmp_path / "elsewhere.terms.json")
    refused(cli("deal", "open", tmp_path / "elsewhere.terms.json", key=BUYER), "for chain 1", "--chain 1")


def _write(path: Path, document: Any) -> Path:
    path.write_text(json.dumps(document))
    return path


def test_terms_grow_old(cli: Cli, place: Place, propose: Callable[..., Outcome]) -> None:
    with _own_chain(cli) as own:
        terms = terms_of(propose())
        _pass_time(own, 3600)
        refused(cli("deal", "open", terms, key=BUYER), "was due")
        assert done(cli("deal", "show", terms, "--watch"), 1).out.count("not open") == 1


def test_the_buyer_has_too_little(cli: Cli, propose: Callable[..., Outcome]) -> None:
    refused(cli("deal", "open", terms_of(propose(amount="1000000")), key=BUYER), "the deal takes 1000000 coin")


def test_deliveries_that_nodes_could_not_fetch(
    cli: Cli, propose: Callable[..., Outcome], work: Path, tmp_path: Path, place: Place
) -> None:
    terms = terms_of(propose())
    done(cli("deal", "open", terms, key=BUYER))
    deliver = partial(cli, "deal", "deliver", terms, work, key=SELLER)
    before = sent_by(place, PAYEE)
    served = tmp_path / "served"
    served.mkdir()
    (served / "other").write_bytes(b"other bytes")
    with _served(served) as url:
        refused(deliver("--uri", f"{url}/other"), "other bytes", to_hex(sha256(b"other bytes").digest()))
        refused(deliver("--uri", f"{url}/none"), "answers 404")
    refused(deliver("--uri", f"{url}/other"), "cannot be reached")
    refused(deliver("--uri", "file:///etc/hostname"), "outside the folder")
    refused(deliver("--uri", "ftp://example.org/x"), "cannot be fetched")
    refused(cli("deal", "deliver", terms, tmp_path / "none", key=SELLER), "does not exist")
    (tmp_path / "empty").touch()
    refused(cli("deal", "deliver", terms, tmp_path / "empty", key=SELLER), "is empty")
    assert sent_by(place, PAYEE) == before

    (served / "work").write_bytes(work.read_bytes())
    with _served(served) as url:
        done(deliver("--uri", f"{url}/work"))
    other = tmp_path / "second"
    other.write_bytes(os.urandom(10))
    refused(cli("deal", "deliver", terms, other, key=SELLER), "The deal is delivered", code=1)


def test_credits_and_disputes_that_are_not_there(cli: Cli, propose: Callable[..., Outcome], place: Place) -> None:
    assert done(cli("deal", "withdraw", key=BUYER)).out == "Nothing is credited.\n"
    terms = terms_of(propose())
    refused(cli("deal", "settle", terms, key=BUYER), "no deal", code=1)
    done(cli("deal", "open", terms, key=BUYER))
    refused(cli("deal", "dispute", terms, "--reason", "x", key=BUYER), "no arbiter")
    refused(cli("deal", "expire", terms, key=OTHER), "possible after", code=1)
    refused(cli("deal", "refund", terms, key=BUYER), "may not do that", code=1)
    refused(cli("request", terms, key=BUYER), "Nothing is delivered")
    refused(cli("request", "0x" + "12" * 32, key=BUYER), "is no deal", "--policy")


def test_a_credit_is_withdrawn(cli: Cli, propose: Callable[..., Outcome], place: Place) -> None:
    """A payee that refuses money is credited; once it accepts, anybody has it paid, each time anew."""
    place.chain.rpc("anvil_setCode", PAYEE, "0x5f5ffd")  # reverts
    for amount in ("0.1", "0.1"):
        terms = terms_of(propose(amount=amount, text=os.urandom(4).hex(), name=os.urandom(4).hex()))
        done(cli("deal", "open", terms, key=BUYER))
        place.chain.rpc("anvil_setCode", PAYEE, "0x5f5ffd")
        done(cli("deal", "release", terms, key=BUYER))
        place.chain.rpc("anvil_setCode", PAYEE, "0x")
        had = balance(place, PAYEE)
        assert "withdrawn: 0.1 coin" in done(cli("deal", "withdraw", "--account", PAYEE, key=BUYER)).out
        assert balance(place, PAYEE) == had + 10**17


# Policies


def test_a_policy_is_created_once_and_comes_back(cli: Cli, place: Place, tmp_path: Path) -> None:
    seats = [f"{checksum(address(node))}:0x{'12' * 32}" for node in (7, 5, 6)]
    options = [part for seat in seats for part in ("--seat", seat)]
    create = ("policy", "create", *options, "--fee", "0.01", "--submit-time", "1m30s", "--slash", "1000", "--json")
    made = done(cli(*create, key=OTHER)).json
    before = sent_by(place, checksum(address(3)))
    assert done(cli(*create, key=OTHER)).json == made
    assert sent_by(place, checksum(address(3))) == before
    assert (made["k"], made["submitTime"], made["fee"], made["check"]) == (2, 90, "0.01", "delivery/1")
    assert sorted(made["seats"], key=str.lower) == made["seats"]
    assert len(made["warnings"]) == 6
    shown = done(cli("policy", "show", made["policy"], "--json"))
    (tmp_path / "policy.json").write_text(shown.out)
    again = done(cli("policy", "create", "--from", tmp_path / "policy.json", "--json", key=OTHER)).json
    assert again == made
    other = done(cli("policy", "create", "--from", tmp_path / "policy.json", "--k", 3, "--json", key=OTHER)).json
    assert other["policy"] != made["policy"]
    assert "2 of 3 must give 50 or more of 100" in done(cli("policy", "show", made["policy"])).out
    assert made["policy"] in done(cli("policy", "list")).out
    assert done(cli("policy", "show", PAYER), 1).out.startswith("There is no policy")


def test_policies_that_cannot_be(cli: Cli, tmp_path: Path) -> None:
    seat = f"{PAYER}:0x{'12' * 32}"
    for options, words, code in (
        ((), "no seat", 2),
        (("--seat", "nonsense"), "not a seat", 2),
        (("--seat", f"{PAYER}:0x12"), "model id", 2),
        (("--seat", seat, "--seat", seat), "two seats", 2),
        (("--seat", f"0x{'00' * 20}:0x{'12' * 32}"), "ascending", 1),
        (("--seat", seat, "--k", "2"), "no quorum", 1),
        (("--seat", seat, "--k", "99"), "range", 2),
        (("--seat", seat, "--submit-time", "0"), "times do not fit", 1),
        (("--seat", seat, "--submit-time", "20d"), "times do not fit", 1),
        (("--seat", seat, "--submit-time", "9999999w"), "submitTime", 2),
        (("--seat", seat, "--submit-time", "5"), "not a duration", 2),
        (("--seat", seat, "--ruling-time", "1h"), "times do not fit", 1),
        (("--seat", seat, "--fee", "99999999999"), "fee", 2),
        (("--seat", seat, "--arbiter", "0x12"), "20 bytes", 2),
    ):  # fmt: skip
        refused(cli("policy", "create", *options, key=OTHER), words, code=code)
    path = tmp_path / "policy.json"
    for text, words in (("[", "not JSON"), ("[]", "not a policy"), ('{"x": 1}', "not a policy"),
                        ('{"seats": 5}', "seat"), ('{"seats": ["x"]}', "seat"),
                        (json.dumps({"seats": [seat], "k": "2"}), "numbers"),
                        (json.dumps({"seats": [seat], "fee": 1.5}), "fee"),
                        (json.dumps({"seats": [seat], "submitTime": -1}), "submitTime"),
                        (json.dumps({"seats": [seat], "arbiter": 5}), "arbiter")):  # fmt: skip
        path.write_text(text)
        refused(cli("policy", "create", "--from", path, key=OTHER), words)
    refused(cli("policy", "create", "--from", tmp_path / "none", key=OTHER), "cannot be read")


# Manners


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    shown = done(Cli.bare(*command, "--help")).out
    assert f"  countersign {' '.join(command)}" in shown.split("Examples:")[1]
    assert "--json" in shown


def test_a_subject_of_anything_can_be_requested(cli: Cli, place: Place, policy: str) -> None:
    subject = "0x" + os.urandom(32).hex()
    first = done(cli("request", subject, "--policy", policy, "--json", key=OTHER)).json
    assert first["request"] == "requested, round 1"
    assert place.client.verdict(from_hex(subject, 32), from_address(policy)).requested_at
    refused(cli("request", subject, "--policy", PAYER, key=OTHER), "no policy", code=1)
