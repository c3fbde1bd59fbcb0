"""A certificate rebuilt from a claim's calldata is the one that was claimed, and nothing else makes one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import CONTRACTS, CREATOR, honest, sign

from countersign.canonical import text_hash
from countersign.chain.codec import decode_call, encode_call, tuple_of
from countersign.errors import InputError
from countersign.seal import claim_call
from countersign.seal.recovered import certificate_of_claim


@pytest.mark.parametrize("by_signature", [True, False])
def test_the_claimed_certificate_comes_back(by_signature: bool) -> None:
    made = honest(fingerprint=b"\7" * 32, origin="trainedAlgorithmicMedia", model=b"\1" * 32, metadata=b"\2" * 32)
    back = certificate_of_claim(claim_call(made, by_signature=by_signature).data, CONTRACTS)
    signature = made.signature if by_signature else None
    assert back == replace(made, name="recovered", proof=None, signature=signature)
    assert back.proven_root == made.root and back.creator == CREATOR


def test_a_signed_claim_by_anybody_keeps_its_signature() -> None:
    made = honest()
    assert certificate_of_claim(claim_call(made, by_signature=True).data, CONTRACTS).signature == sign(0, made.digest)


@given(st.binary(max_size=600), st.booleans())
def test_other_calldata_makes_no_certificate(data: bytes, like_a_claim: bool) -> None:
    begin = claim_call(honest()).data[:4] if like_a_claim else b""
    try:
        certificate_of_claim(begin + data, CONTRACTS)
    except InputError:
        return
    assert like_a_claim and len(data) >= 13 * 32


@pytest.mark.parametrize("length", [0, 3, 4, 100, 400])
def test_calldata_cut_short(length: int) -> None:
    with pytest.raises(InputError, match="another contract"):
        certificate_of_claim(claim_call(honest()).data[:length], CONTRACTS)


def test_calls_of_other_functions() -> None:
    data = encode_call("ContentRegistry", "seal", b"\1" * 32)
    assert decode_call("ContentRegistry", data) == ("seal", {"root": b"\1" * 32})
    with pytest.raises(InputError, match="another contract"):
        certificate_of_claim(data, CONTRACTS)


def test_an_origin_outside_the_vocabulary_and_a_path_that_fits_no_tree() -> None:
    made = honest()
    work, opening = tuple_of(made.work), tuple_of(made.opening())
    strange = (*work[:2], text_hash("somethingNew"), *work[3:])
    with pytest.raises(InputError, match="vocabulary"):
        certificate_of_claim(encode_call("ContentRegistry", "claim", strange, opening), CONTRACTS)
    crooked = (*opening[:4], 1, opening[5])
    with pytest.raises(InputError, match="fits no tree"):
        certificate_of_claim(encode_call("ContentRegistry", "claim", work, crooked), CONTRACTS)
