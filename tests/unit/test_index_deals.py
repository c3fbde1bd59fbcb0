"""The index of verdicts and deals, from logs as the contracts write them (encoded by eth_abi from the shipped ABIs)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.abi import collapse_if_tuple, event_abi_to_log_topic

from countersign.canonical import deal_id, dump_terms, from_hex, load_terms, subject_of, verdict_key
from countersign.chain.codec import Event, Log, decode_log, tuple_of
from countersign.index.fold import fold
from countersign.index.query import Query
from countersign.index.schema import EVENT_TABLES
from countersign.index.store import Store
from countersign.records import ZERO, Block, Contracts, DealContracts, Milestone, Policy, Seat, Terms

Abi = list[dict[str, Any]]
Row = dict[str, Any]
Ask = Callable[..., Query]

NAMES = ("ContentRegistry", "Identities", "ModelRegistry", "OracleNodes", "Oracle", "Escrow")
ABIS: dict[str, Abi] = {
    name: json.loads((files("countersign.chain") / "abi" / f"{name}.json").read_text()) for name in NAMES
}
EVENTS: dict[str, Row] = {f["name"]: f for abi in ABIS.values() for f in abi if f["type"] == "event"}
REPEATS = {"Superseded", "Ruling", "EIP712DomainChanged"}
"""Events that say nothing that another one does not say."""

HERE = Contracts(31337, b"\x01" * 20, b"\x02" * 20, b"\x03" * 20)
DEALS = DealContracts(31337, b"\x04" * 20, b"\x05" * 20, b"\x06" * 20)
PAYER, PAYEE, NODE, ARBITER, COIN = (bytes([n]) * 20 for n in (0xA1, 0xA2, 0xA3, 0xA4, 0))
POLICY, OTHER = b"\x70" * 20, b"\x71" * 20
LARGEST = (1 << 256) - 1
DELIVERY = b"\xde" * 32
TERMS = Terms(PAYER, PAYEE, LARGEST, 7, 8, policy=POLICY, milestones=(Milestone(1 << 255, 2, 3), Milestone(1, 2, 3)))
DEAL = deal_id(DEALS, TERMS)
SUBJECT = subject_of(DEAL, 0, DELIVERY)


# Logs


def sample(parameter: Row) -> Any:
    """A value of the parameter's type that is not zero."""
    kind = parameter["type"]
    if kind == "tuple[]":
        return [sample(parameter | {"type": "tuple"})] * 2
    if kind == "tuple":
        return tuple(map(sample, parameter["components"]))
    return {"address": NODE, "bytes32": ZERO, "string": "words", "bool": True}.get(kind, 1)


def hexed(value: Any) -> Any:
    """eth_abi takes addresses as hex."""
    if isinstance(value, bytes) and len(value) == 20:
        return "0x" + value.hex()
    return [hexed(each) for each in value] if isinstance(value, tuple | list) else value


def logged(name: str, **arguments: Any) -> Event:
    """The event as it is read from its log; what is not given is a sample."""
    fragment = EVENTS[name]
    values = [(p, hexed(arguments.pop(p["name"], sample(p)))) for p in fragment["inputs"]]
    assert not arguments, f"{name} has no {arguments}"
    topics = [encode([p["type"]], [value]) for p, value in values if p["indexed"]]
    plain = [(collapse_if_tuple(p), value) for p, value in values if not p["indexed"]]
    data = encode([kind for kind, _ in plain], [value for _, value in plain])
    event = decode_log(Log(bytes(20), (event_abi_to_log_topic(fragment), *topics), data, 1, 0, ZERO))  # type: ignore[arg-type]
    assert event
    return event


def columns(event: Event) -> Row:
    """Its row by name of column."""
    row = fold(event, 31337)
    assert row
    return dict(zip(EVENT_TABLES[row[0]], row[1], strict=True)) | {"table": row[0]}


# Folding


