"""The part of the Register page that talks to the chain: seal, certificate, claim."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.chain import client, demo_sender, demo_signer, wallet_chain
from app.components.vault import Shelf, vault
from app.components.wallet import answered, send_intent, sign_intent
from app.progress import Progress, claim_progress, seal_progress
from app.registration import Registration, change, start_over
from app.sending import ask_wallet, follow, show_cost
from app.ui import banner, plain, track
from countersign.canonical import to_hex
from countersign.certificate import Certificate
from countersign.chain.sender import intent as intent_name
from countersign.records import Call
from countersign.seal import claim_call, claim_typed_data_of, prove, seal_call, with_signature

__all__ = ["certificate_step", "claim_step", "finished_step", "seal_step"]


# Seal


def seal_step(registration: Registration) -> None:
    """Store the draft, then seal, then wait until the seal is final and attach the chain's proof. Raises ChainError."""
    certificate = _certificate(registration)
    if not _is_stored(registration):
        return
    _check_chain()
    progress = seal_progress(certificate, registration.sealer, registration.transactions.get("seal"))
    if progress.state == "final":
        change(replace(registration, certificate=prove(client(), certificate, registration.sealer)))
    if progress.open:
        follow(lambda: seal_progress(certificate, registration.sealer, registration.transactions.get("seal")))
        return
    _offer(registration, "seal", "Seal this work", seal_call(certificate), progress)


def _certificate(registration: Registration) -> Certificate:
    if registration.certificate is None:
        raise ValueError("there is no draft yet")
    return registration.certificate


def _is_stored(registration: Registration) -> bool:
    """Whether the draft is safe: nothing is asked of a wallet before."""
    shelf = _keep(registration)
    if shelf.error and not shelf.downloaded:
        st.error(f"{plain(shelf.error)}\n\n**Next:** Download the draft and keep it; then you can go on.")
    return registration.stored or shelf.saved or shelf.downloaded


def _keep(registration: Registration) -> Shelf:
    """Store draft or certificate in this browser and offer it as a download."""
    by_demo = registration.creator is not None and registration.creator.demo is not None
    return vault("shelf", save=_certificate(registration), by="demo" if by_demo else "wallet")


def _check_chain() -> None:
    """Raise the chain's problem before anything is asked of a person."""
    client().check()


# Sending, by wallet or demo account


def _offer(registration: Registration, verb: str, label: str, call: Call, progress: Progress) -> None:
    """Show state and cost, and let the creator send ``call``."""
    track(progress)
    if progress.failed:
        if st.button("Send again", type="primary", key=f"{verb}-again"):
            change(registration.again(verb))
        return
    if registration.creator and registration.creator.demo is not None:
        show_cost(registration.creator.address, call)
        _send_by_demo(registration, registration.creator.demo, verb, label, call)
    else:
        _send_by_wallet(registration, verb, label, call)


def _send_by_demo(registration: Registration, number: int, verb: str, label: str, call: Call) -> None:
    if not st.button(label, type="primary", key=f"{verb}-demo"):
        return
    name = intent_name(verb, _certificate(registration).root, registration.attempts.get(verb, 0))
    with st.spinner("Sending…"):
        receipt = demo_sender(number).send(call, name)
    change(registration.sent(verb, receipt.transaction))


def _send_by_wallet(registration: Registration, verb: str, label: str, call: Call) -> None:
    sender = _certificate(registration).creator
    intent = send_intent(label, wallet_chain(), sender, call, registration.attempts.get(verb, 0))
    # What was sent counts before anything else: by now the registry may already refuse the same call.
    answer = answered("wallet", intent)
    if answer and answer.value:
        change(registration.sent(verb, answer.value))
    show_cost(sender, call)
    ask_wallet(intent)


# Certificate


def certificate_step(registration: Registration) -> None:
    """Have the creator sign what the claim says (EIP-712). Raises SignerError for anybody else's signature."""
    st.markdown(
        "The chain's proof is attached. Sign the certificate: whoever you give it to then sees that you consent. "
        "Signing costs nothing and publishes nothing."
    )
    certificate = _certificate(registration)
    _keep(registration)
    if registration.creator and registration.creator.demo is not None:
        if st.button("Sign the certificate", type="primary"):
            signature = demo_signer(registration.creator.demo).sign_digest(certificate.digest)
            _keep_signature(registration, signature)
        return
    typed = claim_typed_data_of(certificate)
    answer = ask_wallet(sign_intent("Sign the certificate", wallet_chain(), certificate.creator, typed))
    if answer and answer.value:
        _keep_signature(registration, answer.value)


def _keep_signature(registration: Registration, signature: bytes) -> None:
    signed = with_signature(_certificate(registration), signature, client())
    change(replace(registration, certificate=signed))


# Claim


def claim_step(registration: Registration) -> None:
    """Hand out the certificate; claim now, or keep the work secret. Raises ChainError."""
    certificate = _certificate(registration)
    _keep(registration)
    _check_chain()
    progress = claim_progress(certificate, certificate.creator, registration.transactions.get("claim"))
    if progress.state == "final":
        newest = prove(client(), certificate, registration.sealer)
        change(replace(registration, certificate=newest, finished="claimed"))
    if progress.open:
        return follow(lambda: claim_progress(certificate, certificate.creator, registration.transactions.get("claim")))
    _explain_claim()
    _offer(registration, "claim", "Claim it now", claim_call(certificate), progress)
    if st.button("Keep it secret for now"):
        change(replace(registration, finished="secret"))


def _explain_claim() -> None:
    st.markdown(
        "**Claiming** puts the work's hash under your name for everybody to find, and reveals the salt. "
        "You can also keep it secret: the seal keeps its date, and you claim later with the certificate."
    )


def finished_step(registration: Registration) -> None:
    """The end: what holds now, the certificate, and ways on."""
    if registration.finished == "claimed":
        banner("good", "Sealed and claimed", "You may post the work now: anyone can verify it.")
    else:
        banner(
            "good",
            "Sealed and secret",
            "Nobody can tell what you sealed. To claim it later, drop the certificate here.",
        )
    _keep(registration)
    left, right = st.columns(2)
    content = to_hex(_certificate(registration).work.content)
    left.link_button("See what others see", f"/verify?content={content}", icon=":material/verified:", width="stretch")
    right.button("Register another work", on_click=start_over, key="another", width="stretch")
