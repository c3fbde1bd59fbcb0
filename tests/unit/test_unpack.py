"""Reading logs, beside eth_abi: the same values for what contracts write, a refusal for what they never do."""

from __future__ import annotations

import json
from functools import partial
from importlib.resources import files
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic
from hypothesis import given
from hypothesis import strategies as st

from countersign.chain.codec import Log, decode_log
from countersign.chain.unpack import Malformed, read_struct
from countersign.errors import ChainError

NAMES = ("ContentRegistry", "Identities", "ModelRegistry", "OracleNodes", "Oracle", "Escrow")
EVENTS: dict[str, dict[str, Any]] = {
    f["name"]: f
    for name in NAMES
    for f in json.loads((files("countersign.chain") / "abi" / f"{name}.json").read_text())
    if f["type"] == "event"
}


# Values, and the same as eth_abi gives them


def value_of(parameter: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value of the parameter's type, as eth_abi takes it."""
    kind = parameter["type"]
    if kind == "tuple[]":
        return st.lists(value_of(parameter | {"type": "tuple"}), max_size=4)
    if kind == "tuple":
        return st.tuples(*map(value_of, parameter["components"]))
    if kind.startswith("uint"):
        return st.integers(0, (1 << int(kind[4:])) - 1)
    if kind == "address":
        return st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
    texts = st.text(max_size=80) | st.sampled_from(["0x" + "ab" * 20, "0x" + "zz" * 20])
    return {"bytes32": st.binary(min_size=32, max_size=32), "bool": st.booleans(), "string": texts}[kind]


def named(parameter: dict[str, Any], value: Any) -> Any:
    """eth_abi's value as ours: addresses as bytes, structs by name."""
    if parameter["type"] == "tuple[]":
        return [named(parameter | {"type": "tuple"}, each) for each in value]
    if parameter["type"] == "tuple":
        return {p["name"]: named(p, v) for p, v in zip(parameter["components"], value, strict=True)}
    return bytes.fromhex(value[2:]) if parameter["type"] == "address" else value


def types(parameters: list[dict[str, Any]]) -> list[str]:
    return list(map(collapse_if_tuple, parameters))


def log_of(event: dict[str, Any], values: list[Any]) -> Log:
    pairs = list(zip(event["inputs"], values, strict=True))
    topics = [encode([p["type"]], [value]) for p, value in pairs if p["indexed"]]
    plain = [p for p in event["inputs"] if not p["indexed"]]
    data = encode(types(plain), [value for p, value in pairs if not p["indexed"]])
    return Log(bytes(20), (event_abi_to_log_topic(event), *topics), data, 1, 0, bytes(32))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(EVENTS))
@given(draw=st.data())
def test_every_event_is_read_as_eth_abi_reads_it(name: str, draw: st.DataObject) -> None:
    event = EVENTS[name]
    values = [draw.draw(value_of(parameter)) for parameter in event["inputs"]]
    read = decode_log(log_of(event, values))
    assert read and read.name == name
    assert read.arguments == {p["name"]: named(p, v) for p, v in zip(event["inputs"], values, strict=True)}


DYNAMIC = ("Challenged", "Delivered", "Disputed", "Opened", "PolicyCreated")


@pytest.mark.parametrize("name", [*DYNAMIC, "Claimed", "Retracted"])
@given(draw=st.data())
def test_damaged_data_is_refused_or_read_as_eth_abi_reads_it(name: str, draw: st.DataObject) -> None:
    """Never another value, never a value where eth_abi sees none, and no other error."""
    plain = [p for p in EVENTS[name]["inputs"] if not p["indexed"]]
    data = bytearray(encode(types(plain), [draw.draw(value_of(parameter)) for parameter in plain]))
    for _ in range(draw.draw(st.integers(0, 3))):
        at = draw.draw(st.integers(0, len(data) - 1))
        data[at] = draw.draw(st.sampled_from([0, 1, 31, 32, 64, 255]))
    cut = bytes(data[: draw.draw(st.integers(0, len(data)) | st.just(len(data)))])
    try:
        read = read_struct(plain)(cut)
    except Malformed:
        return
    try:
        theirs = decode(types(plain), cut)
    except UnicodeDecodeError:
        return
    assert read == {p["name"]: named(p, v) for p, v in zip(plain, theirs, strict=True)}


@given(st.binary(max_size=1200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for event in EVENTS.values():
        plain = [p for p in event["inputs"] if not p["indexed"]]
        try:
            read_struct(plain)(data)
        except Malformed as error:
            assert str(error)


def delivered(uri: bytes) -> Log:
    event = EVENTS["Delivered"]
    log = log_of(event, [bytes(32), 0, bytes(32), "A" * len(uri)])
    return log._replace(data=log.data.replace(b"A" * len(uri), uri))


@pytest.mark.parametrize("uri", [b"0x" + b"zz" * 20, b"0x" + b"ab" * 20, "ünïcødé".encode()])
def test_a_text_stays_a_text(uri: bytes) -> None:
    """Also one that looks like an address."""
    read = decode_log(delivered(uri))
    assert read and read.arguments["uri"] == uri.decode()


def test_bytes_that_are_no_text_stop_nobody() -> None:
    """The contracts take them: whoever could stop every index and node with one transaction would do it."""
    read = decode_log(delivered(b"caf\xe9 \xff"))
    assert read and read.arguments["uri"] == "caf\ufffd \ufffd"


def test_a_log_that_is_none_is_said() -> None:
    log = delivered(b"ipfs")
    for broken in (
        log._replace(data=b""),
        log._replace(topics=log.topics[:1]),
        log._replace(topics=(*log.topics, b"")),
    ):
        with pytest.raises(ChainError, match="gave a log of Delivered that is none") as caught:
            decode_log(broken)
        assert caught.value.next_step == "Use another node."


def test_a_huge_count_or_size_makes_nothing() -> None:
    huge = b"\xff" * 32
    words = partial(int.to_bytes, length=32, byteorder="big")
    milestones = next(p for p in EVENTS["Opened"]["inputs"] if p["name"] == "terms")["components"][13]
    text = EVENTS["Delivered"]["inputs"][3]
    for parameter in (milestones, text):
        for data in (words(32) + huge, huge, words(32) + words(2**63)):
            with pytest.raises(Malformed):
                read_struct([parameter])(data)
