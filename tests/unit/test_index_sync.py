"""Following nodes that lag, disagree, refuse or talk nonsense: the index loses nothing to them and never spins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from countersign.canonical import to_hex
from countersign.chain.client import Client
from countersign.chain.codec import event_topic
from countersign.chain.transport import BadAnswer, TooMuch
from countersign.errors import ChainError, CountersignError, TooLarge, Unreachable
from countersign.index.store import Store
from countersign.index.sync import Progress, catch_up, follow
from countersign.records import ZERO
from countersign.settings import LOCAL_CHAIN

PUBLIC = 1
EVERY = 10
"""One seal in that many blocks."""
ENOUGH = 20_000
"""Requests after which a node says that it is asked in circles."""


class Node(Client):
    """A node by what it answers: a chain up to ``top``, of another branch from block ``root`` on. ``most`` is how many
    blocks of logs it gives at once; ``strange`` the block whose parent it gives wrongly."""

    def __init__(self, top: int, chain_id: int = PUBLIC) -> None:
        super().__init__("http://node", chain_id)
        self.top, self.root, self.most, self.strange = top, top + 1_000_000, 1_000_000, -1
        self.refusal: Exception = TooLarge("The node does not answer in time.", "Ask for less.")
        self.spans: list[int] = []
        self.meanwhile: Callable[[int], None] = lambda _: None
        self._left = ENOUGH

    def rpc(self, method: str, *parameters: Any) -> Any:
        """As a node would."""
        self._left -= 1
        assert self._left, "asked in circles"
        if method == "eth_getLogs":
            return self._logs(int(parameters[0]["fromBlock"], 16), int(parameters[0]["toBlock"], 16))
        assert method == "eth_getBlockByNumber"
        number = self.top if parameters[0] == "latest" else int(parameters[0], 16)
        return self._block(number) if number <= self.top else None

    def name(self, number: int) -> str:
        """A block's hash; what comes before the first is no zero here."""
        return to_hex(bytes([number >= self.root, 1]) + (number + 1).to_bytes(30, "big"))

    def _block(self, number: int) -> dict[str, Any]:
        parent = self.name(777_777 if number == self.strange else number - 1) if number else to_hex(b"\x77" * 32)
        return {
            "number": hex(number),
            "hash": self.name(number),
            "parentHash": parent,
            "timestamp": hex(1000 + number),
        }

    def _logs(self, first: int, last: int) -> list[dict[str, Any]]:
        self.spans.append(last - first + 1)
        if self.spans[-1] > self.most:
            raise self.refusal
        self.meanwhile(first)
        numbers = range(first + -first % EVERY, min(last, self.top) + 1, EVERY)
        sealed = {
            "address": to_hex(self.contracts.registry),
            "topics": [to_hex(event_topic("Sealed")), to_hex(ZERO), to_hex(ZERO)],
            "data": "0x",
            "logIndex": "0x0",
            "transactionHash": to_hex(ZERO),
        }
        return [sealed | {"blockNumber": hex(at), "blockTimestamp": hex(1000 + at)} for at in numbers]


@pytest.fixture
def public(tmp_path: Path) -> Store:
    return Store(tmp_path / "public.sqlite", Node(0).contracts)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return Store(tmp_path / "local.sqlite", Node(0, LOCAL_CHAIN).contracts)


def dump(store: Store) -> list[str]:
    return list(store._db.iterdump())


def rows(dumped: list[str]) -> list[str]:
    return [line for line in dumped if not line.startswith('INSERT INTO "blocks"')]


def seals(store: Store) -> int:
    return int(store._db.execute("SELECT count(*) FROM seals").fetchone()[0])


def fresh(node: Node, path: Path) -> list[str]:
    with closing(Store(path, node.contracts)) as store:
        catch_up(replaced(node, node.top), store)
        return dump(store)


def replaced(node: Node, top: int) -> Node:
    """Another look at the same chain, up to another block."""
    other = Node(top, node.chain_id)
    other.root = node.root
    return other


# Nodes that are behind


@pytest.mark.parametrize("behind", [1, 64])
def test_a_node_that_is_behind_undoes_nothing(public: Store, behind: int) -> None:
    catch_up(Node(1000), public)
    before = dump(public)
    assert catch_up(Node(1000 - behind), public) == Progress(1000, 1000 - behind, 0)
    assert dump(public) == before


@pytest.mark.parametrize("top", [0, 935])
def test_a_node_that_is_far_behind_is_said_and_undoes_nothing(public: Store, top: int) -> None:
    catch_up(Node(1000), public)
    before = dump(public)
    with pytest.raises(Unreachable, match="behind the index") as said:
        catch_up(Node(top), public)
    assert f"block is {top}" in str(said.value) and "another node" in str(said.value)
    assert dump(public) == before


