"""Gas of asking a committee and of its verdict, beside the optimistic oracles."""

from __future__ import annotations

from bench.figures import Figure, gas_floor, packed
from bench.gas.committee import MAX_SEATS, Committee, Member
from bench.gas.lab import Lab
from bench.gas.others import reality, uma
from countersign.canonical import keccak

__all__ = ["figures"]

_FEE = 10**15
_LIMITS = {3: 49_600, 5: 62_400, 11: 100_800, 21: 164_800}
"""Chainlink OCR3 doing the same: one slot that really changes, k signatures (over one shared digest, though)."""
_NAMES = 4 + 32 + 20
"""Selector, subject, policy."""
_ATTESTATION = 1 + 32 + 64
"""Score, evidence, signature; who signed follows from the signature."""


def figures(lab: Lab, members: list[Member]) -> list[Figure]:
    """``request`` and ``request_fee`` (of five seats), ``submit_k3`` to ``submit_k21``.

    The bar of ``request_and_submit_k3`` is half of UMA's way, which charges no fee either.
    """
    runs = {k: _verdict(lab, Committee(lab, members[: _seats(k)], k)) for k in _LIMITS}
    paid, _ = _verdict(lab, Committee(lab, members[: _seats(3)], 3, _FEE))
    asserted, asked = uma(lab), reality(lab)
    request, submit = runs[3]
    both = _request_floor(_seats(3), 1) + _submit_floor(3)
    peers: dict[str, float] = {
        "UMA assert+settle": asserted,
        "Reality.eth 3.0 ask+answer+claim": asked,
    }
    return [
        Figure("request", request, "gas", _request_floor(_seats(3), 1)),
        Figure("request_fee", paid, "gas", _request_floor(_seats(3), 2)),
        *(Figure(f"submit_k{k}", runs[k][1], "gas", _submit_floor(k), {}, limit) for k, limit in _LIMITS.items()),
        Figure("request_and_submit_k3", request + submit, "gas", both, peers, asserted / 2),
    ]


def _seats(k: int) -> int:
    """The largest committee, up to 32, of which k are more than half."""
    return min(MAX_SEATS, 2 * k - 1)


def _verdict(lab: Lab, committee: Committee) -> tuple[int, int]:
    """Gas of a request and of its verdict: the second of two."""
    someone, subjects = lab.account(1), [keccak(b"subject-%d" % n) for n in range(2)]
    return [(committee.request(someone, subject), committee.submit(someone, subject)) for subject in subjects][-1]


def _request_floor(seats: int, slots: int) -> int:
    """A slot for the request, one for who paid its fee; each seat's stake, the seats suspended before; one event."""
    return gas_floor(packed(_NAMES), new_slots=slots, reads=seats + 1, accounts=2, logs=((4, 32),))


def _submit_floor(k: int) -> int:
    """The request's slot becomes the verdict; the committee is read at once, as code; one event."""
    calldata = packed(_NAMES + k * _ATTESTATION)
    return gas_floor(calldata, updates=1, accounts=1, recoveries=k, logs=((2, 32),))
