"""The demo story, step by step, on a chain that can be turned back: any step can be tried again with a kill in it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from dealing import Place, address
from faults import FaultProxy, Faults, Passed, at, never
from victims import Victims, effects_in

from countersign.canonical import to_hex
from countersign.certificate import Certificate
from tools.devnet import Devnet

_TWICE, _LATE, _ANSWERS = 0.35, 0.35, 0.3
"""How often the restart is killed too, transactions are mined late, and the kill comes before an answer arrives."""
_PATIENCE = 40
_ACCOUNTS = range(10)
_BESIDE_SQLITE = ("-wal", "-shm")


class SlowChain(FaultProxy):
    """The way to a chain that mines only when this says so: a transaction at once and for good, or, ``late``, after
    its sender has asked for it twice."""

    def __init__(self, chain: Devnet) -> None:
        super().__init__(chain.url)
        self.chain, self.late, self._asked = chain, False, 0

    def heard(self, methods: list[str]) -> None:
        self._asked += methods.count("eth_getTransactionReceipt")
        if ("eth_sendRawTransaction" in methods and not self.late) or self._asked >= 3:
            self.settle()

    def settle(self) -> None:
        """Mine, and make final what was mined."""
        self._asked = 0
        self.chain.rpc("anvil_mine", hex(self.chain.finality + 1))


@dataclass(frozen=True)
class Step:
    """A command of the story. ``again`` is what its user runs after a crash: commands, none when it is done already."""

    name: str
    command: Callable[[Stage], list[Any]]
    again: Callable[[Stage], list[list[Any]]] | None = None
    before: Callable[[Stage], None] = lambda _: None
    kind: str = "cli"
    leading: tuple[str, ...] = ()
    """What the kind of victim takes before the command."""
    compared: Callable[[Stage, dict[str, Any]], dict[str, Any]] = lambda _, facts: facts
    """What of the facts has to be as without a kill."""
    share: int = 1
    """One trial in so many: for what takes long by design."""


@dataclass
class Reference:
    """What a step does when nobody kills it: its points, and what it leaves."""

    effects: int
    answers: list[tuple[str, int]]
    facts: dict[str, Any]


@dataclass
class Stage:
    """A chain, a folder of the story's people, and the way between the two."""

    chain: Devnet
    proxy: SlowChain
    victims: Victims
    root: Path
    steps: tuple[Step, ...]
    policy: str = ""
    kills: int = 0
    done: int = 0
    _prepared: str = ""
    _snapshot: str = ""
    _from: int = 0
    _runs: int = 0
    _salts: dict[str, bytes] = field(default_factory=dict)
    _references: dict[str, Reference] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir()

    @property
    def folder(self) -> Path:
        """Where the story's files are."""
        return self.root / "story"

    @property
    def place(self) -> Place:
        """Tokens, nodes and verdicts."""
        return Place(self.chain)

    def path(self, name: str) -> Path:
        """A file of the story."""
        return self.folder / name

    # The story

    def advance_to(self, name: str) -> Step:
        """Run all steps before this one, undisturbed, and prepare it."""
        while self.steps[self.done].name != name:
            step = self.steps[self.done]
            self._prepare(step)
            assert self.run(step, step.command(self)) == 0, self.said()
            self.done += 1
        self._prepare(self.steps[self.done])
        return self.steps[self.done]

    def _prepare(self, step: Step) -> None:
        if step.name == self._prepared:
            return
        self._prepared = step.name
        self.chain.rpc("evm_setAutomine", True)
        step.before(self)
        self.chain.rpc("evm_setAutomine", False)
        self.proxy.settle()

    def run(self, step: Step, command: list[Any], kill_at: int = 0) -> int:
        """Run a command in a process; its exit code."""
        return self._wait(self._start(step, command, kill_at))

    def _wait(self, victim: int) -> int:
        code = self.victims.wait(victim)
        self.kills += code == -9
        return code

    def _start(self, step: Step, command: list[Any], kill_at: int = 0) -> int:
        self._runs += 1
        common = ["--rpc", self.proxy.url, *(() if "--home" in command else ("--home", str(self.path("home"))))]
        return self.victims.start(step.kind, [*step.leading, *map(str, command), *common], self._log, kill_at)

    @property
    def _log(self) -> Path:
        return self.root / f"run{self._runs}.log"

    def said(self) -> str:
        """What the last command printed."""
        return self._log.read_text()

    # Turning back

    def _save(self) -> None:
        saved = self.root / "saved"
        shutil.rmtree(saved, ignore_errors=True)
        shutil.copytree(self.folder, saved)
        self._snapshot = self.chain.rpc("evm_snapshot")
        self._from = self.place.client.head().number

    @contextmanager
    def turned_back(self) -> Iterator[None]:
        """Afterwards chain and files are as they were saved."""
        try:
            yield
        finally:
            self._turn_back()

    def _turn_back(self) -> None:
        self.chain.rpc("evm_revert", self._snapshot)
        self.chain.rpc("anvil_dropAllTransactions")
        self._snapshot = self.chain.rpc("evm_snapshot")
        shutil.rmtree(self.folder)
        shutil.copytree(self.root / "saved", self.folder)
        self.proxy.late, self.proxy.faults = False, never

    # Killing

    def reference(self, step: Step) -> Reference:
        """Run a step undisturbed, and turn back; once for each step."""
        if step.name not in self._references:
            self._save()
            with self.turned_back():
                first = len(self.proxy.passed)
                assert self.run(step, step.command(self)) == 0, self.said()
                answers = _numbered(self.proxy.passed[first:])
                self._references[step.name] = Reference(effects_in(self._log), answers, self.facts())
        return self._references[step.name]

    def killed(self, step: Step, reference: Reference, random: Random) -> str:
        """Kill a step once or twice at random points and repeat it as its user would; says where it was killed."""
        self.proxy.late = random.random() < _LATE
        where = ["mined late"] if self.proxy.late else []
        where.append(self._kill(step, [step.command(self)], reference, random))
        self._salts = self._drafts()
        if random.random() < _TWICE and (left := self._left(step)):
            where.append(self._kill(step, left, reference, random))
        self.proxy.late = False
        for command in self._left(step):
            assert self.run(step, command) == 0, f"{where}: {self.said()}"
        return ", ".join(where)

    def on_bad_line(self, step: Step, faults: Faults, told: str) -> None:
        """Repeat a step, as its user would, until it succeeds. Each failure is a sentence."""
        self._salts = {}
        self.proxy.reset()
        self.proxy.faults = faults
        commands = [step.command(self)]
        for _ in range(_PATIENCE):
            if not commands:
                break
            if self.run(step, commands.pop(0)) != 0:
                assert "error: " in self.said() and "Traceback" not in self.said(), f"{told}: {self.said()}"
                commands = self._left(step)
        assert not commands, f"{told}: {self.said()}"
        self.proxy.faults = never

    def _left(self, step: Step) -> list[list[Any]]:
        return step.again(self) if step.again else [step.command(self)]

    def _kill(self, step: Step, commands: list[list[Any]], reference: Reference, random: Random) -> str:
        """Run the first of the commands to a random point. In a repetition the point may lie beyond the end."""
        if random.random() < _ANSWERS and reference.answers:
            return self._kill_at_answer(step, commands[0], *random.choice(reference.answers))
        number = random.randint(1, reference.effects)
        self.run(step, commands[0], number)
        return f"effect {number} of {reference.effects}"

    def _kill_at_answer(self, step: Step, command: list[Any], method: str, number: int) -> str:
        self.proxy.reset()
        self.proxy.faults = at(method, "hold answer", number)
        victim = self._start(step, command)
        while not self.proxy.held.wait(0.02) and not self.victims.ended(victim):
            pass
        os.kill(victim, 9)
        self._wait(victim)
        self.proxy.faults = never
        self.proxy.reset()
        return f"answer to {method} number {number}"

    # What is the case

    def facts(self) -> dict[str, Any]:
        """Everything that a step changes and a crash must not: files, their states, events, nonces, money less gas."""
        receipts = self._receipts()
        spent = Counter[str]()
        for receipt in receipts:
            spent[receipt["from"]] += int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        people = [to_hex(address(account)) for account in _ACCOUNTS]
        deals = self.place.client.deals
        contracts = [to_hex(at) for at in (deals.escrow, deals.oracle, deals.nodes)]
        certificates = self._certificates()
        return {
            "files": sorted(self._names()),
            "states": {name: certificate.state for name, certificate in certificates.items()},
            "events": Counter((log["address"], log["topics"][0]) for receipt in receipts for log in receipt["logs"]),
            "roots": len({certificate.root for certificate in certificates.values()}),
            "nonces": [self._nonce(one) for one in people],
            "money": {one: int(self.chain.rpc("eth_getBalance", one, "latest"), 16) + spent[one]
                      for one in (*people, *contracts)},
        }  # fmt: skip

    def _nonce(self, account: str) -> int:
        return int(self.chain.rpc("eth_getTransactionCount", account, "latest"), 16)

    def require_sound(self) -> None:
        """Every database is whole, and no draft got another salt."""
        for name in self._names("*.sqlite"):
            with closing(sqlite3.connect(self.path(name))) as db:
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",), name
        now = self._drafts()
        assert {name: now.get(name) for name in self._salts} == self._salts

    def _drafts(self) -> dict[str, bytes]:
        return {name: certificate.salt for name, certificate in self._certificates().items()}

    def _certificates(self) -> dict[str, Certificate]:
        return {name: Certificate.load(self.path(name)) for name in self._names("*.countersign.json")}

    def _names(self, pattern: str = "*") -> list[str]:
        found = (path for path in self.folder.rglob(pattern) if path.is_file())
        return [str(path.relative_to(self.folder)) for path in found if not path.name.endswith(_BESIDE_SQLITE)]

    def _receipts(self) -> list[dict[str, Any]]:
        numbers = range(self._from + 1, self.place.client.head().number + 1)
        return [receipt for number in numbers for receipt in self.chain.rpc("eth_getBlockReceipts", hex(number))]


def _numbered(passed: list[Passed]) -> list[tuple[str, int]]:
    """Each request as its method and which call of it that was."""
    counts = Counter[str]()
    found = []
    for each in passed:
        counts[each.method] += 1
        found.append((each.method, counts[each.method]))
    return found
