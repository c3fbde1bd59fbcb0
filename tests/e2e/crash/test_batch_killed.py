"""A folder being sealed, killed at random points, up to three times: whoever repeats the command has every work sealed
once, in one transaction, and none forgotten."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from faults import seed_of
from stage import SlowChain
from victims import Victims, effects_in

from countersign.canonical import to_hex
from countersign.certificate import Bundle, bundle_beside
from tools.deployment import deploy_local
from tools.devnet import Devnet

SEED = seed_of(5)
ACCOUNT, FILES = 4, 240
QUICK, DEEP = 6, 40


@pytest.fixture(scope="module")
def slow() -> Iterator[SlowChain]:
    with Devnet() as chain, SlowChain(chain) as proxy:
        deploy_local(chain)
        chain.rpc("evm_setAutomine", False)
        yield proxy


def nonce(chain: Devnet) -> int:
    return int(chain.rpc("eth_getTransactionCount", chain.rpc("eth_accounts")[ACCOUNT], "latest"), 16)


def a_folder(at: Path) -> dict[str, bytes]:
    """Files by name, and their contents; some of them are the same."""
    made = {}
    for number in range(FILES):
        path = at / f"{number % 7}" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(2000) if number % 50 else b"the same")
        made[path.relative_to(at).as_posix()] = sha256(path.read_bytes()).digest()
    return made


def require_sealed_once(chain: Devnet, bundle: Path, works: dict[str, bytes], told: str) -> None:
    with Bundle(bundle) as opened:
        made = list(opened.certificates())
        assert opened.common.state == "proved", told
    assert {certificate.name: certificate.work.content for certificate in made} == works, told
    assert len(made) == len(works) and all(c.proven_root == c.root for c in made), told
    query = {"fromBlock": "0x0", "toBlock": "latest", "topics": [None, to_hex(made[0].root)]}
    assert len(chain.rpc("eth_getLogs", query)) == 1, told


def test_a_killed_batch_seals_every_work_once(
    slow: SlowChain, tmp_path: Path, deep: bool, covered: Callable[[str, int], None]
) -> None:
    most = kills = 0
    with Victims() as victims:
        for trial in range(1 + (DEEP if deep else QUICK)):
            random, folder, log = Random(f"{SEED}:{trial}"), tmp_path / f"{trial}", tmp_path / f"{trial}.log"
            works, before = a_folder(folder), nonce(slow.chain)
            command = ["seal", folder, "--no-fingerprint", "--key", f"test:{ACCOUNT}", "--rpc", slow.url]
            arguments = [*map(str, command), "--home", str(tmp_path / f"home-{trial}")]
            points = [most - random.randint(0, most // 8)] if trial % 2 else []  # the end is short: sending, proving
            points += [random.randint(1, most) for _ in range(random.randint(1, 2))] if most else []
            for point in points:
                kills += victims.wait(victims.start("cli", arguments, log, point)) == -9
            code, told = victims.wait(victims.start("cli", arguments, log)), f"COUNTERSIGN_SEED={SEED}, trial {trial}"
            assert code == 0, f"{told}: {log.read_text()}"
            require_sealed_once(slow.chain, bundle_beside(folder), works, told)
            assert nonce(slow.chain) == before + 1, told
            most = most or effects_in(log)
    covered("batch", kills)
    assert kills >= (DEEP if deep else QUICK) // 2
