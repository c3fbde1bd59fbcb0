"""Certificates against real nodes: refreshed, exported, and verified in the face of nodes that lie."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commandline import Cli, Outcome
from faults import FaultProxy, at

from countersign.canonical import claim_slot, to_hex
from countersign.certificate import Certificate, path_beside
from countersign.fingerprint.digest import digest_file
from tools.devnet import Devnet

Lie = Callable[[str, Any, Any], Any]
"""From method, parameters and result of a request to the result that is told instead."""


def done(outcome: Outcome, code: int = 0) -> Outcome:
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


def states(outcome: Outcome) -> dict[str, str]:
    return {step["name"]: step["state"] for step in outcome.json["steps"]}


def settle(chain: Devnet) -> None:
    """Wait until all that happened is final."""
    head, deadline = int(chain.rpc("eth_blockNumber"), 16), time.monotonic() + 60
    while int(chain.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16) < head:
        assert time.monotonic() < deadline
        time.sleep(0.1)


class LyingNode(FaultProxy):
    """A node that tells something else than the chain holds."""

    def __init__(self, node: str, lie: Lie) -> None:
        super().__init__(node)
        self._lie = lie

    def told(self, body: bytes, answer: bytes) -> bytes:
        asked, document = json.loads(body), json.loads(answer)
        for request, reply in zip(
            *(each if isinstance(each, list) else [each] for each in (asked, document)), strict=True
        ):
            if "result" in reply:
                reply["result"] = self._lie(request["method"], request.get("params", []), reply["result"])
        return json.dumps(document).encode()


@pytest.fixture
def lying(chain: Devnet) -> Iterator[Callable[[Lie], LyingNode]]:
    with ExitStack() as running:
        yield lambda lie: running.enter_context(LyingNode(chain.url, lie))


@pytest.fixture
def claimed(cli: Cli, work: Path) -> Path:
    done(cli("seal", work, key="test:0"))
    done(cli("claim", work, key="test:0"))
    return work


def slot_of(work: Path) -> str:
    return to_hex(claim_slot(digest_file(work).sha256))


def empty_slot(work: Path) -> Lie:
    """Nobody claims it: said by call, by storage, and as the value beside an honest proof."""
    slot = slot_of(work)

    def lie(method: str, _: Any, result: Any) -> Any:
        if method == "eth_getStorageAt":
            return "0x" + "00" * 32
        if method == "eth_call":
            return "0x" + "00" * (len(result) // 2 - 1)
        if method == "eth_getProof":
            for entry in result["storageProof"]:
                if int(entry["key"], 16) == int(slot, 16):
                    entry["value"] = "0x0"
        return result

    return lie


def broken_proof(work: Path) -> Lie:
    """The claim's proof, with its last node changed: the word in it is another one."""
    slot = slot_of(work)

    def lie(method: str, _: Any, result: Any) -> Any:
        if method == "eth_getProof":
            for entry in result["storageProof"]:
                if int(entry["key"], 16) == int(slot, 16):
                    leaf = entry["proof"][-1]
                    entry["proof"][-1] = leaf[:-2] + f"{int(leaf[-2:], 16) ^ 1:02x}"
        return result

    return lie


def other_state_root(_: Path) -> Lie:
    """A header of the node's own making."""

    def lie(method: str, _: Any, result: Any) -> Any:
        return result | {"stateRoot": "0x" + "11" * 32} if method == "eth_getBlockByNumber" and result else result

    return lie


def test_a_node_that_lies_in_its_calls_alone_deceives_nobody(
    cli: Cli, claimed: Path, lying: Callable[[Lie], LyingNode]
) -> None:
    """The values are taken from the proof, the calls are not believed."""
    node = lying(empty_slot(claimed))
    report = done(Cli(node.url, cli.home)("verify", claimed, "--json"))
    assert report.json["outcome"] == "verified" and states(report)["claim"] == "pass"
    assert node.of("eth_getProof")
    path_beside(claimed).rename(claimed.with_name("kept"))
    assert states(done(Cli(node.url, cli.home)("verify", claimed, "--json")))["record"] == "pass"


@pytest.mark.parametrize("lies", [broken_proof, other_state_root])
def test_a_node_whose_proof_does_not_fit_is_not_believed(
    cli: Cli, claimed: Path, lying: Callable[[Lie], LyingNode], lies: Callable[[Path], Lie]
) -> None:
    node = lying(lies(claimed))
    liar = Cli(node.url, cli.home)
    report = done(liar("verify", claimed, "--json"), 2)
    assert report.json["outcome"] == "could not check" and states(report)["newest state"] == "unknown"
    before = path_beside(claimed).read_bytes()
    assert done(liar("refresh", claimed), 2).err.startswith("error: ")
    assert path_beside(claimed).read_bytes() == before
    path_beside(claimed).rename(claimed.with_name("kept"))
    assert done(liar("verify", claimed), 2).err.startswith("error: ")


