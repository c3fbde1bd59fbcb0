"""What the Oracle tests share: policies as code, requests, and attestations signed as EIP-712 by eth_account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from ape.api import AccountAPI, ReceiptAPI
from ape.contracts import ContractInstance
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from support import NOBODY, sha256

Committee: TypeAlias = list[AccountAPI]
"""Keys of the seats, ascending by address."""

SUBJECT = sha256("subject")
STAKE = 10**18
SIZE = 97
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1."""

PASS, FAIL, VOID = 1, 2, 3
UNCHALLENGED, CHALLENGED, UPHELD, ANNULLED, OVERTURNED, DECLINED = range(6)

KIND = "(bytes32,address,uint96,uint96,uint96,uint32,uint32,uint32,uint8,uint8,(address,bytes32)[])"
"""ABI type of `Policy`."""

TYPES = {
    "EIP712Domain": [
        {"name": "name", "type": "string"},
        {"name": "version", "type": "string"},
        {"name": "chainId", "type": "uint256"},
        {"name": "verifyingContract", "type": "address"},
    ],
    "Request": [
        {"name": "subject", "type": "bytes32"},
        {"name": "policy", "type": "address"},
        {"name": "round", "type": "uint8"},
    ],
    "Attestation": [
        {"name": "request", "type": "Request"},
        {"name": "score", "type": "uint8"},
        {"name": "evidence", "type": "bytes32"},
        {"name": "issuedAt", "type": "uint40"},
    ],
}


@dataclass(frozen=True)
class Policy:
    """The struct. By default 3 of the seats suffice at 70; the fee leaves a remainder however it is shared."""

    seats: tuple[tuple[str, bytes], ...]
    keys: tuple[AccountAPI, ...] = field(default=(), compare=False)
    check: bytes = sha256("delivery/1")
    arbiter: str = NOBODY
    fee: int = 10**15 + 7
    bond: int = 0
    slash: int = STAKE
    submit_time: int = 1000
    challenge_time: int = 500
    ruling_time: int = 0
    k: int = 3
    pass_score: int = 70

    @classmethod
    def of(cls, keys: Sequence[AccountAPI], **terms: Any) -> Policy:
        """A seat for each key, with a model of its own; an arbiter brings a bond and its time with it."""
        seats = tuple((key.address, sha256(f"model {place}")) for place, key in enumerate(keys))
        arbitrated = {"bond": 10**14 + 5, "ruling_time": 2000} if "arbiter" in terms else {}
        return cls(seats, tuple(keys), **arbitrated | terms)

    @property
    def words(self) -> tuple[Any, ...]:
        """ABI argument."""
        money = (self.fee, self.bond, self.slash)
        times = (self.submit_time, self.challenge_time, self.ruling_time)
        return (self.check, self.arbiter, *money, *times, self.k, self.pass_score, list(self.seats))

    @property
    def encoded(self) -> bytes:
        """ABI encoding."""
        return encode([KIND], [self.words])

    @property
    def init_code(self) -> bytes:
        """PUSH2 length, copy what follows, return it: STOP and the encoding."""
        code = b"\0" + self.encoded
        return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80600a3d393df3") + code

    def address(self, oracle: ContractInstance) -> str:
        """By CREATE2 with salt 0."""
        creation = b"\xff" + bytes.fromhex(oracle.address[2:]) + bytes(32) + keccak(self.init_code)
        return str(to_checksum_address(keccak(creation)[12:]))


