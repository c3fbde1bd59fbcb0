"""One work on its way through the Register page: what the session holds, and which step is next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import streamlit as st

from app.account import Account
from app.chain import client, demo_accounts, settings
from app.components.hasher import WorkFile
from app.progress import Sent
from countersign.certificate import Certificate
from countersign.errors import CertificateError
from countersign.seal import draft, new_salt

__all__ = ["Registration", "change", "current", "resume", "start_over"]

_KEY = "registration"


@dataclass(frozen=True)
class Registration:
    """What is known so far. ``stored``: the draft is safe outside this process. ``transactions`` and ``attempts`` are
    per verb, "seal" or "claim"."""

    file: WorkFile | None = None
    creator: Account | None = None
    certificate: Certificate | None = None
    stored: bool = False
    transactions: Mapping[str, Sent] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    finished: Literal["", "claimed", "secret"] = ""

    @property
    def sealer(self) -> bytes:
        """Who seals or sealed: named by the certificate once it is proved, else the creator."""
        if self.certificate is None:
            raise ValueError("there is no draft yet")
        return self.certificate.sealer or self.certificate.creator

    def with_draft(self, **fields: Any) -> Registration:
        """With the draft made from file, creator and the other fields of the work, under a new salt."""
        if self.file is None or self.creator is None:
            raise ValueError("file and creator come first")
        made = draft(
            self.file.content,
            self.creator.address,
            client().contracts,
            name=self.file.name,
            salt=new_salt(),
            **fields,
        )
        return replace(self, certificate=made, stored=False)

    def sent(self, verb: str, transaction: bytes) -> Registration:
        """After the transaction of ``verb`` was handed to the network."""
        return replace(self, transactions={**self.transactions, verb: Sent.now(transaction)})

    def again(self, verb: str) -> Registration:
        """Ready for another try of ``verb``."""
        attempts = {**self.attempts, verb: self.attempts.get(verb, 0) + 1}
        rest = {other: sent for other, sent in self.transactions.items() if other != verb}
        return replace(self, attempts=attempts, transactions=rest)


def current() -> Registration:
    """The session's registration."""
    found: Registration = st.session_state.setdefault(_KEY, Registration())
    return found


def change(registration: Registration) -> None:
    """Keep ``registration`` and draw the page anew."""
    st.session_state[_KEY] = registration
    st.rerun()


def start_over() -> None:
    """Forget the session's registration; the browser's shelf keeps the draft."""
    st.session_state[_KEY] = Registration()
    st.query_params.clear()


def resume(text: str, file: WorkFile | None, by_wallet: bool = False) -> Registration:
    """A registration taken up from the text of a draft or certificate.

    Raises CertificateError when it is none, belongs to another chain, or is not about ``file``.
    """
    certificate = Certificate.from_json(text)
    if certificate.contracts.chain_id != settings().chain_id:
        raise CertificateError(
            f"This certificate is for chain {certificate.contracts.chain_id}, not for {settings().chain_id}.",
            "Open the page that serves that chain.",
        )
    if file and file.content != certificate.work.content:
        raise CertificateError(
            f"This certificate is for {certificate.name}, not for {file.name}.", "Choose the right file, or start over."
        )
    about = file or WorkFile(certificate.name, 0, certificate.work.content)
    return Registration(about, _creator_of(certificate, by_wallet), certificate)


def _creator_of(certificate: Certificate, by_wallet: bool) -> Account:
    demo = {address: number for number, address in enumerate(demo_accounts())}
    return Account(certificate.creator, None if by_wallet else demo.get(certificate.creator))
