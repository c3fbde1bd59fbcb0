"""A committee, a buyer and a seller on a local chain, for the web app's tests and pictures. Verdicts are signed here,
as node processes would."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from countersign import models
from countersign.canonical import (
    attestation_digest,
    keccak,
    model_id,
    pack_attestation,
    policy_address,
    subject_of,
    text_hash,
    to_hex,
)
from countersign.chain.client import Client
from countersign.chain.codec import encode_call
from countersign.deal.brief import Brief, dump_brief
from countersign.deal.flow import deal_call, open_call, policy_call, request_call
from countersign.deal.terms import TermsFile, inline, propose
from countersign.keys.signer import Signer, open_signer
from countersign.records import ZERO, Attestation, Call, Deal, Policy, Request, Seat, Terms
from tools.devnet import Devnet

CHAIN = 31337
BUYER, SELLER, NODES = 0, 2, (5, 6, 7)
"""Numbers of the published test keys; the wallet of the other tests is 1."""


def signer(account: int) -> Signer:
    """A published test key."""
    return open_signer(f"test:{account}", CHAIN, str)


def address(account: int) -> bytes:
    """Its address."""
    return signer(account).address


@dataclass
class Market:
    """Three nodes with one model, and their policy: two of three, 10 minutes, challenges for ``challenge_time``."""

    chain: Devnet
    challenge_time: int = 0
    arbiter: bytes = bytes(20)
    policy: Policy = field(init=False)
    client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = Client(self.chain.url, CHAIN)
        model = models.describe(address(BUYER), sha256(b"weights").digest(), licence="Apache-2.0")
        self.send(BUYER, models.publish_call(self.client.contracts, model))
        for node in NODES:
            deals = self.client.deals
            self.send(node, Call(deals.nodes, encode_call("OracleNodes", "join", deals.oracle, ZERO), 10**18))
        seats = tuple(Seat(at, model_id(model)) for at in sorted(map(address, NODES)))
        ruling = (self.challenge_time, 3600) if any(self.arbiter) else (self.challenge_time, 0)
        self.policy = Policy(text_hash("delivery/1"), seats, 2, 50, 600, *ruling, fee=10**15, slash=10**17)
        if any(self.arbiter):
            self.policy = replace(self.policy, arbiter=self.arbiter, bond=10**16)
        self.send(BUYER, policy_call(self.client.deals, self.policy))

    @property
    def address(self) -> bytes:
        """Of the policy."""
        return policy_address(self.client.deals, self.policy)

    def send(self, account: int, call: Call) -> str:
        """Send and mine a transaction; its hash."""
        fields = {"to": to_hex(call.to), "data": to_hex(call.data), "value": hex(call.value)}
        return self.chain.send({"from": to_hex(address(account)), **fields})

    def terms(self, title: str = "The old mill", **changes: Any) -> TermsFile:
        """Terms between buyer and seller, proposed and not open."""
        now = self.client.head().time
        usual: dict[str, Any] = {"policy": self.address, "deliver_by": now + 3600, "verdict_by": now + 7200}
        parties: dict[str, Any] = {"payer": address(BUYER), "payee": address(SELLER), "amount": 5 * 10**17}
        document = dump_brief(Brief(title, text="At dusk.", must_show=("mill",)))
        return propose(self.client, Terms(**parties | usual | changes), document, inline(document), now)

    def opened(self, **changes: Any) -> TermsFile:
        """An open deal."""
        file = self.terms(**changes)
        self.send(BUYER, open_call(self.client.deals, file.terms, file.brief_uri))
        return file

    def delivered(self, content: bytes = b"a picture", **changes: Any) -> tuple[TermsFile, bytes]:
        """A deal with a delivery, and the subject of its verdict."""
        file, digest = self.opened(**changes), sha256(content).digest()
        call = deal_call(self.client.deals, "deliver", file.terms, 0, digest, "https://example.org/mill.jpg")
        self.send(SELLER, call)
        return file, subject_of(file.deal_id, 0, digest)

    def requested(self, **changes: Any) -> tuple[TermsFile, bytes]:
        """A deal whose delivery the committee was asked about, and the subject."""
        file, subject = self.delivered(**changes)
        self.send(BUYER, request_call(self.client.deals, subject, self.address, self.policy))
        return file, subject

    def submit(self, subject: bytes, score: int = 90) -> bytes:
        """The verdict of the first two seats; hash of the first one's evidence."""
        record = self.client.verdict(subject, self.address)
        keys = {address(node): node for node in NODES}
        packed = b""
        for seat in self.policy.seats[:2]:
            evidence = keccak(b"evidence" + seat.node)
            said = Attestation(Request(subject, self.address, record.round), score, evidence, record.requested_at)
            signature = signer(keys[seat.node]).sign_digest(attestation_digest(self.client.deals, said))
            packed += pack_attestation(score, evidence, signature)
        self.send(
            BUYER, Call(self.client.deals.oracle, encode_call("Oracle", "submit", subject, self.address, 3, packed))
        )
        return keccak(b"evidence" + self.policy.seats[0].node)

    def act(self, account: int, verb: str, file: TermsFile, *arguments: Any) -> None:
        """A verb of the escrow, by an account."""
        self.send(account, deal_call(self.client.deals, verb, file.terms, *arguments))

    def subject(self, file: TermsFile, deal: Deal) -> bytes:
        """What the committee is asked about the current delivery."""
        return subject_of(file.deal_id, deal.milestone, deal.delivery)

    def judged(self, score: int = 90, **changes: Any) -> tuple[TermsFile, bytes]:
        """A deal with a verdict, and its subject."""
        file, subject = self.requested(**changes)
        self.submit(subject, score)
        return file, subject
