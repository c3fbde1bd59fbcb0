"""Objections on the Verify page: who objects, what the claimant answers, what committees say; and one's own word."""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st

from app.account import Account, account_bar
from app.chain import ETH, client, now
from app.finding import finder
from app.sending import Action, notice, pending, perform
from app.ui import facts, guarded, link, plain
from countersign.canonical import checksum, from_hex, to_hex
from countersign.chain.sender import intent
from countersign.cli.text import one_line
from countersign.errors import IndexStoreError, InputError
from countersign.objections import Notice, Objection, Reply, indexed, on_chain, ruling_words
from countersign.records import Claim
from countersign.seal import object_call
from countersign.seal.objection import (
    INLINE,
    Answer,
    Exhibit,
    Grounds,
    dump_evidence,
    evidence_digest,
    inline_uri,
)
from countersign.times import utc

__all__ = ["act", "listed", "show"]

_SHOWN = 10
_LONGEST = 1000
"""Letters of a statement that the page takes and shows."""
_LINKED = ("http", "https", "ipfs")


def listed(content: bytes) -> list[Objection]:
    """Objections to the claim on a content, those that matter first. Raises ChainError, IndexStoreError."""
    try:
        with finder() as found:
            return indexed(found, client(), content)
    except IndexStoreError:  # this server keeps no index
        claim = client().claim_of(content)
        return on_chain(client(), claim, content, 0) if claim else []


def show(objections: list[Objection]) -> None:
    """Each objection with answers and verdicts. Nothing it names is fetched."""
    if not objections:
        return
    st.subheader(f"Objected to ({len(objections)})")
    st.markdown("Anybody may object, and anybody may found a committee: neither changes what the seal proves.")
    time = now()
    for one in objections[:_SHOWN]:
        with st.container(border=True, key=f"objection-{one.notice.id.hex()[:16]}", gap="small"):
            _one(one, time)
    if len(objections) > _SHOWN:
        st.caption(f"And {len(objections) - _SHOWN} more: countersign objections.")


def _one(one: Objection, time: int) -> None:
    said = one.notice.said
    grounds = said if isinstance(said, Grounds) else None
    state = "answered" if one.answered else "not answered"
    st.markdown(f"**{plain((grounds.kind if grounds else 'objection').capitalize())}**, {state}")
    if grounds and grounds.statement:
        st.markdown(f"“{plain(one_line(grounds.statement, _LONGEST))}”")
    sealed = " (had sealed something before this work)" if one.earlier else ""
    own = [("Their work", to_hex(grounds.own.content))] if grounds and grounds.own else []
    replies = [(f"Answer, {_when(reply.notice)}", _answer_words(reply)) for reply in one.replies]
    verdicts = [("Verdict", _sentence(ruling_words(ruling, time, ETH.show))) for ruling in one.rulings]
    facts(
        [
            ("By", checksum(one.notice.objector) + sealed),
            ("On", _when(one.notice)),
            *own,
            *_evidence(one.notice),
            *replies,
            *verdicts,
        ]
    )
    _links(one)


def _when(notice: Notice) -> str:
    return utc(notice.time) if notice.time else f"in block {notice.place[0]}"


def _answer_words(reply: Reply) -> str:
    if not reply.statement:
        return f"evidence {to_hex(reply.notice.evidence)}"
    return f"“{one_line(reply.statement, _LONGEST)}”"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def _evidence(notice: Notice) -> list[tuple[str, str]]:
    inline = notice.uri[:5].lower() == "data:"
    where = "in the objection itself" if inline else one_line(notice.uri) or "not published"
    return [("Evidence", to_hex(notice.evidence)), *([] if _linked(notice.uri) else [("Found", where)])]


def _linked(uri: str) -> bool:
    try:
        return urlsplit(uri).scheme.lower() in _LINKED and uri.isprintable()
    except ValueError:
        return False


def _links(one: Objection) -> None:
    """Links that the visitor may follow, at their own risk; this server does not."""
    for reply in one.replies:
        if _linked(reply.notice.uri):
            link("Evidence of the answer", reply.notice.uri)
    if _linked(one.notice.uri):
        link("Evidence of the objection, on a stranger's site", one.notice.uri)


# One's own word


def act(content: bytes, claim: Claim, objections: list[Objection]) -> None:
    """Object, or answer where the account is the claimant's: signed and sent by the account. Raises ChainError."""
    if pending():
        return
    notice()
    with st.expander("Object to this claim, or answer an objection"), guarded("objecting"):
        st.markdown("It is signed, public and for good. It decides nothing; everybody who verifies can see it.")
        account = account_bar("Objections and answers are signed by an account.")
        if account is None:
            return
        claimant = client().root_of(account.address) == client().root_of(claim.creator)
        document = _answer(objections) if claimant else _objection(content)
        if document is not None and evidence_digest(document) in _published(objections):
            st.success("Published: it stands above.")
        elif document is not None:
            perform(account, _action(account, content, document, claimant))


def _published(objections: list[Objection]) -> set[bytes]:
    notices = [one.notice for one in objections]
    return {said.evidence for said in notices + [reply.notice for one in objections for reply in one.replies]}


def _answer(objections: list[Objection]) -> bytes | None:
    if not objections:
        st.caption("This claim is yours, and nobody objects to it.")
        return None
    to = st.selectbox("Which objection?", objections, key="answer-to", format_func=_in_short)
    statement = _statement("Your answer")
    return dump_evidence(Answer(to.notice.id, statement)) if statement else None


def _in_short(one: Objection) -> str:
    return f"by {checksum(one.notice.objector)}, {_when(one.notice)}"


def _objection(content: bytes) -> bytes | None:
    statement = _statement("Why do you object?")
    own = st.text_input("SHA-256 of your own earlier work, if there is one (claimed by you)", key="object-own").strip()
    mine = st.text_input("Where nodes find your work (https)", key="object-copy").strip()
    theirs = st.text_input("Where nodes find the disputed work (https)", key="object-disputed").strip()
    if not statement:
        st.caption("Say why; then you see what it costs.")
        return None
    disputed = Exhibit(content, (theirs,) if theirs else ())
    if not own:
        return dump_evidence(Grounds("other", disputed, statement=statement))
    work = Exhibit(from_hex(own, 32, "SHA-256"), (mine,) if mine else ())
    return dump_evidence(Grounds("similar work", disputed, work, statement=statement))


def _statement(label: str) -> str:
    return st.text_area(label, key="object-statement", max_chars=_LONGEST).strip()


def _action(account: Account, content: bytes, document: bytes, claimant: bool) -> Action:
    if len(document) > INLINE:
        raise InputError(f"Together this is longer than {INLINE} bytes.", "Say it in fewer words.")
    proof = evidence_digest(document)
    call = object_call(client().contracts, content, proof, inline_uri(document))
    label = "Publish the answer" if claimant else "Publish the objection"
    words = ("Your words and your address become public, and stay so.",)
    return Action(intent("object", content, proof, account.address), label, call, words)
