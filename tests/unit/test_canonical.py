"""Bytes agree with the vectors that Solidity reads too, and with eth_account as an independent EIP-712 encoder."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from countersign import canonical
from countersign.errors import InputError
from countersign.keys.ecdsa import recover
from countersign.merkle import hash_leaf
from countersign.records import Adoption, Contracts, Model, Work

HASHES = ("content", "fingerprint", "model", "parents", "metadata")
MODEL_HASHES = ("weights", "root", "card", "data", "parents", "metrics")

words = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20)
works = st.builds(
    Work, words, words, st.text(st.characters(exclude_categories=["Cs"]), max_size=40), words, words, words
)


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.fixture(scope="module")
def eip712(vectors: Any) -> Any:
    return vectors("eip712")


@pytest.fixture(scope="module")
def contracts(eip712: Any) -> Contracts:
    return Contracts(eip712["chainId"], *(raw(eip712[name]) for name in ("registry", "identities", "models")))


def test_works_leaves_and_claims_are_the_vectors(eip712: Any, contracts: Contracts) -> None:
    assert eip712["works"]
    for case in eip712["works"]:
        work = Work(origin=case["work"]["origin"], **{name: raw(case["work"][name]) for name in HASHES})
        creator = raw(case["creator"])
        leaf = canonical.leaf_data(
            contracts.chain_id, contracts.registry, creator, canonical.work_id(work), raw(case["salt"])
        )
        digest = canonical.claim_digest(contracts, creator, work)
        assert canonical.text_hash(work.origin) == raw(case["originHash"])
        assert canonical.work_id(work) == raw(case["workId"])
        assert (leaf, hash_leaf(leaf)) == (raw(case["leaf"]), raw(case["root"]))
        assert digest == raw(case["claim"]["digest"])
        assert recover(digest, raw(case["claim"]["signature"])) == creator


def test_model_versions_are_the_vectors(eip712: Any, contracts: Contracts) -> None:
    assert eip712["modelVersions"]
    for case in eip712["modelVersions"]:
        m = case["model"]
        model = Model(
            publisher=raw(m["publisher"]), licence=m["licence"], **{name: raw(m[name]) for name in MODEL_HASHES}
        )
        digest = canonical.model_digest(contracts, model)
        assert canonical.model_id(model) == raw(case["modelId"])
        assert digest == raw(case["publish"]["digest"])
        assert recover(digest, raw(case["publish"]["signature"])) == model.publisher
        assert _independent(canonical.model_typed_data(contracts, model)) == digest


def test_adoptions_are_the_vectors(eip712: Any, contracts: Contracts) -> None:
    assert eip712["adoptions"]
    for case in eip712["adoptions"]:
        adoption = Adoption(*(raw(case["adoption"][name]) for name in ("identity", "key", "commitment", "guardian")))
        digest = canonical.adoption_digest(contracts, adoption)
        assert digest == raw(case["adopt"]["digest"])
        assert recover(digest, raw(case["adopt"]["signature"])) == adoption.key


def _independent(typed_data: dict[str, Any]) -> bytes:
    message = encode_typed_data(full_message=typed_data)
    return keccak(b"\x19\x01" + message.header + message.body)


@given(works, addresses)
def test_what_a_wallet_shows_is_what_is_hashed(work: Work, creator: bytes) -> None:
    contracts = Contracts(31337, b"\x01" * 20, b"\x02" * 20, b"\x03" * 20)
    shown = canonical.claim_typed_data(contracts, creator, work)
    assert _independent(shown) == canonical.claim_digest(contracts, creator, work)


@given(addresses)
def test_checksums_are_eip_55(address: bytes) -> None:
    assert canonical.checksum(address) == to_checksum_address(address)


@given(st.binary(max_size=40))
def test_hex_round_trips_at_its_exact_size_only(data: bytes) -> None:
    text = canonical.to_hex(data)
    assert canonical.from_hex(text, len(data)) == canonical.from_hex(text[2:], len(data)) == data
    for size in (len(data) + 1, abs(len(data) - 1)):
        with pytest.raises(InputError, match="The salt"):
            canonical.from_hex(text, size, "salt")


@pytest.mark.parametrize("text", ["", "0x", "0x1", "0xzz", "0x ab", "0xa b", "ab\n", "0x0xab", "０xab", "0xａb"])  # noqa: RUF001
def test_what_is_not_hex_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="The salt"):
        canonical.from_hex(text, 1, "salt")


def test_a_long_wrong_text_is_not_repeated_in_full() -> None:
    with pytest.raises(InputError) as caught:
        canonical.from_hex("z" * 10_000, 32)
    assert len(str(caught.value)) < 300


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_seal_words_unpack(time: int, block: int) -> None:
    word = time | block << 64
    seal = canonical.unpack_seal(word)
    assert (seal is None) == (word == 0)
    assert seal is None or (seal.time, seal.block) == (time, block)


@given(addresses, st.integers(0, 2**40 - 1), st.integers(0, 2**40 - 1), st.integers(0, 2**16 - 1))
def test_claim_and_key_words_unpack(address: bytes, first: int, second: int, flags: int) -> None:
    word = int.from_bytes(address, "big") | first << 160 | second << 200
    claim, key = canonical.unpack_claim(word | flags << 240), canonical.unpack_key(word)
    assert (key.root, key.cutoff, key.suspect_from) == (address, first, second)
    if claim:
        assert (claim.creator, claim.sealed_at, claim.consent_at, claim.flags) == (address, first, second, flags)
        assert claim.retracted == bool(flags & 1)
    assert canonical.unpack_claim(0) is None