def test_a_node_hides_a_retraction_only_with_an_older_block(
    cli: Cli, claimed: Path, chain: Devnet, lying: Callable[[Lie], LyingNode]
) -> None:
    """It may prove an old state, against an old block, and say so: its time is told, and a witness sees newer ones."""
    done(cli("refresh", claimed))
    proven = Certificate.load(path_beside(claimed)).proof
    assert proven
    number = proven.check().block.number
    block = chain.rpc("eth_getBlockByNumber", hex(number), False)
    calls = {json.dumps(call): chain.rpc("eth_call", call, "latest") for call in _calls(cli, claimed, lying)}

    def lie(method: str, parameters: Any, result: Any) -> Any:
        if method == "eth_getBlockByNumber" and parameters[0] == "finalized":
            return block
        return calls.get(json.dumps(parameters[0]), result) if method == "eth_call" else result

    done(cli("retract", claimed, key="test:0"))
    settle(chain)
    assert states(done(cli("verify", claimed, "--json"), 1))["claim"] == "fail"
    node = lying(lie)
    hidden = done(Cli(node.url, cli.home)("verify", claimed, "--json"))
    (newest,) = (step for step in hidden.json["steps"] if step["name"] == "newest state")
    assert f"as of block {number} of " in newest["detail"]


def _calls(cli: Cli, work: Path, lying: Callable[[Lie], LyingNode]) -> list[Any]:
    """The parameters of every eth_call that verify makes."""
    node = lying(lambda _, __, result: result)
    done(Cli(node.url, cli.home)("verify", work, "--json"))
    return [passed.params[0] for passed in node.of("eth_call")]


def test_witnesses_must_agree(
    cli: Cli, claimed: Path, chain: Devnet, lying: Callable[[Lie], LyingNode], faulty: Callable[..., FaultProxy]
) -> None:
    agreed = done(cli("verify", claimed, "--json", "--witness", faulty().url, "--witness", faulty().url))
    assert "is final, say" in agreed.json["steps"][4]["detail"]

    def other(method: str, parameters: Any, result: Any) -> Any:
        forked = method == "eth_getBlockByNumber" and parameters[0] != "finalized" and result
        return result | {"hash": "0x" + "11" * 32} if forked else result

    node = lying(other)
    report = done(cli("verify", claimed, "--json", "--witness", node.url), 1)
    assert states(report)["block"] == "fail" and node.url in report.json["summary"]
    silent = done(cli("verify", claimed, "--witness", "http://127.0.0.1:9"), 2)
    assert "does not answer" in silent.err
    assert "asks none" in done(cli("verify", claimed, "--offline", "--witness", chain.url), 2).err
    assert "asked already" in done(cli("verify", claimed, "--witness", f"{chain.url}/"), 2).err


def test_a_certificate_is_refreshed_and_kept_where_nothing_is_newer(
    cli: Cli, work: Path, chain: Devnet, faulty: Callable[..., FaultProxy]
) -> None:
    done(cli("seal", work, key="test:0"))
    old = Certificate.load(path_beside(work))
    assert old.proof
    done(cli("claim", work, key="test:0"))
    settle(chain)
    pruned = faulty(at("eth_getProof", "refuse", *range(1, 20), message="missing trie node 5d1c"))
    refused = done(Cli(pruned.url, cli.home)("refresh", work), 2)
    assert "does not prove the state" in refused.err and "missing trie node" in refused.err and "archive" in refused.err
    if Certificate.load(path_beside(work)).proof == old.proof:
        assert done(cli("refresh", work, "--json")).json["refreshed"]
    new = Certificate.load(path_beside(work))
    assert new.proof and new.proof.check().block.number > old.proof.check().block.number
    block = to_hex(new.proof.check().block.hash)
    assert states(done(cli("verify", work, "--offline", "--block-hash", block, "--json")))["claim"] == "pass"

    finalized = chain.rpc("eth_getBlockByNumber", hex(new.proof.check().block.number), False)
    with LyingNode(chain.url, _always_finalized(finalized)) as frozen:
        before = path_beside(work).read_bytes()
        kept = done(Cli(frozen.url, cli.home)("refresh", path_beside(work), "--json")).json
        assert not kept["refreshed"] and path_beside(work).read_bytes() == before
    replace(new, proof=replace(new.proof, header=new.proof.header[:-1])).save(path_beside(work))
    assert done(cli("refresh", work, "--json")).json["refreshed"]
    replace(new, contracts=replace(new.contracts, chain_id=1)).save(path_beside(work))
    assert "is of chain 1" in done(cli("refresh", work), 2).err
    replace(old, proof=None).save(path_beside(work))
    assert "is a draft" in done(cli("refresh", work), 2).err


def _always_finalized(block: Any) -> Lie:
    return lambda method, parameters, result: (
        block if method == "eth_getBlockByNumber" and parameters[0] == "finalized" else result
    )


def test_explanations_and_the_credential(cli: Cli, claimed: Path, tmp_path: Path) -> None:
    explained = done(cli("verify", claimed, "--explain", "--json")).json["steps"]
    assert all(" not " in step["explanation"] and len(step["explanation"]) > 100 for step in explained)
    assert "It does not prove authorship" in " ".join(done(cli("verify", claimed, "--explain")).out.split())

    out = tmp_path / "photo.vc.json"
    done(cli("verify", claimed, "--vc", out))
    credential = json.loads(out.read_text())
    assert credential["issuer"].startswith("did:pkh:eip155:31337:0xf39F")
    assert credential["evidence"][0]["certificate"] == json.loads(path_beside(claimed).read_text())

    assert "exists already" in done(cli("verify", claimed, "--vc", claimed), 2).err

    out.unlink()
    claimed.write_bytes(b"another file")
    done(cli("verify", claimed, "--certificate", path_beside(claimed), "--vc", out), 1)
    done(cli("verify", path_beside(claimed), "--offline", "--vc", out), 1)
    assert not out.exists()
    path_beside(claimed).unlink()
    assert "there is none" in done(cli("verify", claimed, "--vc", out), 2).err
