"""Writes tests/vectors/state_proof.json: a certificate proven by a real node, beside what the node says of the same
storage when asked directly. Run again only when the certificate's format or the storage layout changes:

    python tests/unit/record_state_proof.py
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from countersign import seal  # noqa: E402
from countersign.canonical import to_hex  # noqa: E402
from countersign.certificate import Certificate  # noqa: E402
from countersign.chain.client import Client  # noqa: E402
from countersign.chain.sender import Sender  # noqa: E402
from countersign.keys.signer import open_signer  # noqa: E402
from countersign.records import Work  # noqa: E402
from tools.deployment import deploy_local  # noqa: E402
from tools.devnet import Devnet  # noqa: E402


def certificate(chain: Devnet, client: Client, outbox: Path) -> Certificate:
    """The first of three works sealed together, signed and claimed."""
    signer = open_signer("test:0", 31337, lambda _: "")
    sender = Sender(client, signer, outbox)
    entries = [seal.Draft(f"{n}.txt", Work(bytes([n]) * 32, origin="print"), bytes([n]) * 32) for n in (1, 2, 3)]
    c = seal.drafts(entries, signer.address, client.contracts)[0]
    c = seal.with_signature(c, signer.sign_digest(c.digest))
    sender.send(seal.seal_call(c), "seal")
    chain.rpc("anvil_mine", "0x3", "0x1")
    c = seal.prove(client, c, signer.address)
    sender.send(seal.claim_call(c), "claim")
    chain.rpc("anvil_mine", "0x3", "0x1")
    return seal.prove(client, c, signer.address)


def record(chain: Devnet, c: Certificate) -> dict[str, Any]:
    """The certificate and the node's plain answers."""
    assert c.proof
    state = c.proof.check()
    at = hex(state.block.number)
    words = {
        f"{to_hex(address)} {to_hex(slot)}": chain.rpc("eth_getStorageAt", to_hex(address), to_hex(slot), at)
        for address, slot in state.values
    }
    block = chain.rpc("eth_getBlockByNumber", at, False)
    kept = {name: block[name] for name in ("number", "hash", "parentHash", "stateRoot", "timestamp")}
    return {"certificate": json.loads(c.to_json()), "block": kept, "words": words}


def main() -> None:
    """Start a chain, record, write."""
    with Devnet() as chain, tempfile.TemporaryDirectory() as folder:
        deploy_local(chain)
        made = record(chain, certificate(chain, Client(chain.url, 31337), Path(folder) / "outbox"))
    (ROOT / "tests" / "vectors" / "state_proof.json").write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