def test_an_event_that_the_index_folds_has_one_meaning() -> None:
    """The same name in two contracts, or with two signatures, would be folded by the wrong rule."""
    meanings = defaultdict(set)
    for contract, abi in ABIS.items():
        for event in (f for f in abi if f["type"] == "event" and f["name"] not in REPEATS):
            meanings[event["name"]].add((contract, event_abi_to_log_topic(event)))  # type: ignore[arg-type]
    assert len(meanings) == 32
    assert {name: found for name, found in meanings.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", sorted(set(EVENTS) - REPEATS))
def test_every_event_of_the_contracts_becomes_a_row(name: str, after: Ask) -> None:
    """Of its table's columns, with values that SQLite takes."""
    row = fold(logged(name), 31337)
    assert row and len(row[1]) == len(EVENT_TABLES[row[0]])
    assert count(after(logged(name)), row[0]) == 1


@pytest.mark.parametrize("name", sorted(REPEATS))
def test_an_event_that_only_repeats_becomes_none(name: str) -> None:
    assert fold(logged(name), 31337) is None


def test_a_policy_is_folded_whole() -> None:
    seats = (Seat(NODE, b"\x01" * 32), Seat(PAYEE, b"\x02" * 32))
    policy = Policy(b"\x0c" * 32, seats, 2, 70, 60, 50, 40, 10**28, 10**27, 10**26, ARBITER)
    row = columns(logged("PolicyCreated", policy=POLICY, check=policy.check, terms=tuple_of(policy)))
    assert row == {
        "table": "policies", "policy": POLICY, "check_hash": policy.check, "arbiter": ARBITER, "fee": str(10**28),
        "bond": str(10**27), "slash": str(10**26), "submit_time": 60, "challenge_time": 50, "ruling_time": 40, "k": 2,
        "pass_score": 70, "seats": NODE + b"\x01" * 32 + PAYEE + b"\x02" * 32,
    }  # fmt: skip


def opened(terms: Terms = TERMS, uri: str = "ipfs://brief") -> Event:
    return logged("Opened", dealId=deal_id(DEALS, terms), terms=tuple_of(terms), briefUri=uri)


def test_terms_are_folded_whole() -> None:
    row = columns(opened())
    assert load_terms(json.loads(row.pop("terms"))) == TERMS
    assert row == {
        "table": "deals", "deal_id": DEAL, "payer": PAYER, "payee": PAYEE, "token": COIN, "amount": str(LARGEST),
        "policy": POLICY, "brief_uri": "ipfs://brief",
    }  # fmt: skip


def test_a_delivery_names_the_subject_of_its_verdict() -> None:
    assert columns(delivered()) == {
        "table": "deliveries", "deal_id": DEAL, "milestone": 0, "delivery": DELIVERY, "subject": SUBJECT,
        "uri": "file:",
    }  # fmt: skip


def delivered(deal: bytes = DEAL, milestone: int = 0) -> Event:
    return logged("Delivered", dealId=deal, milestone=milestone, delivery=DELIVERY, uri="file:")


def requested(number: int = 0, subject: bytes = SUBJECT, policy: bytes = POLICY) -> Event:
    return logged(
        "Requested", subject=subject, policy=policy, requester=PAYER, round=number, requestedAt=9, suspended=0
    )


def submitted(subject: bytes = SUBJECT, policy: bytes = POLICY) -> Event:
    word = 9 | 17 << 40 | 0b111 << 120 | 80 << 216 | 1 << 232
    return logged("Submitted", subject=subject, policy=policy, verdict=word)


def test_a_verdict_is_unpacked() -> None:
    wanted = {"subject": SUBJECT, "policy": POLICY, "outcome": 1, "bound": 80, "signers": 7, "final_at": 17}
    assert columns(submitted()) == {"table": "verdicts", **wanted}


@pytest.mark.parametrize(
    ("event", "row"),
    [
        (logged("Joined", node=NODE, stake=LARGEST, encryptionKey=DELIVERY), (NODE, "joined", str(LARGEST), DELIVERY)),
        (logged("Left", node=NODE, withdrawableAt=7), (NODE, "left", "0", 7)),
        (logged("Slashed", node=NODE, taken=10**20, beneficiary=PAYER), (NODE, "slashed", str(10**20), PAYER)),
        (logged("StakeWithdrawn", account=NODE, amount=5), (NODE, "withdrawn", "5", "")),
        (logged("SeatSuspended", policy=POLICY, seat=3, by=NODE), (POLICY, 3, NODE)),
        (requested(), (SUBJECT, POLICY, PAYER, 0, 9, 0)),
        (
            logged("Challenged", subject=SUBJECT, policy=POLICY, challenger=PAYEE, disputeId=LARGEST, reason="é"),
            (SUBJECT, POLICY, PAYEE, str(LARGEST), 1, "é"),
        ),
        (logged("VerdictRuled", key=DEAL, stage=4, outcome=2), (DEAL, 4, 2)),
        (
            logged("EquivocationSlashed", subject=SUBJECT, policy=POLICY, node=NODE, round=1, taken=10**20),
            (SUBJECT, POLICY, NODE, 1, str(10**20)),
        ),
        (
            logged("FeePaid", subject=SUBJECT, policy=POLICY, account=NODE, round=1, amount=10**20),
            (SUBJECT, POLICY, NODE, 1, str(10**20)),
        ),
        (
            logged("Disputed", dealId=DEAL, by=PAYEE, disputeId=LARGEST, rulingBy=9, reason="late"),
            (DEAL, PAYEE, str(LARGEST), 9, "late"),
        ),
        (logged("DealRuled", dealId=DEAL, state=6), (DEAL, 6)),
        (
            logged("Paid", dealId=DEAL, milestone=1, cause=4, toPayee=LARGEST, toPayer=0),
            (DEAL, 1, 4, str(LARGEST), "0"),
        ),
        (logged("Credited", token=COIN, account=PAYEE, amount=LARGEST), (COIN, PAYEE, str(LARGEST))),
        (logged("Withdrawn", token=COIN, account=PAYEE, amount=LARGEST), (COIN, PAYEE, str(-LARGEST))),
    ],
    ids=lambda value: value.name if isinstance(value, Event) else "",
)  # fmt: skip
def test_the_other_events(event: Event, row: tuple[Any, ...]) -> None:
    folded = fold(event, 31337)
    assert folded and folded[1] == row


# Asking


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "index.sqlite", HERE)


