"""What outsiders rely on: storage slots (eth_getProof), EIP-5267 domains, the shared vectors, gas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from support import ZERO, Opening, Work, commitment_to, hash_leaf, sha256

from tools import make_vectors

WORK = Work()
FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = json.loads((FOLDER / "eip712.json").read_text(encoding="utf-8"))


def word(value: object) -> bytes:
    """A mapping key as 32 bytes."""
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    return value if isinstance(value, bytes) else bytes.fromhex(str(value)[2:]).rjust(32, b"\0")


def slot_at(chain, contract, base: int, *keys: object) -> int:
    """The storage word of mapping ``base`` at ``keys``."""
    slot = word(base)
    for key in keys:
        slot = keccak(word(key) + slot)
    return int.from_bytes(chain.provider.get_storage(contract.address, int.from_bytes(slot, "big")), "big")


def test_the_slot_of_a_seal(registry, chain, creator):
    root = sha256("root")
    sealed = registry.seal(root, sender=creator)
    stored = slot_at(chain, registry, 2, root, creator.address)
    assert stored == sealed.timestamp | sealed.block_number << 64


def test_the_slot_of_a_claim(registry, chain, creator, service, seal):
    registry.claim(WORK.words, seal(WORK, service, creator).words, sender=creator)
    registry.retract(WORK.content, True, sender=creator)
    held = registry.claimOf(WORK.content)
    packed = int(creator.address, 16) | held.sealedAt << 160 | held.consentAt << 200 | 1 << 240
    assert slot_at(chain, registry, 3, WORK.content) == packed


def test_the_slots_of_a_key_and_its_identity(identities, chain, creator, next_key, guardian, adopt):
    identities.register(commitment_to(next_key), guardian, sender=creator)
    cutoff = adopt(creator, next_key, commitment=sha256("third"), guardian=guardian).timestamp
    identities.suspect(creator, cutoff - 5, sender=guardian)
    name = int(creator.address, 16)
    assert slot_at(chain, identities, 2, creator.address) == name | cutoff << 160 | cutoff - 5 << 200
    assert slot_at(chain, identities, 2, next_key.address) == name
    assert slot_at(chain, identities, 3, creator.address) == int(next_key.address, 16)


@pytest.mark.parametrize("name", ["registry", "identities", "models"])
def test_the_domain(request, name):
    contract = request.getfixturevalue(name)
    assert contract.eip712Domain() == (b"\x0f", "Countersign", "1", 31337, contract.address, ZERO, [])


@pytest.mark.parametrize("record", VECTORS["works"], ids=lambda record: record["work"]["origin"][:10])
def test_work_ids(registry, record):
    fields = record["work"] | {"origin": record["originHash"]}
    assert registry.workIdOf([fields[name] for name in vars(WORK)]).hex() == record["workId"][2:]


@pytest.mark.parametrize("make", [make_vectors.rfc6962, make_vectors.merkle, make_vectors.eip712])
def test_the_vectors_are_what_their_program_writes(make):
    """Says: run python -m tools.make_vectors."""
    stored = json.loads((FOLDER / f"{make.__name__}.json").read_text(encoding="utf-8"))
    assert stored == make()


def test_a_contract_knows_the_identities_it_was_given(registry, models, identities):
    assert registry.IDENTITIES() == models.IDENTITIES() == identities


SEAL_GAS = 47_434
"""1.05 x the floor of one transaction, one new slot and one event."""

CLAIM_GAS = 68_700
"""A first claim by the sender of its own single seal, who never registered."""


def test_gas(registry, creator):
    opening = Opening(creator.address, creator.address)
    root = hash_leaf(registry.leafOf(creator, registry.workIdOf(WORK.words), opening.salt))
    sealed = registry.seal(root, sender=creator).gas_used
    claimed = registry.claim(WORK.words, opening.words, sender=creator).gas_used
    assert sealed <= SEAL_GAS
    assert claimed <= CLAIM_GAS
