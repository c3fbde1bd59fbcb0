"""RLP: the library's encoding, canonical input only, and nothing but CertificateError whatever comes."""

from __future__ import annotations

import time
from typing import Any

import pytest
import rlp as independent
from hypothesis import example, given
from hypothesis import strategies as st

from countersign.certificate import rlp
from countersign.errors import CertificateError

items = st.recursive(st.binary(max_size=70), lambda inner: st.lists(inner, max_size=5), max_leaves=20)


def depth(item: Any) -> int:
    return 1 + max(map(depth, item), default=0) if isinstance(item, list) else 0


@given(items)
def test_it_is_the_standards_encoding_both_ways(item: Any) -> None:
    encoded = rlp.encode(item)
    assert encoded == independent.encode(item)
    if depth(item) <= 8:
        assert rlp.decode(encoded) == item


@given(st.integers(0, 2**256))
def test_integers_have_no_leading_zeros(value: int) -> None:
    assert rlp.encode_int(value) == independent.sedes.big_endian_int.serialize(value)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\xbf" + b"\xff" * 8)
@example(b"\xff" + b"\xff" * 8)
@example(b"\xf8")
@example(b"\xb8\x01\x61")
def test_any_bytes_decode_canonically_or_not_at_all(data: bytes) -> None:
    try:
        item = rlp.decode(data)
    except CertificateError:
        return
    assert rlp.encode(item) == data


@pytest.mark.parametrize(
    "data",
    ["", "8100", "817f", "b800", "b80161", "b90001", "c180ff", "c2", "8161", "f800", "f80100", "83616263ff", "c2c1"],
)
def test_second_spellings_and_torn_input_are_refused(data: str) -> None:
    with pytest.raises(CertificateError, match="valid RLP"):
        rlp.decode(bytes.fromhex(data))


def test_deep_nesting_is_refused() -> None:
    data = b"\xc0"
    for _ in range(100_000):
        data = independent.codec.length_prefix(len(data), 0xC0) + data if len(data) < 300 else b"\xf9\x01\x2c" + data
    with pytest.raises(CertificateError):
        rlp.decode(data)


def test_a_long_list_takes_linear_time() -> None:
    started = time.perf_counter()
    assert len(rlp.decode(rlp.encode([b"\x01"] * 500_000))) == 500_000
    assert time.perf_counter() - started < 10
