"""Signatures, keystores and signer URIs."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from countersign.errors import InputError, SignerError
from countersign.keys import ecdsa, keystore
from countersign.keys.signer import TEST_ACCOUNTS, open_signer

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DIGEST = bytes(range(32))
SECRET = bytes([9]) * 32

# The test vector of the Web3 Secret Storage definition (pbkdf2, passphrase "testpassword").
STANDARD = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}


@given(st.integers(1, ORDER - 1), st.binary(min_size=32, max_size=32))
def test_signatures_are_ethereums(number: int, digest: bytes) -> None:
    secret = number.to_bytes(32, "big")
    signature, account = ecdsa.sign(secret, digest), Account.from_key(secret)
    assert signature == bytes(account.unsafe_sign_hash(digest).signature)
    assert ecdsa.address_of(secret) == ecdsa.recover(digest, signature) == bytes.fromhex(account.address[2:])


def test_malleable_and_malformed_signatures_recover_nobody() -> None:
    good = ecdsa.sign(SECRET, DIGEST)
    r, s, v = good[:32], int.from_bytes(good[32:64], "big"), good[64]
    high = r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])
    zero, over = bytes(32), ORDER.to_bytes(32, "big")
    for bad in (
        b"", good[:64], good + b"\0", high, bytes(65), good[:64] + bytes([v - 27]), good[:64] + b"\x1d",
        r + zero + b"\x1b", zero + good[32:], over + good[32:], b"\xff" * 32 + good[32:], r + over + b"\x1b",
    ):  # fmt: skip
        assert ecdsa.recover(DIGEST, bad) is None
    assert ecdsa.recover(bytes(32), good) != ecdsa.recover(DIGEST, good)


@given(st.binary(max_size=70))
def test_any_bytes_recover_somebody_or_nobody(signature: bytes) -> None:
    assert len(ecdsa.recover(DIGEST, signature) or bytes(20)) == 20


@pytest.mark.parametrize("secret", [b"", bytes(32), ORDER.to_bytes(32, "big"), b"\1" * 33, b"\xff" * 32])
def test_what_is_no_key_is_refused(secret: bytes) -> None:
    with pytest.raises(SignerError, match="not a private key"):
        ecdsa.address_of(secret)


def test_a_keystore_round_trips_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "me.json"
    address = keystore.create(path, "correct horse")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert keystore.address_in(path) == address == ecdsa.address_of(keystore.unlock(path, lambda _: "correct horse"))
    assert ecdsa.address_of(bytes(Account.decrypt(json.loads(path.read_text()), "correct horse"))) == address
    with pytest.raises(SignerError, match="does not open"):
        keystore.unlock(path, lambda _: "wrong horse")
    with pytest.raises(InputError, match="exists already"):
        keystore.create(path, "correct horse")
    with pytest.raises(SignerError, match="too short"):
        keystore.create(tmp_path / "other.json", "short")
    assert not (tmp_path / "other.json").exists()


def test_the_standards_own_keystore_opens(tmp_path: Path) -> None:
    path = tmp_path / "standard.json"
    path.write_text(json.dumps(STANDARD))
    secret = keystore.unlock(path, lambda _: "testpassword")
    assert secret.hex() == "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d"


QUICK = {"c": 2, "dklen": 32, "prf": "hmac-sha256", "salt": "00"}
CRYPTO: dict[str, Any] = STANDARD["crypto"] | {"kdfparams": QUICK}  # type: ignore[operator]
DAMAGED: list[Any] = [
    "", "{", "[]", json.dumps(STANDARD)[:-40], {"version": 1}, {"crypto": {}}, {"crypto": []}, {"crypto": 7},
    *({"crypto": CRYPTO | change} for change in (
        {"kdf": "rot13"}, {"mac": "00"}, {"mac": 3}, {"ciphertext": "zz"}, {"ciphertext": None},
        {"cipherparams": {"iv": 5}}, {"kdfparams": QUICK | {"c": "x"}}, {"kdfparams": QUICK | {"c": -1}},
    )),
]  # fmt: skip


@pytest.mark.parametrize("change", DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_keystores_are_said(tmp_path: Path, change: Any) -> None:
    path = tmp_path / "bad.json"
    path.write_text(change if isinstance(change, str) else json.dumps(STANDARD | change))
    with pytest.raises(SignerError) as caught:
        keystore.unlock(path, lambda _: "testpassword")
    assert "testpassword" not in str(caught.value)


def test_missing_and_address_less_keystores_are_said(tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="cannot be read: No such file"):
        keystore.unlock(tmp_path / "none", lambda _: "")
    path = tmp_path / "standard.json"
    path.write_text(json.dumps(STANDARD))
    with pytest.raises(SignerError, match="not a v3 keystore"):
        keystore.address_in(path)


def test_test_keys_are_the_published_ones_on_the_local_chain_only() -> None:
    assert open_signer("test:0", 31337, str).address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    assert open_signer("test:9", 31337, str).address.hex() == "a0ee7a142d267c1f36714e4a8f75612f20a79720"
    with pytest.raises(SignerError, match="may not sign on chain 1"):
        open_signer("test:0", 1, str)
    for number in ("", "-1", "x", str(TEST_ACCOUNTS), "0/1"):
        with pytest.raises(SignerError, match="no test key"):
            open_signer(f"test:{number}", 31337, str)


@pytest.mark.parametrize("uri", ["", "me.json", "keystore:", "0x" + "ab" * 32, "ledger:0"])
def test_other_keys_are_refused_without_repeating_them(uri: str) -> None:
    with pytest.raises(SignerError) as caught:
        open_signer(uri, 31337, str)
    assert "ab" * 32 not in str(caught.value)


def test_a_signer_signs_for_its_chain_only_and_hides_its_key() -> None:
    signer = open_signer("test:1", 31337, str)
    transaction = {"to": "0x" + "11" * 20, "value": 0, "nonce": 0, "gas": 21000, "maxFeePerGas": 9, "type": 2}
    transaction |= {"maxPriorityFeePerGas": 1, "chainId": 31337, "data": b""}
    sent = signer.sign_transaction(transaction)
    assert bytes.fromhex(Account.recover_transaction(sent)[2:]) == signer.address
    with pytest.raises(SignerError, match="another chain"):
        signer.sign_transaction(transaction | {"chainId": 1})
    assert repr(signer) == f"LocalSigner(0x{signer.address.hex()})"
