"""What the Escrow tests share: terms, EIP-712 by eth_account, and a deal that its parties and time can move."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, TypeAlias

import ape
from ape.api import AccountAPI, ReceiptAPI
from ape.contracts import ContractInstance
from ape.managers.chain import ChainManager
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from support import NOBODY, ZERO, sha256

Sender: TypeAlias = AccountAPI | ContractInstance
"""An account, or the mock Party."""

POLICY = "0x" + "70" * 20
"""Judges by the mock of IVerdicts."""
DELIVERY = sha256("the delivered work")
COST = 1000
"""Of a dispute, in wei."""
AMOUNT = 1_000_003
"""No multiple of 10000: every share must be rounded."""
PASS, FAIL, VOID = 1, 2, 3


class State(IntEnum):
    """The enum."""

    NONE = 0
    STARTED = 1
    DELIVERED = 2
    DISPUTED = 3
    RULED_PAY = 4
    RULED_REFUND = 5
    RULED_HALF = 6
    ENDED = 7


class Cause(IntEnum):
    """The enum."""

    RELEASE = 0
    REFUND = 1
    VERDICT = 2
    RULING = 3
    SILENCE = 4
    UNDELIVERED = 5
    AMENDMENT = 6


def fields(text: str) -> list[dict[str, str]]:
    """EIP-712 fields of "type name, type name"."""
    return [dict(zip(("type", "name"), part.split(), strict=True)) for part in text.split(", ")]


TYPES = {
    "EIP712Domain": fields("string name, string version, uint256 chainId, address verifyingContract"),
    "Milestone": fields("uint256 amount, uint40 deliverTime, uint40 verdictTime"),
    "Terms": fields(
        "address payer, address payee, address token, uint256 amount, address policy, bytes32 brief, uint40 deliverBy, "
        "uint40 verdictBy, uint40 disputeTime, uint40 rulingTime, uint40 revealTime, address arbiter, "
        "uint16 silenceShare, Milestone[] milestones, bytes32 buyerKey, bytes32 salt"
    ),
    "Amendment": fields("bytes32 dealId, bytes32 newDealId"),
}


@dataclass(frozen=True)
class Terms:
    """The struct."""

    payer: str
    payee: str
    token: str = NOBODY
    amount: int = AMOUNT
    policy: str = POLICY
    brief: bytes = sha256("the brief")
    deliver_by: int = 0
    verdict_by: int = 0
    dispute_time: int = 50
    ruling_time: int = 60
    reveal_time: int = 0
    arbiter: str = NOBODY
    silence_share: int = 3333
    milestones: tuple[tuple[int, int, int], ...] = ()
    buyer_key: bytes = ZERO
    salt: bytes = ZERO

    @property
    def words(self) -> tuple[Any, ...]:
        """ABI argument."""
        return tuple(vars(self).values())

    @property
    def message(self) -> dict[str, Any]:
        """EIP-712 message."""
        names = [each["name"] for each in TYPES["Milestone"]]
        later = [dict(zip(names, each, strict=True)) for each in self.milestones]
        terms = zip((each["name"] for each in TYPES["Terms"]), self.words, strict=True)
        return dict(terms) | {"milestones": later}


def typed(escrow: ContractInstance, kind: str, message: dict[str, Any], **domain: Any) -> Any:
    """An EIP-712 message for ``escrow``; ``domain`` overrides fields of the domain."""
    used = ("EIP712Domain", kind, *(("Milestone",) if kind == "Terms" else ()))
    here = {"name": "Countersign", "version": "1", "chainId": 31337, "verifyingContract": escrow.address}
    full = {"types": {n: TYPES[n] for n in used}, "primaryType": kind, "domain": here | domain, "message": message}
    return encode_typed_data(full_message=full)


def digest_of(escrow: ContractInstance, kind: str, message: dict[str, Any], **domain: Any) -> bytes:
    """The EIP-712 digest, by eth_account."""
    signable = typed(escrow, kind, message, **domain)
    return bytes(keccak(b"\x19" + signable.version + signable.header + signable.body))


@dataclass(frozen=True)
class Court:
    """An escrow and those who meet there; ``others`` are strangers to every deal."""

    escrow: ContractInstance
    verdicts: ContractInstance
    arbiter: ContractInstance
    chain: ChainManager
    payer: AccountAPI
    payee: AccountAPI
    others: Sequence[AccountAPI]

    @property
    def now(self) -> int:
        """Time of the newest block."""
        return int(self.chain.blocks.head.timestamp)

    def deal(self, **changes: Any) -> Deal:
        """Terms, not opened: 100 seconds to deliver, 100 more to a verdict."""
        times = {"deliver_by": self.now + 100, "verdict_by": self.now + 200}
        names = {"payer": self.payer.address, "payee": self.payee.address, "arbiter": self.arbiter.address}
        return Deal(self, Terms(**names | times | changes))

    def send(self, verb: str, *words: Any, by: Sender, at: int | None = None, value: int = 0) -> ReceiptAPI:
        """A transaction, in a block of that time."""
        if at is not None:
            self.chain.pending_timestamp = at
        if isinstance(by, ContractInstance):
            call = getattr(self.escrow, verb).encode_input(*words)
            return by.execute(self.escrow, value, call, 1, sender=self.others[0])
        return getattr(self.escrow, verb)(*words, sender=by, value=value)

    def refusal(self, call: bytes, by: Sender, value: int = 0) -> str:
        """The name of the error with which a call would end now (else what the chain says of it), or ``done``."""
        words = {"from": by.address, "to": self.escrow.address, "data": "0x" + call.hex(), "value": hex(value)}
        names = {keccak(text=each.selector)[:4].hex(): each.name for each in self.escrow.contract_type.errors}
        answer = self.chain.provider.web3.provider.make_request("eth_call", [words, "latest"])
        error: Any = answer.get("error")
        return "done" if error is None else names.get(error.get("data", "")[2:10], error["message"])

    def holds(self, account: Any, token: str = NOBODY, block: int | None = None) -> int:
        """Balance, of the chain's coin by default, after the newest or some other block."""
        address = str(getattr(account, "address", account))
        if token == NOBODY:
            return int(self.chain.provider.get_balance(address, block_id="latest" if block is None else hex(block)))
        asked = {} if block is None else {"block_id": block}
        return int(ape.Contract(token).balanceOf(address, **asked))

    def change(self, receipt: ReceiptAPI, account: Any, token: str = NOBODY) -> int:
        """What a transaction did to a balance."""
        after, before = (self.holds(account, token, receipt.block_number - back) for back in (0, 1))
        return after - before


