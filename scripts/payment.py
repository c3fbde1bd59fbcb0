"""The payment story on a real chain, with real pictures, five node processes and their models: a buyer pays for what AI
oracles found good, and only for that, whoever lies or sleeps.

``scripts/demo.py`` tells it step by step, ``tests/e2e/test_payment.py`` asserts what each step returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from countersign import seal
from countersign.canonical import attestation_digest, checksum, deal_id, subject_of, to_hex
from countersign.certificate import path_beside
from countersign.deal.brief import Brief, dump_brief
from countersign.deal.flow import deal_call, open_call, request_call
from countersign.deal.terms import inline, preview, propose
from countersign.deal.words import COIN
from countersign.fingerprint.digest import digest_file
from countersign.keys.signer import open_signer
from countersign.oracle.decide import SignedAttestation
from countersign.oracle.relay import dump
from countersign.records import ZERO, Attestation, Outcome, Request, State, Terms, Verdict
from countersign.settings import LOCAL_CHAIN
from scripts.committee import STAKE, NodeProcess, found
from scripts.story import Step, Story, photograph
from tools.ports import free_port

__all__ = ["PaymentStory"]

_BUYER, _NODES = 3, (5, 6, 7, 8, 9)
_PRICE = 10**17
_SUBMIT, CHALLENGE = 30, 4
_SILENCE_SHARE = 3_000
_CAPTION = "COUNTERSIGN 2026"
_PATIENCE = 60.0


class PaymentStory(Story):
    """Seller test:1, buyer test:3, nodes test:5 to test:9. The chain at ``rpc`` mines by the clock, too."""

    def __init__(
        self,
        rpc: str,
        folder: Path,
        tell: Callable[[Step], None] = lambda _: None,
        tick: Callable[[int], None] = lambda _: None,
    ) -> None:
        """``tick`` hears the seconds that remain of a challenge window."""
        super().__init__(rpc, folder, tell)
        self.seller, self.buyer = self.creator, open_signer(f"test:{_BUYER}", LOCAL_CHAIN, str)
        self.store = folder / "store"
        self.store.mkdir()
        self.policy = b""
        self.nodes: list[NodeProcess] = []
        self.verdict_seconds: list[float] = []
        self.paid: dict[str, int] = {}
        self._tick = tick

    def run(self) -> None:
        """The whole story. Raises AssertionError where it would end wrong."""
        with self._committee():
            photo, preview_of = self.seller_claims_a_photograph()
            good, damaged = self._pictures(photo)
            self.good_delivery_is_paid(preview_of, good)
            self.two_of_five_lie(preview_of, good, damaged)
            self.nobody_judges(preview_of, good)

    # The steps

    def seller_claims_a_photograph(self) -> tuple[Path, Path]:
        """The photograph to sell, and the preview that the buyer knows."""
        from PIL import Image, ImageDraw, ImageFont

        with self._step("The seller makes a photograph with a caption, seals it and claims it") as step:
            photo, seen = self.store / "photo.png", self.store / "preview.jpg"
            picture = Image.open(photograph()).convert("RGB")
            draw = ImageDraw.Draw(picture)
            draw.rectangle((150, 20, 490, 84), fill="white")
            draw.text((165, 30), _CAPTION, fill="black", font=ImageFont.load_default(36))
            picture.save(photo)
            picture.save(seen, quality=90)
            draft = self._drafts(self.seller, photo)[photo]
            self._send(step, self.seller, seal.seal_call(draft))
            self._make_final()
            proved = seal.prove(self.client, draft, self.seller.address)
            self._send(step, self.seller, seal.claim_call(proved))
            proved.save(path_beside(photo))
            step.outcome = f"claimed by {checksum(self.seller.address)[:8]}…; the buyer sees only the preview"
        return photo, seen

    def good_delivery_is_paid(self, seen: Path, good: Path) -> None:
        """Deal, delivery, verdict, challenge window, payment."""
        terms = self._opened("The buyer opens a deal: 0.1 in escrow, five AI oracles judge", seen)
        subject = self._delivered("The seller delivers; the committee is asked", terms, good)
        self._judged("Five nodes look at the bytes and sign; any one submits", subject, Outcome.PASS)
        self._settled("The challenge window ends; anyone settles, the seller is paid", terms, subject)

    def two_of_five_lie(self, seen: Path, good: Path, damaged: Path) -> None:
        """Liars lose, on a good and on a damaged delivery; one also signs the other side, and is slashed."""
        liars = self.nodes[:2]
        with self._step("Two of the five nodes turn dishonest: they sign the opposite of what they find") as step:
            for node in liars:
                node.stop()
                node.start(self.client.url, "scripts.liar")
            for node in liars:
                node.wait_up()
            step.outcome = ", ".join(f"{checksum(node.address)[:8]}… ({node.check})" for node in liars)
        terms = self._opened("Another deal", seen)
        subject = self._delivered("A good delivery", terms, good)
        self._judged("Two lie, three do not", subject, Outcome.PASS)
        self._slashed("One liar also signed the other side, for somebody else: any node proves it", liars[0], subject)
        self._settled("The seller is paid all the same", terms, subject)
        terms = self._opened("A third deal", seen)
        subject = self._delivered("A damaged delivery: stained, and its caption is gone", terms, damaged)
        self._judged("The liars call it good, the others do not", subject, Outcome.FAIL)
        self._settled("The buyer is refunded", terms, subject)

    def nobody_judges(self, seen: Path, good: Path) -> None:
        """A silent committee: the request lapses and the terms' silence rule applies."""
        terms = self._opened("A fourth deal: if nobody judges, the seller gets 30 percent", seen)
        with self._step("All nodes fall silent") as step:
            for node in self.nodes:
                node.stop()
            step.outcome = "five processes ended"
        subject = self._delivered("A delivery that nobody will judge", terms, good)
        with self._step("The time to answer and the verdict deadline pass") as step:
            self.client.rpc("evm_increaseTime", terms.verdict_by - self.client.head().time + 1)
            self.client.rpc("evm_mine")
            assert self._verdict(subject).outcome == Outcome.NONE
            step.outcome = "the request lapsed; its fee can be withdrawn by who paid it"
        with self._step("Anyone ends the deal: the silence share of the terms applies") as step:
            step.outcome = self._ended(step, terms, "expire")

    # Parts of a deal

    def _opened(self, title: str, seen: Path) -> Terms:
        with self._step(title) as step:
            document, now = dump_brief(_brief_of(seen)), self.client.head().time
            wanted = Terms(
                self.buyer.address, self.seller.address, _PRICE, now + 120, now + 120 + 3 * _SUBMIT + CHALLENGE,
                policy=self.policy, silence_share=_SILENCE_SHARE,
            )  # fmt: skip
            file = propose(self.client, wanted, document, inline(document), now)
            self._send(step, self.buyer, open_call(self.client.deals, file.terms, file.brief_uri))
            step.outcome = f"deal {to_hex(file.deal_id)[:18]}…"
            if not self.verdict_seconds:  # the first deal is explained
                policy = self.client.policy_of(self.policy)
                step.outcome = "\n    ".join(preview(file.terms, policy, _brief_of(seen), COIN, now))
        return file.terms

    def _delivered(self, title: str, terms: Terms, file: Path) -> bytes:
        """The subject that the committee is asked about."""
        with self._step(title) as step:
            content = digest_file(file).sha256
            deliver = deal_call(self.client.deals, "deliver", terms, 0, content, file.resolve().as_uri())
            self._send(step, self.seller, deliver)
            subject = subject_of(deal_id(self.client.deals, terms), 0, content)
            policy = self.client.policy_of(self.policy)
            self._send(step, self.seller, request_call(self.client.deals, subject, self.policy, policy))
            step.outcome = f"{file.name} {to_hex(content)[:18]}…"
        return subject

    def _judged(self, title: str, subject: bytes, expected: Outcome) -> None:
        with self._step(title) as step:
            start = time.monotonic()
            while (verdict := self._verdict(subject)).outcome == Outcome.NONE:
                assert time.monotonic() < start + _PATIENCE, "no verdict: " + self._logs()
                time.sleep(0.05)
            seconds = time.monotonic() - start
            self.verdict_seconds.append(seconds)
            assert verdict.outcome == expected, verdict
            step.outcome = (
                f"{expected.name} by {verdict.signers.bit_count()} of 5 (bound {verdict.bound} of 100), "
                f"{seconds:.1f} s after the request"
            )

    def _slashed(self, title: str, liar: NodeProcess, subject: bytes) -> None:
        with self._step(title) as step:
            record = self._verdict(subject)
            said = Attestation(Request(subject, self.policy, record.round), 100, ZERO, record.requested_at)
            signer = open_signer(liar.key, LOCAL_CHAIN, str)
            signed = SignedAttestation(said, signer.sign_digest(attestation_digest(self.client.deals, said)))
            self.nodes[4].tell(dump(signed))
            start = time.monotonic()
            while (stake := self.client.node_of(liar.address).stake) * 10**9 == STAKE:
                assert time.monotonic() < start + _PATIENCE, "not slashed: " + self._logs()
                time.sleep(0.1)
            step.outcome = f"{checksum(liar.address)[:8]}… lost half of its stake: {COIN.show(stake * 10**9)} is left"

    def _settled(self, title: str, terms: Terms, subject: bytes) -> None:
        with self._step(title) as step:
            _, _, effective_at = self.client.verdict_of(subject, self.policy)
            while (left := effective_at - self.client.head().time) > 0:
                self._tick(left)
                time.sleep(0.3)
            self._tick(0)
            step.outcome = self._ended(step, terms, "settle")

    def _ended(self, step: Step, terms: Terms, verb: str) -> str:
        parties = {"seller": terms.payee, "buyer": terms.payer}
        before = {name: self.client.balance(party) for name, party in parties.items()}
        self._send(step, self.thief, deal_call(self.client.deals, verb, terms))
        assert self.client.deal_of(deal_id(self.client.deals, terms)).state == State.ENDED
        got = {name: self.client.balance(party) - before[name] for name, party in parties.items()}
        self.paid[step.title] = got["seller"]
        assert sum(got.values()) == _PRICE
        return ", ".join(f"the {name} gets {COIN.show(amount)}" for name, amount in got.items() if amount)

    # Tools

    @contextmanager
    def _committee(self) -> Iterator[None]:
        with self._step("Five nodes join with stakes, each with an AI model of its own; a policy names them") as step:
            keys = [(f"test:{n}", open_signer(f"test:{n}", LOCAL_CHAIN, str)) for n in _NODES]
            ports = [free_port() for _ in keys]
            outbox = self.folder / "outbox-committee.sqlite"
            self.policy, self.nodes = found(
                self.client, self.folder, keys, ports, self.store, outbox, submit_time=_SUBMIT, challenge_time=CHALLENGE
            )
            step.outcome = "models: " + ", ".join(node.check for node in self.nodes)
        try:
            with self._step("The five nodes start, each in a process of its own") as step:
                for node in self.nodes:
                    node.start(self.client.url)
                for node in self.nodes:
                    node.wait_up()
                step.outcome = f"policy {checksum(self.policy)}: 3 of 5 decide, challenge window {CHALLENGE} s"
            yield
        finally:
            for node in self.nodes:
                node.stop()

    def _pictures(self, photo: Path) -> tuple[Path, Path]:
        """What is delivered: the photograph, and one that was damaged on the way."""
        from PIL import Image, ImageDraw, ImageFilter

        damaged = self.store / "damaged.png"
        picture = Image.open(BytesIO(photo.read_bytes())).convert("RGB")
        stained = ImageDraw.Draw(picture)
        stained.ellipse((60, 5, 560, 200), fill=(92, 64, 36))
        stained.rectangle((0, 300, 640, 427), fill=(128, 128, 128))
        picture.filter(ImageFilter.GaussianBlur(3)).save(damaged)
        return photo, damaged

    def _verdict(self, subject: bytes) -> Verdict:
        return self.client.verdict(subject, self.policy)

    def _logs(self) -> str:
        return "\n".join(f"{node.home.name}: {node.log.read_text()[-400:]}" for node in self.nodes)


def _brief_of(seen: Path) -> Brief:
    digest = sha256(seen.read_bytes()).digest()
    return Brief("A photograph of a Chinese temple, captioned", "As in the preview, in full quality.", ("image/png",),
                 (_CAPTION,), digest, seen.resolve().as_uri())  # fmt: skip
