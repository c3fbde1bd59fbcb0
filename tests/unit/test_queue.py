"""The queue of outputs: whose it is, what it says of a full disk, and what it costs when much is done."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from countersign.errors import InputError, SignerError
from countersign.records import ZERO, Contracts
from countersign.seal.queue import QUEUE, Output, Queue

CREATOR = b"\x01" * 20
CONTRACTS = Contracts(31337, b"\x02" * 20, b"\x03" * 20, b"\x04" * 20)


def output(name: str) -> Output:
    return Output(name, sha256(name.encode()).digest(), "trainedAlgorithmicMedia", ZERO, (), ZERO, 1.0)


def test_a_folder_is_of_one_creator_on_one_chain(tmp_path: Path) -> None:
    """Another key would seal what is not its own; another chain would hold seals that no certificate speaks of."""
    Queue(tmp_path, CREATOR, CONTRACTS).close()
    Queue(tmp_path, CREATOR, CONTRACTS).close()
    for creator, contracts in ((b"\x09" * 20, CONTRACTS), (CREATOR, replace(CONTRACTS, chain_id=1))):
        with pytest.raises(SignerError, match="on chain 31337"):
            Queue(tmp_path, creator, contracts)


@pytest.mark.parametrize("said", [{"parents": (sha256(b"p").digest(),)}, {"model": b"\x05" * 32}, {"origin": ""}])
def test_an_output_is_not_silently_said_to_be_something_else(tmp_path: Path, said: dict[str, object]) -> None:
    queue = Queue(tmp_path, CREATOR, CONTRACTS)
    queue.add(output("a"))
    queue.add(replace(output("a"), at=2.0))
    with pytest.raises(InputError, match="something else was said"):
        queue.add(replace(output("a"), **said))  # type: ignore[arg-type]
    assert queue.waiting(9) == [output("a")]


def test_a_full_disk_is_a_sentence_and_nothing_stays_locked(tmp_path: Path) -> None:
    queue = Queue(tmp_path, CREATOR, CONTRACTS)
    queue.add(output("a"))
    queue._db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(InputError, match=r"cannot be used: .*full.*Check the folder"):
        for number in range(1000):
            queue.add(output(f"{number} {'long' * 50}"))
    queue._db.execute("PRAGMA max_page_count = 100000")
    queue.add(output("b"))
    assert queue.knows("b")


def test_what_is_done_costs_nothing(tmp_path: Path) -> None:
    """A folder may hold millions of outputs: no look at what is open reads those that are done."""
    queue, asked = Queue(tmp_path, CREATOR, CONTRACTS), list[str]()
    queue.add(output("a"))
    queue._db.set_trace_callback(asked.append)
    queue.waiting(1), queue.batches(sealed=True), queue.batch(ZERO), queue.unsealed(), queue.unfinished()
    queue.sealed(ZERO)
    queue.close()
    db = sqlite3.connect(tmp_path / QUEUE)
    statements = [each for each in asked if " outputs " in each]
    assert len(statements) == 6
    for statement in statements:
        plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}"))
        assert "outputs_open" in plan, (statement, plan)
