"""Journal, evidence, book, messages, file of a node, and the process that a check runs in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_oracle_decide import CONTRACTS, asked_of, says

from countersign.canonical import keccak
from countersign.checks import Check, Finding, Material
from countersign.deal.brief import Brief
from countersign.errors import InputError, SignerError
from countersign.oracle.config import NodeConfig, address_of
from countersign.oracle.evidence import MAX_BYTES, Shelf, document
from countersign.oracle.isolated import CheckFailed, Isolated
from countersign.oracle.journal import Journal
from countersign.oracle.relay import MAX_HELD, Book, dump, load
from countersign.records import Request

# Journal


def test_the_journal_keeps_one_answer_for_ever(tmp_path: Path) -> None:
    journal, asked = Journal(tmp_path / "journal"), asked_of()
    said = says(asked, 0, 90)
    assert journal.of(asked.key) is None
    for _ in range(2):
        journal.add(said)
    for other in (says(asked, 0, 10), says(asked, 0, 91), says(asked, 0, 90, evidence=b"\1" * 32)):
        with pytest.raises(SignerError, match="attested score 90"):
            journal.add(other)
    again = Journal(tmp_path / "journal")
    assert again.of(asked.key) == said and again.all() == [said]


def test_another_time_or_round_is_another_request(tmp_path: Path) -> None:
    journal, asked = Journal(tmp_path / "journal"), asked_of()
    others = [replace(asked, issued_at=asked.issued_at + 1), replace(asked, request=replace(asked.request, round=1))]
    for n, each in enumerate([asked, *others]):
        journal.add(says(each, 0, 10 * n))
    assert [journal.of(each.key) for each in others] == [says(others[0], 0, 10), says(others[1], 0, 20)]


_RACE = """
import sys
from pathlib import Path
from test_oracle_decide import asked_of, says
from countersign.errors import SignerError
from countersign.oracle.journal import Journal
try:
    Journal(Path(sys.argv[1])).add(says(asked_of(), 0, int(sys.argv[2])))
    print("kept")
except SignerError:
    print("refused")
