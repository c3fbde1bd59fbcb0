"""RLP (Ethereum Yellow Paper, appendix B): strict decoding of foreign bytes without heavy imports."""

from __future__ import annotations

from typing import TypeAlias

from countersign.errors import CertificateError

__all__ = ["Item", "decode", "encode", "encode_int"]

Item: TypeAlias = "bytes | list[Item]"

_MAX_DEPTH = 8
_MALFORMED = CertificateError("A proof in the certificate is not valid RLP.", "Ask for the original certificate.")


def encode_int(value: int) -> bytes:
    """Big-endian without leading zeros; 0 is empty."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def encode(item: Item) -> bytes:
    """RLP of a byte string or a nested list of them."""
    if isinstance(item, list):
        return _with_length(b"".join(map(encode, item)), 0xC0)
    return item if len(item) == 1 and item[0] < 0x80 else _with_length(item, 0x80)


def _with_length(payload: bytes, offset: int) -> bytes:
    if len(payload) < 56:
        return bytes([offset + len(payload)]) + payload
    length = encode_int(len(payload))
    return bytes([offset + 55 + len(length)]) + length + payload


def decode(data: bytes) -> Item:
    """The one item that ``data`` encodes. Raises CertificateError for anything but its canonical encoding."""
    item, end = _item(data, 0, len(data), 0)
    # One canonical encoding per item: re-encoding catches every leading zero, long form and trailing byte.
    if end != len(data) or encode(item) != data:
        raise _MALFORMED
    return item


def _item(data: bytes, at: int, limit: int, depth: int) -> tuple[Item, int]:
    start, end, is_list = _bounds(data, at, limit)
    if not is_list:
        return data[start:end], end
    if depth == _MAX_DEPTH:
        raise _MALFORMED
    items: list[Item] = []
    while start < end:
        item, start = _item(data, start, end, depth + 1)
        items.append(item)
    return items, end


def _bounds(data: bytes, at: int, limit: int) -> tuple[int, int, bool]:
    """Start and end of the payload of the item at ``at``, which must end by ``limit``, and whether it is a list."""
    if at >= limit:
        raise _MALFORMED
    first = data[at]
    if first < 0x80:
        return at, at + 1, False
    offset = 0xC0 if first >= 0xC0 else 0x80
    length, start = first - offset, at + 1
    if length > 55:
        start += length - 55
        length = int.from_bytes(data[at + 1 : start], "big")
    if start + length > limit:
        raise _MALFORMED
    return start, start + length, offset == 0xC0
