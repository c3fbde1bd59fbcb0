"""What outsiders rely on: storage slots (eth_getProof), EIP-5267 domains, the shared vectors, gas.

The vectors of deals name fixed addresses of Oracle and Escrow: the code of the deployed ones is set there.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from support import NOBODY, ZERO, Opening, Work, commitment_to, hash_leaf, sha256

from tools import make_vectors

WORK = Work()
FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS = json.loads((FOLDER / "eip712.json").read_text(encoding="utf-8"))
DEALS = json.loads((FOLDER / "deals.json").read_text(encoding="utf-8"))


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


@pytest.mark.parametrize("name", ["registry", "identities", "models", "oracle", "escrow"])
def test_the_domain(request, name):
    contract = request.getfixturevalue(name)
    assert contract.eip712Domain() == (b"\x0f", "Countersign", "1", 31337, contract.address, ZERO, [])


@pytest.mark.parametrize("record", VECTORS["works"], ids=lambda record: record["work"]["origin"][:10])
def test_work_ids(registry, record):
    fields = record["work"] | {"origin": record["originHash"]}
    assert registry.workIdOf([fields[name] for name in vars(WORK)]).hex() == record["workId"][2:]


@pytest.mark.parametrize("make", [make_vectors.rfc6962, make_vectors.merkle, make_vectors.eip712, make_vectors.deals])
def test_the_vectors_are_what_their_program_writes(make):
    """Says: run python -m tools.make_vectors."""
    stored = json.loads((FOLDER / f"{make.__name__}.json").read_text(encoding="utf-8"))
    assert stored == make()


def test_a_contract_knows_the_identities_it_was_given(registry, models, identities):
    assert registry.IDENTITIES() == models.IDENTITIES() == identities


# Verdicts and deals


@pytest.fixture(scope="module")
def escrow(oracle_court):
    return oracle_court.escrow


@pytest.fixture
def put(chain, project):
    """The code of a deployed contract at the address of the vectors; EIP712 notices and rebuilds its domain."""

    def at(name: str, deployed):
        address = DEALS[name.lower()]
        chain.provider.make_request("anvil_setCode", [address, chain.provider.get_code(deployed.address).to_0x_hex()])
        return getattr(project, name).at(address, fetch_from_explorer=False)

    return at


@pytest.fixture
def oracle_there(put, oracle):
    return put("Oracle", oracle)


@pytest.fixture
def escrow_there(put, escrow):
    return put("Escrow", escrow)


def words_of(fields: dict) -> list:
    """A struct of the vectors as an ABI argument."""
    return [value if not isinstance(value, list) else [words_of(each) for each in value] for value in fields.values()]


def ints_of(fields: dict) -> dict:
    """Amounts are decimal text in JSON."""
    return {name: int(value) if str(value).isdecimal() else value for name, value in fields.items()}


@pytest.mark.parametrize("record", DEALS["policies"], ids=lambda record: str(len(record["policy"]["seats"])))
def test_policies_are_code(chain, oracle_there, people, record):
    policy = ints_of(record["policy"])
    if policy["arbiter"] != NOBODY:
        chain.provider.make_request("anvil_setCode", [policy["arbiter"], "0x00"])
    oracle_there.createPolicy(words_of(policy), sender=people[8])
    assert chain.provider.get_code(record["address"]).hex() == "00" + record["encoded"][2:]
    assert oracle_there.isPolicy(record["address"])


@pytest.mark.parametrize("record", DEALS["attestations"], ids=lambda record: str(record["attestation"]["score"]))
def test_attestation_digests(oracle_there, record):
    said = record["attestation"] | {"request": list(record["attestation"]["request"].values())}
    assert oracle_there.digestOf(list(said.values())).hex() == record["digest"][2:]


@pytest.mark.parametrize("record", DEALS["terms"], ids=lambda record: str(len(record["terms"]["milestones"])))
def test_deal_ids(escrow_there, record):
    terms = ints_of(record["terms"])
    terms["milestones"] = [ints_of(each) for each in terms["milestones"]]
    assert escrow_there.dealIdOf(words_of(terms)).hex() == record["dealId"][2:]


@pytest.mark.parametrize("record", DEALS["subjects"])
def test_subjects(escrow, record):
    *given, subject = record.values()
    assert escrow.subjectOf(*given).hex() == subject[2:]


@pytest.mark.parametrize("record", DEALS["amendments"])
def test_amendment_digests(escrow_there, record):
    assert escrow_there.amendmentDigest(*record["amendment"].values()).hex() == record["amend"]["digest"][2:]


@pytest.mark.parametrize("record", DEALS["verdicts"], ids=lambda record: str(record["verdict"]["outcome"]))
def test_the_slot_of_a_verdict(oracle, chain, record):
    """As the vectors' word says; whoever reads the slot by eth_getProof reads the record."""
    asked, key = DEALS["requests"][0]["request"], bytes.fromhex(DEALS["requests"][0]["verdictKey"][2:])
    slot = keccak(key + word(3)).hex()
    chain.provider.make_request("anvil_setStorageAt", [oracle.address, f"0x{slot}", record["word"]])
    shown = oracle.recordOf(asked["subject"], asked["policy"])
    assert {name: getattr(shown, name) for name in record["verdict"]} == record["verdict"]


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
