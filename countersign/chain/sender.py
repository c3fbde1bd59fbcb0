"""Sending transactions so that a crash at any point loses none and doubles none.

Every signed transaction is journalled (fsync) under its *intent*, a name the caller derives from what it wants done,
before the node sees it. Whoever asks for the same intent again, after a crash or from a second terminal, gets the
transaction that is already on its way instead of a second one.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.canonical import checksum, keccak, to_hex
from countersign.certificate import rlp
from countersign.chain.client import Client, Receipt
from countersign.durable import connect, make_private_folder, transaction
from countersign.errors import ChainError, InputError, NoFunds, Reverted, Unreachable, WrongChain
from countersign.keys.signer import Signer
from countersign.records import Call
from countersign.settings import LOCAL_CHAIN

__all__ = ["Outbox", "Sender", "intent"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chain (genesis BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS sent (
    hash BLOB PRIMARY KEY, intent TEXT NOT NULL, sender BLOB NOT NULL, nonce INTEGER NOT NULL, raw BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS sent_by_intent ON sent (intent);
"""

_SET_ASIDE = ""
"""The intent of what only its nonce keeps in the journal."""
_REFUSED = re.compile(r"\b(fees?|gas|underpriced|oversized|invalid)\b", re.IGNORECASE)
"""Words of a node that has looked at a transaction and does not take it."""
_TOO_CHEAP = re.compile(r"underpriced|\bfees?\b.*(too low|less than|lower than|below)", re.IGNORECASE)
_DEAREST = 10
"""How many times the usual fee is offered at most: what costs more is not waiting for its fee."""
_GAS_MARGIN = 1.2
_TIP_IF_UNKNOWN = 10**9
_ATTEMPTS = 3
_STUCK = 60.0
"""Seconds after which a transaction that is not mined is offered for an eighth more."""
_SETTLE = 6.0
"""Seconds for which a nonce must have gone to another transaction before it is believed."""


@dataclass(frozen=True)
class _Sent:
    """A journalled transaction."""

    hash: bytes
    intent: str
    nonce: int
    raw: bytes

    def fields(self) -> tuple[int, int, int, Call]:
        """Tip and fee cap per gas, gas limit and call, read from the signed bytes (EIP-2718, EIP-1559)."""
        decoded = rlp.decode(self.raw[1:])
        _, _, tip, fee, gas, to, value, data = (bytes(field) for field in decoded[:8] if isinstance(field, bytes))
        call = Call(to, data, int.from_bytes(value, "big"))
        return int.from_bytes(tip, "big"), int.from_bytes(fee, "big"), int.from_bytes(gas, "big"), call


