"""Calls, logs and reverts, against eth_abi and whatever a node may send."""

from __future__ import annotations

import json
from importlib.resources import files
from string import Formatter
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from countersign.canonical import keccak
from countersign.chain.client import Client
from countersign.chain.codec import _WORDS, Log, decode_log, encode_call, revert_error, tuple_of
from countersign.errors import Reverted
from countersign.records import Milestone, Policy, Seat, Terms

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


# The errors of all contracts

_NAMES = ("ContentRegistry", "Identities", "ModelRegistry", "OracleNodes", "Oracle", "Escrow")
_ABIS = {name: json.loads((files("countersign.chain") / "abi" / f"{name}.json").read_text()) for name in _NAMES}
ERRORS: list[dict[str, Any]] = [f for abi in _ABIS.values() for f in abi if f["type"] == "error"]
LIBRARY = {
    "Create2EmptyBytecode",
    "FailedDeployment",
    "InsufficientBalance",
    "InvalidShortString",
    "ReentrancyGuardReentrantCall",
    "StringTooLong",
}
"""OpenZeppelin's own, which nobody meets who calls our verbs."""


def error_data(error: dict[str, Any], value: Any) -> bytes:
    kinds = [parameter["type"] for parameter in error["inputs"]]
    return selector(f"{error['name']}({','.join(kinds)})") + encode(kinds, [value(each) for each in error["inputs"]])


def test_every_error_of_the_contracts_has_words_and_no_words_are_left_over() -> None:
    assert len(ERRORS) > 80
    assert {error["name"] for error in ERRORS} - LIBRARY == _WORDS.keys()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error["name"])
def test_words_name_only_what_the_error_holds(error: dict[str, Any]) -> None:
    """In every contract that has an error of that name."""
    named = {name for text in _WORDS.get(error["name"], ()) for _, name, _, _ in Formatter().parse(text) if name}
    assert named <= {parameter["name"] for parameter in error["inputs"]}


def _least(parameter: dict[str, Any]) -> Any:
    return {"address": "0x" + "00" * 20, "bytes32": bytes(32), "string": ""}.get(parameter["type"], 0)


def _most(parameter: dict[str, Any]) -> Any:
    kind, source = parameter["type"], parameter["internalType"]
    if kind.startswith("uint"):
        return 1 if source.startswith("enum") else (1 << int(kind[4:])) - 1
    return {"address": "0x" + "ff" * 20, "bytes32": b"\xff" * 32, "string": "x"}[kind]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error["name"])
@pytest.mark.parametrize("value", [_least, _most])
def test_every_error_becomes_words(error: dict[str, Any], value: Any) -> None:
    shown = revert_error(error_data(error, value))
    assert shown.name == error["name"] and shown.message.endswith(".") and shown.next_step.endswith(".")
    assert "{" not in shown.message


def test_a_state_that_is_none_becomes_words() -> None:
    """An arbiter's own revert comes out of `dispute`, whatever it holds."""
    data = selector("WrongState(bytes32,uint8)") + encode(["bytes32", "uint8"], [bytes(32), 255])
    assert revert_error(data).name == "WrongState"


# Structs


def test_policies_and_terms_are_the_contracts_structs() -> None:
    arbiter = b"\x0a" * 20
    policy = Policy(bytes(32), (Seat(b"\x0b" * 20, b"\x0c" * 32),), 1, 2, 3, 4, 5, 6, 7, 8, arbiter)
    kind = "(bytes32,address,uint96,uint96,uint96,uint32,uint32,uint32,uint8,uint8,(address,bytes32)[])"
    words = (bytes(32), "0x" + "0a" * 20, 6, 7, 8, 3, 4, 5, 1, 2, [("0x" + "0b" * 20, b"\x0c" * 32)])
    expected = selector(f"createPolicy({kind})") + encode([kind], [words])
    assert encode_call("Oracle", "createPolicy", tuple_of(policy)) == expected

    terms = Terms(b"\x01" * 20, b"\x02" * 20, 3, 4, 5, milestones=(Milestone(6, 7, 8),), salt=b"\x09" * 32)
    kind = (
        "(address,address,address,uint256,address,bytes32,uint40,uint40,uint40,uint40,uint40,address,uint16,"
        "(uint256,uint40,uint40)[],bytes32,bytes32)"
    )
    none = "0x" + "00" * 20
    parties = ("0x" + "01" * 20, "0x" + "02" * 20, none, 3, none, bytes(32))
    rest = (4, 5, 0, 0, 0, none, 0, [(6, 7, 8)], bytes(32), b"\x09" * 32)
    expected = selector(f"release({kind},uint8)") + encode([kind, "uint8"], [(*parties, *rest), 1])
    assert encode_call("Escrow", "release", tuple_of(terms), 1) == expected


# Logs


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