def test_nodes_behind_one_address_that_lag_differently_undo_nothing(public: Store) -> None:
    """The head is one node's word, the blocks are another's."""
    catch_up(Node(1000), public)
    before, mixed = dump(public), Node(1000)
    head = mixed.head()
    mixed.top, mixed.head = 900, lambda: head  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="behind the index"):
        catch_up(mixed, public)
    assert dump(public) == before


@pytest.mark.parametrize(("root", "top"), [(990, 1200), (990, 995), (936, 940), (900, 1200)])
def test_another_block_in_the_place_of_one_undoes_it(public: Store, tmp_path: Path, root: int, top: int) -> None:
    """Also where the new branch is shorter, and where all that is remembered has gone."""
    catch_up(Node(1000), public)
    forked = Node(top)
    forked.root = root
    catch_up(forked, public)
    cursor, rebuilt = public.blocks()[0], fresh(forked, tmp_path / "fresh.sqlite")
    assert cursor == forked.head() and rows(dump(public)) == rows(rebuilt)
    assert top < 1000 or dump(public) == rebuilt  # a shorter branch leaves it with fewer blocks to remember


@pytest.mark.parametrize("root", [0, 1_000_000])
def test_the_local_chain_may_begin_anew_or_go_back(local: Store, tmp_path: Path, root: int) -> None:
    catch_up(Node(1000, LOCAL_CHAIN), local)
    again = Node(300, LOCAL_CHAIN)
    again.root = root
    catch_up(again, local)
    assert dump(local) == fresh(again, tmp_path / "fresh.sqlite") and seals(local) == 31


# Several processes


