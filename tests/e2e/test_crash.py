"""Killed at any point, nothing is lost and nothing is done twice; the index follows a chain that changes its mind."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from commandline import Cli
from faults import FaultProxy, at

from countersign.canonical import to_hex
from countersign.certificate import Certificate, path_beside
from countersign.chain.client import Client
from countersign.chain.codec import Log, encode_call
from countersign.chain.sender import Outbox, Sender
from countersign.errors import ChainError, WrongChain
from countersign.index.schema import EVENT_TABLES
from countersign.index.store import Store
from countersign.index.sync import catch_up
from countersign.keys.signer import open_signer
from countersign.records import Call
from tools.deployment import deploy_local
from tools.devnet import Devnet

_SMALL_RANGES = (
    "from countersign.index import sync; sync._RANGE = sync._WIDEST = 100; from countersign.cli import main; main()"
)
"""The command line, indexing fewer blocks at a time: mining thousands takes long."""


def killed_at(proxy: FaultProxy, cli: Cli, *arguments: object) -> None:
    """Run a command through the proxy and kill it (SIGKILL) where the proxy holds it."""
    command = [sys.executable, "-c", _SMALL_RANGES, *map(str, arguments), "--rpc", proxy.url, "--home", str(cli.home)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert proxy.held.wait(60), process.communicate(timeout=10)
    process.kill()
    process.communicate()


def seals_of(chain: Devnet, root: bytes) -> int:
    query = {"fromBlock": "0x0", "toBlock": "latest", "topics": [None, to_hex(root)]}
    return len(chain.rpc("eth_getLogs", query))


def nonce(chain: Devnet, account: int) -> int:
    return int(chain.rpc("eth_getTransactionCount", chain.rpc("eth_accounts")[account], "latest"), 16)


POINTS = [
    ("eth_estimateGas", "hold request", "draft"),
    ("eth_getTransactionCount", "hold request", "draft"),
    ("eth_sendRawTransaction", "hold request", "draft"),
    ("eth_sendRawTransaction", "hold answer", "draft"),
    ("eth_getTransactionReceipt", "hold request", "draft"),
    ("eth_getProof", "hold answer", "draft"),
]


@pytest.mark.parametrize(("method", "when", "state"), POINTS)
def test_a_seal_survives_a_kill_at_every_point(
    cli: Cli, chain: Devnet, work: Path, method: str, when: str, state: str
) -> None:
    before = nonce(chain, 7)
    with FaultProxy(chain.url, at(method, when)) as proxy:
        killed_at(proxy, cli, "seal", work, "--key", "test:7")
    draft = Certificate.load(path_beside(work))
    assert draft.state == state and draft.signature
    outcome = cli("seal", work, "--resume", key="test:7")
    assert outcome.code == 0, outcome
    done = Certificate.load(path_beside(work))
    assert (done.state, done.salt) == ("proved", draft.salt)
    assert nonce(chain, 7) == before + 1
    assert seals_of(chain, done.root) == 1
    assert [entry.name for entry in work.parent.iterdir() if entry.name.startswith(".")] == []


def test_a_claim_survives_a_kill_after_it_was_sent(cli: Cli, chain: Devnet, work: Path) -> None:
    assert cli("seal", work, key="test:7").code == 0
    before = nonce(chain, 7)
    with FaultProxy(chain.url, at("eth_sendRawTransaction", "hold answer")) as proxy:
        killed_at(proxy, cli, "claim", work, "--key", "test:7")
    assert cli("claim", work, key="test:7").code == 0
    assert cli("verify", work).code == 0
    assert nonce(chain, 7) == before + 1


def test_a_batch_of_which_a_crash_left_some_drafts_is_told_how_to_go_on(cli: Cli, tmp_path: Path) -> None:
    works = [tmp_path / name for name in ("a", "b")]
    for work in works:
        work.write_bytes(os.urandom(100))
    assert cli("seal", works[0], "--no-wait", key="test:7").code == 0
    again, resumed = cli("seal", *works, key="test:7"), cli("seal", *works, "--resume", key="test:7")
    assert (again.code, resumed.code) == (2, 2)
    assert (
        "a.countersign.json exists already" in again.err
        and "b.countersign.json cannot be read: there is none" in resumed.err
    )
    assert cli("seal", works[0], "--resume", key="test:7").code == 0 == cli("seal", works[1], key="test:7").code


@pytest.fixture
def own_chain() -> Iterator[Devnet]:
    """A chain to be ill-treated."""
    with Devnet() as chain:
        deploy_local(chain)
        yield chain


# The sender


@pytest.fixture
def send(chain: Devnet, tmp_path: Path) -> Callable[..., Any]:
    """Sends for an account through a node, every time as a new process would: with nothing but the journal."""

    def send(call: Call, name: str, account: int = 8, url: str = chain.url) -> Any:
        signer = open_signer(f"test:{account}", 31337, str)
        return Sender(Client(url, 31337), signer, tmp_path / "outbox.sqlite").send(call, name)

    return send


def seal_of(chain: Devnet, root: bytes) -> Call:
    return Call(Client(chain.url, 31337).contracts.registry, encode_call("ContentRegistry", "seal", root))


def test_of_many_who_ask_for_one_thing_at_once_one_sends(chain: Devnet, send: Callable[..., Any]) -> None:
    call, before = seal_of(chain, os.urandom(32)), nonce(chain, 8)
    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(lambda _: send(call, "same"), range(6)))
    assert len({receipt.transaction for receipt in receipts}) == 1
    assert nonce(chain, 8) == before + 1


def test_many_different_things_at_once_are_all_sent(chain: Devnet, send: Callable[..., Any]) -> None:
    before = nonce(chain, 8)
    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(lambda n: send(seal_of(chain, os.urandom(32)), f"other {n}"), range(6)))
    assert len({receipt.transaction for receipt in receipts}) == 6 and all(receipt.ok for receipt in receipts)
    assert nonce(chain, 8) == before + 6


def test_a_refused_transaction_leaves_no_gap(chain: Devnet, send: Callable[..., Any]) -> None:
    first, second = seal_of(chain, os.urandom(32)), seal_of(chain, os.urandom(32))
    before = nonce(chain, 8)
    refusal = at("eth_sendRawTransaction", "refuse", message="max fee per gas too low")
    with FaultProxy(chain.url, refusal) as proxy, pytest.raises(ChainError, match="max fee"):
        send(first, "refused", url=proxy.url)
    assert send(second, "next").ok and send(first, "refused").ok
    assert nonce(chain, 8) == before + 2


@pytest.mark.parametrize("fault", ["lose", "refuse", "drop request", "drop answer", "truncate", "http 500", "html"])
def test_an_answer_that_says_nothing_of_the_transaction_is_not_believed(
    chain: Devnet, send: Callable[..., Any], fault: str
) -> None:
    """It may have gone through: whoever asks again has it mined once."""
    call, before = seal_of(chain, os.urandom(32)), nonce(chain, 8)
    with FaultProxy(chain.url, at("eth_sendRawTransaction", fault)) as proxy, pytest.raises(ChainError):
        send(call, "uncertain", url=proxy.url)
    assert send(seal_of(chain, os.urandom(32)), "next").ok
    assert send(call, "uncertain").ok
    assert nonce(chain, 8) == before + 2


@pytest.mark.parametrize("words", ["txpool is full", "the sequencer feed is away", "compute units exceeded"])
def test_a_busy_node_is_no_reason_to_pay_more(chain: Devnet, send: Callable[..., Any], words: str) -> None:
    """However often it refuses: what is mined in the end are the bytes that were signed first."""
    call, before = seal_of(chain, os.urandom(32)), nonce(chain, 8)
    busy = at("eth_sendRawTransaction", "refuse", *range(1, 9), message=words)
    with FaultProxy(chain.url, busy) as proxy:
        for _ in range(8):
            with pytest.raises(ChainError, match=words):
                send(call, f"busy {words}", url=proxy.url)
        assert send(call, f"busy {words}", url=proxy.url).ok
        offered = {str(passed.params) for passed in proxy.of("eth_sendRawTransaction")}
    assert len(offered) == 1
    assert nonce(chain, 8) == before + 1


def test_a_nonce_taken_by_another_program_is_no_trouble(chain: Devnet, send: Callable[..., Any]) -> None:
    """Signed and journalled, never sent; meanwhile another program uses the account."""
    call, before = seal_of(chain, os.urandom(32)), nonce(chain, 8)
    with FaultProxy(chain.url, at("eth_sendRawTransaction", "hold request")) as proxy, ThreadPoolExecutor(1) as pool:
        dying = pool.submit(send, call, "late", 8, proxy.url)
        assert proxy.held.wait(60)
        account = chain.rpc("eth_accounts")[8]
        chain.rpc("eth_sendTransaction", {"from": account, "to": account, "value": "0x0"})
        proxy.release()
        with pytest.raises(ChainError):
            dying.result(60)
    assert send(call, "late").ok
    assert nonce(chain, 8) == before + 2


@pytest.mark.parametrize("forgotten", [False, True])
def test_what_is_pending_is_taken_up_and_not_signed_again(own_chain: Devnet, tmp_path: Path, forgotten: bool) -> None:
    """Sent but not mined when the process died; ``forgotten``: and then dropped by the node."""
    signer, client = open_signer("test:2", 31337, str), Client(own_chain.url, 31337)
    call, hashes = seal_of(own_chain, os.urandom(32)), list[bytes]()
    own_chain.rpc("evm_setAutomine", False)
    with pytest.raises(ChainError, match="still not mined"):
        Sender(client, signer, tmp_path / "outbox", wait=0.1).send(call, "seal", hashes.append)
    if forgotten:
        own_chain.rpc("anvil_dropAllTransactions")
    own_chain.rpc("evm_setIntervalMining", 1)
    receipt = Sender(client, signer, tmp_path / "outbox").send(call, "seal", hashes.append)
    assert receipt.ok and set(hashes) == {receipt.transaction}
    assert nonce(own_chain, 2) == 1


def test_an_underpriced_transaction_is_offered_for_more(
    own_chain: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fees rise after it was signed: the same nonce is signed again for more, and mined once."""
    signer, client = open_signer("test:2", 31337, str), Client(own_chain.url, 31337)
    call, hashes = seal_of(own_chain, os.urandom(32)), list[bytes]()
    own_chain.rpc("evm_setAutomine", False)
    with pytest.raises(ChainError, match="still not mined"):
        Sender(client, signer, tmp_path / "outbox", wait=0.1).send(call, "seal", hashes.append)
    own_chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**12))
    own_chain.rpc("evm_mine")
    own_chain.rpc("evm_setIntervalMining", 1)
    monkeypatch.setattr("countersign.chain.sender._STUCK", 1.5)
    receipt = Sender(client, signer, tmp_path / "outbox", wait=60).send(call, "seal", hashes.append)
    assert receipt.ok and receipt.transaction == hashes[-1] != hashes[0]
    assert nonce(own_chain, 2) == 1


