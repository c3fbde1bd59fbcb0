"""``deal propose``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import to_hex
from countersign.cli.agreed import keep, now_on, require_served
from countersign.cli.shell import Shell, command, content_of
from countersign.cli.units import ADDRESS, DURATION
from countersign.deal import flow, terms
from countersign.deal.brief import MAX_BYTES, Brief, dump_brief, load_brief
from countersign.deal.timeline import WHOLE
from countersign.deal.words import Currency, read_duration, read_time
from countersign.durable import open_regular, write_durably
from countersign.errors import InputError
from countersign.records import Milestone, Terms

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["propose_command"]


@command(
    "propose",
    """
countersign deal propose mill --payee 0x… --amount 0.5 --policy 0x… --deliver-by 3d --title "The old mill" --show mill
countersign deal propose mill --payee 0x… --amount 90 --token 0x… --brief mill.brief.json --deliver-by 2030-12-31T18:00Z
countersign deal propose site --payee 0x… --amount 3 --milestone 1:5d:2d --deliver-by 3d --verdict-by 5d --title Site
""",
)
@click.argument("name")
@click.option("--payee", type=ADDRESS, required=True, metavar="0x…", help="Who delivers and is paid.")
@click.option("--payer", type=ADDRESS, metavar="0x…", help="Who pays. [you]")
@click.option("--amount", required=True, metavar="N", help="Of all milestones, in coin or --token, e.g. 0.5.")
@click.option("--token", type=ADDRESS, default=bytes(20), metavar="0x…", help="ERC-20 to pay with. [the chain's coin]")
@click.option("--policy", type=ADDRESS, default=bytes(20), metavar="0x…", help="Who judges. [nobody]")
@click.option("--deliver-by", required=True, metavar="TIME", help="3d from now, or 2030-12-31T18:00Z.")
@click.option("--verdict-by", metavar="TIME", help="Likewise. [--deliver-by and time for three rounds of --policy]")
@click.option("--arbiter", type=ADDRESS, default=bytes(20), metavar="0x…", help="ERC-792, for disputes. [nobody]")
@click.option("--dispute-time", type=DURATION, default=0, metavar="TIME", help="To ask it, after --verdict-by.")
@click.option("--ruling-time", type=DURATION, default=0, metavar="TIME", help="For it to rule.")
@click.option("--silence-share", type=float, default=0, metavar="PERCENT",
              help="What the payee gets when nobody judges: 0 refunds, 100 pays. [0]")  # fmt: skip
@click.option("--milestone", "milestones", multiple=True, metavar="AMOUNT:DELIVER:VERDICT",
              help="A later milestone with its times, e.g. 0.2:5d:2d; repeatable.")  # fmt: skip
@click.option("--brief", type=click.Path(path_type=Path), help="The brief's file, instead of the options below.")
@click.option("--brief-uri", help="Where the brief is served. [inside the transaction]")
@click.option("--title", help="What is ordered, in a few words.")
@click.option("--text", help="More words for people.")
@click.option("--type", "media_types", multiple=True, metavar="TYPE", help="Allowed, e.g. image/jpeg; repeatable.")
@click.option("--show", "must_show", multiple=True, metavar="WORDS", help="Must be readable in it; repeatable.")
@click.option("--reference", metavar="FILE|0x…", help="The picture it is compared with.")
@click.option("--reference-uri", help="Where the reference is served. [a local copy, on the local chain]")
def propose_command(shell: Shell, name: str, payer: bytes | None, brief: Path | None, brief_uri: str | None,
             **said: Any) -> None:  # fmt: skip
    """Write NAME.terms.json, to be shared with the other party, and NAME.brief.json. Nothing is sent or paid."""
    path = Path(name.removesuffix(terms.SUFFIX) + terms.SUFFIX)
    if path.exists():
        raise InputError(f"{path} exists already.", "Open it, move it away, or choose another name.")
    client = shell.client()
    now, currency = now_on(client), flow.currency_of(client, said["token"])
    draft = _draft(client, payer or shell.own_address(), currency, now, said)
    document = _brief(shell, brief, said)
    file = terms.propose(client, draft, document, brief_uri or terms.inline(document), now)
    if brief_uri:
        require_served(shell, brief_uri, file.terms.brief)
    if brief is None:
        write_durably(path.with_name(path.name.removesuffix(terms.SUFFIX) + ".brief.json"), document)
    file.save(path)
    policy = flow.policy_or_none(client, file.terms.policy)
    lines = terms.preview(file.terms, policy, load_brief(document), currency, now)
    facts = {"file": str(path), "dealId": to_hex(file.deal_id), "preview": lines,
             "warnings": terms.warnings(file.terms, policy)}  # fmt: skip
    shell.answer(facts, "\n".join([*lines, "", f"deal {to_hex(file.deal_id)}", f"terms: {path}"]))


def _draft(client: Client, payer: bytes, currency: Currency, now: int, said: dict[str, Any]) -> Terms:
    """Terms as said, still without brief and salt."""
    deliver_by = read_time(said["deliver_by"], now)
    return Terms(
        payer=payer,
        payee=said["payee"],
        amount=currency.read(said["amount"]),
        deliver_by=deliver_by,
        verdict_by=_verdict_by(client, deliver_by, now, said),
        token=said["token"],
        policy=said["policy"],
        arbiter=said["arbiter"],
        dispute_time=said["dispute_time"],
        ruling_time=said["ruling_time"],
        silence_share=_basis_points(said["silence_share"]),
        milestones=tuple(_milestone(text, currency) for text in said["milestones"]),
    )


def _verdict_by(client: Client, deliver_by: int, now: int, said: dict[str, Any]) -> int:
    if said["verdict_by"]:
        return read_time(said["verdict_by"], now)
    policy = flow.policy_or_none(client, said["policy"])
    if policy:
        return terms.default_verdict_by(deliver_by, policy)
    if any(said["policy"]):
        raise terms.unknown_policy(said["policy"])
    raise InputError("Nothing says when the deal ends after a delivery.", "Give --verdict-by, or a --policy.")


def _basis_points(percent: float) -> int:
    points = round(percent * 100)
    if not 0 <= points <= WHOLE or abs(points - percent * 100) > 1e-6:
        raise InputError(f"A silence share of {percent} percent is not possible.", "Give 0 to 100, like 33.33.")
    return points


def _milestone(text: str, currency: Currency) -> Milestone:
    parts = text.split(":")
    if len(parts) != 3:
        raise InputError(f"'{text}' is not a milestone.", "Write AMOUNT:DELIVER:VERDICT, such as 0.2:5d:2d.")
    return Milestone(currency.read(parts[0]), read_duration(parts[1]), read_duration(parts[2]))


def _brief(shell: Shell, path: Path | None, said: dict[str, Any]) -> bytes:
    """The brief's document: the file, or one made of the options."""
    if path is None and not said["title"]:
        raise InputError("Nothing is ordered.", "Give --title, or --brief FILE.")
    if path is None:
        reference, uri = _reference(shell, said)
        words = (said["title"], said["text"] or "", said["media_types"], said["must_show"])
        return dump_brief(Brief(*words, reference, uri))
    if any(said[name] for name in ("title", "text", "media_types", "must_show", "reference", "reference_uri")):
        raise InputError("The brief's file says already what is ordered.", "Leave the other options out with --brief.")
    with open_regular(path) as file:
        return file.read(MAX_BYTES + 1)


def _reference(shell: Shell, said: dict[str, Any]) -> tuple[bytes, str]:
    if not said["reference"]:
        return bytes(32), ""
    reference = content_of(shell, said["reference"])
    uri = said["reference_uri"] or keep(shell, Path(said["reference"]), reference)
    require_served(shell, uri, reference)
    return reference, uri
