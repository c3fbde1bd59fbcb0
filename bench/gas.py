"""Gas of our contracts and of the peers, measured on one fresh chain (anvil, Osaka), beside the arithmetic floor.

Steady state: the second of two runs with other keys, so that no first-time cost of an account is counted.
"""

from __future__ import annotations

import time
from typing import Any

from bench.figures import Figure, gas_floor
from bench.peers import artifact
from countersign import seal
from countersign.canonical import keccak, to_hex
from countersign.chain.client import Client, Receipt
from countersign.keys.signer import Signer, open_signer
from countersign.records import Call, Work
from countersign.settings import LOCAL_CHAIN
from tools.deployment import deploy_local
from tools.devnet import Devnet

__all__ = ["measure"]

_EAS = "@ethereum-attestation-service/eas-contracts@1.9.0"
_BATCH = 1_000


def measure() -> list[Figure]:
    """``seal``, ``seal_and_claim``, ``seal_batch``."""
    with Devnet() as chain:
        deploy_local(chain)
        client = Client(chain.url, LOCAL_CHAIN)
        attest, timestamp = _eas(client)
        runs = [_seal_and_claim(client, open_signer(f"test:{n}", LOCAL_CHAIN, str)) for n in (1, 2)]
        batch = _seal_batch(client, open_signer("test:3", LOCAL_CHAIN, str))
    sealed, claimed, seal_floor, claim_floor = runs[-1]
    both = seal_floor + claim_floor
    return [
        Figure("seal", sealed, "gas", seal_floor, {"EAS timestamp (no author)": timestamp}, 1.05 * seal_floor),
        Figure("seal_and_claim", sealed + claimed, "gas", both, {"EAS attest": attest},
               min(1.2 * both, 0.65 * attest)),
        Figure("seal_batch", batch / _BATCH, "gas", seal_floor / _BATCH, {}, 1.05 * seal_floor / _BATCH),
    ]  # fmt: skip


def _send(client: Client, sender: str, call: Call) -> Receipt:
    sent = client.rpc("eth_sendTransaction", {"from": sender, "to": to_hex(call.to), "data": to_hex(call.data)})
    while (receipt := client.receipt(bytes.fromhex(sent[2:]))) is None:
        time.sleep(0.01)  # anvil answers before it has mined
    assert receipt.ok
    return receipt


def _seal_and_claim(client: Client, signer: Signer) -> tuple[int, int, int, int]:
    """Gas of seal and claim of one work by a key without history, and their floors."""
    work = Work(
        keccak(signer.address), keccak(b"iscc"), "trainedAlgorithmicMedia", keccak(b"model"), metadata=keccak(b"m")
    )
    entry = seal.Draft("work", work, keccak(b"salt" + signer.address))  # the same gas at every run
    (draft,) = seal.drafts([entry], signer.address, client.contracts)
    call = seal.seal_call(draft)
    sealed = _send(client, to_hex(signer.address), call)
    client.rpc("anvil_mine", "0x3", "0x1")
    proved = seal.prove(client, draft, signer.address)
    claim = seal.claim_call(proved)
    claimed = _send(client, to_hex(signer.address), claim)
    # A claim reads the seal and the record of the creator's key, and calls Identities.
    data = 32 * 9  # root, two times, six words of the work
    claim_floor = gas_floor(claim.data, new_slots=1, reads=2, accounts=1, logs=((4, data),))
    return sealed.gas, claimed.gas, gas_floor(call.data, new_slots=1, logs=((3, 0),)), claim_floor


def _seal_batch(client: Client, signer: Signer) -> int:
    """One transaction for many works."""
    entries = [seal.Draft(str(n), Work(keccak(n.to_bytes(4, "big"))), keccak(b"salt%d" % n)) for n in range(_BATCH)]
    draft = seal.drafts(entries, signer.address, client.contracts)[0]
    return _send(client, to_hex(signer.address), seal.seal_call(draft)).gas


def _eas(client: Client) -> tuple[int, int]:
    """Gas of EAS ``attest`` (bytes32 schema, no recipient) and ``timestamp``, steady state."""
    from web3 import HTTPProvider, Web3

    web3: Any = Web3(HTTPProvider(client.url))
    account = web3.eth.accounts[9]

    def deploy(name: str, *arguments: object) -> Any:
        shipped = artifact(_EAS, f"artifacts/contracts/{name}.sol/{name}.json")
        factory = web3.eth.contract(abi=shipped["abi"], bytecode=shipped["bytecode"])
        receipt = web3.eth.wait_for_transaction_receipt(factory.constructor(*arguments).transact({"from": account}))
        return web3.eth.contract(address=receipt["contractAddress"], abi=shipped["abi"])

    def gas(call: Any) -> int:
        return int(web3.eth.wait_for_transaction_receipt(call.transact({"from": account}))["gasUsed"])

    schemas = deploy("SchemaRegistry")
    eas = deploy("EAS", schemas.address)
    nobody, schema = "0x" + "00" * 20, "bytes32 contentHash"
    gas(schemas.functions.register(schema, nobody, True))
    uid = keccak(schema.encode() + bytes(20) + b"\x01")
    attest = [gas(eas.functions.attest((uid, (nobody, 0, True, bytes(32), keccak(bytes([n])), 0)))) for n in (0, 1)]
    timestamp = [gas(eas.functions.timestamp(keccak(bytes([n])))) for n in (2, 3)]
    return attest[-1], timestamp[-1]
