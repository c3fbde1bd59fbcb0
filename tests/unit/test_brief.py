"""Briefs as documents: one way to write them, and strangers' documents read or refused in a sentence."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.deal.brief import FORMAT, MAX_BYTES, Brief, brief_digest, dump_brief, load_brief
from countersign.errors import InputError
from countersign.records import ZERO

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
lists = st.lists(texts, max_size=4).map(tuple)
briefs = st.builds(Brief, texts, texts, lists, lists, st.binary(min_size=32, max_size=32), texts)

FULL = Brief("Die alte Mühle", "…", ("image/png",), ("水", "MILL"), b"\xab" * 32, "https://example.org/a?b=c")


@given(briefs)
def test_briefs_survive(brief: Brief) -> None:
    document = dump_brief(brief)
    assert load_brief(document) == brief
    assert dump_brief(load_brief(document)) == document


@given(briefs, briefs)
def test_other_briefs_have_another_digest(first: Brief, second: Brief) -> None:
    assert (brief_digest(dump_brief(first)) == brief_digest(dump_brief(second))) == (first == second)


def test_the_document_is_canonical() -> None:
    """Anybody can write it anew: sorted keys, no spaces, UTF-8 unescaped."""
    assert dump_brief(FULL).decode() == (
        '{"format":"countersign-brief/1","mediaTypes":["image/png"],"mustShow":["水","MILL"],'
        '"reference":"0x' + "ab" * 32 + '","referenceUri":"https://example.org/a?b=c","text":"…",'
        '"title":"Die alte Mühle"}'
    )
    assert brief_digest(b"abc") == sha256(b"abc").digest()


def test_what_is_not_said_asks_for_nothing() -> None:
    bare = json.dumps({"format": FORMAT}).encode()
    assert load_brief(bare) == Brief("")
    spaced = json.dumps({"format": FORMAT, "title": "T", "reference": "", "unknown": [1]}, indent=4).encode()
    assert load_brief(spaced) == Brief("T", reference=ZERO)


def refused(document: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        load_brief(document)
    assert caught.value.message.endswith(".") and caught.value.next_step.endswith(".")
    assert len(str(caught.value)) < 600
    return caught.value


@pytest.mark.parametrize(
    "document",
    [
        b"", b"{", b"null", b"5", b"[]", b'"brief"', b"{}", b'{"format":"countersign-brief/2"}', b"\xff\xfe\xfd",
        b'{"format":["countersign-brief/1"]}', b"\x89PNG\r\n", b"[" * 60_000, b'{"a":' * 10_000, b"9" * 60_000,
        b" " * (MAX_BYTES + 1),
    ],
    ids=lambda document: repr(document[:24]),
)  # fmt: skip
def test_what_is_no_brief_is_refused(document: bytes) -> None:
    refused(document)


def test_a_brief_has_a_largest_size() -> None:
    empty = len(dump_brief(Brief("")))
    assert load_brief(dump_brief(Brief("x" * (MAX_BYTES - empty))))
    assert "larger than" in refused(dump_brief(Brief("x" * (MAX_BYTES - empty + 1)))).message


def with_field(name: str, value: Any) -> bytes:
    return json.dumps({**json.loads(dump_brief(FULL)), name: value}).encode()


@pytest.mark.parametrize("name", ["title", "text", "reference", "referenceUri"])
@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], {}, ["title"]], ids=str)
def test_texts_are_texts(name: str, value: Any) -> None:
    assert f"'{name}'" in refused(with_field(name, value)).message


@pytest.mark.parametrize("name", ["mediaTypes", "mustShow"])
@pytest.mark.parametrize("value", [None, 5, True, {}, "image/png", [5], ["image/png", None], [["a"]]], ids=str)
def test_lists_are_lists_of_texts(name: str, value: Any) -> None:
    assert f"'{name}'" in refused(with_field(name, value)).message


@pytest.mark.parametrize("value", ["0x", "0x12", "zz", "0x" + "ab" * 33, "0x" + "ab" * 31 + "zz", "9" * 10_000])
def test_a_reference_is_a_digest(value: str) -> None:
    assert "reference" in refused(with_field("reference", value)).message


@pytest.mark.parametrize(("name", "value"), [("title", "\ud800"), ("mustShow", ["ok", "\udfff"])])
def test_texts_that_are_no_unicode_are_refused(name: str, value: Any) -> None:
    """Half of a surrogate pair, which JSON can hold, could neither be shown nor written."""
    refused(with_field(name, value))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_brief_or_a_sentence(document: bytes) -> None:
    """Never another error: a node reads briefs of strangers."""
    try:
        load_brief(document)
    except InputError as error:
        assert error.next_step


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(dump_brief(FULL)))), json_values)
def test_any_value_anywhere_is_a_brief_or_a_sentence(name: str, value: Any) -> None:
    try:
        brief = load_brief(with_field(name, value))
    except InputError as error:
        assert error.next_step
    else:
        assert load_brief(dump_brief(brief)) == brief