@dataclass(frozen=True)
class Asked:
    """A request to the committee of a policy, and what its seats can do with it."""

    oracle: ContractInstance
    policy: Policy
    subject: bytes
    round: int = 0
    issued_at: int = 0

    @property
    def address(self) -> str:
        """Of the policy."""
        return self.policy.address(self.oracle)

    @property
    def names(self) -> tuple[bytes, str]:
        """What most calls begin with."""
        return self.subject, self.address

    @property
    def request(self) -> tuple[bytes, str, int]:
        """The struct."""
        return self.subject, self.address, self.round

    @property
    def record(self) -> Any:
        """The stored verdict."""
        return self.oracle.recordOf(*self.names)

    @property
    def verdict(self) -> tuple[int, int, int]:
        """Outcome, finalAt, effectiveAt."""
        return tuple(self.oracle.verdictOf(*self.names))

    def now(self) -> Asked:
        """The newest round."""
        record = self.record
        return replace(self, round=record.round, issued_at=record.requestedAt)

    def message(self, score: int, evidence: bytes, /, **changes: Any) -> dict[str, Any]:
        """EIP-712 message of an attestation; words name fields of it or of its request."""
        request = {"subject": self.subject, "policy": self.address, "round": self.round}
        whole = {"request": request, "score": score, "evidence": evidence, "issuedAt": self.issued_at}
        inner = {name: changes.pop(name) for name in list(changes) if name in request}
        return whole | {"request": request | inner} | changes

    def typed(self, message: dict[str, Any], **domain: Any) -> Any:
        """What eth_account signs."""
        here = {"name": "Countersign", "version": "1", "chainId": 31337, "verifyingContract": self.oracle.address}
        full = {"types": TYPES, "primaryType": "Attestation", "domain": here | domain, "message": message}
        return encode_typed_data(full_message=full)

    def say(self, seat: int, score: int, /, domain: Mapping[str, Any] | None = None, **changes: Any) -> bytes:
        """The attestation of a seat, 97 bytes; ``changes`` are signed but not sent."""
        evidence = sha256(f"evidence of seat {seat}")
        signable = self.typed(self.message(score, evidence, **changes), **domain or {})
        signed = Account.sign_message(signable, self.policy.keys[seat].private_key)
        return pack(score, evidence, signed.r, signed.s, signed.v - 27)

    def bundle(self, scores: Mapping[int, int], **changes: Any) -> tuple[int, bytes]:
        """Signers and attestations for `submit`: what each seat scores."""
        said = b"".join(self.say(seat, scores[seat], **changes) for seat in sorted(scores))
        return mask(scores), said

    def submit(self, scores: Mapping[int, int], **sender: AccountAPI) -> ReceiptAPI:
        """Sends the honest bundle."""
        return self.send(*self.bundle(scores), **sender)

    def send(self, signers: int, attestations: bytes, sender: AccountAPI | None = None) -> ReceiptAPI:
        """`submit`, by the first seat unless another sender is given."""
        return self.oracle.submit(*self.names, signers, attestations, sender=sender or self.policy.keys[0])

    def again(self, sender: AccountAPI) -> Asked:
        """Requests the next round."""
        self.oracle.request(*self.names, value=self.policy.fee, sender=sender)
        return self.now()

    def withdraw(self, sender: AccountAPI, of_round: int | None = None) -> ReceiptAPI:
        """Pays what a round owes."""
        return self.oracle.withdraw(*self.names, self.round if of_round is None else of_round, sender=sender)

    def equivocation(self, seat: int, high: int = 90, low: int = 10, **changes: Any) -> tuple[Any, ...]:
        """The struct: two attestations of one seat."""
        both = (self.say(seat, high, **changes), self.say(seat, low, **changes))
        return self.request, seat, self.issued_at, *both


def mask(seats: Sequence[int] | Mapping[int, int]) -> int:
    """Bit i is seat i."""
    return sum(1 << seat for seat in seats)


def pack(score: int, evidence: bytes, r: int, s: int, parity: int) -> bytes:
    """97 bytes: score, evidence, r, vs (EIP-2098)."""
    return bytes([score]) + evidence + r.to_bytes(32, "big") + (s | parity << 255).to_bytes(32, "big")


def flipped(attestation: bytes) -> bytes:
    """The same attestation with the other parity."""
    return attestation[:65] + bytes([attestation[65] ^ 0x80]) + attestation[66:]


def malleable(attestation: bytes) -> list[bytes]:
    """Its malleable twin, s' = order - s, cut to the 255 bits that EIP-2098 has for s, with either parity."""
    s = int.from_bytes(attestation[65:], "big") % 2**255
    high = (ORDER - s) % 2**255
    return [attestation[:65] + (high | parity << 255).to_bytes(32, "big") for parity in (0, 1)]
