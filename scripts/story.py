"""The thief story on a real chain and real files: a creator seals, then posts; a thief tries everything and loses.

``scripts/demo.py`` tells it step by step, ``tests/e2e/test_story.py`` asserts what each step returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path

from countersign import seal
from countersign.canonical import checksum, from_hex, keccak, to_hex
from countersign.certificate import Certificate, path_beside
from countersign.chain.client import Client, Receipt
from countersign.chain.sender import Sender, intent
from countersign.errors import Reverted
from countersign.fingerprint.digest import digest_file
from countersign.keys.signer import Signer, open_signer
from countersign.records import Call, Work
from countersign.settings import LOCAL_CHAIN
from countersign.verify import Report, verify

__all__ = ["Step", "Story"]

_GAS = 300_000
_CREATOR_TIP, _THIEF_TIP = 2 * 10**9, 100 * 10**9
"""The thief pays 50 times the tip to be mined first."""


@dataclass
class Step:
    """One thing that happened: its transactions with gas, how long it took, what came of it."""

    title: str
    outcome: str = ""
    transactions: list[tuple[str, int]] = field(default_factory=list)
    seconds: float = 0.0


def photograph() -> Path:
    """A real photograph (china.jpg, CC BY, from the scikit-learn wheel)."""
    return Path(str(files("sklearn") / "datasets" / "images" / "china.jpg"))


def text() -> Path:
    """A real text (BSD-3-Clause, from the scikit-learn wheel)."""
    return Path(str(files("sklearn") / "datasets" / "descr" / "breast_cancer.rst"))


def _origin(path: Path) -> str:
    return "digitalCapture" if path.suffix == ".jpg" else "digitalCreation"


class Story:
    """Creator test:1 against thief test:2 on the chain at ``rpc``; ``tell`` hears every finished step."""

    def __init__(self, rpc: str, folder: Path, tell: Callable[[Step], None] = lambda _: None) -> None:
        self.client = Client(rpc, LOCAL_CHAIN)
        self.creator, self.thief = (open_signer(f"test:{n}", LOCAL_CHAIN, str) for n in (1, 2))
        self.folder, self._tell = folder, tell
        self.steps: list[Step] = []
        self.reports: dict[str, Report] = {}

    def run(self) -> None:
        """The whole story. Raises AssertionError where the thief would win."""
        photo, document = self._posted(photograph()), self._posted(text())
        sealed = self.creator_seals(photo, document)
        self.thief_claims_the_same_bytes(photo, sealed[photo])
        self.thief_copies_the_claim(document, sealed[document])
        self.thief_seals_after_the_claim(document)
        self.thief_replays_the_signature(document, sealed[document])
        self.anyone_verifies(photo)
        self.nobody_verifies_a_changed_byte(photo)

    def _posted(self, source: Path) -> Path:
        path = self.folder / source.name
        path.write_bytes(source.read_bytes())
        return path

    # The creator's day

    def creator_seals(self, *works: Path) -> dict[Path, Certificate]:
        """Seal all works in one transaction, which the thief copies while it is pending (b)."""
        with self._step("The creator drafts and signs: salts are on disk before anything is sent") as step:
            drafts = self._drafts(self.creator, *works)
            step.outcome = f"{len(drafts)} drafts under one root {to_hex(next(iter(drafts.values())).root)[:18]}…"
        with self._step("(b) The creator seals; the thief copies the pending seal and pays to be first") as step:
            call = seal.seal_call(next(iter(drafts.values())))
            receipts = self._race(step, (self.creator, call, _CREATOR_TIP), (self.thief, call, _THIEF_TIP))
            assert all(receipt.ok for receipt in receipts)
            step.outcome = "both are mined; the copy holds a leaf that names the creator, so it is worth nothing"
        with self._step("The seal becomes final: certificates are complete, the creator may post") as step:
            self._make_final()
            proved = {path: seal.prove(self.client, draft, self.creator.address) for path, draft in drafts.items()}
            for path, certificate in proved.items():
                certificate.save(path_beside(path))
            step.outcome = ", ".join(path_beside(path).name for path in proved)
        return proved

    # The thief's tries

    def thief_claims_the_same_bytes(self, photo: Path, certificate: Certificate) -> None:
        """(a) Seal and claim the posted bytes before the creator claims them."""
        with self._step("(a) The thief downloads the photograph, seals and claims the same bytes first") as step:
            stolen = self._drafts(self.thief, photo)[photo]
            self._send(step, self.thief, seal.seal_call(stolen))
            self._make_final()
            stolen = seal.prove(self.client, stolen, self.thief.address)
            self._send(step, self.thief, seal.claim_call(stolen))
            step.outcome = f"the claim stands for the thief {checksum(self.thief.address)[:8]}… for now"
        with self._step("The creator claims with the strictly earlier seal") as step:
            self._send(step, self.creator, seal.claim_call(certificate))
            holder = self.client.claim_of(certificate.work.content)
            assert holder is not None and holder.creator == self.creator.address
            step.outcome = "the thief's claim is superseded"
        self._judge("thief's certificate (a)", stolen, "claim")
        self._refresh(photo, certificate)

    def thief_copies_the_claim(self, document: Path, certificate: Certificate) -> None:
        """(c) Copy the pending claim with the thief as creator and other metadata, and pay to be first."""
        work = replace(certificate.work, metadata=keccak(b"the thief's story"))
        stolen = replace(certificate, work=work, creator=self.thief.address)
        title = "(c) The creator claims the text; the thief copies the pending claim, changes it and pays to be first"
        with self._step(title) as step:
            call, copy = seal.claim_call(certificate), seal.claim_call(stolen)
            rivals = (self.creator, call, _CREATOR_TIP), (self.thief, copy, _THIEF_TIP)
            honest, copied = self._race(step, *rivals)
            assert honest.ok and not copied.ok
            why = self.client.explain(self.thief.address, copy, copied.block)
            step.outcome = f"the copy reverts: {why.message}"
        self._judge("thief's certificate (c)", stolen, "opening")
        self._refresh(document, certificate)

    def thief_seals_after_the_claim(self, document: Path) -> None:
        """(d) Seal after the claim revealed everything, then claim."""
        with self._step("(d) The thief seals after seeing the claim, then claims") as step:
            late = self._drafts(self.thief, document)[document]
            self._send(step, self.thief, seal.seal_call(late))
            self._make_final()
            late = seal.prove(self.client, late, self.thief.address)
            step.outcome = self._refused(self.thief, seal.claim_call(late), "AlreadyClaimed")
        self._judge("thief's certificate (d)", late, "claim")

    def thief_replays_the_signature(self, document: Path, certificate: Certificate) -> None:
        """(e) Use the creator's signature, public since the certificate was, for the thief's own seal."""
        with self._step("(e) The thief replays the creator's signature for a seal of his own") as step:
            own = self._drafts(self.thief, document)[document]
            stolen = replace(own, signature=certificate.signature, sealer=self.thief.address)
            step.outcome = self._refused(self.thief, seal.claim_call(stolen, by_signature=True), "BadSignature")
        with self._step("(e) … and for his copy of the creator's seal, naming the creator") as step:
            copied = replace(certificate, sealer=self.thief.address)
            step.outcome = self._refused(self.thief, seal.claim_call(copied, by_signature=True), "AlreadyClaimed")
        proved = seal.prove(self.client, replace(stolen, root=certificate.root), self.thief.address)
        self._judge("thief's certificate (e)", proved, "opening")

    # Anybody

    def anyone_verifies(self, photo: Path) -> None:
        """Offline, trusting one block hash."""
        certificate = Certificate.load(path_beside(photo))
        assert certificate.proof is not None
        with self._step("Anybody verifies the photograph offline, trusting one block hash") as step:
            trusted = certificate.proof.check().block.hash
            report = verify(certificate, digest_file(photo).sha256, block_hash=trusted)
            assert report.outcome == "verified", report.summary
            self.reports["genuine"] = report
            step.outcome = f"VERIFIED, {len(report.steps)} steps: {report.summary}"

    def nobody_verifies_a_changed_byte(self, photo: Path) -> None:
        """One byte flipped, in the file and in the certificate: the step that fails is named."""
        certificate = Certificate.load(path_beside(photo))
        with self._step("One byte of the photograph is flipped") as step:
            changed = bytearray(photo.read_bytes())
            changed[len(changed) // 2] ^= 1
            flipped = self.folder / "flipped.jpg"
            flipped.write_bytes(changed)
            report = verify(certificate, digest_file(flipped).sha256, client=self.client)
            step.outcome = self._named(report, "content", "flipped file")
        with self._step("One byte of the certificate is flipped") as step:
            salt = bytes([certificate.salt[0] ^ 1]) + certificate.salt[1:]
            report = verify(replace(certificate, salt=salt), certificate.work.content, client=self.client)
            step.outcome = self._named(report, "opening", "flipped certificate")

    # Tools

    @contextmanager
    def _step(self, title: str) -> Iterator[Step]:
        step, start = Step(title), time.perf_counter()
        yield step
        step.seconds = time.perf_counter() - start
        self.steps.append(step)
        self._tell(step)

    def _drafts(self, signer: Signer, *works: Path) -> dict[Path, Certificate]:
        """Signed drafts under one root, saved before anything is sent."""
        entries = [
            seal.Draft(path.name, Work(digest_file(path).sha256, origin=_origin(path)), seal.new_salt())
            for path in works
        ]
        drafts = seal.drafts(entries, signer.address, self.client.contracts)
        signed = [replace(draft, signature=signer.sign_digest(draft.digest)) for draft in drafts]
        folder = self.folder / checksum(signer.address)[:8]
        folder.mkdir(exist_ok=True)
        for path, draft in zip(works, signed, strict=True):
            draft.save(path_beside(folder / path.name))
        return dict(zip(works, signed, strict=True))

    def _send(self, step: Step, signer: Signer, call: Call) -> Receipt:
        sender = Sender(self.client, signer, self.folder / f"outbox-{signer.address.hex()}.sqlite")
        receipt = sender.send(call, intent("story", keccak(call.data), time.time_ns()))
        self._record(step, receipt)
        return receipt

    @staticmethod
    def _record(step: Step, receipt: Receipt) -> None:
        step.transactions.append((to_hex(receipt.transaction), receipt.gas))

    def _race(self, step: Step, *rivals: tuple[Signer, Call, int]) -> list[Receipt]:
        """Have all transactions pending at once and mined in one block, the highest tip first."""
        self.client.rpc("evm_setAutomine", False)
        try:
            hashes = [self._pend(*rival) for rival in rivals]
            self.client.rpc("evm_mine")
        finally:
            self.client.rpc("evm_setAutomine", True)
        receipts = [self.client.receipt(sent) for sent in hashes]
        assert all(receipts), "all rivals are mined"
        found = [receipt for receipt in receipts if receipt]
        assert len({receipt.block for receipt in found}) == 1
        assert min(found, key=lambda r: int(r["transactionIndex"], 16)) is found[-1], "the thief was first"
        for receipt in found:
            self._record(step, receipt)
        return found

    def _pend(self, signer: Signer, call: Call, tip: int) -> bytes:
        nonce = int(self.client.rpc("eth_getTransactionCount", to_hex(signer.address), "pending"), 16)
        fields = {"to": checksum(call.to), "data": call.data, "value": 0, "nonce": nonce, "gas": _GAS}
        fees = {"maxFeePerGas": 2 * tip, "maxPriorityFeePerGas": tip, "chainId": LOCAL_CHAIN, "type": 2}
        raw = signer.sign_transaction({**fields, **fees})
        return from_hex(self.client.rpc("eth_sendRawTransaction", to_hex(raw)), 32)

    def _refused(self, signer: Signer, call: Call, error: str) -> str:
        """The contract's refusal in words; the transaction is not even sent."""
        try:
            self.client.estimate(signer.address, call)
        except Reverted as refusal:
            assert refusal.name == error, refusal
            return f"refused: {refusal.message}"
        raise AssertionError(f"{error} was expected")

    def _make_final(self) -> None:
        """Two blocks behind the head is final on the local chain."""
        self.client.rpc("anvil_mine", "0x3", "0x1")

    def _refresh(self, path: Path, certificate: Certificate) -> None:
        """Prove again once the claim is final: the certificate now shows it."""
        self._make_final()
        seal.prove(self.client, certificate, self.creator.address).save(path_beside(path))

    def _judge(self, name: str, certificate: Certificate, failing: str) -> None:
        self._make_final()
        with self._step(f"verify says why the {name} is worth nothing") as step:
            report = verify(certificate, certificate.work.content, client=self.client)
            step.outcome = self._named(report, failing, name)

    def _named(self, report: Report, failing: str, name: str) -> str:
        self.reports[name] = report
        assert report.outcome == "not verified" and report.failed and report.failed.name == failing, report
        return f"NOT VERIFIED at step {report.failed.number} {failing}: {report.failed.detail}"
