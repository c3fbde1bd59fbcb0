"""ABI-encoded data to values (Solidity ABI specification, strict encoding), by readers that are made once per type.

Addresses and hashes come as bytes, structs as dicts by name, arrays as lists. Only the types that our contracts use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, Protocol

__all__ = ["Malformed", "Parameter", "read_struct"]

Parameter = dict[str, Any]
"""A parameter as in an ABI's JSON."""
Reader = Callable[[bytes, int, int], Any]
"""Reads the value whose head is at a position of the data; the last argument is where its struct begins."""


class _Struct(Protocol):
    """The reader of a struct, by default of one that the data begins with."""

    def __call__(self, data: bytes, at: int = 0, struct: int = 0, /) -> dict[str, Any]: ...


_WORD = 32
_NO_ADDRESS = bytes(12)


class Malformed(ValueError):
    """The data is no encoding of the type."""


def read_struct(parameters: Sequence[Parameter]) -> Callable[[bytes], dict[str, Any]]:
    """A reader of the whole encoding of ``parameters``. It raises Malformed; what follows the encoding is ignored."""
    return _struct(parameters)


# Words


def _bytes32(data: bytes, at: int, _: int) -> bytes:
    return data[at : at + _WORD]


def _uint256(data: bytes, at: int, _: int = 0) -> int:
    return int.from_bytes(data[at : at + _WORD], "big")


def _address(data: bytes, at: int, _: int) -> bytes:
    if data[at : at + 12] != _NO_ADDRESS:
        raise Malformed("an address of more than 20 bytes")
    return data[at + 12 : at + _WORD]


def _uint(bits: int) -> Reader:
    def read(data: bytes, at: int, _: int) -> int:
        value = int.from_bytes(data[at : at + _WORD], "big")
        if value >> bits:
            raise Malformed(f"a number of more than {bits} bits")
        return value

    return read


def _bool(data: bytes, at: int, _: int) -> bool:
    value = _uint256(data, at)
    if value > 1:
        raise Malformed("neither true nor false")
    return value == 1


_WORDS: dict[str, Reader] = {
    "address": _address,
    "bool": _bool,
    "bytes32": _bytes32,
    "uint256": _uint256,
    **{f"uint{bits}": _uint(bits) for bits in range(8, 256, 8)},
}


# Structs and what lies behind pointers


def _reader(parameter: Parameter) -> Reader:
    kind = parameter["type"]
    if kind in _WORDS:
        return _WORDS[kind]
    tail = _tail(parameter)
    return _pointed(tail) if _is_dynamic(parameter) else tail


def _tail(parameter: Parameter) -> Reader:
    readers: dict[str, Callable[[], Reader]] = {
        "tuple": lambda: _struct(parameter["components"]),
        "tuple[]": lambda: _array(parameter["components"]),
        "string": lambda: _string,
    }
    return readers[parameter["type"]]()


def _is_dynamic(parameter: Parameter) -> bool:
    return parameter["type"] in ("string", "tuple[]") or any(map(_is_dynamic, parameter.get("components", ())))


def _size(parameter: Parameter) -> int:
    """Bytes in the head of the struct that holds the value."""
    if parameter["type"] == "tuple" and not _is_dynamic(parameter):
        return sum(map(_size, parameter["components"]))
    return _WORD


def _struct(parameters: Sequence[Parameter]) -> _Struct:
    *places, head = accumulate(map(_size, parameters), initial=0)
    fields = [(p["name"], place, _reader(p)) for p, place in zip(parameters, places, strict=True)]

    def read(data: bytes, at: int = 0, _: int = 0) -> dict[str, Any]:
        if len(data) < at + head:
            raise Malformed(f"{len(data)} bytes are too few")
        return {name: reader(data, at + place, at) for name, place, reader in fields}

    return read


def _pointed(tail: Reader) -> Reader:
    def read(data: bytes, at: int, struct: int) -> Any:
        start = struct + _uint256(data, at)
        if not at < start <= len(data) - _WORD:
            raise Malformed("a pointer to nowhere")
        return tail(data, start, start)

    return read


def _array(components: Sequence[Parameter]) -> Reader:
    item, size = _struct(components), sum(map(_size, components))

    def read(data: bytes, at: int, _: int) -> list[Any]:
        count, first = _uint256(data, at), at + _WORD
        if count > (len(data) - first) // size:  # before anything is made of a number that may be huge
            raise Malformed(f"{count} structs do not fit")
        return [item(data, first + n * size, first) for n in range(count)]

    return read


def _string(data: bytes, at: int, _: int) -> str:
    """Contracts take any bytes for a string: what is no UTF-8 becomes U+FFFD, so that nobody's words stop a reader."""
    size, start = _uint256(data, at), at + _WORD
    end = start + size
    padded = end + -size % _WORD
    if padded > len(data) or any(data[end:padded]):
        raise Malformed("a string that is cut off or badly padded")
    return data[start:end].decode(errors="replace")
