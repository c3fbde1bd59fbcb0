"""The story while the chain changes its mind, up to 64 blocks deep: whoever repeats a command gets it done, once; the
index equals a new one byte for byte; nothing of a work is told to a node before its seal is final."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commandline import Cli, Outcome
from committee import CHAIN, PAYEE, PAYER, World, address, data_uri, nodes_of, policy_of, until
from dealing import Place
from faults import seed_of
from hypothesis import settings as hypothesis_settings
from reorgs import DEEPEST, Observed, Weather, cursor, dump, rebuilt, revealed
from test_cli import done, refused

from countersign.canonical import checksum, deal_id, from_address, policy_address, subject_of, to_hex
from countersign.certificate import Certificate, path_beside
from countersign.chain.client import Client
from countersign.chain.codec import Event, decode_log, encode_call
from countersign.chain.sender import Sender
from countersign.deal.terms import TermsFile
from countersign.errors import ChainError
from countersign.index.store import Store
from countersign.index.sync import catch_up
from countersign.keys.signer import open_signer
from countersign.oracle.journal import Journal
from countersign.records import Call, State
from countersign.records import Outcome as Verdict
from tools.deployment import deploy_local
from tools.devnet import Devnet

DEEP = hypothesis_settings.get_current_profile_name() == "deep"
SEED = seed_of(4000)
STORIES = 12 if DEEP else 1
SETTLER = 7
"""Anybody: has the verdict carried out."""
SEATS = (1, 2, 3)
PRICE = 10**16
OFTEN = 0.15
"""Of the requests of the command line, before how many the chain is reorganised."""


# The stage: a chain that finalizes 64 blocks behind, three nodes, an index followed by a process, two more that race


@dataclass
class Stage:
    """A chain, its weather and those who watch it; ``quiet`` is how nodes and indexes see it, ``loud`` how commands
    do."""

    world: World
    weather: Weather
    quiet: Observed
    loud: Observed
    folder: Path
    nodes: list[Any] = field(default_factory=list)

    @property
    def followed(self) -> Path:
        """The index that a process follows."""
        return self.folder / "follower" / f"index-{CHAIN}.sqlite"

    @property
    def raced(self) -> Path:
        """The index that two threads bring up to date at the same time."""
        return self.folder / "raced.sqlite"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("reorgs")
    with ExitStack() as stack:
        chain = stack.enter_context(Devnet(epoch=32))
        deploy_local(chain)
        world = World(chain, policy_of(SEATS, submit_time=86_400)).prepare()
        weather = Weather(chain)
        weather.finalize()
        quiet, loud = (stack.enter_context(Observed(weather)) for _ in range(2))
        made = Stage(world, weather, quiet, loud, folder)
        made.nodes = stack.enter_context(nodes_of(world, folder, started=False, stagger=1.0))
        for node in made.nodes:
            node.start(quiet.url)
        stack.enter_context(_Followed(made))
        stack.enter_context(_Raced(made))
        for node in made.nodes:
            node.wait_up()
        yield made


class _Followed:
    """``index sync --follow`` in a process of its own."""

    def __init__(self, stage: Stage) -> None:
        command = [sys.executable, "-m", "countersign", "index", "sync", "--follow", "--rpc", stage.quiet.url]
        self._command = [*command, "--home", str(stage.followed.parent)]

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(60) == 0


class _Raced:
    """Two threads that catch up on one index, without a pause."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._stop = stage, threading.Event()
        self._failed: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(2)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert self._failed == []

    def _run(self) -> None:
        client = Client(self._stage.quiet.url, CHAIN)
        store = Store(self._stage.raced, client.contracts)
        while not self._stop.wait(0.1):
            try:
                catch_up(client, store)
            except ChainError:
                continue
            except Exception as error:
                self._failed.append(error)
                return
        store.close()


# The story


