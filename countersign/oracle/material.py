"""What a check looks at: the bytes that a subject stands for, found through the index, fetched by digest."""

from __future__ import annotations

from pathlib import Path

from countersign.chain.client import Client
from countersign.checks import Material, Precedence
from countersign.deal.brief import MAX_BYTES, Brief, load_brief
from countersign.deal.fetch import Unavailable, fetch
from countersign.errors import CountersignError, InputError
from countersign.oracle.decide import OBJECTION
from countersign.oracle.sight import Notice, Sight
from countersign.records import ZERO
from countersign.seal import objection
from countersign.seal.objection import Exhibit, Grounds
from countersign.settings import LOCAL_CHAIN

__all__ = ["Source"]


class Source:
    """Gathers for one question: deliveries with brief and reference, or objections with both works."""

    def __init__(self, sight: Sight, client: Client, question: str, files: Path | None, timeout: float) -> None:
        """``files`` as in :func:`~countersign.deal.fetch.fetch`; ``timeout`` in seconds for each fetch."""
        self._sight, self._client, self._files, self._timeout = sight, client, files, timeout
        self._read = self._objection if question == OBJECTION else self._delivery

    def material(self, subject: bytes) -> Material:
        """Raises Unavailable when trying again may help, InputError for what is not known or refused, ChainError."""
        return self._read(subject)

    def _delivery(self, subject: bytes) -> Material:
        delivery = self._sight.delivery(subject)
        brief = self._brief(delivery.terms.brief, delivery.brief_uri)
        reference = self._bytes(brief.reference_uri, brief.reference) if brief.reference != ZERO else None
        return Material(self._bytes(delivery.uri, delivery.content), brief, reference)

    def _brief(self, digest: bytes, uri: str) -> Brief:
        """Terms without a brief ask for nothing."""
        return Brief("") if digest == ZERO else load_brief(self._bytes(uri, digest, limit=MAX_BYTES))

    def _objection(self, subject: bytes) -> Material:
        """Copies are fetched only where the order lets the objection stand."""
        notice = self._sight.objection(subject)
        said = objection.load_evidence(self._bytes(notice.uri, notice.evidence, limit=objection.MAX_BYTES))
        if not isinstance(said, Grounds) or said.own is None or said.disputed.content != notice.content:
            raise InputError(
                "The evidence names no two works to compare.", "Object anew: countersign object --my-work."
            )
        order = self._order(notice, said.own.content)
        if not order.earlier:
            return Material(b"", Brief(""), None, order)
        return Material(self._copy(said.disputed), Brief(""), self._copy(said.own), order)

    def _order(self, notice: Notice, own: bytes) -> Precedence:
        """When the chain says both were sealed. The objector's counts if its own identity holds the claim."""
        disputed, mine = self._client.claim_of(notice.content), self._client.claim_of(own)
        identity = self._client.root_of(notice.objector)
        if disputed and self._client.root_of(disputed.creator) == identity:
            raise InputError("This is the claimant's own notice, not an objection.", "Name the objection it answers.")
        holds = mine is not None and not mine.retracted and self._client.root_of(mine.creator) == identity
        return Precedence(mine.sealed_at if mine and holds else None, disputed.sealed_at if disputed else None)

    def _copy(self, work: Exhibit) -> bytes:
        """The first copy that can be had. Raises what the last one raised."""
        trouble: CountersignError = Unavailable("The evidence names no copy of a work.", "Object anew with --copy.")
        for uri in work.copies:
            try:
                return self._bytes(uri, work.content)
            except CountersignError as error:
                trouble = error
        raise trouble

    def _bytes(self, uri: str, digest: bytes, **limits: int) -> bytes:
        local = self._client.chain_id == LOCAL_CHAIN
        return fetch(uri, digest, files=self._files, allow_local=local, timeout=self._timeout, **limits)
