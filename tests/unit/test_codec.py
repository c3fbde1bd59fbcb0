"""Calls, logs and reverts, against eth_abi and whatever a node may send."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from countersign.canonical import keccak
from countersign.chain.client import Client
from countersign.chain.codec import Log, decode_log, encode_call, revert_error
from countersign.errors import Reverted

WHO = "0x" + "11" * 20


def selector(signature: str) -> bytes:
    return keccak(signature.encode())[:4]


def test_calls_are_the_abis() -> None:
    root = bytes(range(32))
    assert encode_call("ContentRegistry", "seal", root) == selector("seal(bytes32)") + root
    expected = selector("sealOf(bytes32,address)") + encode(["bytes32", "address"], [root, WHO])
    assert encode_call("ContentRegistry", "sealOf", root, bytes.fromhex("11" * 20)) == expected


def test_custom_errors_are_said_in_words() -> None:
    data = selector("AlreadyClaimed(bytes32,address,uint40)") + encode(
        ["bytes32", "address", "uint40"], [bytes(32), WHO, 1_700_000_000]
    )
    error = revert_error(data)
    assert error.name == "AlreadyClaimed" and "2023-11-14 22:13:20 UTC" in error.message and WHO in error.message
    far = selector("SealTooYoung(uint64)") + encode(["uint64"], [2**64 - 1])
    assert revert_error(far).message
    assert "because" in revert_error(selector("Error(string)") + encode(["string"], ["because"])).message
    assert "node's words" in revert_error(b"", "node's words").message


@given(
    st.sampled_from(["AlreadyClaimed(bytes32,address,uint40)", "Error(string)", "KeyCutOff(address,uint40)", "x()"]),
    st.binary(max_size=130),
)
def test_any_revert_data_becomes_words(signature: str, tail: bytes) -> None:
    error = revert_error(selector(signature) + tail)
    assert isinstance(error, Reverted) and error.message and error.next_step


def test_foreign_logs_are_none_of_ours() -> None:
    for topics in ((), (bytes(32),), (keccak(b"Transfer(address,address,uint256)"),)):
        assert decode_log(Log(bytes(20), topics, b"", 1, 0, bytes(32))) is None


def test_a_seals_log_is_decoded() -> None:
    topics = (keccak(b"Sealed(bytes32,address)"), bytes(range(32)), bytes(12) + bytes.fromhex("11" * 20))
    event = decode_log(Log(bytes(20), topics, b"", 1, 0, bytes(32)))
    assert event and (event.name, event.arguments) == (
        "Sealed",
        {"root": bytes(range(32)), "sealer": bytes.fromhex("11" * 20)},
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pass@node.example:8545/v3/KEY?x=y", "https://node.example:8545"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
    ],
)
def test_messages_show_the_nodes_host_and_no_secrets(url: str, shown: str) -> None:
    assert Client(url, 1).host == shown
