"""State proofs: a real node's are accepted, changed ones are refused, arbitrary ones never crash."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from tries import Trie
from world import BLOCK, CREATOR, header

from countersign.certificate import AccountProof, Certificate, SlotProof, StateProof, rlp
from countersign.certificate.stateproof import read_header
from countersign.errors import CertificateError


@pytest.fixture(scope="module")
def recorded(vectors: Any) -> Any:
    return vectors("state_proof")


@pytest.fixture(scope="module")
def proof(recorded: Any) -> StateProof:
    proof = Certificate.from_json(json.dumps(recorded["certificate"])).proof
    assert proof
    return proof


def test_a_real_proof_says_what_the_node_says(recorded: Any, proof: StateProof) -> None:
    state = proof.check()
    block = recorded["block"]
    assert "0x" + state.block.hash.hex() == block["hash"]
    assert "0x" + state.block.parent.hex() == block["parentHash"]
    assert (state.block.number, state.block.time) == (int(block["number"], 16), int(block["timestamp"], 16))
    words = {f"0x{address.hex()} 0x{slot.hex()}": value for (address, slot), value in state.values.items()}
    assert words == {place: int(word, 16) for place, word in recorded["words"].items()}
    assert any(words.values()) and not all(words.values())
    assert state.value(bytes(20), bytes(32)) is None


def test_every_flipped_byte_of_a_header_changes_the_hash_or_is_refused(proof: StateProof) -> None:
    original = read_header(proof.header)[0].hash
    for at in range(len(proof.header)):
        changed = bytearray(proof.header)
        changed[at] ^= 1
        with suppress(CertificateError):
            assert read_header(bytes(changed))[0].hash != original


def test_every_flipped_byte_of_a_node_is_refused(proof: StateProof) -> None:
    for number, account in enumerate(proof.accounts):
        for node in range(len(account.nodes)):
            for changed in _flips(account.nodes, node):
                _refused(proof, number, replace(account, nodes=changed))
        for place, slot in enumerate(account.slots):
            for node in range(len(slot.nodes)):
                for changed in _flips(slot.nodes, node):
                    slots = list(account.slots)
                    slots[place] = replace(slot, nodes=changed)
                    _refused(proof, number, replace(account, slots=tuple(slots)))


def _flips(nodes: tuple[bytes, ...], number: int) -> Any:
    for at in range(0, len(nodes[number]), 3):
        node = bytearray(nodes[number])
        node[at] ^= 0x11
        yield (*nodes[:number], bytes(node), *nodes[number + 1 :])


def _refused(proof: StateProof, number: int, account: AccountProof) -> None:
    accounts = (*proof.accounts[:number], account, *proof.accounts[number + 1 :])
    with pytest.raises(CertificateError):
        replace(proof, accounts=accounts).check()


def test_a_missing_node_is_refused_and_an_additional_one_changes_nothing(proof: StateProof) -> None:
    account = proof.accounts[0]
    for at in range(len(account.nodes)):
        _refused(proof, 0, replace(account, nodes=account.nodes[:at] + account.nodes[at + 1 :]))
    wider = replace(account, nodes=(b"\xc0", *account.nodes, b""))
    assert replace(proof, accounts=(wider, *proof.accounts[1:])).check() == proof.check()


def test_proofs_do_not_serve_other_accounts_or_slots(proof: StateProof) -> None:
    first, second = proof.accounts[:2]
    _refused(proof, 0, replace(first, slots=(replace(first.slots[0], nodes=second.slots[0].nodes),)))
    _refused(proof, 0, replace(second, address=first.address))


@given(st.dictionaries(st.binary(min_size=32, max_size=32), st.integers(1, 2**256 - 1), max_size=30), st.data())
def test_tries_of_any_shape_prove_presence_and_absence(words: dict[bytes, int], draw: st.DataObject) -> None:
    absent = draw.draw(st.binary(min_size=32, max_size=32))
    trie = Trie({slot: rlp.encode(rlp.encode_int(word)) for slot, word in words.items()})
    slots = [*words, *([absent] if absent not in words else [])]
    account = rlp.encode([b"\x01", b"", trie.root, keccak(b"code")])
    state = Trie({CREATOR: account})
    proven = AccountProof(CREATOR, state.proof(CREATOR), tuple(SlotProof(s, trie.proof(s)) for s in slots))
    values = StateProof(header(state.root), (proven,)).check().values
    assert values == {(CREATOR, slot): words.get(slot, 0) for slot in slots}


def test_an_account_that_is_not_there_proves_nothing() -> None:
    stranger, slot = bytes(20), SlotProof(bytes(32), ())
    for state in (Trie({}), Trie({CREATOR: b"\xc0"}), Trie({bytes([n]) * 20: b"\xc0" for n in range(1, 99)})):
        absent = AccountProof(stranger, state.proof(stranger), (slot,))
        with pytest.raises(CertificateError, match="there is no account"):
            StateProof(header(state.root), (absent,)).check()


nodes = st.lists(st.binary(max_size=120), max_size=6).map(tuple)


@given(st.binary(max_size=600), nodes, nodes)
def test_arbitrary_bytes_are_refused_in_words(head: bytes, account: tuple[bytes, ...], slot: tuple[bytes, ...]) -> None:
    with pytest.raises(CertificateError):
        StateProof(head, (AccountProof(bytes(20), account, (SlotProof(bytes(32), slot),)),)).check()


items = st.recursive(st.binary(max_size=33), lambda inner: st.lists(inner, max_size=17), max_leaves=40)


@given(st.lists(items, min_size=1, max_size=3))
def test_arbitrary_nodes_under_a_matching_root_never_crash(made: list[Any]) -> None:
    encoded = tuple(map(rlp.encode, made))
    for root in map(keccak, encoded):
        proof = StateProof(header(root), (AccountProof(CREATOR, encoded, (SlotProof(bytes(32), encoded),)),))
        with pytest.raises(CertificateError):
            proof.check()


@pytest.mark.parametrize(
    ("field", "value"), [(3, b"\x01" * 31), (8, b"\x01" * 9), (8, b"\x01" * 5000), (11, b"\x01" * 9), (0, [])]
)
def test_headers_with_impossible_fields_are_refused(field: int, value: Any) -> None:
    fields = rlp.decode(header(bytes(32)))
    assert isinstance(fields, list)
    fields[field] = value
    with pytest.raises(CertificateError, match="not a block header"):
        read_header(rlp.encode(fields))


def test_a_made_up_header_reads_as_it_was_written() -> None:
    assert read_header(header(bytes(32)))[0].number == BLOCK
