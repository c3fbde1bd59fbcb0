"""The part of the Register page that talks to the chain: seal, certificate, claim."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from app.chain import client, demo_sender, demo_signer, wallet_chain
from app.components.vault import Shelf, vault
from app.components.wallet import answered, send_intent, sign_intent
from app.progress import Progress, claim_progress, seal_progress
from app.registration import Registration, change, start_over
from app.sending import ask_wallet, follow, show_cost, watch
from app.ui import banner, plain, track
from countersign.canonical import to_hex
from countersign.certificate import Certificate
from countersign.chain.sender import intent as intent_name
from countersign.errors import NotFinal
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
    read = partial(seal_progress, certificate, registration.sealer, registration.transactions.get("seal"))
    progress = read()
    if progress.state == "final" and (proved := _proved(registration)):
        change(replace(registration, certificate=proved))
    if progress.open or progress.state == "final":
        follow(read)
        return
    _offer(registration, _Offer("seal", "Seal this work", seal_call(certificate), read), progress)


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


def _proved(registration: Registration) -> Certificate | None:
    """None while the chain is just replacing the blocks that looked final."""
    with suppress(NotFinal):
        return prove(client(), _certificate(registration), registration.sealer)
    return None


def _check_chain() -> None:
    """Raise the chain's problem before anything is asked of a person."""
    client().check()


# Sending, by wallet or demo account


@dataclass(frozen=True)
class _Offer:
    """The transaction of ``verb``, as its button says it, and how far it is."""

    verb: str
    label: str
    call: Call
    read: Callable[[], Progress]


def _offer(registration: Registration, offer: _Offer, progress: Progress) -> None:
    """Show state and cost, and let the creator send the transaction."""
    track(progress)
    if progress.failed:
        if st.button("Send again", type="primary", key=f"{offer.verb}-again"):
            change(registration.again(offer.verb))
        return
    if registration.creator and registration.creator.demo is not None:
        show_cost(registration.creator.address, offer.call)
        _send_by_demo(registration, registration.creator.demo, offer)
    else:
        _send_by_wallet(registration, offer)


def _send_by_demo(registration: Registration, number: int, offer: _Offer) -> None:
    if not st.button(offer.label, type="primary", key=f"{offer.verb}-demo"):
        return
    name = intent_name(offer.verb, _certificate(registration).root, registration.attempts.get(offer.verb, 0))
    with st.spinner("Sending…"):
        receipt = demo_sender(number).send(offer.call, name)
    change(registration.sent(offer.verb, receipt.transaction))


def _send_by_wallet(registration: Registration, offer: _Offer) -> None:
    sender, attempt = _certificate(registration).creator, registration.attempts.get(offer.verb, 0)
    intent = send_intent(offer.label, wallet_chain(), sender, offer.call, attempt)
    # What was sent counts before anything else: by now the registry may already refuse the same call.
    answer = answered("wallet", intent)
    if answer and answer.value:
        change(registration.sent(offer.verb, answer.value))
    watch(offer.read)
    show_cost(sender, offer.call)
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
    read = partial(claim_progress, certificate, certificate.creator, registration.transactions.get("claim"))
    progress = read()
    if progress.state == "final" and (newest := _proved(registration)):
        change(replace(registration, certificate=newest, finished="claimed"))
    if progress.open or progress.state == "final":
        return follow(read)
    _explain_claim()
    _offer(registration, _Offer("claim", "Claim it now", claim_call(certificate), read), progress)
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
