"""Encrypted key files: Web3 Secret Storage v3 with scrypt, as other wallets read and write them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from countersign.canonical import from_hex
from countersign.durable import write_durably
from countersign.errors import InputError, SignerError
from countersign.keys import ecdsa

__all__ = ["address_in", "create", "unlock"]

_MIN_PASSPHRASE = 8


def create(path: Path, passphrase: str) -> bytes:
    """Make a new random key, encrypt it into ``path`` (owner-readable, never overwritten) and return its address.

    Raises SignerError for a passphrase shorter than 8 characters, InputError when the file exists or cannot be written.
    """
    if len(passphrase) < _MIN_PASSPHRASE:
        raise SignerError("The passphrase is too short.", f"Use at least {_MIN_PASSPHRASE} characters.")
    from eth_keyfile.keyfile import create_keyfile_json

    secret = secrets.token_bytes(32)
    document = create_keyfile_json(secret, passphrase, version=3, kdf="scrypt")
    write_durably(path, json.dumps(document, indent=2).encode() + b"\n", private=True, replace=False)
    return ecdsa.address_of(secret)


def unlock(path: Path, ask_passphrase: Callable[[str], str]) -> bytes:
    """The 32-byte key in ``path``. Raises SignerError when the file is no keystore or the passphrase is wrong."""
    document = _read(path)
    from eth_keyfile.keyfile import decode_keyfile_json

    passphrase: Any = ask_passphrase(f"Passphrase for {path}").encode()  # annotated str, but its PBKDF2 takes bytes
    try:
        return bytes(decode_keyfile_json(document, passphrase))
    except ValueError as error:
        raise SignerError(f"{path} does not open.", "Check the passphrase.") from error
    except (KeyError, TypeError, NotImplementedError) as error:
        raise _not_a_keystore(path) from error


def address_in(path: Path) -> bytes:
    """The address a keystore file says it holds: readable without the passphrase, so not proven."""
    try:
        return from_hex(str(_read(path).get("address", "")), 20)
    except InputError as error:
        raise _not_a_keystore(path) from error


def _read(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SignerError(f"{path} cannot be read: {error.strerror}.", "Check the path of the keystore.") from error
    except ValueError as error:
        raise _not_a_keystore(path) from error
    if not isinstance(document, dict) or document.get("version") != 3:
        raise _not_a_keystore(path)
    return document


def _not_a_keystore(path: Path) -> SignerError:
    return SignerError(
        f"{path} is not a v3 keystore.", "Give a Web3 Secret Storage file, or run: countersign keys new."
    )