"""


def test_of_two_processes_with_one_key_one_is_refused(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _RACE, str(tmp_path / "journal")]
    both = [
        subprocess.Popen([*command, score], stdout=subprocess.PIPE, text=True, env=environment)
        for score in ("0", "100")
    ]
    assert sorted(process.communicate(timeout=60)[0].strip() for process in both) == ["kept", "refused"]
    assert len(Journal(tmp_path / "journal").all()) == 1


def test_a_damaged_journal_is_said_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "journal").write_bytes(b"not a database" * 100)
    with pytest.raises(InputError, match="cannot be used"):
        Journal(tmp_path / "journal")


# Evidence


def test_evidence_is_canonical_and_kept_under_its_hash(tmp_path: Path) -> None:
    asked, finding = asked_of(), Finding(90, "as dispatched", {"b": 1, "a": [0.5, "\u00e9"]})
    whole = document(CONTRACTS, asked, 2, {"name": "intact", "weights": "0x"}, finding)
    assert whole == document(CONTRACTS, asked, 2, {"weights": "0x", "name": "intact"}, finding)
    assert json.dumps(json.loads(whole), sort_keys=True, separators=(",", ":")).encode() == whole
    shelf = Shelf(tmp_path / "evidence")
    digest = shelf.put(whole)
    assert digest == keccak(whole) and shelf.get(digest) == whole and shelf.get(bytes(32)) is None


def test_evidence_has_an_end() -> None:
    finding = Finding(10, "x" * 5000, {"read": "y" * MAX_BYTES})
    whole = document(CONTRACTS, asked_of(), 0, {}, finding)
    assert len(whole) < 4000 and json.loads(whole)["finding"]["details"]["omitted"] > MAX_BYTES
    with pytest.raises(ValueError):
        document(CONTRACTS, asked_of(), 0, {}, Finding(10, "", {"score": float("nan")}))


# Book and messages


def test_the_book_keeps_one_of_each_side_and_names_equivocations() -> None:
    book, asked = Book(CONTRACTS), asked_of()
    assert book.expect(asked) == []
    offered = [book.offer(says(asked, 1, score)) for score in (90, 90, 80, 10, 20)]
    assert offered == [True, None, None, True, None]
    assert book.offer(says(asked, 6, 90)) is False
    assert book.known(asked.key) == {1: [says(asked, 1, 90), says(asked, 1, 10)]}
    assert book.equivocations() == [(asked, 1, says(asked, 1, 90), says(asked, 1, 10))]
    assert book.about(asked.key[0]) == [says(asked, 1, 90), says(asked, 1, 10)]


def test_what_comes_before_its_request_is_held_within_bounds() -> None:
    book, asked = Book(CONTRACTS), asked_of()
    early, forged = says(asked, 1, 90), says(asked, 6, 90)
    assert book.offer(early) is book.offer(forged) is False
    assert book.known(asked.key) == {}
    assert book.expect(asked) == [early] and book.expect(asked) == []
    assert book.known(asked.key) == {1: [early]}
    later = replace(asked, issued_at=asked.issued_at + 9)
    book.offer(says(later, 1, 90))
    for n in range(MAX_HELD):
        book.offer(replace(early, attestation=replace(early.attestation, issued_at=n), signature=n.to_bytes(65, "big")))
    assert book.expect(later) == []


@given(st.integers(0, 100), st.binary(min_size=32, max_size=32), st.integers(0, 255))
def test_messages_come_back_as_they_were(score: int, subject: bytes, number: int) -> None:
    asked = replace(asked_of(), request=Request(subject, bytes(20), number))
    said = says(asked, 1, score)
    assert load(json.loads(json.dumps(dump(said)))) == said


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)


@given(st.sampled_from(sorted(dump(says(asked_of(), 0, 1)))), json_values)
def test_a_bad_message_is_refused_in_words(field: str, value: object) -> None:
    good = dump(says(asked_of(), 0, 1))
    if value != good[field]:
        with suppress(InputError):
            assert dump(load(good | {field: value})) != good
    with pytest.raises(InputError):
        load(value)
    with pytest.raises(InputError):
        load({name: each for name, each in good.items() if name != field})


# File


def test_the_file_of_a_node_comes_back(tmp_path: Path) -> None:
    config = NodeConfig("intact-net", "test:1", (bytes(20),), (b"\1" * 20,), ("http://a:1",), "0.0.0.0:9", "/somewhere")
    path = config.save(tmp_path / "home")
    assert NodeConfig.load(tmp_path / "home") == config and path.stat().st_mode & 0o077 == 0
    for damage in ({"policies": "0x"}, {"listen": "nowhere"}, {"peers": ["ftp://x"]}, {"format": "x"}, {"check": 7}):
        path.write_text(json.dumps(json.loads(path.read_text()) | damage))
        with pytest.raises(InputError):
            NodeConfig.load(tmp_path / "home")
        config.save(tmp_path / "home")
    with pytest.raises(InputError, match="oracle init"):
        NodeConfig.load(tmp_path)
    assert address_of("[::1]:80") == ("::1", 80)


# Process


class Fickle:
    """A check that does what the content says."""

    name, weights, licence, card = "fickle", b"\7" * 32, "Apache-2.0", "A card."

    def run(self, material: Material) -> Finding:
        match material.content:
            case b"raise":
                raise ValueError("no")
            case b"die":
                os._exit(3)
            case b"hang":
                time.sleep(60)
        return Finding(77, material.content.decode(), {"process": os.getpid()})


def broken() -> Check:
    raise InputError("The weights are damaged.", "Install again.")


def test_an_isolated_check_survives_its_content() -> None:
    check = Isolated(Fickle, limit=1)
    assert (check.name, check.weights, check.licence, check.card) == ("fickle", b"\7" * 32, "Apache-2.0", "A card.")
    ask: Callable[[bytes], Finding] = lambda content: check.run(Material(content, Brief("")))  # noqa: E731
    first = ask(b"fine")
    assert first.score == 77 and first.details["process"] != os.getpid()
    for content, words in ((b"raise", "ValueError: no"), (b"die", "died"), (b"hang", "longer than 1 s")):
        with pytest.raises(CheckFailed, match=words):
            ask(content)
        assert ask(b"fine").reason == "fine"
    check.close()
    check.close()


def test_a_check_that_cannot_start_says_why() -> None:
    with pytest.raises(CheckFailed, match="weights are damaged"):
        Isolated(broken, limit=1)
    with pytest.raises(CheckFailed, match="does not start"):
        Isolated(partial(os._exit, 1), limit=1)  # type: ignore[arg-type]
