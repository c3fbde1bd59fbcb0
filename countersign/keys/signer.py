"""The signer protocol and its table of URI schemes.

``keystore:PATH`` opens an encrypted Web3 Secret Storage v3 file; ``test:N`` is the N-th published development key and
signs on chain 31337 only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from countersign.errors import SignerError
from countersign.keys import ecdsa, keystore
from countersign.settings import LOCAL_CHAIN

__all__ = ["TEST_ACCOUNTS", "LocalSigner", "Signer", "open_signer"]

TEST_ACCOUNTS = 10
_TEST_MNEMONIC = "test test test test test test test test test test test junk"
_USE = "Use keystore:PATH (make one with 'countersign keys new PATH'), or test:0 to test:9 on the local chain."


class Signer(Protocol):
    """What signs: a key somewhere. Implementations never show the key."""

    @property
    def address(self) -> bytes:
        """The 20-byte address."""

    def sign_digest(self, digest: bytes) -> bytes:
        """65-byte signature r ‖ s ‖ v (low-s, v 27 or 28) of a 32-byte digest."""

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """The signed raw transaction. ``transaction`` has the fields of ``eth_account``, chain id included."""


class LocalSigner:
    """A key held in this process, for one chain only."""

    def __init__(self, secret: bytes, chain_id: int) -> None:
        self._secret, self._chain_id = secret, chain_id
        self.address = ecdsa.address_of(secret)

    def __repr__(self) -> str:
        return f"LocalSigner(0x{self.address.hex()})"

    def sign_digest(self, digest: bytes) -> bytes:
        """See :class:`Signer`."""
        return ecdsa.sign(self._secret, digest)

    def sign_transaction(self, transaction: dict[str, Any]) -> bytes:
        """See :class:`Signer`. Raises SignerError for another chain's transaction."""
        if transaction.get("chainId") != self._chain_id:
            raise SignerError("The transaction is for another chain.", f"This key signs for chain {self._chain_id}.")
        from eth_account import Account

        return bytes(Account.sign_transaction(transaction, self._secret).raw_transaction)


def open_signer(uri: str, chain_id: int, ask_passphrase: Callable[[str], str]) -> Signer:
    """Open the signer that ``uri`` names for ``chain_id``; ``ask_passphrase(prompt)`` is called when one is needed.

    Raises SignerError when the scheme is unknown, the file or passphrase is wrong, or the key may not sign there.
    """
    scheme, _, rest = uri.partition(":")
    if scheme == "keystore" and rest:
        return LocalSigner(keystore.unlock(Path(rest).expanduser(), ask_passphrase), chain_id)
    if scheme == "test":
        return LocalSigner(_test_key(rest, chain_id), chain_id)
    raise SignerError("That is not a kind of key.", _USE)  # not repeated: it may be a private key


def _test_key(number: str, chain_id: int) -> bytes:
    if chain_id != LOCAL_CHAIN:
        raise SignerError(f"Test keys are public: they may not sign on chain {chain_id}.", "Use keystore:PATH.")
    if not number.isdecimal() or int(number) >= TEST_ACCOUNTS:
        raise SignerError(f"There is no test key '{number}'.", "Use test:0 to test:9.")
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()
    return bytes(Account.from_mnemonic(_TEST_MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}").key)
