"""Two verifiers, in Python and in JavaScript, share no code and say the same of every certificate, however it is
changed; and neither ever verifies what was changed."""

from __future__ import annotations

import base64
import copy
import json
import random
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import make_certificate_vectors as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import CONTENT, block_hash

from countersign.canonical import to_hex
from countersign.certificate import Certificate
from countersign.errors import CertificateError
from countersign.verify import verify

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "verifier-js"
DOCUMENTS = {name: json.loads(c.to_json()) for name, c in made.bases().items()}


class Javascript:
    """One long-lived Node process."""

    def __init__(self) -> None:
        if not (VERIFIER / "node_modules").exists():
            pytest.fail("The JavaScript verifier is not set up: run make setup.")
        command = ["node", str(Path(__file__).with_name("verifier_lines.mjs"))]
        self._node = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, data: bytes, content: str | None, trusted: str | None) -> dict[str, Any]:
        assert self._node.stdin and self._node.stdout
        question = {"certificate": base64.b64encode(data).decode(), "content": content, "blockHash": trusted}
        self._node.stdin.write(json.dumps(question).encode() + b"\n")
        self._node.stdin.flush()
        answer: dict[str, Any] = json.loads(self._node.stdout.readline())
        return answer

    def close(self) -> None:
        self._node.communicate(timeout=30)


@pytest.fixture(scope="module")
def javascript() -> Iterator[Javascript]:
    running = Javascript()
    yield running
    running.close()


def python(data: bytes, content: str | None, trusted: str | None) -> dict[str, Any]:
    """What the package says, in the same words."""
    given = [None if value is None else bytes.fromhex(value[2:]) for value in (content, trusted)]
    try:
        try:
            c = Certificate.from_json(data.decode())
        except UnicodeDecodeError:
            return {"outcome": "refused"}
        report = verify(c, given[0], block_hash=given[1])
    except CertificateError:
        return {"outcome": "refused"}
    steps = [{"number": s.number, "name": s.name, "state": s.state, "detail": s.detail} for s in report.steps]
    return {"outcome": report.outcome, "summary": report.summary, "steps": steps}


def states(answer: dict[str, Any]) -> list[list[str]]:
    return [[step["name"], step["state"]] for step in answer.get("steps", [])]


def both(javascript: Javascript, data: bytes, content: str | None, trusted: str | None) -> dict[str, Any]:
    """What both say: it must be the same."""
    ours, theirs = python(data, content, trusted), javascript(data, content, trusted)
    assert theirs["outcome"] == ours["outcome"], theirs["summary"]
    assert states(theirs) == states(ours)
    return theirs


# The vectors


def test_the_vectors_are_what_their_program_writes(vectors: Any) -> None:
    """Says: run python tests/unit/make_certificate_vectors.py."""
    assert vectors("certificates") == json.loads(made.text())


def test_both_verifiers_say_what_the_vectors_say(vectors: Any, javascript: Javascript) -> None:
    recorded = vectors("certificates")
    for case in recorded["cases"]:
        text = made.text_of(recorded["bases"][case["base"]], case)
        answer = both(javascript, text.encode(), case["content"], case["blockHash"])
        assert answer["outcome"] == case["outcome"], case["name"]
        assert states(answer) == case.get("steps", []), case["name"]
        failing = next((name for name, state in states(answer) if state == "fail"), None)
        assert failing == case.get("failing"), case["name"]


def test_details_are_the_same_words_where_nothing_is_left_open(javascript: Javascript) -> None:
    data, trusted = json.dumps(DOCUMENTS["batch"]).encode(), to_hex(block_hash(made.bases()["batch"]))
    assert javascript(data, to_hex(CONTENT), trusted) == python(data, to_hex(CONTENT), trusted)


HARMLESS = {"another display name", "nodes in another order", "a node too many", "no file"}


def test_the_vectors_verify_no_changed_certificate(vectors: Any) -> None:
    """What the program wrote down is what it ought to be."""
    cases = {case["name"]: case["outcome"] for case in vectors("certificates")["cases"]}
    document = DOCUMENTS["batch"]
    changed = [*made._changed_fields(document), *made._proofs(document, DOCUMENTS["unclaimed"]), *made._trust()]
    changed += made._signatures(made.bases()["batch"])
    for case in changed:
        wanted = {"verified"} if case["name"] in HARMLESS else {"not verified"}
        wanted = {"could not check"} if case["name"] == "no block hash" else wanted
        assert cases[case["name"]] in wanted, case["name"]
    assert {cases[case["name"]] for case in made._refused(document)} == {"refused"}
    assert {cases[case["name"]] for case in made._read_all_the_same(document)} == {"verified"}
    assert len(cases) > 100


# Mutations


def leaves(node: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    yield way
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from leaves(child, (*way, key))


PLACES = {name: [way for way in leaves(document) if way] for name, document in DOCUMENTS.items()}
HARDER = settings(max_examples=5 * settings().max_examples)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70) | st.binary(max_size=70).map(to_hex),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=8), v, max_size=3),
    max_leaves=6,
)


