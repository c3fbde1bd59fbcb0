"""A chain's state made up in memory, with real tries and a real header: certificates of any kind, proven offline."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import rlp
from eth_account import Account
from eth_utils.crypto import keccak
from tries import Trie

from countersign import canonical, seal
from countersign.certificate import AccountProof, Certificate, SlotProof, StateProof
from countersign.chain.deployments import contracts_on
from countersign.records import Work

CONTRACTS = contracts_on(31337)
FILE = b"A seal is a commitment's time on chain.\n"
CONTENT = sha256(FILE).digest()
CONTRACTS_WITH_STATE = (CONTRACTS.registry, CONTRACTS.identities)
NOW = 1_800_000_000
BLOCK = 100
_CODE_HASH = keccak(b"some code")


def secret(number: int) -> bytes:
    """Private key number ``number`` of the tests."""
    return keccak(b"test key %d" % number)


def address(number: int) -> bytes:
    """Its address."""
    return bytes.fromhex(Account.from_key(secret(number)).address[2:])


CREATOR, THIEF, SERVICE, SUCCESSOR = (address(n) for n in range(4))


def sign(number: int, digest: bytes) -> bytes:
    """EIP-712 signature of a digest by key ``number``, made by eth_account."""
    return bytes(Account.unsafe_sign_hash(digest, secret(number)).signature)


def draft(creator: bytes = CREATOR, content: bytes = CONTENT, others: int = 0, **said: Any) -> Certificate:
    """A draft of one work, in a batch with ``others`` more."""
    works = [Work(content, **said), *(Work(keccak(b"other %d" % n)) for n in range(others))]
    entries = [seal.Draft("photo.jpg", work, keccak(b"salt %d" % n)) for n, work in enumerate(works)]
    return seal.drafts(entries, creator, CONTRACTS)[0]


@dataclass
class World:
    """What the chain holds: storage words by (contract, slot), and accounts with code."""

    words: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    wallets: list[bytes] = field(default_factory=list)

    def sealed(self, c: Certificate, sealer: bytes, time: int = NOW - 500, block: int = 50) -> World:
        """``sealer`` sealed the certificate's root."""
        self.words[CONTRACTS.registry, canonical.seal_slot(c.root, sealer)] = time | block << 64
        return self

    def claimed(self, creator: bytes, sealed_at: int, consent_at: int, flags: int = 0) -> World:
        """``creator`` holds the claim on CONTENT."""
        word = int.from_bytes(creator, "big") | sealed_at << 160 | consent_at << 200 | flags << 240
        self.words[CONTRACTS.registry, canonical.claim_slot(CONTENT)] = word
        return self

    def key(self, key: bytes, root: bytes, cutoff: int = 0, suspect_from: int = 0) -> World:
        """What Identities stores of a key."""
        word = int.from_bytes(root, "big") | cutoff << 160 | suspect_from << 200
        self.words[CONTRACTS.identities, canonical.key_slot(key)] = word
        return self

    def prove(self, c: Certificate, sealer: bytes, *more: bytes, without: tuple[bytes, ...] = ()) -> Certificate:
        """The certificate with the proof ``seal.prove`` would attach; ``more`` keys, ``without`` some slots."""
        keys = dict.fromkeys([c.creator, sealer, *more])
        wanted = {
            CONTRACTS.registry: [canonical.seal_slot(c.root, sealer), canonical.claim_slot(c.work.content)],
            CONTRACTS.identities: [canonical.key_slot(key) for key in keys],
        } | {wallet: [] for wallet in self.wallets}
        kept = {account: tuple(slot for slot in slots if slot not in without) for account, slots in wanted.items()}
        return replace(c, sealer=sealer, proof=self.state_proof(kept))

    def state_proof(self, wanted: dict[bytes, tuple[bytes, ...]], number: int = BLOCK, time: int = NOW) -> StateProof:
        """Proof of slots (address → slots) as of a block of that number and time, as a node gives it."""
        storage = {account: self._storage(account) for account in (*CONTRACTS_WITH_STATE, *self.wallets)}
        accounts = Trie({account: _account(trie.root) for account, trie in storage.items()} | _crowd())
        proofs = tuple(
            AccountProof(
                account,
                accounts.proof(account),
                tuple(SlotProof(slot, storage[account].proof(slot)) for slot in slots),
            )
            for account, slots in wanted.items()
        )
        return StateProof(header(accounts.root, number, time), proofs)

    def _storage(self, account: bytes) -> Trie:
        crowd = {keccak(b"slot %d" % n): rlp.encode(n + 1) for n in range(40)}
        own = {slot: rlp.encode(word) for (at, slot), word in self.words.items() if at == account and word}
        return Trie(crowd | own)


def _account(storage_root: bytes) -> bytes:
    return rlp.encode([1, 0, storage_root, _CODE_HASH])


def _crowd() -> dict[bytes, bytes]:
    """Accounts of others, so that the trie has branches."""
    empty = rlp.encode([5, 10**18, Trie({}).root, keccak(b"")])
    return {keccak(b"account %d" % n)[:20]: empty for n in range(40)}


def header(state_root: bytes, number: int = BLOCK, time: int = NOW) -> bytes:
    """A header of the Osaka fork's shape."""
    fields: list[Any] = [keccak(b"parent"), keccak(b"uncles"), bytes(20), state_root, bytes(32), bytes(32), bytes(256)]
    fields += [0, number, 30_000_000, 0, time, b"", bytes(32), bytes(8), 10**9]
    return bytes(rlp.encode([*fields, bytes(32), 0, 0, bytes(32), bytes(32)]))


def signed_by_creator(c: Certificate) -> Certificate:
    """The certificate with its creator's signature."""
    return replace(c, signature=sign(0, c.digest))


def honest(**said: Any) -> Certificate:
    """Sealed, signed and claimed by its creator, in a batch of three."""
    c = draft(others=2, **said)
    c = replace(c, signature=sign(0, c.digest))
    world = World().sealed(c, CREATOR).claimed(CREATOR, NOW - 500, NOW - 500)
    return world.prove(c, CREATOR)


def block_hash(c: Certificate) -> bytes:
    """The hash a verifier would compare with the sources of their choice."""
    assert c.proof
    return keccak(c.proof.header)