@dataclass(frozen=True)
class Deal:
    """A deal, and what can be done with it. Whoever may do something does it unless another is named."""

    court: Court
    terms: Terms
    disputes: list[int] = field(default_factory=list)

    # What it is

    @property
    def id(self) -> bytes:
        """Of the deal."""
        return bytes(self.court.escrow.dealIdOf(self.terms.words))

    @property
    def record(self) -> Any:
        """As stored."""
        return self.court.escrow.dealOf(self.id)

    @property
    def state(self) -> State:
        """As stored."""
        return State(self.record.state)

    @property
    def subject(self) -> bytes:
        """Of the verdict on the newest delivery."""
        return bytes(self.court.escrow.subjectOf(self.id, self.record.milestone, DELIVERY))

    def but(self, **changes: Any) -> Deal:
        """The same with other terms."""
        return Deal(self.court, replace(self.terms, **changes))

    # What is done with it

    def do(self, verb: str, *rest: Any, by: Sender | None = None, part: int | None = None, **more: Any) -> ReceiptAPI:
        """A verb of the escrow on this deal, and on its current milestone unless ``part`` is another."""
        if verb in ("deliver", "release"):
            rest = (self.record.milestone if part is None else part, *rest)
        usual = {"deliver": self.court.payee, "refund": self.court.payee}
        usual |= {"release": self.court.payer, "dispute": self.court.payer, "open": self.court.payer}
        return self.court.send(verb, self.terms.words, *rest, by=by or usual.get(verb, self.court.others[0]), **more)

    @property
    def opening(self) -> bytes:
        """The call that opens it."""
        return bytes(self.court.escrow.open.encode_input(self.terms.words, ""))

    def open(self, **more: Any) -> Deal:
        """Opens it with exactly its amount."""
        value = self.terms.amount if self.terms.token == NOBODY else 0
        self.do("open", "", **{"value": value} | more)
        return self

    def deliver(self, **more: Any) -> Deal:
        """Delivers the current milestone."""
        self.do("deliver", DELIVERY, "", **more)
        return self

    def dispute(self, at: int | None = None, **more: Any) -> Deal:
        """Asks the arbiter, as early as possible unless a time is given."""
        self.disputes.append(self.court.arbiter.disputes() + 1)
        self.do("dispute", "no good", at=at or self.verdict_by + 1, value=COST, **more)
        return self

    def rule(self, ruling: int, dispute: int | None = None, at: int | None = None) -> ReceiptAPI:
        """The arbiter rules, on the newest dispute by default."""
        if at is not None:
            self.court.chain.pending_timestamp = at
        return self.court.arbiter.give(dispute or self.disputes[-1], ruling, sender=self.court.others[0])

    def tell(self, outcome: int, final_at: int | None = None, effective_at: int | None = None, **other: Any) -> Deal:
        """The mock says so of the newest delivery (or of another subject, or by another policy)."""
        final_at = self.verdict_by if final_at is None else final_at
        said = (outcome, final_at, final_at if effective_at is None else effective_at)
        subject, policy = other.get("subject", self.subject), other.get("policy", POLICY)
        self.court.verdicts.tell(subject, policy, said, sender=self.court.others[0])
        return self

    def reach(self, state: State) -> Deal:
        """Does the least to bring it there."""
        if state != State.NONE:
            self.open()
        if State.DELIVERED <= state < State.ENDED:
            self.deliver()
        if State.DISPUTED <= state < State.ENDED:
            self.dispute()
        if State.RULED_PAY <= state < State.ENDED:
            self.rule(state - State.DISPUTED)
        if state == State.ENDED:
            self.do("release")
        return self

    @property
    def verdict_by(self) -> int:
        """Until when a verdict on the newest delivery counts."""
        record = self.record
        if record.milestone == 0:
            return self.terms.verdict_by
        return int(record.deliveredAt + self.terms.milestones[record.milestone - 1][2])

    # What came of it

    def paid(self, receipt: ReceiptAPI) -> tuple[Cause, bool, int, int]:
        """Cause, ended, to payee, to payer: as the event and the record say it, and as the balances show it."""
        (event,) = (each for each in receipt.events if each.event_name == "Paid")
        assert event.dealId == self.id
        token = self.terms.token
        assert self.court.change(receipt, self.court.escrow, token) == -(event.toPayee + event.toPayer)
        for account, amount in ((self.terms.payee, event.toPayee), (self.terms.payer, event.toPayer)):
            assert account == receipt.sender or self.court.change(receipt, account, token) == amount
        return Cause(event.cause), self.state == State.ENDED, event.toPayee, event.toPayer

    def amendment(self, key: AccountAPI, changed: Deal, **domain: Any) -> bytes:
        """The signature that replaces this deal by another."""
        message = {"dealId": self.id, "newDealId": changed.id}
        signable = typed(self.court.escrow, "Amendment", message, **domain)
        return bytes(Account.sign_message(signable, key.private_key).signature)


def words_of(terms: Terms) -> list[bytes]:
    """The ABI encoding of a call's first argument ``terms``, from its first field on, as words."""
    kinds = ",".join(each["type"].replace("Milestone", "(uint256,uint40,uint40)") for each in TYPES["Terms"])
    data = encode([f"({kinds})"], [terms.words])[32:]
    return [data[at : at + 32] for at in range(0, len(data), 32)]