def roll_backs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many seals there were before and after each roll-back."""
    seen, real = list[tuple[int, int]](), Store.roll_back

    def watched(store: Store, *arguments: Any) -> None:
        before = seals(store)
        real(store, *arguments)
        seen.append((before, seals(store)))

    monkeypatch.setattr(Store, "roll_back", watched)
    return seen


@pytest.mark.parametrize("chain_id", [PUBLIC, LOCAL_CHAIN])
def test_a_faster_process_is_not_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain_id: int) -> None:
    """It finishes, with a head that is newer, while the slower one is on its way to an older head."""
    slow, path, undone = Node(20_000, chain_id), tmp_path / "index.sqlite", roll_backs(monkeypatch)
    ours, faster = Store(path, slow.contracts), list[Progress]()

    def meanwhile(first: int) -> None:
        if first > 5000 and not faster:
            slow.top = 20_100
            with closing(Store(path, slow.contracts)) as theirs:
                faster.append(catch_up(replaced(slow, 20_100), theirs))

    slow.meanwhile = meanwhile
    catch_up(slow, ours)
    assert faster[0].block == 20_100 and all(before == after for before, after in undone)
    assert ours.blocks()[0].number == 20_100 and dump(ours) == fresh(slow, tmp_path / "fresh.sqlite")


def test_a_decision_on_an_old_look_undoes_nothing(local: Store) -> None:
    node = Node(200, LOCAL_CHAIN)
    catch_up(node, local)
    old = local.blocks()[0]
    with closing(Store(local.path, node.contracts)) as theirs:
        catch_up(replaced(node, 400), theirs)
    before = dump(local)
    local.roll_back(199, (old.number, old.hash))
    local.roll_back(-1, (-1, ZERO))
    assert dump(local) == before
    newest = local.blocks()[0]
    local.roll_back(399, (newest.number, newest.hash))
    assert local.blocks()[0].number == 399


def test_rows_without_a_cursor_are_read_anew(public: Store, tmp_path: Path) -> None:
    catch_up(Node(300), public)
    public._db.execute("DELETE FROM blocks")
    catch_up(Node(300), public)
    assert dump(public) == fresh(Node(300), tmp_path / "fresh.sqlite")


# Nodes that contradict themselves


@pytest.mark.parametrize("chain_id", [PUBLIC, LOCAL_CHAIN])
def test_what_never_fits_is_said(tmp_path: Path, chain_id: int) -> None:
    node = Node(1000, chain_id)
    store = Store(tmp_path / "index.sqlite", node.contracts)
    catch_up(node, store)
    before = dump(store)
    node.top, node.strange = 1010, 1001
    with pytest.raises(Unreachable, match="reorganised"):
        catch_up(node, store)
    assert dump(store) == before
    node.strange = -1
    assert catch_up(node, store).block == 1010


def test_nodes_that_change_sides_for_ever_are_said(public: Store) -> None:
    """Each look at the chain is of another branch, so that something is undone and added again and again."""
    node = Node(1000)
    catch_up(node, public)
    node.top = 1001

    def turn(_: int) -> None:
        node.root = 1000 if node.root > 1000 else 1_000_000

    node.meanwhile = turn
    for _ in range(10):
        with pytest.raises(Unreachable, match="reorganised"):
            catch_up(node, public)


def test_it_stops_between_two_ranges(public: Store) -> None:
    stop, seen = threading.Event(), list[Progress]()

    def moved(progress: Progress) -> None:
        seen.append(progress)
        stop.set()

    follow(Node(50_000), public, stop, moved, pause=0)
    assert len(seen) == 1 and public.blocks()[0].number == seen[0].block < 50_000


# Nodes that cannot give so much


@pytest.mark.parametrize(
    "refusal",
    [
        TooLarge("The node does not answer in time.", "Ask for less."),
        ChainError("The node refused eth_getLogs: too many blocks.", "Ask for less."),
    ],
)
@pytest.mark.parametrize("most", [1, 3, 100])
def test_it_asks_for_less_and_keeps_to_it(public: Store, tmp_path: Path, most: int, refusal: Exception) -> None:
    node = Node(1000)
    node.most, node.refusal = most, refusal
    catch_up(node, public)
    whole = replaced(node, 1000)
    assert dump(public) == fresh(whole, tmp_path / "fresh.sqlite")
    refused = sum(span > most for span in node.spans)
    assert refused <= 11 + len(node.spans) // 2 and (most < 100 or refused <= 8), node.spans


def test_a_block_that_is_too_large_by_itself_is_said(public: Store) -> None:
    node = Node(100)
    node.most = 0
    with pytest.raises(TooLarge):
        catch_up(node, public)
    assert node.spans[-1] == 1


def test_a_node_that_is_away_is_not_asked_for_less(public: Store) -> None:
    node = Node(1000)
    node.most, node.refusal = 0, Unreachable("The node does not answer.", "Start one.")
    with pytest.raises(Unreachable):
        catch_up(node, public)
    assert len(node.spans) == 1


# Answers


@pytest.mark.parametrize(("trouble", "error"), [(TooMuch("too long"), TooLarge), (BadAnswer("no JSON"), Unreachable)])
def test_an_answer_that_is_too_large_has_its_own_error(trouble: Exception, error: type[CountersignError]) -> None:
    client = Client("http://node", PUBLIC)

    def ask(*_: Any) -> Any:
        raise trouble

    client._transport.ask = ask  # type: ignore[assignment, method-assign]
    with pytest.raises(Unreachable, match="http://node") as said:
        client.head()
    assert type(said.value) is error


LOG = {"address": "0x00", "topics": [], "data": "0x", "blockNumber": "0x1", "logIndex": "0x0", "transactionHash": "0x0"}
NONSENSE: list[Any] = [{}, [], [None], [{}], [LOG], "0x", 7, True, {"number": "0x1"}, {"hash": None}]


@pytest.mark.parametrize(
    "ask",
    [
        Client.head,
        Client.finalized,
        lambda client: client.block(7),
        lambda client: client.header(7),
        lambda client: client.logs(0, 7),
        lambda client: client.events(bytes(20), "Objected", [bytes(32)]),
        lambda client: client.receipt(ZERO),
        lambda client: client.prove({ZERO[:20]: (ZERO,)}, 7),
    ],
)
@pytest.mark.parametrize("nonsense", NONSENSE, ids=repr)
def test_nonsense_is_said(ask: Callable[[Client], Any], nonsense: Any) -> None:
    client = Client("http://node", PUBLIC)
    client.rpc = lambda *_: nonsense  # type: ignore[method-assign]
    try:
        assert ask(client) == [] == nonsense  # no logs: the one answer of these that is one
    except Unreachable as error:
        assert "http://node is no node: it does not understand eth_get" in str(error)


def test_no_answer_is_no_list_of_logs() -> None:
    client = Client("http://node", PUBLIC)
    client.rpc = lambda *_: None  # type: ignore[method-assign]
    assert client.block(7) is None and client.receipt(ZERO) is None
    for ask in (lambda: client.logs(0, 7), lambda: client.events(bytes(20), "Objected", [ZERO])):
        with pytest.raises(Unreachable, match="no node"):
            ask()


def test_a_number_that_no_index_could_hold_is_nonsense() -> None:
    node = Node(10)
    huge = node.rpc("eth_getBlockByNumber", "latest", False) | {"timestamp": "0x" + "f" * 16}
    node.rpc = lambda *_: huge  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match="no node"):
        node.head()


def test_other_branches_have_other_names() -> None:
    """Or the tests above would show nothing."""
    node, other = Node(5), Node(5)
    other.root = 3
    same = [node.block(number) == other.block(number) for number in range(6)]
    assert same == [True] * 3 + [False] * 3