def test_a_transaction_that_a_crash_left_unsent_holds_up_nothing(
    chain: Devnet, send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, before = seal_of(chain, os.urandom(32)), seal_of(chain, os.urandom(32)), nonce(chain, 8)
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "_offer", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            send(first, "first")
    assert send(second, "second").ok and send(first, "first").ok
    assert nonce(chain, 8) == before + 2


def test_what_a_crash_left_unsent_is_replaced_when_its_fee_is_refused(
    own_chain: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two intents of one account, neither ever sent, fees higher since: each is mined, once."""
    signer, client = open_signer("test:2", 31337, str), Client(own_chain.url, 31337)
    first, second = (seal_of(own_chain, os.urandom(32)) for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "_offer", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        for call, name in ((first, "first"), (second, "second")):
            with pytest.raises(KeyboardInterrupt):
                Sender(client, signer, tmp_path / "outbox").send(call, name)
    own_chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(10**12))
    own_chain.rpc("evm_mine")
    hashes = list[bytes]()
    receipt = Sender(client, signer, tmp_path / "outbox").send(second, "second", hashes.append)
    assert receipt.ok and receipt.transaction == hashes[-1] != hashes[0]
    assert Sender(client, signer, tmp_path / "outbox").send(first, "first").ok
    assert nonce(own_chain, 2) == 2


def test_a_journal_of_a_chain_that_began_anew_is_emptied(tmp_path: Path) -> None:
    for _ in range(2):
        with Devnet() as chain:
            deployed = len(deploy_local(chain))
            signer = open_signer("test:0", 31337, str)
            sender = Sender(Client(chain.url, 31337), signer, tmp_path / "outbox.sqlite")
            assert sender.send(seal_of(chain, bytes(31) + b"\x01"), "seal").ok
            assert nonce(chain, 0) == deployed + 1


def test_a_journal_of_another_chain_is_kept_unless_it_is_the_local_one(tmp_path: Path) -> None:
    Outbox(tmp_path / "outbox", b"genesis", resettable=False).close()
    with pytest.raises(WrongChain, match="begins otherwise"):
        Outbox(tmp_path / "outbox", b"another", resettable=False)


# The index


def test_a_range_that_the_node_refuses_is_halved(own_chain: Devnet, tmp_path: Path) -> None:
    client = Client(own_chain.url, 31337)
    own_chain.rpc("anvil_mine", "0x100")
    asked, whole = list[int](), client.logs

    def limited(first: int, last: int) -> list[Log]:
        asked.append(last - first + 1)
        if last - first >= 50:
            raise ChainError("The node refused eth_getLogs: range too large.", "")
        return whole(first, last)

    client.logs = limited  # type: ignore[method-assign]
    store = Store(tmp_path / "index.sqlite", client.contracts)
    assert catch_up(client, store).block == client.head().number
    assert max(asked) > 50 and min(asked) <= 50


def content_of(path: Path) -> dict[str, list[Any]]:
    """All rows of an index, and its cursor."""
    with closing(sqlite3.connect(path)) as db:
        rows = {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in EVENT_TABLES}
        return rows | {"cursor": db.execute("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1").fetchall()}


def check_against_rebuild(chain: Devnet, store: Store, tmp_path: Path) -> dict[str, list[Any]]:
    client = Client(chain.url, 31337)
    fresh = Store(tmp_path / f"fresh-{time.monotonic_ns()}.sqlite", client.contracts)
    catch_up(client, fresh)
    assert content_of(store.path) == content_of(fresh.path)
    return content_of(store.path)


def seal_some(chain: Devnet, tmp_path: Path, count: int) -> None:
    signer = open_signer("test:1", 31337, str)
    sender = Sender(Client(chain.url, 31337), signer, tmp_path / f"outbox-{time.monotonic_ns()}")
    for _ in range(count):
        sender.send(seal_of(chain, os.urandom(32)), os.urandom(8).hex())


@pytest.mark.parametrize("depth", [1, 5, 80, 400])
@pytest.mark.parametrize("seen_lower", [False, True])
def test_the_index_follows_a_fork(own_chain: Devnet, tmp_path: Path, depth: int, seen_lower: bool) -> None:
    """Out of a branch of ``depth`` blocks; ``seen_lower``: with a look at a head below the cursor."""
    client = Client(own_chain.url, 31337)
    store = Store(tmp_path / "index.sqlite", client.contracts)
    seal_some(own_chain, tmp_path, 3)
    own_chain.rpc("anvil_mine", "0x64", "0x1")
    before = own_chain.rpc("evm_snapshot")
    seal_some(own_chain, tmp_path, 3)
    own_chain.rpc("anvil_mine", hex(depth), "0x1")
    catch_up(client, store)
    assert len(check_against_rebuild(own_chain, store, tmp_path)["seals"]) == 6
    own_chain.rpc("evm_revert", before)
    if seen_lower:
        catch_up(client, store)
        assert len(check_against_rebuild(own_chain, store, tmp_path)["seals"]) == 3
    seal_some(own_chain, tmp_path, 2)
    own_chain.rpc("anvil_mine", hex(depth + 9), "0x2")
    catch_up(client, store)
    assert len(check_against_rebuild(own_chain, store, tmp_path)["seals"]) == 5


def test_the_index_starts_anew_on_a_chain_that_began_anew(tmp_path: Path) -> None:
    paths, port = [tmp_path / "index.sqlite"], None
    for count in (3, 1):
        with Devnet(port) as chain:
            port = chain.port
            deploy_local(chain)
            seal_some(chain, tmp_path, count)
            store = Store(paths[0], Client(chain.url, 31337).contracts)
            catch_up(Client(chain.url, 31337), store)
            assert len(check_against_rebuild(chain, store, tmp_path)["seals"]) == count


def test_an_empty_chain_has_an_empty_index(tmp_path: Path) -> None:
    with Devnet() as chain:
        client = Client(chain.url, 31337)
        store = Store(tmp_path / "index.sqlite", client.contracts)
        for _ in range(2):
            assert catch_up(client, store).block == 0
        assert check_against_rebuild(chain, store, tmp_path)["seals"] == []


def test_the_index_survives_a_kill_while_it_reads(own_chain: Devnet, tmp_path: Path) -> None:
    """The third range is asked for once the first is stored; the second may still be on its way to the disk."""
    cli = Cli(own_chain.url, tmp_path / "home")
    for _ in range(4):
        seal_some(own_chain, tmp_path, 2)
        own_chain.rpc("anvil_mine", "0x46", "0x1")
    with FaultProxy(own_chain.url, at("eth_getLogs", "hold answer", 3)) as proxy:
        killed_at(proxy, cli, "index", "sync")
    path = tmp_path / "home" / "index-31337.sqlite"
    half = content_of(path)
    assert half["cursor"][0][0] in (99, 199) and 0 < len(half["seals"]) < 8
    assert cli("index", "sync").code == 0
    store = Store(path, Client(own_chain.url, 31337).contracts)
    assert len(check_against_rebuild(own_chain, store, tmp_path)["seals"]) == 8


def test_a_fork_between_two_ranges_is_noticed(
    own_chain: Devnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the second range is read, the chain forks below the first one's end."""
    monkeypatch.setattr("countersign.index.sync._RANGE", 50)
    before = own_chain.rpc("evm_snapshot")
    seal_some(own_chain, tmp_path, 2)
    own_chain.rpc("anvil_mine", "0x12c", "0x1")
    client = Client(own_chain.url, 31337)
    store = Store(tmp_path / "index.sqlite", client.contracts)
    forked: list[Any] = []

    def fork(_: Any) -> None:
        if not forked:
            forked.append(own_chain.rpc("evm_revert", before))
            own_chain.rpc("anvil_mine", "0x12c", "0x2")

    with suppress(ChainError):  # what it reads ahead may be gone
        catch_up(client, store, fork)
    assert forked
    catch_up(client, store)
    assert check_against_rebuild(own_chain, store, tmp_path)["seals"] == []
