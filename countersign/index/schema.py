"""Tables of the index. Event tables are append-only and keyed by place (block, log index), so that rolling back is
deleting; what is true now is a view over them."""

from __future__ import annotations

__all__ = ["EVENT_TABLES", "SCHEMA", "VERSION"]

VERSION = 1

EVENT_TABLES = {
    "seals": ("root", "sealer"),
    "claims": ("content", "creator", "sealer", "root", "sealed_at", "consent_at", "work_id", "fingerprint", "origin",
               "model", "parents", "metadata"),
    "retractions": ("content", "retracted"),
    "objections": ("content", "objector", "evidence"),
    "models": ("model_id", "publisher", "weights", "root", "card", "data", "licence", "parents", "metrics"),
    "model_endings": ("model_id", "kind"),
    "key_events": ("identity", "key", "kind", "detail"),
}  # fmt: skip
"""Columns of each event table besides its place: block, log_index, time, tx."""

_PLACE = "block INTEGER NOT NULL, log_index INTEGER NOT NULL, time INTEGER NOT NULL, tx BLOB NOT NULL"

_INDEXES = (("seals", "sealer"), ("seals", "root"), ("claims", "content"), ("claims", "creator"), ("claims", "model"),
            ("retractions", "content"), ("objections", "content"), ("models", "publisher"), ("models", "model_id"),
            ("model_endings", "model_id"), ("key_events", "identity"))  # fmt: skip

_VIEWS = """
CREATE VIEW current_claims AS
SELECT c.*, coalesce((SELECT r.retracted FROM retractions r WHERE r.content = c.content
                      ORDER BY r.block DESC, r.log_index DESC LIMIT 1), 0) AS retracted,
       (SELECT count(*) FROM objections o WHERE o.content = c.content) AS objections
FROM claims c
WHERE NOT EXISTS (SELECT 1 FROM claims n WHERE n.content = c.content
                  AND (n.block, n.log_index) > (c.block, c.log_index));
"""


def _tables() -> str:
    tables = [
        f"CREATE TABLE {name} ({_PLACE}, {', '.join(f'{column} NOT NULL' for column in columns)}, "
        "PRIMARY KEY (block, log_index)) WITHOUT ROWID;"
        for name, columns in EVENT_TABLES.items()
    ]
    return "\n".join(tables)


SCHEMA = f"""
CREATE TABLE meta (version INTEGER NOT NULL, chain_id INTEGER NOT NULL, registry BLOB NOT NULL);
CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, parent BLOB NOT NULL, time INTEGER NOT NULL);
{_tables()}
{"".join(f"CREATE INDEX {t}_by_{c} ON {t} ({c});" for t, c in _INDEXES)}
{_VIEWS}
"""
