"""What a node signed, for ever: one attestation for each request.

It is on disk before it leaves. So a crash makes no node judge twice, and nothing that writes here can make a node say
two things, for which it would be slashed.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from countersign.canonical import request_hash, to_hex
from countersign.durable import make_private_folder, transaction
from countersign.errors import InputError, SignerError
from countersign.oracle.decide import SignedAttestation
from countersign.records import Attestation, Request

__all__ = ["Journal"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS signed (
    request BLOB NOT NULL, issued_at INTEGER NOT NULL, subject BLOB NOT NULL, policy BLOB NOT NULL,
    round INTEGER NOT NULL, score INTEGER NOT NULL, evidence BLOB NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (request, issued_at)
) WITHOUT ROWID;
"""
_COLUMNS = "subject, policy, round, score, evidence, issued_at, signature"


class Journal:
    """An SQLite file, shared by all processes of one node. Keyed by request and its time: after a fork a request made
    again at another time is another one, and the Oracle sees it so, too."""

    def __init__(self, path: Path) -> None:
        """Open or create. Raises InputError when the file cannot be used."""
        make_private_folder(path.parent)
        try:
            self._db = sqlite3.connect(path, timeout=30, isolation_level=None)
            self._db.executescript(f"PRAGMA synchronous=FULL; {_SCHEMA}")
        except sqlite3.DatabaseError as error:
            raise InputError(
                f"The node's journal {path} cannot be used: {error}.",
                "Check disk and permissions. Without it a node may contradict itself: do not remove it while a request "
                "is open.",
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def of(self, key: tuple[bytes, int]) -> SignedAttestation | None:
        """What was signed for a request (its hash and time), or None."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM signed WHERE request = ? AND issued_at = ?", key).fetchone()
        return _signed(row) if row else None

    def add(self, said: SignedAttestation) -> None:
        """Keep it, on disk when this returns. Raises SignerError when something else was signed for the request."""
        a = said.attestation
        key = (request_hash(a.request), a.issued_at)
        with transaction(self._db):
            before = self.of(key)
            if before is None:
                words = (a.request.subject, a.request.policy, a.request.round, a.score, a.evidence, said.signature)
                self._db.execute("INSERT INTO signed VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*key, *words))
            elif before != said:
                raise SignerError(
                    f"This node has attested score {before.attestation.score} for request {to_hex(key[0])}.",
                    "A node answers once: a second answer could be slashed.",
                )

    def all(self) -> list[SignedAttestation]:
        """Everything, oldest request first."""
        return [_signed(row) for row in self._db.execute(f"SELECT {_COLUMNS} FROM signed ORDER BY issued_at")]


def _signed(row: tuple[bytes, bytes, int, int, bytes, int, bytes]) -> SignedAttestation:
    subject, policy, number, score, evidence, issued_at, signature = row
    return SignedAttestation(Attestation(Request(subject, policy, number), score, evidence, issued_at), signature)