@pytest.fixture
def after(store: Store) -> Ask:
    """Answers after the events, one per block, from block 1."""

    def put(*events: Event) -> Query:
        for number, made in enumerate(events, 1 + len(store.blocks())):
            row = fold(made, 31337)
            assert row
            block = Block(number, number.to_bytes(32, "big"), (number - 1).to_bytes(32, "big"), 1000 + number)
            store.append([((number, 0, block.time, ZERO), row)], [block])
        return Query(store.path)

    return put


def open_now(query: Query) -> list[tuple[bytes, bytes, int]]:
    return [(row["subject"], row["policy"], row["round"]) for row in query.open_requests()]


def test_a_request_is_open_until_its_verdict(after: Ask) -> None:
    assert open_now(after()) == []
    assert open_now(after(requested())) == [(SUBJECT, POLICY, 0)]
    assert open_now(after(requested(1))) == [(SUBJECT, POLICY, 1)], "a round after a lapse replaces the one before"
    assert open_now(after(submitted())) == []


def test_requests_of_other_policies_and_subjects_stay_open(after: Ask) -> None:
    query = after(
        requested(), requested(policy=OTHER), requested(subject=DEAL), requested(1, policy=OTHER), submitted()
    )
    assert open_now(query) == [(DEAL, POLICY, 0), (SUBJECT, OTHER, 1)]


def test_rolling_back_opens_requests_again(after: Ask, store: Store) -> None:
    query = after(requested(), requested(1), submitted())
    store.roll_back(2)
    assert open_now(query) == [(SUBJECT, POLICY, 1)] and query.verdicts(SUBJECT) == []
    store.roll_back(1)
    assert open_now(query) == [(SUBJECT, POLICY, 0)]
    assert open_now(after(submitted())) == []
    store.roll_back(0)
    assert open_now(query) == [] and query.verdicts(SUBJECT) == []


def test_rolling_back_forgets_every_table(after: Ask, store: Store) -> None:
    query = after(*(logged(name) for name in sorted(set(EVENTS) - REPEATS)))
    assert all(count(query, table) for table in EVENT_TABLES), "every table is filled by some event"
    store.roll_back(0)
    assert not any(count(query, table) for table in EVENT_TABLES)


def count(query: Query, table: str) -> int:
    return int(query._rows(f"SELECT count(*) AS n FROM {table}")[0]["n"])


