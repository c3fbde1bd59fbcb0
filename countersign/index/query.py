"""Answers from the index. Read-only; what money or truth depends on is asked of the chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign.errors import IndexStoreError

__all__ = ["IndexStatus", "Query"]


@dataclass(frozen=True)
class IndexStatus:
    """How far the index is and what it holds."""

    chain_id: int
    block: int
    seals: int
    claims: int
    models: int


class Query:
    """Reads an index file. Rows come as dicts, columns as in :mod:`countersign.index.schema`."""

    def __init__(self, path: Path) -> None:
        """Raises IndexStoreError when there is no index yet."""
        if not path.exists():
            raise IndexStoreError(f"There is no index at {path} yet.", "Make one: countersign index sync.")
        try:
            self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self.status()
        except sqlite3.DatabaseError as error:
            raise IndexStoreError(
                f"{path} is not a readable index: {error}.", "Rebuild it: countersign index rebuild."
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in self._db.execute(sql, values)]

    def status(self) -> IndexStatus:
        """How far the index is."""
        counts = [self._rows(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in ("seals", "current_claims", "models")]
        (chain,) = self._rows("SELECT chain_id FROM meta")
        (block,) = self._rows("SELECT coalesce(max(number), -1) AS n FROM blocks")
        return IndexStatus(chain["chain_id"], block["n"], *counts)

    def claim(self, content: bytes) -> dict[str, Any] | None:
        """The claim on a content, with ``retracted`` and the number of ``objections``; None when nobody claims it."""
        rows = self._rows("SELECT * FROM current_claims WHERE content = ?", content)
        return rows[0] if rows else None

    def fingerprints(self) -> Iterator[tuple[bytes, bytes]]:
        """Content and fingerprint of every claim that holds and has one, in the order of claiming."""
        sql = """SELECT content, fingerprint FROM claims c WHERE fingerprint <> zeroblob(32) AND NOT EXISTS (
                 SELECT 1 FROM claims n WHERE n.content = c.content AND (n.block, n.log_index) > (c.block, c.log_index))
                 ORDER BY block, log_index"""
        return (tuple(row) for row in self._db.execute(sql))

    def cursor(self) -> tuple[int, bytes]:
        """Number and hash of the newest block that is indexed; -1 and nothing before the first."""
        row = self._db.execute("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
        return tuple(row) if row else (-1, b"")

    def history(self, content: bytes) -> list[dict[str, Any]]:
        """Every claim on a content, oldest first: the last one holds, the others were superseded."""
        return self._rows("SELECT * FROM claims WHERE content = ? ORDER BY block, log_index", content)

    def claimed_contents(self) -> Iterator[bytes]:
        """Every content that was ever claimed, 32 bytes each, in constant memory."""
        return (row["content"] for row in self._db.execute("SELECT content FROM claims"))

    def objections(self, content: bytes) -> list[dict[str, Any]]:
        """Objections against the claim on a content, oldest first."""
        return self._rows("SELECT * FROM objections WHERE content = ? ORDER BY block, log_index", content)

    def objection(self, subject: bytes) -> dict[str, Any] | None:
        """The objection of that id, as it was published last: its URI may be a newer one. None when nobody made it."""
        sql = "SELECT * FROM objections WHERE subject = ? ORDER BY block DESC, log_index DESC LIMIT 1"
        rows = self._rows(sql, subject)
        return rows[0] if rows else None

    def requests_about_objections(self, content: bytes) -> list[dict[str, Any]]:
        """``subject`` and ``policy`` of all that committees were asked about objections against a content, in the order
        in which they were asked first."""
        sql = """SELECT subject, policy FROM requests WHERE subject IN
                 (SELECT subject FROM objections WHERE content = ?)
                 GROUP BY subject, policy ORDER BY min(block), min(log_index)"""
        return self._rows(sql, content)

    def earlier_objectors(self, content: bytes, sealed_at: int) -> set[bytes]:
        """Those objectors who sealed anything, or claim what was sealed, before second ``sealed_at``."""
        sql = """SELECT DISTINCT objector FROM objections o WHERE content = ?1 AND (
                 EXISTS (SELECT 1 FROM seals s WHERE s.sealer = o.objector AND s.time < ?2)
                 OR EXISTS (SELECT 1 FROM claims c WHERE c.creator = o.objector AND c.sealed_at < ?2))"""
        return {row["objector"] for row in self._rows(sql, content, sealed_at)}

    def keys_of(self, identity: bytes) -> set[bytes]:
        """Every key that an identity has had, its first one included."""
        sql = "SELECT key FROM key_events WHERE identity = ? AND kind IN ('registered', 'adopted')"
        return {identity} | {row["key"] for row in self._rows(sql, identity)}

    def claims_by(self, creator: bytes) -> list[dict[str, Any]]:
        """Claims a creator holds now, newest first."""
        return self._rows("SELECT * FROM current_claims WHERE creator = ? ORDER BY block DESC, log_index DESC", creator)

    def seals_by(self, sealer: bytes) -> list[dict[str, Any]]:
        """Seals of a sender, newest first. What they hold only the drafts tell."""
        return self._rows("SELECT * FROM seals WHERE sealer = ? ORDER BY block DESC, log_index DESC", sealer)

    def model(self, model_id: bytes) -> dict[str, Any] | None:
        """A published model version with its endings, or None."""
        rows = self._rows("SELECT * FROM models WHERE model_id = ?", model_id)
        if not rows:
            return None
        endings = self._rows("SELECT kind, time FROM model_endings WHERE model_id = ?", model_id)
        return {**rows[0], **{f"{ending['kind']}_at": ending["time"] for ending in endings}}

    # Verdicts and deals

    def policies(self) -> list[dict[str, Any]]:
        """Every policy, newest first."""
        return self._rows("SELECT * FROM policies ORDER BY block DESC, log_index DESC")

    def nodes(self) -> list[bytes]:
        """Every address that ever joined, oldest first."""
        sql = "SELECT node FROM node_events WHERE kind = 'joined' GROUP BY node ORDER BY min(block), min(log_index)"
        return [row["node"] for row in self._rows(sql)]

    def node(self, node: bytes) -> list[dict[str, Any]]:
        """What happened to a node, oldest first."""
        return self._rows("SELECT * FROM node_events WHERE node = ? ORDER BY block, log_index", node)

    def open_requests(self) -> list[dict[str, Any]]:
        """The newest round of every request without a verdict, oldest first, whether lapsed or not."""
        return self._rows("SELECT * FROM open_requests ORDER BY block, log_index")

    def requests(self, subject: bytes) -> list[dict[str, Any]]:
        """Every request about a subject, oldest first."""
        return self._rows("SELECT * FROM requests WHERE subject = ? ORDER BY block, log_index", subject)

    def verdicts(self, subject: bytes) -> list[dict[str, Any]]:
        """Every verdict about a subject as it was submitted, oldest first."""
        return self._rows("SELECT * FROM verdicts WHERE subject = ? ORDER BY block, log_index", subject)

    def recent_verdicts(self, count: int) -> list[dict[str, Any]]:
        """The newest verdicts as they were submitted, newest first."""
        return self._rows("SELECT * FROM verdicts ORDER BY block DESC, log_index DESC LIMIT ?", count)

    def delivery(self, subject: bytes) -> dict[str, Any] | None:
        """What a subject stands for: the delivery with the terms of its deal; None when it is none of a deal."""
        rows = self._rows(
            "SELECT d.*, deals.terms, deals.brief_uri FROM deliveries d JOIN deals USING (deal_id) WHERE d.subject = ?",
            subject,
        )
        return rows[0] if rows else None

    def deal(self, deal_id: bytes) -> dict[str, Any] | None:
        """A deal as it was opened, or None."""
        rows = self._rows("SELECT * FROM deals WHERE deal_id = ?", deal_id)
        return rows[0] if rows else None

    def deals_of(self, party: bytes) -> list[dict[str, Any]]:
        """Deals in which ``party`` pays or is paid, newest first."""
        sql = "SELECT * FROM deals WHERE payer = ? OR payee = ? ORDER BY block DESC, log_index DESC"
        return self._rows(sql, party, party)

    def deal_events(self, deal_id: bytes) -> list[dict[str, Any]]:
        """All that happened to a deal and to the verdicts on its deliveries, oldest first; ``kind`` is the table."""
        events = [
            {"kind": table, **row}
            for table in ("deals", "deliveries", "deal_disputes", "deal_rulings", "deal_payments")
            for row in self._rows(f"SELECT * FROM {table} WHERE deal_id = ?", deal_id)
        ]
        for delivery in [event for event in events if event["kind"] == "deliveries"]:
            for table in ("requests", "verdicts", "challenges"):
                rows = self._rows(f"SELECT * FROM {table} WHERE subject = ?", delivery["subject"])
                events += [{"kind": table, **row} for row in rows]
        return sorted(events, key=lambda event: (event["block"], event["log_index"]))
