"""The certificate's text: it round-trips, and whatever is wrong with it is said by the field's name."""

from __future__ import annotations

import copy
import json
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import CREATOR, draft, honest, sign

from countersign.certificate import Certificate, path_beside
from countersign.errors import CertificateError, InputError

HONEST = honest(origin="print")
DOCUMENT = json.loads(HONEST.to_json())


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every field of the document; of lists the first entry."""
    children = node.items() if isinstance(node, dict) else enumerate(node[:1]) if isinstance(node, list) else ()
    return ([path] if path else []) + [place for key, child in children for place in places(child, (*path, key))]


PLACES = [place for place in places(DOCUMENT) if place != ("format",)]
OPTIONAL = {("sealer",), ("signature",), ("proof",)}


def name_of(place: tuple[Any, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def changed(place: tuple[Any, ...], value: Any) -> str:
    document = copy.deepcopy(DOCUMENT)
    holder = document
    for part in place[:-1]:
        holder = holder[part]
    if value is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return json.dumps(document)


def refused(place: tuple[Any, ...], value: Any) -> None:
    with pytest.raises(CertificateError) as caught:
        Certificate.from_json(changed(place, value))
    assert f"'{name_of(place)}" in caught.value.message and caught.value.next_step


@pytest.mark.parametrize("place", PLACES, ids=name_of)
def test_each_field_of_a_wrong_type_is_named(place: tuple[Any, ...]) -> None:
    for value in (True, 1.5, [[]] if isinstance(place[-1], int) else {"x": 1}, "no hex"):
        if not (value == "no hex" and place in {("name",), ("work", "origin")}):
            refused(place, value)


@pytest.mark.parametrize("place", [p for p in PLACES if not isinstance(p[-1], int)], ids=name_of)
def test_each_missing_field_is_named(place: tuple[Any, ...]) -> None:
    if place in OPTIONAL:
        assert Certificate.from_json(changed(place, ...)) == Certificate.from_json(changed(place, None))
    else:
        refused(place, ...)
        refused(place, None)


@pytest.mark.parametrize(
    "place", [p for p in PLACES if str(DOCUMENT | {}) and p[-1] not in ("signature", "header")], ids=name_of
)
def test_each_hash_and_address_of_a_wrong_size_is_named(place: tuple[Any, ...]) -> None:
    value: Any = DOCUMENT
    for part in place:
        value = value[part]
    if not (isinstance(value, str) and value.startswith("0x")) or "nodes" in place:
        return
    for wrong in (value[:-2], value + "00", value[:-1], value[2:], value[:-2] + "zz", value[:-2] + "  ", "0x"):
        refused(place, wrong)


@pytest.mark.parametrize("place", [("path", "index"), ("path", "size"), ("contracts", "chainId")], ids=name_of)
def test_numbers_out_of_range_are_named(place: tuple[Any, ...]) -> None:
    for value in (-1, 2**64, 10**400, "1", 1.0):
        refused(place, value)


@pytest.mark.parametrize("place", [("name",), ("work", "origin")], ids=name_of)
def test_half_a_surrogate_pair_is_no_text(place: tuple[Any, ...]) -> None:
    refused(place, "\ud83d")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"x"', "1", "NaN", "[" * 100_000, '{"a":' * 100_000, "9" * 10_000, '{"format": []}', "\0"],
)
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(CertificateError, match="not a valid certificate"):
        Certificate.from_json(text)


@pytest.mark.parametrize("version", ["countersign-certificate/2", "", None, 1])
def test_another_format_is_refused(version: Any) -> None:
    with pytest.raises(CertificateError, match="its format is not countersign-certificate/1"):
        Certificate.from_json(changed(("format",), version))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
)


@given(st.sampled_from(PLACES), json_values)
def test_any_json_in_any_field_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    try:
        c = Certificate.from_json(changed(place, value))
    except CertificateError:
        return
    assert Certificate.from_json(c.to_json()) == c
    assert c.digest and (c.proven_root is None or c.proven_root)


@pytest.mark.parametrize(
    "c",
    [
        HONEST,
        draft(),
        replace(draft(others=4), signature=sign(0, bytes(32))),
        replace(draft(), name='"\\ 龍\n\x1b[31m', signature=b"\x01" * 700, sealer=CREATOR),
    ],
)
def test_text_round_trips(c: Certificate) -> None:
    assert Certificate.from_json(c.to_json()) == c
    assert c.to_json().endswith("}\n")
    assert c.state == ("proved" if c.proof else "draft")


def test_drafts_are_private_and_certificates_are_not(tmp_path: Path) -> None:
    path = path_beside(tmp_path / "photo.jpg")
    assert path.name == "photo.jpg.countersign.json"
    for c, mode in ((draft(), 0o600), (HONEST, 0o644)):
        c.save(path)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert Certificate.load(path) == c
    with pytest.raises(InputError, match="exists already"):
        draft().save(path, replace=False)
    assert Certificate.load(path) == HONEST


def test_an_unsealed_draft_cannot_be_opened() -> None:
    with pytest.raises(CertificateError, match="not sealed yet"):
        draft().opening()


def test_files_that_hold_none_are_refused_and_never_hang(tmp_path: Path) -> None:
    path = tmp_path / "x.countersign.json"
    cases: list[tuple[Any, str]] = [
        (lambda: None, "cannot be read: No such file"),
        (path.mkdir, "cannot be read: Is a directory"),
        (lambda: os.mkfifo(path), "not a regular file"),
        (lambda: path.symlink_to("/dev/zero"), "not a regular file"),
        (lambda: path.write_bytes(b"\xff\xfe"), "not UTF-8"),
        (lambda: path.write_bytes(b" " * (4 << 20) + b" "), "larger than any certificate"),
    ]
    for make, words in cases:
        make()
        with pytest.raises(InputError, match=words):
            Certificate.load(path)
        path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", [".", "/"])
def test_what_has_no_name_has_no_certificate(name: str) -> None:
    with pytest.raises(InputError, match="is a folder"):
        path_beside(Path(name))
