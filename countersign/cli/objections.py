"""``object``, ``answer``, ``objections``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import checksum, from_hex, keccak, objection_id, to_hex
from countersign.certificate import Certificate
from countersign.chain.sender import intent
from countersign.cli.agreed import keep, now_on, require_served
from countersign.cli.shell import Shell, certificate_path, command, content_of, digest
from countersign.cli.text import one_line
from countersign.deal.words import COIN
from countersign.errors import InputError, SignerError
from countersign.records import ZERO
from countersign.seal import object_call
from countersign.seal.objection import (
    INLINE,
    KINDS,
    Answer,
    Exhibit,
    Grounds,
    dump_evidence,
    evidence_digest,
    inline_uri,
    load_evidence,
)
from countersign.settings import LOCAL_CHAIN
from countersign.times import utc

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.objections import Objection, Reply

__all__ = ["answer_command", "object_command", "objections_command"]

_TARGET = click.argument("target", metavar="FILE|0x…")
_URI = click.option("--uri", default="", metavar="URI", help="Where that document is served, for all to read.")
_STATEMENT = click.option("--statement", default="", metavar="TEXT", help="What you say, in public and for good.")


@command(
    "object",
    """
countersign object theirs.jpg --my-work mine.jpg --statement "Mine, sold to nobody." --key keystore:me.json
countersign object theirs.jpg --my-work mine.jpg --copy https://me.example/mine.jpg --disputed-copy https://…
countersign object 0x… --evidence letter.pdf --uri https://me.example/letter.pdf
""",
)
@_TARGET
@click.option(
    "--my-work", type=click.Path(path_type=Path), metavar="FILE", help="Your earlier work, with its certificate."
)
@click.option("--kind", type=click.Choice(KINDS), help="[similar work, with --my-work; else other]")
@_STATEMENT
@click.option("--copy", "copies", multiple=True, metavar="URI", help="Where nodes find your work; repeatable.")
@click.option("--disputed-copy", "disputed", multiple=True, metavar="URI", help="Where they find the other one.")
@click.option("--certificate-uri", default="", metavar="URI", help="Where your certificate is served.")
@click.option("--evidence", metavar="FILE|0x…", help="Any document that says why, instead of all this.")
@_URI
def object_command(shell: Shell, target: str, evidence: str | None, uri: str, **said: Any) -> None:
    """Publish an objection to somebody's claim. It decides nothing; everybody who verifies can see it.

    With --my-work a committee can judge it: countersign request ID --objection --policy 0x…
    """
    content, client = content_of(shell, target), shell.client()
    if (evidence is None) == (not any(said.values())):
        raise InputError("Say why, in one way.", "Give --my-work or --statement, or else --evidence.")
    if evidence is None and uri:
        raise InputError("The document travels in its own URI.", "Leave out --uri, or give --evidence FILE.")
    warnings: list[str] = []
    if evidence is not None:
        proof, uri = _given(shell, evidence, uri)
    else:
        grounds = _grounds(shell, client, target, content, **said)
        warnings = _doubts(client, grounds)
        proof, uri = _inline(dump_evidence(grounds))
    for warning in warnings:
        shell.say(f"warning: {warning}")
    facts = _publish(shell, client, "object", content, proof, uri) | {"warnings": warnings}
    shell.answer(facts, f"objected to the claim on {to_hex(content)}\nobjection {facts['objection']}")


def _given(shell: Shell, evidence: str, uri: str) -> tuple[bytes, str]:
    """Digest and URI of a document that is there already. One of ours that is small travels in its own URI."""
    proof = content_of(shell, evidence)
    if uri:
        require_served(shell, uri, proof)
        return proof, uri
    path = Path(evidence)
    if evidence.startswith("0x") or path.stat().st_size > INLINE:
        return proof, ""
    document = path.read_bytes()
    try:
        load_evidence(document)
    except InputError:
        return proof, ""
    return _inline(document)


def _inline(document: bytes) -> tuple[bytes, str]:
    if len(document) > INLINE:
        raise InputError(
            f"With {len(document)} bytes the document is too long to travel in its own URI ({INLINE}).",
            "Say it in fewer words, or serve a longer document and give --evidence FILE and --uri.",
        )
    return evidence_digest(document), inline_uri(document)


def _grounds(shell: Shell, client: Client, target: str, content: bytes, my_work: Path | None, kind: str | None,
             statement: str, copies: tuple[str, ...], disputed: tuple[str, ...],
             certificate_uri: str) -> Grounds:  # fmt: skip
    theirs = Exhibit(content, _copies(shell, Path(target), content, disputed))
    if my_work is None:
        return Grounds(kind or "other", theirs, statement=statement)
    path = certificate_path(my_work)
    if not path.exists():
        raise InputError(
            f"There is no certificate beside {my_work}.", "Your own work must be sealed: countersign seal."
        )
    own = Certificate.load(path).work.content
    if path != my_work and digest(shell, my_work).sha256 != own:
        raise InputError(f"{my_work} is not the work of its certificate.", "Restore the file as it was sealed.")
    if own == content:
        raise InputError("These are the very same bytes.", "Claim them: the earlier seal takes the claim.")
    mine = Exhibit(own, _copies(shell, my_work, own, copies))
    certified = digest(shell, path).sha256
    return Grounds(kind or "similar work", theirs, mine, certified, certificate_uri, statement)


def _copies(shell: Shell, path: Path, content: bytes, said: tuple[str, ...]) -> tuple[str, ...]:
    """Where nodes find a work. Locally the file at hand will do; elsewhere somebody has to serve it."""
    for uri in said:
        require_served(shell, uri, content)
    local = shell.settings.chain_id == LOCAL_CHAIN and path.is_file() and not path.name.endswith(".countersign.json")
    return said or ((keep(shell, path, content),) if local else ())


def _doubts(client: Client, grounds: Grounds) -> list[str]:
    """Why a committee would not uphold it as it stands."""
    if grounds.own is None:
        return []
    mine, theirs = client.claim_of(grounds.own.content), client.claim_of(grounds.disputed.content)
    doubts = []
    if mine is None:
        doubts.append("nobody claims your work; without a claim no node takes its seal for yours: countersign claim")
    elif theirs and mine.sealed_at >= theirs.sealed_at:
        doubts.append(f"your seal of {utc(mine.sealed_at)} is not earlier than theirs of {utc(theirs.sealed_at)}")
    if not (grounds.own.copies and grounds.disputed.copies):
        doubts.append("nodes cannot compare the works without copies of both: --copy and --disputed-copy")
    return doubts


def _publish(shell: Shell, client: Client, verb: str, content: bytes, proof: bytes, uri: str) -> dict[str, Any]:
    signer = shell.signer()
    call = object_call(client.contracts, content, proof, uri)
    name = intent("object", content, proof, signer.address, keccak(uri.encode()))
    receipt = shell.send(shell.sender(client, signer), call, name, verb)
    c = client.contracts
    return {
        "content": to_hex(content),
        "objection": to_hex(objection_id(c.chain_id, c.registry, content, signer.address, proof)),
        "evidence": to_hex(proof),
        "uri": uri,
        "transaction": to_hex(receipt.transaction),
    }


@command(
    "answer",
    """
