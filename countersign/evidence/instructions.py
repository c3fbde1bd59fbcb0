"""README.txt of an evidence file: how to check it without trusting whoever made it."""

from __future__ import annotations

import shlex

from countersign.canonical import to_hex
from countersign.certificate.document import SUFFIX
from countersign.evidence.case import Case

__all__ = ["LIMITS", "command", "compare", "readme"]

LIMITS = (
    "Sealed first is not created first: the seal proves that somebody had these bytes at that time, and committed to "
    "the words beside them.",
    "The creator is a key, not a person. Who holds the key must be shown by other means.",
    "Origin, model and parents are the creator's statements. The seal fixes when they were made, not that they hold.",
    "Another work that looks the same, but has other bytes, is another content: this says nothing about it.",
    "A claim can be retracted or objected to after the block named here: ask the chain for what happened since.",
)
"""What the evidence does not prove, a sentence each."""

_EXPLORERS = {1: "etherscan.io and eth.blockscout.com", 11155111: "sepolia.etherscan.io and eth-sepolia.blockscout.com"}


def compare(case: Case) -> str:
    """Where a reader compares the block's hash."""
    chain = case.certificate.contracts.chain_id
    if case.local:
        return (
            "This is the development chain: anybody can make up its blocks, so it proves nothing to others. "
            "It serves to try the tools."
        )
    if known := _EXPLORERS.get(chain):
        return f"Compare it in at least two independent places: your own node, {known}."
    return f"Compare it in at least two independent places: your own node and block explorers of chain {chain}."


def command(case: Case) -> str:
    """The line that checks the work offline, to be run in the unpacked folder."""
    target = f"work/{case.name}" + ("" if case.work else SUFFIX)
    trusted = to_hex(case.block.hash) if case.block else "0x…"
    return f"countersign verify {shlex.quote(target)} --offline --block-hash {trusted}"


def readme(case: Case) -> str:
    """The whole text."""
    return "\n\n".join([_head(case), _steps(case), _files(case), _limits()]) + "\n"


def _head(case: Case) -> str:
    lines = ["EVIDENCE OF A SEAL", "", f"Outcome when this was made: {case.report.outcome.upper()}"]
    if case.report.outcome != "verified":
        lines += ["This is evidence of a check that did NOT succeed. Read report.pdf before you rely on anything."]
    return "\n".join([*lines, "", "report.pdf says what is claimed; below is how you check it yourself, offline."])


def _steps(case: Case) -> str:
    block = case.block
    which = f"Block {block.number} of chain {case.certificate.contracts.chain_id} must have the hash" if block else ""
    hash_ = [f"   {which}", f"   {to_hex(block.hash)}", f"   {compare(case)}"] if block else ["   There is no proof."]
    page = ["   Open verifier/countersign-verify.html in a browser, from disk; choose the files in work/ and give the",
            "   block hash. It shares no code with the first."]  # fmt: skip
    none = ["   A second one is verifier-js in the source of Countersign; it shares no code with the first."]
    return "\n".join([
        "1. Nothing was damaged on the way:",
        "   sha256sum -c SHA256SUMS",
        "", "2. The one thing to trust is a block of the chain. Compare its hash with sources of your choice:", *hash_,
        "", "3. Check with the Python package (pip install countersign; no network is needed afterwards):",
        f"   {command(case)}",
        "   It prints numbered steps. Exit code 0: verified; 1: not verified; 2: could not check.",
        "", "4. Check again with an independent verifier:", *(page if case.verifier else none),
    ])  # fmt: skip


def _files(case: Case) -> str:
    name = case.name
    rows = [
        (f"work/{name}", "the work itself, byte for byte", case.work is not None),
        (f"work/{name}{SUFFIX}", "the certificate: all that a verifier needs", True),
        ("c2pa/", "its Content Credentials (C2PA) as read, and a copy that carries them", case.manifest is not None),
        (case.disclosure_name, "the AI disclosure: verify compares it", case.disclosure is not None),
        ("proof/", "block header and state proofs out of the certificate", case.certificate.proof is not None),
        ("report.pdf, report.json", "what was checked when this was made, and how it went", True),
        ("verifier/", "the independent verifier", case.verifier is not None),
        ("SHA256SUMS", "SHA-256 of every other file", True),
    ]
    lines = [f"   {path}\n      {what}" for path, what, there in rows if there]
    kept = "" if case.work else "\nThe work itself was left out. Its SHA-256 is in the certificate: compare your copy."
    return "\n".join(["What is here:", *lines]) + kept


def _limits() -> str:
    return "\n".join(["What this does not prove:", *(f"   - {limit}" for limit in LIMITS)])
