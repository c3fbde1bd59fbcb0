"""secp256k1 signatures as Ethereum uses them (SEC 1, EIP-2 low-s), light enough for offline verification."""

from __future__ import annotations

import coincurve

from countersign.canonical import keccak
from countersign.errors import SignerError

__all__ = ["address_of", "recover", "sign"]

_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def _address(public: coincurve.PublicKey) -> bytes:
    return keccak(public.format(compressed=False)[1:])[12:]


def address_of(secret: bytes) -> bytes:
    """20-byte address of a 32-byte secret key. Raises SignerError when it is no key of the curve."""
    try:
        return _address(coincurve.PrivateKey(secret).public_key)
    except ValueError as error:
        raise SignerError("That is not a private key.", "Give 32 bytes between 1 and the curve's order.") from error


def sign(secret: bytes, digest: bytes) -> bytes:
    """Signature r ‖ s ‖ v (65 bytes, low-s, v 27 or 28; deterministic nonce, RFC 6979) of a 32-byte digest."""
    raw = coincurve.PrivateKey(secret).sign_recoverable(digest, hasher=None)
    return raw[:64] + bytes([raw[64] + 27])


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """Address that signed ``digest``, or None for anything but a 65-byte low-s signature with v 27 or 28."""
    if len(signature) != 65 or signature[64] not in (27, 28) or int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        raw = signature[:64] + bytes([signature[64] - 27])
        return _address(coincurve.PublicKey.from_signature_and_message(raw, digest, hasher=None))
    except Exception:  # coincurve raises bare Exception for points off the curve
        return None