def test_what_is_asked_about_a_subject(after: Ask) -> None:
    query = after(
        opened(), delivered(), requested(), requested(1), requested(subject=DEAL), submitted(), submitted(DEAL)
    )
    assert [row["round"] for row in query.requests(SUBJECT)] == [0, 1]
    (verdict,) = query.verdicts(SUBJECT)
    assert (verdict["policy"], verdict["outcome"], verdict["bound"]) == (POLICY, 1, 80)
    judged = query.delivery(SUBJECT)
    assert judged and (judged["deal_id"], judged["delivery"], judged["brief_uri"]) == (DEAL, DELIVERY, "ipfs://brief")
    assert load_terms(json.loads(judged["terms"])) == TERMS
    assert query.delivery(DEAL) is None and query.requests(ZERO) == query.verdicts(ZERO) == []


def test_a_delivery_without_its_deal_is_none_of_a_deal(after: Ask) -> None:
    """A node that judges must know the terms."""
    assert after(delivered()).delivery(SUBJECT) is None


OTHERS = Terms(PAYEE, ARBITER, 5, 7, 8)


def test_the_deals_of_a_party(after: Ask) -> None:
    query = after(opened(), opened(OTHERS))
    assert [row["deal_id"] for row in query.deals_of(PAYEE)] == [deal_id(DEALS, OTHERS), DEAL], "newest first"
    assert [row["deal_id"] for row in query.deals_of(PAYER)] == [DEAL]
    assert query.deals_of(NODE) == [] and query.deal(ZERO) is None
    deal = query.deal(DEAL)
    assert deal and deal["amount"] == str(LARGEST) and json.loads(deal["terms"]) == dump_terms(TERMS)


def test_the_story_of_a_deal_holds_its_verdicts_and_no_other_deals(after: Ask) -> None:
    other = deal_id(DEALS, OTHERS)
    later = subject_of(DEAL, 1, DELIVERY)
    challenged = logged("Challenged", subject=SUBJECT, policy=POLICY)
    paid = logged("Paid", dealId=DEAL, milestone=0, cause=2)
    query = after(
        opened(), opened(OTHERS), delivered(other), delivered(), requested(), requested(subject=ZERO), submitted(),
        challenged, paid, delivered(milestone=1), requested(subject=later), logged("Disputed", dealId=DEAL),
        logged("DealRuled", dealId=DEAL), logged("Paid", dealId=other), logged("Paid", dealId=DEAL, milestone=1),
    )  # fmt: skip
    kinds = [event["kind"] for event in query.deal_events(DEAL)]
    assert kinds == [
        "deals", "deliveries", "requests", "verdicts", "challenges", "deal_payments", "deliveries", "requests",
        "deal_disputes", "deal_rulings", "deal_payments",
    ]  # fmt: skip
    assert [event["kind"] for event in query.deal_events(other)] == ["deals", "deliveries", "deal_payments"]
    assert query.deal_events(ZERO) == []


def test_policies_and_nodes(after: Ask) -> None:
    policies = [logged("PolicyCreated", policy=policy) for policy in (POLICY, OTHER)]
    events = [logged(name, node=NODE) for name in ("Joined", "Slashed", "Left")]
    query = after(*policies, *events, logged("Joined", node=PAYER), logged("StakeWithdrawn", account=NODE))
    assert [row["policy"] for row in query.policies()] == [OTHER, POLICY]
    assert [row["kind"] for row in query.node(NODE)] == ["joined", "slashed", "left", "withdrawn"]
    assert query.node(PAYEE) == []


def test_credits_add_up_beyond_the_numbers_of_the_database(after: Ask) -> None:
    owed = {"token": COIN, "account": PAYEE}
    query = after(
        *(logged("Credited", **owed, amount=LARGEST) for _ in range(2)), logged("Withdrawn", **owed, amount=LARGEST)
    )
    rows = query._rows("SELECT amount FROM credits WHERE account = ?", PAYEE)
    assert sum(int(row["amount"]) for row in rows) == LARGEST


def test_a_ruling_is_found_by_the_vectors_key(vectors: Callable[[str], Any], after: Ask) -> None:
    """The index has of a ruling only its key: it must be the one that we compute."""
    for case in vectors("deals")["requests"]:
        subject, policy = from_hex(case["request"]["subject"], 32), from_hex(case["request"]["policy"], 20)
        query = after(logged("VerdictRuled", key=from_hex(case["verdictKey"], 32)))
        found = query._rows("SELECT * FROM verdict_rulings WHERE verdict_key = ?", verdict_key(subject, policy))
        assert found
