"""Register: a creator seals a work, gets the certificate, and claims the work or keeps it secret."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app.account import choose_account, label_of
from app.chain import chain_name, client, health
from app.components.hasher import WorkFile, hasher
from app.components.vault import entry_id, vault
from app.registration import Registration, change, current, resume, start_over
from app.ui import StepState, problem, step, summary
from app.views.sealing import certificate_step, claim_step, finished_step, seal_step
from countersign.canonical import checksum, from_hex, to_hex
from countersign.errors import CountersignError
from countersign.records import ORIGINS, ZERO

_INTRO = """
Sealing proves that you held these exact bytes at this time. **Sealed first is not the same as created**:
whoever seals first has priority, so seal *before* you post, send or upload the work anywhere.
"""

_Step = Callable[[Registration], None]


def page() -> None:
    """Draw the page."""
    registration = current()
    _head(registration)
    stage = _stage(registration)
    for number, (title, now, done) in enumerate(_STEPS, 1):
        state: StepState = "done" if number < stage else "now" if number == stage else "later"
        with step(number, title, state):
            if state != "later":
                _draw(now if state == "now" else done, registration)


def _head(registration: Registration) -> None:
    st.title("Register a work")
    st.markdown(_INTRO)
    if registration != Registration():
        st.button(
            "Start over", on_click=start_over, icon=":material/restart_alt:", help="A draft stays in this browser."
        )


def _draw(content: _Step, registration: Registration) -> None:
    try:
        content(registration)
    except CountersignError as error:
        problem(error)
        st.button("Try again", key=f"try-again-{content.__name__}")


def _stage(registration: Registration) -> int:
    """The step that is next, 1 to 6, or 7 when all are done; derived, never stored."""
    certificate = registration.certificate
    if certificate is None:
        return 1 if registration.file is None else 2 if registration.creator is None else 3
    if certificate.proof is None:
        return 4
    return 5 if certificate.signature is None else 7 if registration.finished else 6


def _take_up(text: str, registration: Registration, by_wallet: bool, stored: bool) -> None:
    resumed = replace(resume(text, registration.file, by_wallet), stored=stored)
    if resumed.certificate:
        st.query_params["draft"] = entry_id(resumed.certificate)
    change(resumed)


# 1 The work


def _choose_file(registration: Registration) -> None:
    file, document = hasher(
        "register-drop",
        prompt="Drop the finished file here",
        hint="It is hashed on this computer and never uploaded. To go on with a draft, drop its .countersign.json.",
        shown=None,
    )
    if document:
        _take_up(document.text, registration, by_wallet=False, stored=False)
    if file:
        change(replace(registration, file=file))
    shelf = vault("shelf", open_id=st.query_params.get("draft"), show=True)
    if shelf.opened:
        _take_up(shelf.opened.text, registration, by_wallet=shelf.opened.by == "wallet", stored=True)


def _file_summary(registration: Registration) -> None:
    file = registration.file
    if file is None:
        return
    if registration.certificate is None:
        _changeable_file(file, registration)
    else:
        summary(file.name, to_hex(file.content))


def _changeable_file(file: WorkFile, registration: Registration) -> None:
    changed, document = hasher("register-drop", prompt="", hint="", shown=file)
    if document:
        _take_up(document.text, registration, by_wallet=False, stored=False)
    if changed and changed != file:
        change(replace(registration, file=changed))
    _warn_if_claimed(file)


def _warn_if_claimed(file: WorkFile) -> None:
    claim = client().claim_of(file.content) if health().problem is None else None
    if claim:
        st.warning(
            f"{checksum(claim.creator)} claims these very bytes already, with an earlier seal. "
            "A seal made now comes after it and cannot take that claim over.",
            icon=":material/warning:",
        )


# 2 The creator


def _choose_creator(registration: Registration) -> None:
    st.markdown("The account that seals is the creator. It pays the fee and can later claim and retract.")
    chosen = choose_account("creator")
    if chosen:
        change(replace(registration, creator=chosen))


def _creator_summary(registration: Registration) -> None:
    creator = registration.creator
    if creator:
        summary(label_of(creator), checksum(creator.address) if creator.demo is not None else "")
        if registration.certificate is None and st.button("Change", key="creator-change"):
            change(replace(registration, creator=None))


# 3 What you say about it


def _disclose(registration: Registration) -> None:
    st.markdown("This becomes part of the sealed work and cannot be changed later.")
    origin = st.selectbox(
        "How was it made?",
        list(ORIGINS),
        key="origin",
        format_func=_origin_words,
        help="The IPTC digital source type, as used by news agencies and C2PA.",
    )
    with st.expander("More: AI model, metadata (optional)"):
        model = _model_input()
        metadata = _metadata_input()
    _what_becomes_public()
    if st.button("Save the draft and continue", type="primary"):
        _make_draft(registration, origin=origin, model=model, metadata=metadata)


def _origin_words(origin: str) -> str:
    words = ORIGINS.get(origin, origin)
    return "I do not say" if not origin else words[:1].upper() + words[1:]


def _model_input() -> bytes:
    text = st.text_input("Model id", key="model", placeholder="0x… (64 hex digits)", help="From the model registry.")
    return from_hex(text.strip(), 32, "model id") if text.strip() else ZERO


def _metadata_input() -> bytes:
    st.markdown("A metadata document: only its SHA-256 becomes part of the work. Keep the document itself.")
    chosen: WorkFile | None = st.session_state.get("metadata-file")
    file, _ = hasher("metadata-drop", prompt="Drop a metadata document here", hint="", shown=chosen)
    if file:
        st.session_state["metadata-file"] = file
        st.rerun()
    return chosen.content if chosen else ZERO


def _what_becomes_public() -> None:
    with st.expander("What becomes public for ever, and when", expanded=True):
        st.markdown(
            f"""
- **The seal** shows on {chain_name()} one hash, your address and the time. It reveals nothing about the work.
- **The claim**, if you make it, shows the work's SHA-256, what you say about it, your address, and the salt.
- **The file itself** never leaves this computer.
- **The draft** holds a secret salt. Keep it: without it, the sealed work can never be claimed or proved.
"""
        )


def _make_draft(registration: Registration, **fields: object) -> None:
    drafted = registration.with_draft(**fields)
    if drafted.certificate:
        st.query_params["draft"] = entry_id(drafted.certificate)
    st.session_state.pop("metadata-file", None)
    change(drafted)


def _disclosure_summary(registration: Registration) -> None:
    if registration.certificate:
        work = registration.certificate.work
        parts = [_origin_words(work.origin) if work.origin else "Origin not declared"]
        parts += ["model declared"] if work.model != ZERO else []
        parts += ["metadata attached"] if work.metadata != ZERO else []
        summary(", ".join(parts))


# 4 and 5, when done


def _seal_summary(registration: Registration) -> None:
    certificate = registration.certificate
    if certificate:
        seal = client().seal_of(certificate.root, registration.sealer)
        summary(f"Sealed for ever in block {seal.block:,}" if seal else "Sealed")


def _certificate_summary(registration: Registration) -> None:
    if registration.certificate:
        summary("Proved by the chain and signed by you")


_STEPS: tuple[tuple[str, _Step, _Step], ...] = (
    ("The work", _choose_file, _file_summary),
    ("The creator", _choose_creator, _creator_summary),
    ("What you say about it", _disclose, _disclosure_summary),
    ("Seal", seal_step, _seal_summary),
    ("Certificate", certificate_step, _certificate_summary),
    ("Claim, or keep it secret", claim_step, finished_step),
)
"""Title, content while it is the turn, content when done."""
