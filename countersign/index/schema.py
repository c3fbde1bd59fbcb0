"""Tables of the index. Event tables are append-only and keyed by place (block, log index), so that rolling back is
deleting; what is true now is a view over them."""

from __future__ import annotations

__all__ = ["EVENT_TABLES", "SCHEMA", "VERSION"]

VERSION = 4

EVENT_TABLES = {
    "seals": ("root", "sealer"),
    "claims": ("content", "creator", "sealer", "root", "sealed_at", "consent_at", "work_id", "fingerprint", "origin",
               "model", "parents", "metadata"),
    "retractions": ("content", "retracted"),
    "objections": ("content", "objector", "evidence", "uri", "subject"),
    "models": ("model_id", "publisher", "weights", "root", "card", "data", "licence", "parents", "metrics"),
    "model_endings": ("model_id", "kind"),
    "key_events": ("identity", "key", "kind", "detail"),
    "node_events": ("node", "kind", "amount", "detail"),
    "policies": ("policy", "check_hash", "arbiter", "fee", "bond", "slash", "submit_time", "challenge_time",
                 "ruling_time", "k", "pass_score", "seats"),
    "seat_suspensions": ("policy", "seat", "by"),
    "requests": ("subject", "policy", "requester", "round", "requested_at", "suspended"),
    "verdicts": ("subject", "policy", "outcome", "bound", "signers", "final_at"),
    "challenges": ("subject", "policy", "challenger", "dispute_id", "ruling_by", "reason"),
    "verdict_rulings": ("verdict_key", "stage", "outcome"),
    "equivocations": ("subject", "policy", "node", "round", "taken"),
    "fee_payments": ("subject", "policy", "account", "round", "amount"),
    "deals": ("deal_id", "payer", "payee", "token", "amount", "policy", "terms", "brief_uri"),
    "deliveries": ("deal_id", "milestone", "delivery", "subject", "uri"),
    "deal_disputes": ("deal_id", "by", "dispute_id", "ruling_by", "reason"),
    "deal_rulings": ("deal_id", "state"),
    "deal_payments": ("deal_id", "milestone", "cause", "to_payee", "to_payer"),
    "credits": ("token", "account", "amount"),
}  # fmt: skip
"""Columns of each event table besides its place: block, log_index, time, tx. Amounts of money are decimal text: they
exceed SQLite's integers. ``seats`` is node (20) and model (32) of each; ``terms`` the JSON of ``dump_terms``."""

_PLACE = "block INTEGER NOT NULL, log_index INTEGER NOT NULL, time INTEGER NOT NULL, tx BLOB NOT NULL"

_INDEXES = (("seals", "sealer"), ("seals", "root"), ("claims", "content"), ("claims", "creator"),
            ("claims", "model"), ("retractions", "content"), ("objections", "content"), ("objections", "subject"),
            ("models", "publisher"), ("models", "model_id"), ("model_endings", "model_id"),
            ("key_events", "identity"), ("key_events", "key"), ("node_events", "node"), ("policies", "policy"),
            ("requests", "subject"), ("verdicts", "subject"), ("challenges", "subject"),
            ("verdict_rulings", "verdict_key"), ("deals", "deal_id"), ("deals", "payer"), ("deals", "payee"),
            ("deliveries", "deal_id"), ("deliveries", "subject"), ("deal_disputes", "deal_id"),
            ("deal_rulings", "deal_id"), ("deal_payments", "deal_id"), ("credits", "account"))  # fmt: skip

# What the claimant's identity says of its own claim is an answer, no objection; said twice, an objection is one.
# A retraction holds for the identity that made it: a claim that displaces another identity's starts without, one that
# displaces its own identity's stays retracted.
_VIEWS = """
CREATE VIEW claims_named AS
SELECT c.*, coalesce((SELECT k.identity FROM key_events k WHERE k.key = c.creator
                      AND k.kind IN ('registered', 'adopted') LIMIT 1), c.creator) AS identity
FROM claims c;
CREATE VIEW current_claims AS
SELECT c.*, coalesce((SELECT r.retracted FROM retractions r WHERE r.content = c.content AND EXISTS (
                          SELECT 1 FROM claims_named own WHERE own.content = c.content AND own.identity = c.identity
                          AND (own.block, own.log_index) < (r.block, r.log_index)
                          AND NOT EXISTS (SELECT 1 FROM claims_named other WHERE other.content = c.content
                                          AND other.identity <> c.identity
                                          AND (other.block, other.log_index) > (own.block, own.log_index)))
                      ORDER BY r.block DESC, r.log_index DESC LIMIT 1), 0) AS retracted,
       (SELECT count(DISTINCT o.subject) FROM objections o WHERE o.content = c.content
        AND o.objector NOT IN (c.creator, c.identity)
        AND NOT EXISTS (SELECT 1 FROM key_events k WHERE k.identity = c.identity AND k.key = o.objector
                        AND k.kind IN ('registered', 'adopted'))) AS objections
FROM claims_named c
WHERE NOT EXISTS (SELECT 1 FROM claims n WHERE n.content = c.content
                  AND (n.block, n.log_index) > (c.block, c.log_index));
CREATE VIEW open_requests AS
SELECT r.* FROM requests r
WHERE NOT EXISTS (SELECT 1 FROM requests n WHERE n.subject = r.subject AND n.policy = r.policy AND n.round > r.round)
AND NOT EXISTS (SELECT 1 FROM verdicts v WHERE v.subject = r.subject AND v.policy = r.policy);
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
