"""What the deal commands say and do while the chain may still take a step back, or nobody can tell whether it may."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import Cli
from dealing import Watched, address
from faults import FaultProxy
from test_cli import done, refused

from countersign.canonical import checksum
from countersign.times import utc
from tools.deployment import deploy_local
from tools.devnet import Devnet

BUYER, SELLER = "test:1", "test:2"


class Forgetful(FaultProxy):
    """The way to a node that has forgotten the state of its final block."""

    def take(self, body: bytes) -> str | None:
        """As FaultProxy, but for calls on that state."""
        asked = super().take(body)
        return "refuse: missing trie node 5d1c" if b'"eth_call"' in body and b'"finalized"' in body else asked


@pytest.fixture(scope="module")
def slow() -> Iterator[Devnet]:
    """A chain that mines what is sent and finalizes nothing by itself."""
    with Devnet(epoch=32) as chain:
        deploy_local(chain)
        _finalize(chain)
        yield chain


@pytest.fixture
def on_slow(slow: Devnet, cli: Cli) -> Cli:
    """The command line on it."""
    return Cli(slow.url, cli.home)


def _finalize(chain: Devnet) -> None:
    chain.rpc("anvil_mine", hex(chain.finality + 1), "0x1")


def _opened(cli: Cli, tmp_path: Path) -> Path:
    said = ("--payee", checksum(address(2)), "--amount", "0.01", "--deliver-by", "20d", "--verdict-by", "40d")
    done(cli("deal", "propose", tmp_path / "mill", *said, "--title", "Mill", key=BUYER))
    done(cli("deal", "open", tmp_path / "mill.terms.json", key=BUYER))
    return tmp_path / "mill.terms.json"


def _watched(cli: Cli, terms: Path) -> list[tuple[str, bool | None]]:
    lines = done(cli("deal", "show", terms, "--watch", "--json")).out.splitlines()
    return [(picture["status"], picture["final"]) for picture in map(json.loads, lines)]


def test_a_node_that_cannot_tell_what_is_final_shows_all_else(slow: Devnet, on_slow: Cli, tmp_path: Path) -> None:
    terms = _opened(on_slow, tmp_path)
    with Forgetful(slow.url) as proxy:
        cli = Cli(proxy.url, on_slow.home)
        shown = done(cli("deal", "show", terms)).out
        assert "awaiting delivery" in shown and "Nothing is known of it" in shown
        assert done(cli("deal", "show", terms, "--json")).json["final"] is None
        done(cli("deal", "release", terms, key=BUYER))
        assert _watched(cli, terms) == [("ended", None)]


def test_the_watch_waits_until_the_end_is_final(slow: Devnet, on_slow: Cli, tmp_path: Path) -> None:
    terms = _opened(on_slow, tmp_path)
    done(on_slow("deal", "release", terms, key=BUYER))
    with Watched(slow, lambda: _finalize(slow)) as proxy:
        assert _watched(Cli(proxy.url, on_slow.home), terms) == [("ended", False), ("ended", True)]
    assert "waiting" not in done(on_slow("deal", "show", terms, "--watch")).out


def test_the_payee_may_deliver_before_the_seal_is_final(on_slow: Cli, tmp_path: Path, work: Path) -> None:
    """Rather than miss the deadline; which is said."""
    terms = _opened(on_slow, tmp_path)
    done(on_slow("seal", work, "--no-wait", key=SELLER))
    deliver = ("deal", "deliver", terms, work)
    due = json.loads(terms.read_text())["terms"]["deliverBy"]
    refused(on_slow(*deliver, key=SELLER), "not sealed for good yet", "--resume", f"until {utc(int(due))}", "--reveal")
    done(on_slow(*deliver, "--reveal-unsealed", key=SELLER))
    assert done(on_slow("deal", "show", terms, "--json")).json["status"] == "delivered"