class Outbox:
    """The journal: an SQLite file, one row per signed transaction, shared by all processes of one user."""

    def __init__(self, path: Path, genesis: bytes, resettable: bool) -> None:
        """Open or create. A journal of a chain with another genesis block is emptied when the chain is ``resettable``
        (the local one), else it raises WrongChain."""
        make_private_folder(path.parent)
        try:
            self._open(path, genesis, resettable)
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"The journal of transactions {path} cannot be used: {error}.",
                "Check disk and permissions; move a damaged one away once no transaction of yours is pending.",
            ) from error

    def _open(self, path: Path, genesis: bytes, resettable: bool) -> None:
        self._db = connect(path)
        self._db.executescript(f"PRAGMA synchronous=FULL; {_SCHEMA}")
        with self.transaction():
            known = self._db.execute("SELECT genesis FROM chain").fetchall()
            if known == [(genesis,)]:
                return
            if known and not resettable:
                raise WrongChain(f"{path} belongs to a chain that begins otherwise.", "Check --chain and --rpc.")
            self._db.execute("DELETE FROM chain")
            self._db.execute("DELETE FROM sent")
            self._db.execute("INSERT INTO chain VALUES (?)", (genesis,))

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, and nobody else writes meanwhile."""
        return transaction(self._db)

    def of(self, intent: str) -> list[_Sent]:
        """What was signed for an intent."""
        rows = self._db.execute("SELECT hash, intent, nonce, raw FROM sent WHERE intent = ? ORDER BY rowid", (intent,))
        return [_Sent(*row) for row in rows]

    def next_nonce(self, sender: bytes, on_chain: int) -> int:
        """The first nonce that neither the chain uses nor anything journalled that still counts."""
        sql = "SELECT max(nonce) FROM sent WHERE sender = ? AND intent <> ?"
        (highest,) = self._db.execute(sql, (sender, _SET_ASIDE)).fetchone()
        return max(on_chain, -1 if highest is None else highest + 1)

    def waiting(self, sender: bytes, first: int, last: int) -> list[_Sent]:
        """What a sender signed last for each of the nonces ``first`` … ``last``, in order."""
        sql = (
            "SELECT hash, intent, nonce, raw FROM sent WHERE sender = ? AND nonce BETWEEN ? AND ? ORDER BY nonce, rowid"
        )
        newest = {row[2]: _Sent(*row) for row in self._db.execute(sql, (sender, first, last))}
        return list(newest.values())

    def add(self, sender: bytes, sent: _Sent) -> None:
        """Journal a signed transaction."""
        row = (sent.hash, sent.intent, sender, sent.nonce, sent.raw)
        sql = "INSERT INTO sent VALUES (?, ?, ?, ?, ?) ON CONFLICT (hash) DO UPDATE SET intent = excluded.intent"
        self._db.execute(sql, row)  # the very bytes may have been set aside before

    def forget(self, intent: str) -> None:
        """Drop what was signed for an intent and never reached the chain, so that it can be tried anew."""
        self._db.execute("DELETE FROM sent WHERE intent = ?", (intent,))

    def set_aside(self, intent: str) -> None:
        """Let an intent whose transaction was mined be tried anew. The bytes are kept for their nonce: a fork may drop
        them, and later transactions would wait behind the gap for ever."""
        self._db.execute("UPDATE sent SET intent = ? WHERE intent = ?", (_SET_ASIDE, intent))


class Sender:
    """Signs and sends calls for one key, exactly once per intent."""

    def __init__(self, client: Client, signer: Signer, outbox: Path, wait: float = 180) -> None:
        """``outbox`` is the journal's path; ``wait`` how many seconds a transaction may stay unmined per call."""
        self._client, self._signer, self._wait = client, signer, wait
        self._path = outbox
        self._lazy: Outbox | None = None

    @property
    def address(self) -> bytes:
        """Who sends."""
        return self._signer.address

    @property
    def _outbox(self) -> Outbox:
        if self._lazy is None:
            genesis = self._client.block(0)
            if genesis is None:
                raise ChainError("The node does not know the chain's first block.", "Use a node that keeps headers.")
            self._lazy = Outbox(self._path, genesis.hash, resettable=self._client.chain_id == LOCAL_CHAIN)
        return self._lazy

    def send(self, call: Call, intent: str, on_sent: Callable[[bytes], None] = lambda _: None) -> Receipt:
        """Have ``call`` mined once for ``intent`` and return its receipt; ``on_sent`` hears the transaction's hash.

        Raises Reverted (decoded) when the contract refuses, NoFunds, Unreachable, or ChainError while still unmined:
        the same call later takes up where this one stopped.
        """
        for _ in range(_ATTEMPTS):
            earlier = self._outbox.of(intent)
            receipt = self._deliver(earlier or self._sign(call, intent), intent, on_sent)
            if receipt is None:
                continue  # another transaction took the nonce: sign anew
            if receipt.ok:
                return receipt
            self._outbox.set_aside(intent)
            if not earlier:  # what was refused then, perhaps on another branch, says nothing of now
                raise self._client.explain(self.address, call, receipt.block)
        raise ChainError(
            "Other transactions of this account keep taking its nonce.", "Stop the other program, then try again."
        )

    def forget(self, intent: str) -> None:
        """Let ``intent``, which is mined, be sent anew: for what may be done, undone and done again."""
        self._outbox.set_aside(intent)

    def _sign(self, call: Call, intent: str) -> list[_Sent]:
        gas = int(self._client.estimate(self.address, call) * _GAS_MARGIN)
        fees = self._fees()
        self._require_funds(gas * fees["maxFeePerGas"] + call.value)
        with self._outbox.transaction():
            if theirs := self._outbox.of(intent):
                return theirs  # another process was faster
            nonce = self._outbox.next_nonce(self.address, self._nonce("pending"))
            sent = self._signed(call, intent, nonce, gas, fees)
        self._offer(sent, intent)
        return [sent]

    def _signed(self, call: Call, intent: str, nonce: int, gas: int, fees: dict[str, int]) -> _Sent:
        """Sign and journal."""
        fields = {"to": checksum(call.to), "data": call.data, "value": call.value, "nonce": nonce, "gas": gas, **fees}
        raw = self._signer.sign_transaction({**fields, "chainId": self._client.chain_id, "type": 2})
        sent = _Sent(keccak(raw), intent, nonce, raw)
        self._outbox.add(self.address, sent)
        return sent

    def _replace(self, stuck: _Sent) -> None:
        """The same transaction at the same nonce for a higher fee: at most one of the two is ever mined."""
        tip, fee, gas, call = stuck.fields()
        fresh = self._fees()
        if fee > _DEAREST * fresh["maxFeePerGas"] or tip > _DEAREST * max(
            fresh["maxPriorityFeePerGas"], _TIP_IF_UNKNOWN
        ):
            raise ChainError(
                f"Transaction {to_hex(stuck.hash)} offers {_DEAREST} times the usual fee and is still not mined.",
                "Ask the node's operator, or use another node.",
            )
        fees = {
            "maxFeePerGas": max(fresh["maxFeePerGas"], fee * 9 // 8 + 1),
            "maxPriorityFeePerGas": max(fresh["maxPriorityFeePerGas"], tip * 9 // 8 + 1),
        }
        self._require_funds(gas * fees["maxFeePerGas"] + call.value)
        self._broadcast(self._signed(call, stuck.intent, stuck.nonce, gas, fees))

    def _offer(self, sent: _Sent, intent: str) -> None:
        """First broadcast. What a node refuses outright is forgotten, or its nonce would hold up all later ones. Any
        other error, such as that of a busy gateway, may come after the transaction went through: it is kept."""
        try:
            self._broadcast(sent)
        except Unreachable:
            raise
        except ChainError as error:
            if isinstance(error, NoFunds | Reverted) or _REFUSED.search(error.message):
                self._outbox.forget(intent)
                raise
            again = "It may be on its way all the same. Run the same command again: it sends nothing twice."
            raise ChainError(error.message, again) from error

    def _fees(self) -> dict[str, int]:
        """EIP-1559 fees that stay valid through six full blocks."""
        base = int(self._client.rpc("eth_getBlockByNumber", "latest", False).get("baseFeePerGas", "0x0"), 16)
        try:
            tip = self._client.quantity("eth_maxPriorityFeePerGas")
        except ChainError:
            tip = _TIP_IF_UNKNOWN
        return {"maxFeePerGas": 2 * base + tip, "maxPriorityFeePerGas": tip}

    def _require_funds(self, cost: int) -> None:
        balance = self._client.balance(self.address)
        if balance < cost:
            raise NoFunds(
                f"{checksum(self.address)} has {balance / 10**18:.6f} of the chain's coin; this needs up to "
                f"{cost / 10**18:.6f}.",
                "Send it some first.",
            )

    def _deliver(self, sent: list[_Sent], intent: str, on_sent: Callable[[bytes], None]) -> Receipt | None:
        """Broadcast and wait. None when the nonce went to another transaction and the intent must be signed anew."""
        for signed in sent:
            on_sent(signed.hash)
        if receipt := self._receipt(sent):
            return receipt
        self._offer_waiting(sent[-1].nonce)
        start = bumped = time.monotonic()
        taken_since, pause = None, 0.05
        while (now := time.monotonic()) < start + self._wait:
            sent = self._told(intent, sent, on_sent)
            if receipt := self._receipt(sent):
                return receipt
            taken_since = (taken_since or now) if self._nonce_taken(sent) else None
            if taken_since and now > taken_since + _SETTLE:
                self._outbox.forget(intent)
                return None
            if now > bumped + _STUCK:
                bumped = now
                with suppress(ChainError):  # no funds for more, or a silent node: what was sent may still be mined
                    self._replace(sent[-1])
            time.sleep(pause)
            pause = min(2 * pause, 2.0)
        raise ChainError(
            f"Transaction {to_hex(sent[-1].hash)} is still not mined.",
            "Run the same command again: it waits on, and sends nothing twice.",
        )

    def _told(self, intent: str, known: list[_Sent], on_sent: Callable[[bytes], None]) -> list[_Sent]:
        """All that is signed for an intent by now; ``on_sent`` hears of what is new."""
        sent = self._outbox.of(intent) or known
        for signed in sent:
            if signed not in known:
                on_sent(signed.hash)
        return sent

    def _offer_waiting(self, nonce: int) -> None:
        """Offer again what waits up to ``nonce``, lowest first: a crash may have left an earlier transaction unsent,
        and ours would wait for it for ever. What is too cheap by now is replaced at its own nonce: nothing is dropped,
        and nothing can be mined twice. Any other refusal, such as that of a busy gateway, is no reason to pay more."""
        for waiting in self._outbox.waiting(self.address, self._nonce("latest"), nonce):
            try:
                self._broadcast(waiting)
            except ChainError as error:
                if not _TOO_CHEAP.search(error.message):
                    raise
                self._replace(waiting)

    def _nonce(self, block: str) -> int:
        return self._client.quantity("eth_getTransactionCount", to_hex(self.address), block)

    def _receipt(self, sent: list[_Sent]) -> Receipt | None:
        return next(filter(None, (self._client.receipt(signed.hash) for signed in sent)), None)

    def _nonce_taken(self, sent: list[_Sent]) -> bool:
        """Behind a load balancer one node may know the count, another not yet the receipt: only what lasts counts."""
        return self._nonce("latest") > sent[0].nonce and self._receipt(sent) is None

    def _broadcast(self, signed: _Sent) -> None:
        try:
            self._client.rpc("eth_sendRawTransaction", to_hex(signed.raw))
        except (NoFunds, Reverted):
            raise
        except ChainError as error:
            known = ("known", "already", "nonce too low", "nonce is too low", "imported")
            if not any(words in error.message.lower() for words in known):
                raise


def intent(verb: str, *parts: Any) -> str:
    """Name of an intent: the verb and what it is about, hashes and addresses in hex."""
    return ":".join([verb, *(part.hex() if isinstance(part, bytes) else str(part) for part in parts)])
