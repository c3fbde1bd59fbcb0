"""What a report means to a person: one of a few answers that must not be confused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from countersign.records import Claim
from countersign.verify import Report

__all__ = ["Outcome", "of_lookup", "of_report"]


@dataclass(frozen=True)
class Outcome:
    """An answer: its colour, its title, and a sentence."""

    kind: Literal["good", "bad", "warn", "neutral"]
    title: str
    words: str


def of_report(report: Report, claim: Claim | None) -> Outcome:
    """The answer to a certificate's report; ``claim`` is the claim on the content now, if known."""
    failed = report.failed
    if failed and failed.name == "claim":
        return _of_claim(failed.detail, claim)
    if report.outcome == "verified":
        return _verified(report)
    if report.outcome == "not verified":
        return Outcome("bad", "Not verified", report.summary)
    draft = next((step for step in report.steps if step.name == "state proof" and step.state == "unknown"), None)
    if draft:
        return Outcome("neutral", "A draft, no proof yet", draft.detail)
    return Outcome("neutral", "Cannot check now", report.summary)


def _verified(report: Report) -> Outcome:
    warning = next((step for step in report.steps if step.state == "warn"), None)
    if warning:
        objected = warning.name == "objections"
        words = _objected(warning.detail) if objected else warning.detail
        return Outcome("warn", "Verified, but objected to" if objected else "Verified, with a warning", words)
    without_file = any(step.name == "content" and step.state == "note" for step in report.steps)
    words = "Add the file itself to check that it is the sealed one." if without_file else report.summary
    return Outcome("good", "The certificate is genuine" if without_file else "Verified", words)


def _of_claim(detail: str, claim: Claim | None) -> Outcome:
    if claim and claim.retracted:
        return Outcome("warn", "Retracted", f"The seal is genuine, but {_lower(detail)}")
    return Outcome("warn", "Superseded", f"The seal is genuine, but {detail}")


def of_lookup(report: Report, objected: str = "") -> Outcome:
    """The answer when there is no certificate, only the content's hash; ``objected`` says what is objected, if
    anything."""
    record = report.facts.get("record")
    if record is None:
        return Outcome("neutral", "No record", report.summary)
    if record["retracted"]:
        return Outcome("warn", "Retracted", "The creator withdrew the claim on this work.")
    if objected:
        return Outcome("warn", "On record, but objected to", _objected(objected))
    words = f"{record['creator']} claims this work. Add the certificate to check it without trusting this node."
    return Outcome("good", "On record", words)


def _objected(summary: str) -> str:
    """The numbers; the rest stands below."""
    return f"{summary.partition('. ')[0]}: below, with answers and verdicts. They change nothing of the seal."


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