countersign answer mine.jpg --to 0xOBJECTION --statement "I licensed it in 2024." --key keystore:me.json
countersign answer mine.jpg --to 0xOBJECTION --evidence licence.pdf --uri https://me.example/licence.pdf
""",
)
@_TARGET
@click.option("--to", "objection", required=True, metavar="0x…", help="Which one: countersign objections FILE.")
@_STATEMENT
@click.option("--evidence", metavar="FILE|0x…", help="A document that you point to.")
@_URI
def answer_command(
    shell: Shell, target: str, objection: str, statement: str, evidence: str | None, uri: str
) -> None:  # fmt: skip
    """Answer an objection to your claim, in public. By a key of the identity that claims the content."""
    content, named = content_of(shell, target), from_hex(objection, 32, "objection")
    if not statement and evidence is None:
        raise InputError("There is no answer.", "Give --statement, --evidence or both.")
    if uri and evidence is None:
        raise InputError("--uri says where a document is served, and none is given.", "Give --evidence.")
    client = shell.client()
    _require_claimant(client, shell.signer().address, content)
    _require_objection(shell, content, named)
    document = content_of(shell, evidence) if evidence else ZERO
    if uri:
        require_served(shell, uri, document)
    proof, inline = _inline(dump_evidence(Answer(named, statement, document, uri)))
    facts = _publish(shell, client, "answer", content, proof, inline) | {"objection": to_hex(named)}
    shell.answer(facts, f"answered the objection {to_hex(named)}")


def _require_claimant(client: Client, me: bytes, content: bytes) -> None:
    claim = client.claim_of(content)
    if claim is None:
        raise InputError(f"Nobody claims {to_hex(content)}.", "There is nothing to answer for.")
    if client.root_of(me) != client.root_of(claim.creator):
        raise SignerError(
            f"{checksum(claim.creator)} claims this content: an answer by {checksum(me)} would be an objection.",
            "Sign with a key of the claimant's identity.",
        )


def _require_objection(shell: Shell, content: bytes, named: bytes) -> None:
    from countersign.cli.index import bring_up_to_date

    row = bring_up_to_date(shell).objection(named)
    if row is None or row["content"] != content:
        raise InputError(
            f"{to_hex(named)} is no objection to this claim.", "They are listed: countersign objections FILE."
        )


@command("objections", "countersign objections photo.jpg\ncountersign objections 0x… --json")
@_TARGET
def objections_command(shell: Shell, target: str) -> None:
    """Objections to the claim on a content, with answers and verdicts: upheld ones first, then those of earlier
    sealers. Anybody may object, and anybody may found a committee."""
    from countersign.cli.index import bring_up_to_date
    from countersign.objections import facts_of, indexed

    content, client = content_of(shell, target), shell.client()
    found = indexed(bring_up_to_date(shell), client, content)
    lines = [line for one in found for line in _lines(one, now_on(client))]
    shell.answer(list(map(facts_of, found)), "\n".join(lines) or "Nobody objects to the claim.")


def _lines(one: Objection, now: int) -> list[str]:
    from countersign.objections import ruling_words

    sealed = ", who had sealed something before" if one.earlier else ""
    lines = [
        f"objection {to_hex(one.notice.id)}",
        f"  by {checksum(one.notice.objector)} on {utc(one.notice.time)}{sealed}",
        f"  evidence {_where(one.notice.evidence, one.notice.uri)}",
    ]
    if isinstance(said := one.notice.said, Grounds):
        lines += [f"  {said.kind}{f': {to_hex(said.own.content)}' if said.own else ''}"]
        lines += [f"  says “{one_line(said.statement)}”"] if said.statement else []
    lines += [_reply_line(reply) for reply in one.replies] or ["  unanswered"]
    return lines + [f"  {ruling_words(ruling, now, COIN.show)}" for ruling in one.rulings]


def _reply_line(reply: Reply) -> str:
    said = (
        f": “{one_line(reply.statement)}”"
        if reply.statement
        else f": {_where(reply.notice.evidence, reply.notice.uri)}"
    )
    return f"  the claimant answered on {utc(reply.notice.time)}{said}"


def _where(evidence: bytes, uri: str) -> str:
    """Digest and place; the words of an inline document are shown, not its bytes."""
    place = "in the objection itself" if uri[:5].lower() == "data:" else one_line(uri, 200) or "not published"
    return f"{to_hex(evidence)} ({place})"
