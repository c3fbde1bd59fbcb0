"""Gas of sealing and claiming, beside EAS."""

from __future__ import annotations

from bench.figures import Figure, gas_floor
from bench.gas.lab import Lab
from bench.gas.others import eas
from countersign import seal
from countersign.canonical import keccak
from countersign.keys.signer import Signer, open_signer
from countersign.records import Work
from countersign.settings import LOCAL_CHAIN

__all__ = ["figures"]

_BATCH = 1_000


def figures(lab: Lab) -> list[Figure]:
    """``seal``, ``seal_and_claim``, ``seal_batch``."""
    attest, timestamp = eas(lab)
    sealed, claimed, seal_floor, claim_floor = [_seal_and_claim(lab, _signer(n)) for n in (1, 2)][-1]
    both, batch_floor = seal_floor + claim_floor, seal_floor / _BATCH
    batch = _seal_batch(lab, _signer(3)) / _BATCH
    return [
        Figure("seal", sealed, "gas", seal_floor, {"EAS timestamp (no author)": timestamp}, 1.05 * seal_floor),
        Figure("seal_and_claim", sealed + claimed, "gas", both, {"EAS attest": attest},
               min(1.2 * both, 0.65 * attest)),
        Figure("seal_batch", batch, "gas", batch_floor, {}, 1.05 * batch_floor),
    ]  # fmt: skip


def _signer(number: int) -> Signer:
    return open_signer(f"test:{number}", LOCAL_CHAIN, str)


def _seal_and_claim(lab: Lab, signer: Signer) -> tuple[int, int, int, int]:
    """Gas of seal and claim of one work by a key without history, and their floors."""
    work = Work(
        keccak(signer.address), keccak(b"iscc"), "trainedAlgorithmicMedia", keccak(b"model"), metadata=keccak(b"m")
    )
    entry = seal.Draft("work", work, keccak(b"salt" + signer.address))  # the same gas at every run
    (draft,) = seal.drafts([entry], signer.address, lab.client.contracts)
    call = seal.seal_call(draft)
    sealed = lab.send(signer.address, call)
    lab.client.rpc("anvil_mine", "0x3", "0x1")
    claim = seal.claim_call(seal.prove(lab.client, draft, signer.address))
    claimed = lab.send(signer.address, claim)
    # A claim reads the seal and the record of the creator's key, and calls Identities.
    data = 32 * 9  # root, two times, six words of the work
    claim_floor = gas_floor(claim.data, new_slots=1, reads=2, accounts=1, logs=((4, data),))
    return sealed, claimed, gas_floor(call.data, new_slots=1, logs=((3, 0),)), claim_floor


def _seal_batch(lab: Lab, signer: Signer) -> int:
    """One transaction for many works."""
    entries = [seal.Draft(str(n), Work(keccak(n.to_bytes(4, "big"))), keccak(b"salt%d" % n)) for n in range(_BATCH)]
    draft = seal.drafts(entries, signer.address, lab.client.contracts)[0]
    return lab.send(signer.address, seal.seal_call(draft))
