"""The index without a chain: events to rows, and a file that rolls back, refuses strangers and says when damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from countersign.canonical import text_hash, work_id
from countersign.chain.codec import Event, Log
from countersign.errors import IndexStoreError, InputError
from countersign.index.fold import fold
from countersign.index.query import Query
from countersign.index.schema import EVENT_TABLES
from countersign.index.store import Store
from countersign.records import ZERO, Block, Contracts, Work

HERE = Contracts(31337, b"\x01" * 20, b"\x02" * 20, b"\x03" * 20)
CONTENT, OWNER, THIEF, HEIR = b"\xc0" * 32, b"\xa1" * 20, b"\xa2" * 20, b"\xa3" * 20
LOG = Log(bytes(20), (), b"", 1, 0, bytes(32))


def block(number: int, fork: int = 0) -> Block:
    return Block(number, bytes([fork, number]) + bytes(30), bytes([fork, number - 1]) + bytes(30), 1000 + number)


def event(name: str, **arguments: Any) -> Event:
    return Event(name, arguments, LOG)


def claimed(creator: bytes, sealed_at: int, origin: str = "print") -> Event:
    work = dict.fromkeys(("fingerprint", "model", "parents", "metadata"), ZERO)
    work |= {"content": CONTENT, "origin": text_hash(origin)}
    return event(
        "Claimed", content=CONTENT, creator=creator, sealer=creator, root=bytes(32), sealedAt=sealed_at,
        consentAt=sealed_at, work=work,
    )  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "index.sqlite", HERE)


def put(store: Store, *events: Event, start: int = 1) -> None:
    """One event per block."""
    for number, made in enumerate(events, start):
        row = fold(made, 31337)
        assert row
        store.append([((number, 0, 1000 + number, bytes(32)), row)], [block(number)])


def ask(store: Store) -> Query:
    return Query(store.path)


def verdict_events() -> list[Event]:
    """tests/unit/test_index_deals.py looks at each."""
    about: dict[str, Any] = {"subject": ZERO, "policy": OWNER, "round": 0}
    names = ("fee", "bond", "slash", "submitTime", "challengeTime", "rulingTime", "k", "passScore")
    policy = dict.fromkeys(names, 1) | {"arbiter": THIEF, "seats": [{"node": OWNER, "model": ZERO}]}
    return [
        event("Joined", node=OWNER, stake=1, encryptionKey=ZERO),
        event("Left", node=OWNER, withdrawableAt=7),
        event("Slashed", node=OWNER, taken=1, beneficiary=THIEF),
        event("StakeWithdrawn", account=OWNER, amount=1),
        event("PolicyCreated", policy=OWNER, check=ZERO, terms=policy),
        event("SeatSuspended", policy=OWNER, seat=0, by=OWNER),
        event("Requested", **about, requester=OWNER, requestedAt=7, suspended=0),
        event("Submitted", subject=ZERO, policy=OWNER, verdict=7),
        event("Challenged", subject=ZERO, policy=OWNER, challenger=THIEF, disputeId=0, rulingBy=7, reason=""),
        event("VerdictRuled", key=ZERO, stage=2, outcome=1),
        event("EquivocationSlashed", **about, node=OWNER, taken=1),
        event("FeePaid", **about, account=OWNER, amount=1),
    ]


def deal_events() -> list[Event]:
    times = ("deliverBy", "verdictBy", "disputeTime", "rulingTime", "revealTime", "silenceShare", "amount")
    terms: dict[str, Any] = dict.fromkeys(("payer", "payee", "token", "policy", "arbiter"), OWNER)
    terms |= dict.fromkeys(times, 1) | dict.fromkeys(("brief", "buyerKey", "salt"), ZERO)
    terms |= {"milestones": [{"amount": 1, "deliverTime": 2, "verdictTime": 3}]}
    return [
        event("Opened", dealId=ZERO, terms=terms, briefUri=""),
        event("Delivered", dealId=ZERO, milestone=0, delivery=ZERO, uri=""),
        event("Disputed", dealId=ZERO, by=OWNER, disputeId=0, rulingBy=7, reason=""),
        event("DealRuled", dealId=ZERO, state=4),
        event("Paid", dealId=ZERO, milestone=0, cause=0, toPayee=1, toPayer=0),
        event("Credited", token=THIEF, account=OWNER, amount=1),
        event("Withdrawn", token=THIEF, account=OWNER, amount=1),
    ]


def test_every_event_has_the_columns_of_its_table() -> None:
    model = dict.fromkeys(("weights", "root", "card", "data", "licence", "parents", "metrics"), ZERO)
    events = [
        event("Sealed", root=ZERO, sealer=OWNER),
        claimed(OWNER, 1),
        event("Retracted", content=CONTENT, retracted=True),
        event("Objected", content=CONTENT, objector=THIEF, evidence=ZERO, uri=""),
        event("Published", modelId=ZERO, publisher=OWNER, weights=ZERO, model=model),
        event("Deprecated", modelId=ZERO),
        event("Revoked", modelId=ZERO),
        event("Registered", identity=OWNER, key=OWNER, commitment=ZERO, guardian=THIEF),
        event("Adopted", identity=OWNER, key=HEIR, previous=OWNER, commitment=ZERO, guardian=THIEF),
        event("Compromised", identity=OWNER, key=OWNER, by=THIEF),
        event("Suspected", **{"identity": OWNER, "key": OWNER, "from": 7}),
        event("Scheduled", identity=OWNER, change=1, digest=ZERO, readyAt=7),
        event("Cancelled", identity=OWNER, by=THIEF),
        *verdict_events(),
        *deal_events(),
    ]
    rows = [fold(made, 31337) for made in events]
    assert {row[0] for row in rows if row} == set(EVENT_TABLES)
    assert all(row and len(row[1]) == len(EVENT_TABLES[row[0]]) for row in rows)
    assert fold(event("Superseded"), 31337) is None


def test_origins_come_back_as_terms_and_foreign_ones_stay_hashes() -> None:
    known, foreign = fold(claimed(OWNER, 1, "print"), 31337), fold(claimed(OWNER, 1, "invented"), 31337)
    assert known and foreign
    names = EVENT_TABLES["claims"]
    shown = dict(zip(names, known[1], strict=True))
    assert (shown["origin"], shown["work_id"]) == ("print", work_id(Work(CONTENT, origin="print")))
    assert dict(zip(names, foreign[1], strict=True))["origin"] == "0x" + text_hash("invented").hex()


def retract(on: bool = True) -> Event:
    return event("Retracted", content=CONTENT, retracted=on)


ADOPTED = event("Adopted", identity=OWNER, key=HEIR, previous=OWNER)


@pytest.mark.parametrize(
    ("events", "retracted"),
    [
        ([claimed(OWNER, 9)], 0),
        ([claimed(OWNER, 9), retract()], 1),
        ([claimed(OWNER, 9), retract(), retract(False)], 0),
        ([claimed(THIEF, 9), retract(), claimed(OWNER, 5)], 0),
        ([claimed(THIEF, 9), retract(), claimed(OWNER, 5), retract()], 1),
        ([claimed(OWNER, 9), retract(), claimed(OWNER, 5)], 1),
        ([claimed(OWNER, 9), retract(), ADOPTED, claimed(HEIR, 5)], 1),
        ([claimed(OWNER, 9), retract(), claimed(THIEF, 7), claimed(OWNER, 5)], 0),
    ],
)
def test_a_retraction_is_the_identitys_that_made_it(store: Store, events: list[Event], retracted: int) -> None:
    put(store, *events)
    claim = ask(store).claim(CONTENT)
    assert claim and claim["retracted"] == retracted
    assert claim["creator"] == next(made for made in reversed(events) if made.name == "Claimed").arguments["creator"]


def test_answers_and_repetitions_are_no_objections(store: Store) -> None:
    def said(by: bytes, evidence: bytes) -> Event:
        return event("Objected", content=CONTENT, objector=by, evidence=evidence, uri="")

    put(store, claimed(OWNER, 9), ADOPTED, said(OWNER, ZERO), said(HEIR, ZERO), said(THIEF, ZERO), said(THIEF, ZERO))
    assert ask(store).claim(CONTENT)["objections"] == 1  # type: ignore[index]
    put(store, said(THIEF, b"\x01" * 32), start=7)
    assert ask(store).claim(CONTENT)["objections"] == 2  # type: ignore[index]


def test_answers(store: Store) -> None:
    seal = event("Sealed", root=b"\x05" * 32, sealer=OWNER)
    against = event("Objected", content=CONTENT, objector=THIEF, evidence=ZERO, uri="")
    put(store, seal, claimed(THIEF, 9), claimed(OWNER, 5), against)
    query = ask(store)
    assert [row["creator"] for row in query.history(CONTENT)] == [THIEF, OWNER]
    assert len(query.objections(CONTENT)) == 1 and query.claim(CONTENT)["objections"] == 1  # type: ignore[index]
    assert (query.claims_by(THIEF), len(query.claims_by(OWNER)), len(query.seals_by(OWNER))) == ([], 1, 1)
    assert query.claim(bytes(32)) is None and query.model(bytes(32)) is None
    status = query.status()
    assert (status.block, status.seals, status.claims, status.models) == (4, 1, 1, 0)


def test_rolling_back_undoes_rows_and_cursor(store: Store) -> None:
    put(store, claimed(OWNER, 9), retract(), claimed(THIEF, 5))
    store.roll_back(2)
    assert [b.number for b in store.blocks()] == [2, 1]
    claim = ask(store).claim(CONTENT)
    assert claim and (claim["creator"], claim["retracted"]) == (OWNER, 1)
    store.roll_back(-1)
    assert store.blocks() == [] and ask(store).status().block == -1


def test_rows_and_cursor_change_together_or_not_at_all(store: Store) -> None:
    put(store, claimed(OWNER, 9))
    row = fold(retract(), 31337)
    assert row
    with pytest.raises(IndexStoreError):
        store.append([((2, 0, 0, ZERO), row), ((2, 0, 0, ZERO), row)], [block(2)])
    assert [b.number for b in store.blocks()] == [1]
    claim = ask(store).claim(CONTENT)
    assert claim and claim["retracted"] == 0


def test_memory_of_blocks_is_bounded(store: Store) -> None:
    store.append([], [Block(number, ZERO, ZERO, 0) for number in range(600)])
    assert [b.number for b in store.blocks()] == list(range(599, 534, -1))


def test_another_chain_or_registry_is_refused(store: Store) -> None:
    for other in (Contracts(1, HERE.registry, HERE.identities, HERE.models), Contracts(31337, ZERO[:20], ZERO, ZERO)):
        with pytest.raises(IndexStoreError, match="another chain, registry"):
            Store(store.path, other)
    Store(store.path, HERE).close()


def test_damaged_files_are_said(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with pytest.raises(IndexStoreError, match="no index"):
        Query(path)
    path.write_bytes(b"this is no database, but long enough to be taken for one" * 100)
    for opening in (lambda: Store(path, HERE), lambda: Query(path)):
        with pytest.raises(IndexStoreError, match="able index"):
            opening()
    store = Store(tmp_path / "torn.sqlite", HERE)
    store.append([], [Block(number, ZERO, ZERO, 0) for number in range(250)])
    store.close()
    whole = store.path.read_bytes()
    store.path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(IndexStoreError):
        Store(store.path, HERE).append([], [block(300)])
    with pytest.raises(InputError):
        Store(path / "inside" / "x", HERE)
