"""Verify: is this file what its certificate says, who sealed it when, who objects? No wallet, nothing uploaded; a word
of one's own takes an account."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import objecting
from app.chain import ETH, chain_name, client, health, now
from app.components.hasher import Document, WorkFile, hasher
from app.outcome import Outcome, of_lookup, of_report
from app.ui import banner, checklist, facts, guarded, problem
from countersign.canonical import from_hex, to_hex
from countersign.certificate import Certificate
from countersign.errors import CertificateError, CountersignError
from countersign.objections import Objection, summary
from countersign.records import Block
from countersign.times import utc
from countersign.verify import Report, lookup, verify

_FILE, _DOCUMENT, _PASTED = "verify-file", "verify-document", "verify-pasted"


def page() -> None:
    """Draw the page."""
    st.title("Verify a work")
    st.markdown("Drop a file, its certificate, or both. The file is hashed on this computer and never uploaded.")
    try:
        _take(*_drop_zone())
        content, certificate = _content(), _certificate()
    except CountersignError as error:
        problem(error)
        return
    if certificate:
        _show_certificate(certificate, content)
    elif content:
        _show_record(content)
    else:
        _explain()


def _drop_zone() -> tuple[WorkFile | None, Document | None]:
    shown: WorkFile | None = st.session_state.get(_FILE)
    hint = "The certificate is the file that ends in .countersign.json"
    news = hasher("verify-drop", prompt="Drop a work and its certificate here", hint=hint, shown=shown)
    with st.expander("No file at hand? Paste its SHA-256", expanded=bool(st.session_state.get(_PASTED))):
        st.text_input("SHA-256 of the file", key=_PASTED, placeholder="0x and 64 hex digits", on_change=_take_pasted)
    return news


def _take(file: WorkFile | None, document: Document | None) -> None:
    if file:
        st.session_state[_FILE] = file
        st.query_params["content"] = to_hex(file.content)
    if document:
        st.session_state[_DOCUMENT] = document
    if file or document:
        st.rerun()


def _take_pasted() -> None:
    """A pasted hash replaces the file; the address of the page follows, so that it can be shared."""
    st.session_state.pop(_FILE, None)
    st.query_params["content"] = st.session_state[_PASTED].strip().lower()


def _content() -> bytes | None:
    """SHA-256 of the chosen file, else of the page's address (`/verify?content=0x…`). Raises InputError."""
    file: WorkFile | None = st.session_state.get(_FILE)
    text = st.query_params.get("content", "")
    if file:
        return file.content
    return from_hex(text.strip(), 32, "SHA-256") if text else None


def _certificate() -> Certificate | None:
    document: Document | None = st.session_state.get(_DOCUMENT)
    if document is None:
        return None
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.markdown(":material/description: Certificate read on this computer")
    if right.button("Remove", key="verify-remove", width="stretch"):
        del st.session_state[_DOCUMENT]
        st.rerun()
    return Certificate.from_json(document.text)


def _explain() -> None:
    st.subheader("What you learn")
    facts(
        [
            (
                "File and certificate",
                "Whether these exact bytes were sealed, by whom and when: provable by one block hash.",
            ),
            (
                "File alone",
                "Whether anybody claims it on this chain. Without a record nothing speaks for or against it.",
            ),
            ("Certificate alone", "Whether the certificate is genuine, whatever file it belongs to."),
        ]
    )


def _show_certificate(certificate: Certificate, content: bytes | None) -> None:
    online = health().problem is None
    if not online:
        _chain_notice()
    report = verify(certificate, content, client=client() if online else None)
    claim = client().claim_of(certificate.work.content) if online else None
    _show(of_report(report, claim), report)
    facts(_certificate_facts(report))
    if claim:
        with guarded("objections"):
            found = objecting.listed(certificate.work.content)
            objecting.show(found)
            objecting.act(certificate.work.content, claim, found)
    _commands(certificate)
    _share(certificate.work.content)


def _chain_notice() -> None:
    error = health().problem
    if error:
        problem(error)


def _show_record(content: bytes) -> None:
    error = health().problem
    if error:
        banner("neutral", "Cannot check now", f"{chain_name()} cannot be asked; this says nothing about the file.")
        problem(error)
        return
    report, found = lookup(client(), content), list[Objection]()
    with guarded("objections"):
        found = objecting.listed(content)
    _show(of_lookup(report, summary(found, now(), ETH.show) if found else ""), report)
    facts(_record_facts(report.facts))
    with guarded("objecting"):
        objecting.show(found)
        claim = client().claim_of(content)
        if claim:
            objecting.act(content, claim, found)
    _share(content)


def _show(outcome: Outcome, report: Report) -> None:
    banner(outcome.kind, outcome.title, outcome.words)
    st.subheader("Checked, step by step")
    checklist((step.number, step.name, step.state, step.detail) for step in report.steps)
    st.subheader("Facts")


def _certificate_facts(report: Report) -> list[tuple[str, str]]:
    found = report.facts
    sealed = next((step.detail for step in report.steps if step.name == "seal" and step.state == "pass"), None)
    rows = [
        ("File name", found["name"]),
        ("SHA-256", found["content"]),
        ("Creator", found["creator"]),
        ("Sealed", sealed or "not shown"),
        ("Origin", found["origin"]),
        ("Model", found["model"] or "not declared"),
        ("Chain", f"{chain_name()} ({found['chainId']})"),
        ("Registry", found["registry"]),
    ]
    return [(name, str(value)) for name, value in rows]


def _record_facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [("SHA-256", str(found["content"])), ("Chain", f"{chain_name()} ({found['chainId']})")]
    record = found["record"]
    if record:
        rows += [
            ("Claimed by", str(record["creator"])),
            ("Sealed", utc(record["sealedAt"])),
            ("Consent", utc(record["consentAt"])),
        ]
    return rows


def _commands(certificate: Certificate) -> None:
    block = _block_of(certificate)
    if block is None:
        return
    st.subheader("Check it yourself")
    st.markdown(
        "With the file and its certificate side by side, without this page and without any network. "
        f"Compare the hash of block {block.number} with sources you trust: nothing else needs trust."
    )
    name = shlex.quote(certificate.name)
    command = f"countersign verify {name} --offline --block-hash {to_hex(block.hash)}"
    st.code(command, language=None, wrap_lines=True)


def _block_of(certificate: Certificate) -> Block | None:
    """The block that the certificate's proof is for, or None when there is no sound proof."""
    try:
        return certificate.proof.check().block if certificate.proof else None
    except CertificateError:
        return None


def _share(content: bytes) -> None:
    address = (st.context.url or "").split("?")[0].rstrip("/")
    if address:
        st.markdown("Link to this page for these bytes:")
        st.code(f"{address}?content={to_hex(content)}", language=None, wrap_lines=True)
