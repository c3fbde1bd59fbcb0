"""RFC 6962 roots: beside a plain loop over hashlib, and beside other libraries."""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random

from bench.figures import Figure
from bench.peers import node_modules
from bench.timing import best, progress, seconds
from countersign.merkle import MerkleTree

__all__ = ["measure"]

_MILLION = 1_000_000
_PEER_LEAVES = 100_000
_PROOFS = 2_000
_PEAK_LIMIT = 300
_JS_PEERS = ("@openzeppelin/merkle-tree@1.0.8", "merkletreejs@0.5.2")


def measure(leaves: int = _MILLION, peer_leaves: int = _PEER_LEAVES, runs: int = 3, js: bool = True) -> list[Figure]:
    """``root_1m_s``, ``root_1m_vs_hashlib``, ``root_1m_vs_best_peer``, ``peak_mb``, ``proof_ms``."""
    data = _leaves(leaves)
    progress(f"a tree of {leaves:,} leaves")
    ours, flat = best(partial(MerkleTree, data), partial(_flat, data), runs=runs, clock=time.process_time)
    tree = MerkleTree(data)
    assert tree.root == _flat(data)
    others = _python_peers(data[:peer_leaves], tree, runs) | (_js_peers(peer_leaves) if js else {})
    per_million = {f"{name}, {peer_leaves:,} leaves x {leaves // peer_leaves}": t * leaves / peer_leaves
                   for name, t in others.items()}  # fmt: skip
    fastest = min(per_million.values())
    peers = {"hashlib flat": flat, **per_million}
    return [
        Figure("root_1m_s", round(ours, 3), "s", peers={name: round(t, 3) for name, t in peers.items()}),
        Figure("root_1m_vs_hashlib", round(ours / flat, 3), "x", limit=1.0),
        Figure("root_1m_vs_best_peer", round(fastest / ours, 1), "x", least=5.0,
               note="How often the fastest library's time holds ours, leaves hashed by all."),
        Figure("peak_mb", _peak(leaves), "MB", limit=_PEAK_LIMIT, note="Of the whole process, leaves included."),
        Figure("proof_ms", _proof(tree), "ms", limit=1.0),
    ]  # fmt: skip


def _leaves(count: int) -> list[bytes]:
    return [sha256(n.to_bytes(8, "big")).digest() for n in range(count)]


def _flat(leaves: list[bytes]) -> bytes:
    """The plain loop: one hashlib call for each node, levels as flat bytes."""
    level = b"".join([sha256(b"\x00" + leaf).digest() for leaf in leaves])
    while len(level) > 32:
        paired = len(level) // 64 * 64
        hashes = [sha256(b"\x01" + level[i : i + 64]).digest() for i in range(0, paired, 64)]
        level = b"".join(hashes) + level[paired:]
    return level


def _peak(leaves: int) -> float:
    """MB a process of its own needs at most for a tree of so many leaves, list of leaves included."""
    code = (
        "from bench.merkle import _leaves, most_memory; from countersign.merkle import MerkleTree;"
        f"tree = MerkleTree(_leaves({leaves})); tree.path(1); print(most_memory())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return round(int(run.stdout) / 1e6, 1)


def most_memory() -> int:
    """Bytes this process held at most. ``ru_maxrss`` would count the parent's too, from before the program started."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _proof(tree: MerkleTree) -> float:
    """Median ms of an inclusion path, made on demand."""
    chosen = Random(0).choices(range(tree.size), k=_PROOFS)
    return round(1000 * statistics.median(seconds(partial(tree.path, index)) for index in chosen), 4)


# Peers


def _python_peers(data: list[bytes], tree: MerkleTree, runs: int) -> dict[str, float]:
    """Seconds for the root over ``data``."""
    peers: dict[str, Callable[[], object]] = {
        "pymerkle (RFC 9162)": partial(_pymerkle, data),
        "opentimestamps (its own tree)": partial(_opentimestamps, data),
    }
    progress(f"other trees of {len(data):,} leaves")
    assert _pymerkle(data) == MerkleTree(data).root
    return {name: best(run, runs=max(runs // 2, 1), clock=time.process_time)[0] for name, run in peers.items()}


def _pymerkle(data: list[bytes]) -> bytes:
    from pymerkle import InmemoryTree  # type: ignore[import-untyped]

    tree = InmemoryTree(algorithm="sha256")
    for leaf in data:
        tree.append_entry(leaf)
    return bytes(tree.get_root())


def _opentimestamps(data: list[bytes]) -> object:
    from opentimestamps.core.timestamp import Timestamp, make_merkle_tree  # type: ignore[import-untyped]

    return make_merkle_tree([Timestamp(leaf) for leaf in data]).msg


_JS = """
const crypto = require("crypto");
const { StandardMerkleTree } = require("@openzeppelin/merkle-tree");
const { MerkleTree } = require("merkletreejs");
const sha = (data) => crypto.createHash("sha256").update(data).digest();
const leaves = Array.from({ length: COUNT }, (_, n) => sha(String(n)));
const time = (name, make) => { const start = process.cpuUsage(); make();
  const used = process.cpuUsage(start); return [name, (used.user + used.system) / 1e6]; };
console.log(JSON.stringify(Object.fromEntries([
  time("OpenZeppelin merkle-tree, JavaScript (Keccak)",
    () => StandardMerkleTree.of(leaves.map((leaf) => ["0x" + leaf.toString("hex")]), ["bytes32"]).root),
  time("merkletreejs, JavaScript", () => new MerkleTree(leaves, sha, { hashLeaves: true }).getRoot()),
])));
"""


def _js_peers(count: int) -> dict[str, float]:
    """Seconds of the libraries for Node.js; none where Node.js or the registry is out of reach, which is said."""
    try:
        folder = node_modules(*_JS_PEERS)
        command = [shutil.which("node") or "node", "-e", _JS.replace("COUNT", str(count))]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        progress(f"the JavaScript libraries are left out: {type(error).__name__}")
        return {}
    times: dict[str, float] = json.loads(run.stdout)
    return times