def at(document: Any, way: tuple[Any, ...]) -> Any:
    for part in way:
        document = document[part]
    return document


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    """A base, and its document with one to three places changed: by value, by a bit, by another place's value, or by
    removal."""
    name = draw(st.sampled_from(sorted(DOCUMENTS)))
    document = copy.deepcopy(DOCUMENTS[name])
    for _ in range(draw(st.integers(1, 3))):
        way = draw(st.sampled_from([place for place in leaves(document) if place]))
        holder, key = at(document, way[:-1]), way[-1]
        kind = draw(st.sampled_from(["value", "bit", "bit", "elsewhere", "remove"]))
        if kind == "value":
            holder[key] = draw(json_values)
        elif kind == "elsewhere":
            donor = draw(st.sampled_from(sorted(DOCUMENTS)))
            holder[key] = copy.deepcopy(at(DOCUMENTS[donor], draw(st.sampled_from(PLACES[donor]))))
        elif kind == "remove":
            del holder[key]
        else:
            holder[key] = bit_flipped(draw, holder[key])
    return name, document


def bit_flipped(draw: st.DrawFn, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return value
    if isinstance(value, int):
        return value ^ 1 << draw(st.integers(0, 64))
    if not value.startswith("0x") or len(value) < 4:
        return value + "x"
    bit = draw(st.integers(0, 4 * (len(value) - 2) - 1))
    digit = int(value[2 + bit // 4], 16) ^ 1 << bit % 4
    return value[: 2 + bit // 4] + f"{digit:x}" + value[3 + bit // 4 :]


def essence(c: Certificate) -> Any:
    """What a certificate says. Its display name is nobody's statement; its proof is judged by what it shows."""
    assert c.proof
    return (c.work, c.creator, c.salt, c.contracts, c.path, c.root, c.sealer, c.proof.check().block)


@HARDER
@given(mutated())
def test_what_was_changed_is_judged_alike_and_never_verified(javascript: Javascript, changed: tuple[str, Any]) -> None:
    name, document = changed
    base = made.bases()[name]
    trusted = to_hex(block_hash(base)) if base.proof else None
    data = json.dumps(document).encode()
    answer = both(javascript, data, to_hex(CONTENT), trusted)
    if answer["outcome"] == "verified":
        verified = Certificate.from_json(data.decode())
        assert essence(verified) == essence(base)
        assert verified.signature in (base.signature, None) or base.signature is None or name in HELD_BY_A_WALLET


HELD_BY_A_WALLET = {"wallet"}
"""Bases whose signature only a chain can judge: the step is a note, and the seal stands without it."""


@HARDER
@given(st.sampled_from(sorted(DOCUMENTS)), st.integers(0, 2**32), st.integers(1, 4))
def test_damaged_text_is_judged_alike_and_never_verified(
    javascript: Javascript, name: str, seed: int, errors: int
) -> None:
    base, chance = made.bases()[name], random.Random(seed)
    data = bytearray(base.to_json().encode())
    for _ in range(errors):
        place = chance.randrange(len(data))
        operation = chance.randrange(4)
        if operation == 0:
            data[place] = chance.randrange(256)
        elif operation == 1:
            data[place:place] = bytes(chance.choices(b'"\\{}[],:0xe-. \n\x00\xff\xed', k=chance.randrange(1, 4)))
        elif operation == 2:
            del data[place : place + chance.randrange(1, 200)]
        else:
            data[place:place] = data[place : place + chance.randrange(1, 400)]
    trusted = to_hex(block_hash(base)) if base.proof else None
    answer = both(javascript, bytes(data), to_hex(CONTENT), trusted)
    if answer["outcome"] == "verified":
        assert essence(Certificate.from_json(bytes(data).decode())) == essence(base)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_refused_alike(javascript: Javascript, data: bytes) -> None:
    assert both(javascript, data, None, None)["outcome"] == "refused"


# Too much of it


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 MB of JSON, most of it a hole in the file."""
    path = tmp_path_factory.mktemp("huge") / "photo.jpg.countersign.json"
    with path.open("wb") as file:
        file.write(b'{"format": "countersign-certificate/1", "name": "')
        file.truncate(100_000_000)
        file.seek(0, 2)
        file.write(b'"}')
    return path


def test_a_hundred_megabytes_are_refused_in_little_memory(huge: Path) -> None:
    tracemalloc.start()
    with pytest.raises(CertificateError, match="larger than any certificate"):
        Certificate.load(huge)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16_000_000


# The other command line


def node(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["node", str(VERIFIER / "cli.mjs"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_other_command_line(tmp_path: Path, huge: Path) -> None:
    c = made.bases()["batch"]
    certificate, trusted = tmp_path / "photo.jpg.countersign.json", to_hex(block_hash(c))
    certificate.write_text(c.to_json())
    verified = node(certificate, "--block-hash", trusted)
    assert verified.returncode == 0 and "VERIFIED: Sealed on 2027-01-15" in verified.stdout
    assert node(certificate).returncode == 2
    assert node(certificate, "--block-hash", "0x" + "11" * 32).returncode == 1
    (tmp_path / "photo.jpg").write_bytes(b"another file")
    report = node(tmp_path / "photo.jpg", "--block-hash", trusted, "--json")
    assert report.returncode == 1 and json.loads(report.stdout)["steps"][0]["state"] == "fail"
    for wrong in ((huge,), (tmp_path,), (tmp_path / "none",), (certificate, "--block-hash", "0x1"), (), ("--no",)):
        refused = node(*wrong)
        assert refused.returncode == 2 and "error: " in refused.stderr and "    at " not in refused.stderr, wrong