class Story:
    """One work's way from its seal to its payment, told by commands. ``seed`` says when and how the chain is
    reorganised: before which requests of which command. Between them the nodes work at their own pace."""

    def __init__(self, stage: Stage, seed: int, folder: Path) -> None:
        self.stage, self.seed, self.folder = stage, seed, folder
        self.work = folder / "photo.jpg"
        self.work.write_bytes(Random(seed).randbytes(600))
        self.note = folder / "note.txt"
        self.note.write_text(f"About work {seed}")
        self.terms = folder / "mill.terms.json"
        self.homes = {key: Cli(stage.loud.url, folder / f"home{key}") for key in (PAYER, PAYEE, SETTLER)}
        self.calm, self.step, self.tries = False, "", 0
        self.refused: list[str] = []
        with stage.weather.still():
            self.first = stage.weather.number("latest") + 1
            self.before = {account: self._wealth(account) for account in (PAYER, PAYEE, SETTLER, *SEATS)}
        stage.loud.before = self._weather_of

    # The weather

    def _weather_of(self, method: str, number: int, parameters: Any) -> None:
        """What happens to the chain before a request: it grows, quickly where somebody waits for finality."""
        weather = self.stage.weather
        random = Random(f"{self.seed}:{self.step}:{method}:{number}")
        if parameters and parameters[0] == "finalized":
            weather.mine(random.randint(8, 64) if not self.calm else self.stage.world.chain.finality)
        drawn = random.random()
        if self.calm or drawn > 3 * OFTEN:
            return
        if drawn < OFTEN:
            weather.strike(random)
        elif drawn < 1.5 * OFTEN:
            weather.bring_back()
        else:
            weather.mine(random.randint(1, 3))
        self.watch()

    def watch(self) -> None:
        """No index shows rows of a block that is not on the chain of its cursor."""
        for path in (self.stage.followed, self.stage.raced):
            if seen := cursor(path):
                number, block, newest = seen
                assert newest <= number and self.stage.weather.was_on_chain(number, block), f"seed {self.seed}: {path}"

    # Steps

    def attempt(self, key: int, *command: object) -> bool:
        """Whether a command did what it is for. What refuses does so in a sentence."""
        self.tries += 1
        self.step = f"{' '.join(map(str, command[: 1 + (command[0] == 'deal')]))}#{self.tries}"
        self.stage.loud.calls.clear()
        outcome = self.homes[key](*command, "--json", key=f"test:{key}")
        if outcome.code:
            said = outcome.json
            assert said["error"] and said["next"] and "Traceback" not in outcome.err, f"seed {self.seed}: {outcome}"
            self.refused.append(f"{self.step}: {said['error']}")
        return outcome.code == 0

    def insist(self, steps: Callable[[], bool]) -> None:
        """Repeat until it is done. When the chain is calm, twice is enough: what is on it may revert the first time."""
        tries = 2 if self.calm else 25
        assert any(steps() for _ in range(tries)), f"seed {self.seed}: {self.refused[-tries:]}"

    def run(self) -> None:
        """All steps while the chain is restless, and all of them again when it has calmed down after the deepest
        reorganisation that may be."""
        self.insist(self.seal)
        self.insist(self.propose)
        self.insist(self.pay)
        self.stage.weather.strike(Random(f"{self.seed}:deepest"), DEEPEST)
        self.calm = True
        self.stage.weather.bring_back()
        self.insist(self.seal)
        self.insist(self.pay)
        self.stage.weather.finalize()

    def seal(self) -> bool:
        how = ["--resume"] if path_beside(self.work).exists() else ["--metadata", self.note]
        done = self.attempt(PAYEE, "seal", self.work, *how) and self.attempt(PAYEE, "claim", self.work)
        assert not done or Certificate.load(path_beside(self.work)).state == "proved"
        return done

    def propose(self) -> bool:
        said = {"payee": checksum(address(PAYEE)), "amount": "0.01", "deliver-by": "20d", "verdict-by": "40d"}
        said |= {"title": "Mill", "policy": checksum(self.stage.world.policy_address)}
        said |= {"reference": str(self.work), "reference-uri": data_uri(self.work.read_bytes())}
        options = [part for name, value in said.items() for part in (f"--{name}", value)]
        return self.attempt(PAYER, "deal", "propose", self.folder / "mill", *options)

    def pay(self) -> bool:
        uri = data_uri(self.work.read_bytes())
        return (
            self.attempt(PAYER, "deal", "open", self.terms)
            and self.attempt(PAYEE, "deal", "deliver", self.terms, self.work, "--uri", uri)
            and self._judged()
            and self.attempt(SETTLER, "deal", "settle", self.terms)
        )

    def _judged(self) -> bool:
        """Whether the nodes have a verdict on chain that took effect. In restless weather the chain is reorganised
        before they have one, and when they have."""
        random = Random(f"{self.seed}:judged:{self.tries}")
        for early in random.choice([[], [True], [False], [True, False]]) if not self.calm else []:
            if not early:
                self._verdict()
            self.stage.weather.strike(random)
        return self._verdict()

    def _verdict(self) -> bool:
        """Wait for one. False when nobody is asked any more: the request, or the deal, has vanished."""
        world, deadline = self.stage.world, time.monotonic() + 60
        while time.monotonic() < deadline:
            deal = world.client.deal_of(self.deal)
            if deal.state == State.ENDED or world.verdict(self.subject).outcome == Verdict.PASS:
                self.stage.weather.mine(3)
                return True
            if deal.state != State.DELIVERED or not world.verdict(self.subject).requested_at:
                return False
            time.sleep(0.1)
        return False

    # What is on the chain in the end

    @property
    def deal(self) -> bytes:
        return deal_id(self.stage.world.client.deals, TermsFile.load(self.terms).terms)

    @property
    def subject(self) -> bytes:
        return subject_of(self.deal, 0, Certificate.load(path_beside(self.work)).work.content)

    def _wealth(self, account: int) -> int:
        return self.stage.world.client.balance(address(account))

    def events(self) -> list[Event]:
        """Of the final chain since the story began."""
        client = self.stage.world.client
        found = (decode_log(log) for log in client.logs(self.first, client.head().number))
        return [event for event in found if event]

    def transactions(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """With their receipts, of the final chain since the story began."""
        chain = self.stage.world.chain
        head = self.stage.weather.number("latest")
        blocks = (chain.rpc("eth_getBlockByNumber", hex(n), True) for n in range(self.first, head + 1))
        sent = [each for block in blocks for each in block["transactions"]]
        return [(each, chain.rpc("eth_getTransactionReceipt", each["hash"])) for each in sent]


# What must hold


def check_once(story: Story) -> None:
    """One event of each kind for the work, the deal, the request; one payment."""
    counted = Counter(event.name for event in story.events())
    once = ("Sealed", "Claimed", "Opened", "Delivered", "Requested", "Submitted", "Paid")
    assert {name: counted[name] for name in once} == dict.fromkeys(once, 1), f"seed {story.seed}"
    deal = story.stage.world.client.deal_of(story.deal)
    assert (deal.state, story.stage.world.verdict(story.subject).outcome) == (State.ENDED, Verdict.PASS)


def check_money(story: Story) -> None:
    """Everybody has what they had, what they were paid, less what their transactions cost, to the wei."""
    expected = dict(story.before)
    accounts = {to_hex(address(account)): account for account in expected}
    done: Counter[tuple[int, str]] = Counter()
    for sent, receipt in story.transactions():
        account, ok = accounts[sent["from"]], int(receipt["status"], 16)
        expected[account] -= int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        expected[account] -= int(sent["value"], 16) * ok
        done[account, sent["input"]] += ok
    expected[PAYEE] += PRICE
    for event in story.events():
        if event.name == "FeePaid":
            expected[next(k for k in expected if address(k) == event.arguments["account"])] += event.arguments["amount"]
    assert {account: story._wealth(account) for account in expected} == expected, f"seed {story.seed}"
    assert max(done.values()) == 1, f"seed {story.seed}: {done}"
    assert story.stage.world.client.balance(story.stage.world.client.deals.escrow) == 0
    ours = Counter(account for (account, _), count in done.items() for _ in range(count))
    assert (ours[PAYER], ours[PAYEE], ours[SETTLER]) == (1, 4, 1), f"seed {story.seed}: {ours}"


def check_nodes(story: Story) -> None:
    """No node ever stood on both sides, whenever the request was made anew."""
    for node in story.stage.nodes:
        journal = Journal(node.home / f"journal-{CHAIN}.sqlite")
        said = [one.attestation for one in journal.all() if one.attestation.request.subject == story.subject]
        journal.close()
        assert len({one.score >= 50 for one in said}) <= 1, f"seed {story.seed}: {said}"
        assert len({one.issued_at for one in said}) == len(said)


def check_index(story: Story) -> None:
    """The followed index and the raced one equal a new one, byte for byte."""
    head = story.stage.weather.number("latest")
    fresh = rebuilt(story.stage.world.chain.url, CHAIN, story.folder / "fresh.sqlite")
    for path in (story.stage.followed, story.stage.raced):
        assert until(lambda path=path: (cursor(path) or (-1,))[0] >= head, 120), f"{path} does not follow"
        assert dump(path) == fresh, f"seed {story.seed}: {path} differs from a new one"


def check_secrets(story: Story, since: tuple[int, int]) -> None:
    """No request told a node about the work before the block of its seal was final."""
    certificate = Certificate.load(path_beside(story.work))
    assert certificate.sealer
    seal = story.stage.world.client.seal_of(certificate.root, certificate.sealer)
    assert seal
    for proxy, first in zip((story.stage.loud, story.stage.quiet), since, strict=True):
        assert revealed(proxy.said[first:], certificate, seal.block) == [], f"seed {story.seed}"
    assert revealed(story.stage.loud.said[since[0] :], certificate, 1 << 60), "the record would show it"


@pytest.mark.parametrize("seed", range(SEED, SEED + STORIES))
def test_the_story_survives_random_reorganisations(
    stage: Stage, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("countersign.chain.sender._STUCK", 2.0)  # what a node forgot is offered again sooner
    since = len(stage.loud.said), len(stage.quiet.said)
    story = Story(stage, seed, tmp_path)
    struck = len(stage.weather.depths)
    story.run()
    depths = stage.weather.depths[struck:]
    assert max(depths) == DEEPEST
    with stage.weather.still():  # a node that comes late still sends
        check_once(story)
        check_money(story)
        check_nodes(story)
        check_index(story)
        check_secrets(story, since)
    assert story.homes[PAYER]("verify", story.work).code == 0
    fates = dict(stage.weather.fates)
    print(f"seed {seed}: {len(depths)} reorganisations, deepest {max(depths)}; {fates}; refused: {story.refused}")


# One thing at a time


@dataclass
class Moment:
    """A chain without nodes, and commands that see it through ``proxy``."""

    weather: Weather
    proxy: Observed
    place: Place
    folder: Path
    policy: str = ""

    def cli(self, key: int, *command: object) -> Outcome:
        """A command of the person with that key."""
        run = Cli(self.proxy.url, self.folder / f"home{key}")
        return run(*command, key=f"test:{key}")

    def deal(self, work: Path, **said: str) -> Path:
        """A deal that the buyer proposes about anything."""
        options = {"payee": checksum(address(PAYEE)), "amount": "0.01", "deliver-by": "20d", "verdict-by": "40d"}
        options |= {"title": "Mill", "policy": self.policy} | said
        command = [part for name, value in options.items() for part in (f"--{name}", value)]
        done(self.cli(PAYER, "deal", "propose", work.with_suffix(""), *command))
        return work.with_suffix(".terms.json")

    def show(self, terms: Path) -> dict[str, Any]:
        """What `deal show` says."""
        shown: dict[str, Any] = self.cli(SETTLER, "deal", "show", terms, "--json").json
        return shown

    def events(self, name: str, **arguments: bytes) -> int:
        """How many events of that name and these arguments the chain holds."""
        client = self.place.client
        found = (decode_log(log) for log in client.logs(0, client.head().number))
        wanted = [event for event in found if event and event.name == name]
        return sum(all(event.arguments[key] == value for key, value in arguments.items()) for event in wanted)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moment]:
    with Devnet(epoch=32) as chain:
        deploy_local(chain)
        place = Place(chain)
        policy = place.policy(submit_time=86_400)
        place.create(policy)
        weather = Weather(chain)
        weather.finalize()
        with Observed(weather) as proxy:
            address_of_policy = checksum(policy_address(place.client.deals, policy))
            yield Moment(weather, proxy, place, tmp_path_factory.mktemp("moments"), address_of_policy)


@pytest.fixture
def moment(ground: Moment) -> Iterator[Moment]:
    """With nothing left of what happened before."""
    ground.weather.bring_back()
    ground.weather.finalize()
    ground.proxy.said.clear()
    yield ground
    ground.proxy.before = None


def certificate(work: Path) -> Certificate:
    return Certificate.load(path_beside(work))


def test_a_seal_that_vanishes_is_made_again_and_the_proof_is_of_the_new_block(moment: Moment, work: Path) -> None:
    said = done(moment.cli(PAYEE, "seal", work, "--no-wait"))
    assert "not final yet: reveal nothing" in said.out and certificate(work).state == "draft"
    first = moment.place.client.seal_of(certificate(work).root, address(PAYEE))
    assert "is not final yet, the chain may still take it back" in done(moment.cli(PAYER, "verify", work), 2).out
    refused(moment.cli(PAYEE, "claim", work, "--no-wait"), "the newest final block is", "reveal nothing")

    moment.weather.mine(5)
    moment.weather.drop(6)
    moment.weather.mine(3)
    assert "it holds no proof of a seal yet" in done(moment.cli(PAYER, "verify", work), 2).out
    refused(moment.cli(PAYEE, "claim", work, "--no-wait"), "has not sealed this work", "seal --resume")
    assert certificate(work).state == "draft"

    done(moment.cli(PAYEE, "seal", work, "--resume", "--no-wait"))
    assert certificate(work).state == "draft"
    moment.weather.finalize()
    assert "is final, but its proof is not attached" in done(moment.cli(PAYER, "verify", work), 2).out
    done(moment.cli(PAYEE, "seal", work, "--resume"))
    seal = moment.place.client.seal_of(certificate(work).root, address(PAYEE))
    assert seal and first and seal.block > first.block and certificate(work).state == "proved"
    done(moment.cli(PAYEE, "claim", work, "--no-wait"))
    moment.weather.finalize()
    assert "sealed" in done(moment.cli(PAYER, "verify", work)).out.lower()
    assert moment.events("Sealed", root=certificate(work).root) == 1
    assert revealed(moment.proxy.said, certificate(work), seal.block) == []


def test_a_seal_that_vanishes_is_made_by_whoever_resumes(moment: Moment, work: Path) -> None:
    """The draft names the one who sealed; his seal is gone, and somebody else pays for the next."""
    done(moment.cli(PAYEE, "seal", work, "--no-wait"))
    moment.weather.drop(1)
    done(moment.cli(SETTLER, "seal", work, "--resume", "--no-wait"))
    moment.weather.finalize()
    done(moment.cli(SETTLER, "seal", work, "--resume"))
    assert (certificate(work).state, certificate(work).sealer) == ("proved", address(SETTLER))


def test_a_claim_is_not_called_made_when_the_chain_took_it_back(moment: Moment, work: Path) -> None:
    """It vanishes while the command waits for finality: the command makes it again."""
    done(moment.cli(PAYEE, "seal", work, "--no-wait"))
    moment.weather.finalize()
    vanished: list[int] = []

    def before(method: str, _: int, parameters: Any) -> None:
        if parameters and parameters[0] == "finalized":
            if not vanished and moment.place.client.claim_of(certificate(work).work.content):
                vanished.append(moment.weather.number("latest"))
                moment.weather.drop(2)
            elif vanished:
                moment.weather.mine(40)

    moment.proxy.before = before
    done(moment.cli(PAYEE, "claim", work))
    assert vanished and moment.place.client.claim_of(certificate(work).work.content, at="finalized")
    assert moment.events("Claimed", content=certificate(work).work.content) == 1


def test_nothing_is_delivered_whose_seal_is_not_final(moment: Moment, work: Path) -> None:
    terms = moment.deal(work)
    done(moment.cli(PAYER, "deal", "open", terms))
    done(moment.cli(PAYEE, "seal", work, "--no-wait"))
    uri = data_uri(work.read_bytes())
    command = ("deal", "deliver", terms, work, "--uri", uri, "--no-request")
    refused(moment.cli(PAYEE, *command), "is not sealed for good yet", "--resume")
    assert certificate(work).work.content.hex() not in "".join(body for _, body in moment.proxy.said)
    moment.weather.finalize()
    refused(moment.cli(PAYEE, *command), "is not sealed for good yet")
    done(moment.cli(PAYEE, "seal", work, "--resume"))
    done(moment.cli(PAYEE, *command))
    assert moment.show(terms)["status"] == "delivered"


def test_a_deal_that_vanishes_is_not_open(moment: Moment, work: Path) -> None:
    terms = moment.deal(work)
    identifier = deal_id(moment.place.client.deals, TermsFile.load(terms).terms)
    done(moment.cli(PAYER, "deal", "open", terms))
    assert (moment.show(terms)["status"], moment.show(terms)["final"]) == ("awaiting delivery", False)
    assert "may still take the last step back" in done(moment.cli(SETTLER, "deal", "show", terms)).out
    held = moment.place.client.balance(moment.place.client.deals.escrow)
    moment.weather.drop(1)
    assert moment.show(terms)["status"] == "not open"
    uri = data_uri(work.read_bytes())
    refused(moment.cli(PAYEE, "deal", "deliver", terms, work, "--uri", uri), code=1)
    assert moment.place.client.balance(moment.place.client.deals.escrow) == held - PRICE
    for _ in range(2):
        done(moment.cli(PAYER, "deal", "open", terms))
    assert moment.place.client.balance(moment.place.client.deals.escrow) == held
    moment.weather.finalize()
    assert (moment.show(terms)["status"], moment.show(terms)["final"]) == ("awaiting delivery", True)
    assert "take the last step back" not in done(moment.cli(SETTLER, "deal", "show", terms)).out
    assert moment.events("Opened", dealId=identifier) == 1


def test_a_delivery_that_a_new_branch_refuses_is_made_by_repeating_it(moment: Moment, work: Path) -> None:
    """There it comes before the deal is open."""
    terms, uri = moment.deal(work), data_uri(work.read_bytes())
    done(moment.cli(PAYER, "deal", "open", terms))
    done(moment.cli(PAYEE, "deal", "deliver", terms, work, "--uri", uri, "--no-request"))
    moment.weather.turn_round(2)
    assert moment.show(terms)["status"] == "awaiting delivery"
    done(moment.cli(PAYEE, "deal", "deliver", terms, work, "--uri", uri, "--no-request"))
    assert moment.show(terms)["status"] == "delivered"


def test_a_payment_that_vanishes_is_made_by_whoever_repeats_it(moment: Moment, work: Path) -> None:
    terms, uri = moment.deal(work), data_uri(work.read_bytes())
    identifier = deal_id(moment.place.client.deals, TermsFile.load(terms).terms)
    done(moment.cli(PAYER, "deal", "open", terms))
    done(moment.cli(PAYEE, "deal", "deliver", terms, work, "--uri", uri))
    subject = subject_of(identifier, 0, sha256(work.read_bytes()).digest())
    with moment.weather.fair():
        moment.place.submit(subject, from_address(moment.policy), 90)
    moment.weather.mine(30)
    before = moment.place.client.balance(address(PAYEE))
    done(moment.cli(SETTLER, "deal", "settle", terms))
    assert moment.place.client.balance(address(PAYEE)) == before + PRICE
    moment.weather.drop(1)
    assert (moment.show(terms)["status"], moment.place.client.balance(address(PAYEE))) == ("passed", before)
    done(moment.cli(PAYER, "deal", "settle", terms))
    moment.weather.bring_back()
    assert moment.show(terms)["status"] == "ended"
    assert moment.place.client.balance(address(PAYEE)) == before + PRICE
    assert moment.events("Paid", dealId=identifier) == 1


def test_what_waits_behind_a_forgotten_transaction_is_not_stuck(moment: Moment, tmp_path: Path) -> None:
    """Two transactions vanish; the first one's intent was over, but its nonce comes before the second one's."""
    client = Client(moment.proxy.url, CHAIN)
    sender = Sender(client, open_signer("test:4", CHAIN, str), tmp_path / "outbox", wait=10)
    first, second = (
        Call(client.contracts.registry, encode_call("ContentRegistry", "seal", bytes([n]) * 32)) for n in (1, 2)
    )
    sender.send(first, "first")
    sender.forget("first")
    sender.send(second, "second")
    moment.weather.drop(2)
    receipt = sender.send(second, "second")
    assert receipt.ok and client.seal_of(bytes([2]) * 32, sender.address)
    assert client.seal_of(bytes([1]) * 32, sender.address)


def test_what_is_forgotten_and_vanishes_is_sent_once(moment: Moment, tmp_path: Path) -> None:
    """The same bytes are signed again: the journal knows them by their intent again."""
    client = Client(moment.proxy.url, CHAIN)
    sender = Sender(client, open_signer("test:5", CHAIN, str), tmp_path / "outbox", wait=10)
    call = Call(client.contracts.registry, encode_call("ContentRegistry", "seal", bytes([3]) * 32))
    before = client.quantity("eth_getTransactionCount", to_hex(sender.address), "latest")
    sender.send(call, "name")
    sender.forget("name")
    moment.weather.drop(1)
    for _ in range(2):
        sender.send(call, "name")
    assert client.quantity("eth_getTransactionCount", to_hex(sender.address), "latest") == before + 1


# The nodes


def test_a_verdict_that_vanishes_is_submitted_again_by_the_nodes(
    stage: Stage, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More often than there are nodes, each time as soon as its sender knows that it is mined, and once more when all
    have seen it; nobody else does anything."""
    content, weather, gone, one = work.read_bytes(), stage.weather, list[int](), threading.Lock()
    with weather.fair():
        subject = stage.world.deliver(content, content)
        asked = stage.world.request(subject)

    def vanish(method: str) -> None:
        with one:
            known = method == "eth_getTransactionReceipt" and len(gone) <= len(SEATS)
            if known and stage.world.verdict(subject).outcome != Verdict.NONE:
                gone.append(drop_verdict(stage, subject))

    monkeypatch.setattr(stage.quiet, "after", vanish)
    assert until(lambda: len(gone) > len(SEATS), 60), gone
    assert stage.world.judged(subject) == Verdict.PASS
    time.sleep(2)
    drop_verdict(stage, subject)
    assert stage.world.asked(subject).key == asked.key
    assert stage.world.judged(subject) == Verdict.PASS


def drop_verdict(stage: Stage, subject: bytes) -> int:
    """Reorganise the chain so that the verdict is gone; in which block it was."""
    block = block_of(stage, "Submitted", subject)
    stage.weather.drop_since(block)
    return block


def block_of(stage: Stage, name: str, subject: bytes) -> int:
    """Of the event of that name about a subject."""
    client, head = stage.world.client, stage.weather.number("latest")
    found = ((decode_log(log), log.block) for log in client.logs(head - DEEPEST, head))
    return next(at for event, at in found if event and event.name == name and event.arguments["subject"] == subject)


def test_a_request_made_anew_is_judged_anew_and_alike(stage: Stage, work: Path) -> None:
    """It vanishes and is made again at another time: every node signs again, on the same side."""
    content, weather = work.read_bytes(), stage.weather
    with weather.fair():
        subject = stage.world.deliver(content, content)
        first = stage.world.request(subject)
        weather.mine(1)
    assert stage.world.judged(subject) == Verdict.PASS
    weather.drop_since(block_of(stage, "Requested", subject))
    weather.mine(5)
    assert stage.world.verdict(subject).requested_at == 0
    with weather.fair():
        second = stage.world.request(subject)
    assert second.issued_at > first.issued_at
    assert stage.world.judged(subject) == Verdict.PASS
    for node in stage.nodes:
        journal = Journal(node.home / f"journal-{CHAIN}.sqlite")
        said = [one.attestation for one in journal.all() if one.attestation.request.subject == subject]
        journal.close()
        assert all(one.score == 100 for one in said) and len({one.issued_at for one in said}) == len(said)


# The index


def test_no_range_is_stored_above_a_gap(moment: Moment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading and storing a range the chain forks below it, and another process has rolled back already."""
    client, path = Client(moment.proxy.url, CHAIN), tmp_path / "index.sqlite"
    ours, theirs = Store(path, client.contracts), Store(path, client.contracts)
    catch_up(client, ours)
    root = moment.weather.number("latest") - 5
    moment.weather.mine(10)
    append, late = ours.append, list[int]()

    def appended(*arguments: Any) -> bool:
        if not late:
            late.append(root)
            moment.weather.drop(15)
            theirs.roll_back(root)
        return append(*arguments)

    monkeypatch.setattr(ours, "append", appended)
    for _ in range(2):  # the new branch is longer
        catch_up(client, ours)
    numbers = [block.number for block in ours.blocks()]
    assert late and numbers == list(range(numbers[0], numbers[-1] - 1, -1))
    assert dump(path) == rebuilt(moment.weather.chain.url, CHAIN, tmp_path / "fresh.sqlite")
