"""Terms: sound before anybody pays, shared as one file, explained in plain words."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from countersign.canonical import checksum, deal_id, dump_terms, from_address, load_terms, to_hex
from countersign.chain.client import Client
from countersign.chain.deployments import deal_contracts_on
from countersign.deal.brief import Brief, brief_digest, load_brief
from countersign.deal.flow import currency_of, policy_or_none
from countersign.deal.timeline import WHOLE, amount_of, milestones_of, silence_effect
from countersign.deal.words import Currency, show_duration, when
from countersign.durable import write_durably
from countersign.errors import InputError
from countersign.records import DealContracts, Policy, Terms

__all__ = [
    "FORMAT",
    "SUFFIX",
    "TermsFile",
    "default_verdict_by",
    "fresh_salt",
    "inline",
    "preview",
    "propose",
    "require_openable",
    "require_sound",
    "require_supported",
    "unknown_policy",
    "warnings",
]

FORMAT = "countersign-terms/1"
SUFFIX = ".terms.json"
_FIELDS = {"format", "chainId", "escrow", "dealId", "terms", "briefUri", "brief"}
_MAX_FILE = 1 << 20
_LONGEST = 3650 * 86400
_MAX_MILESTONES = 256


# The file


@dataclass(frozen=True)
class TermsFile:
    """Terms with the brief they bind and where others find it: all that the other party needs."""

    contracts: DealContracts
    terms: Terms
    brief: bytes
    brief_uri: str

    @property
    def deal_id(self) -> bytes:
        """Names the deal, before and after it is opened."""
        return deal_id(self.contracts, self.terms)

    def to_text(self) -> str:
        """What :meth:`from_text` reads: JSON."""
        document = {
            "format": FORMAT,
            "chainId": self.contracts.chain_id,
            "escrow": checksum(self.contracts.escrow),
            "dealId": to_hex(self.deal_id),
            "terms": dump_terms(self.terms),
            "briefUri": self.brief_uri,
            "brief": self.brief.decode(),
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def save(self, path: Path) -> None:
        """Write durably. Raises InputError when the file is there already."""
        write_durably(path, self.to_text().encode(), replace=False)

    @classmethod
    def from_text(cls, text: str | bytes, name: str) -> TermsFile:
        """Read and check: the deal's id must follow from the terms, the terms from the brief. Raises InputError, which
        calls the file ``name``."""
        document = _document(text, name)
        contracts = _contracts(name, document)
        brief, uri = document["brief"], document["briefUri"]
        if not isinstance(brief, str) or not isinstance(uri, str):
            raise _changed(name, "brief and briefUri must be texts")
        file = cls(contracts, load_terms(document["terms"]), brief.encode(errors="replace"), uri)
        if to_hex(file.deal_id) != document["dealId"]:
            raise _changed(name, "its dealId does not follow from its terms")
        if brief_digest(file.brief) != file.terms.brief:
            raise _changed(name, "its brief is not the one that its terms name")
        load_brief(file.brief)
        return file

    @classmethod
    def load(cls, path: Path) -> TermsFile:
        """:meth:`from_text` of a file. Raises InputError."""
        try:
            with path.open("rb") as stream:
                return cls.from_text(stream.read(_MAX_FILE), str(path))
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error


def _document(text: str | bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT or document.keys() != _FIELDS:
        raise InputError(f"{name} is not a file of terms.", "Give the file that 'deal propose' wrote.")
    return document


def _contracts(name: str, document: dict[str, Any]) -> DealContracts:
    chain = document["chainId"]
    if isinstance(chain, bool) or not isinstance(chain, int) or not isinstance(document["escrow"], str):
        raise _changed(name, "chainId or escrow is missing")
    contracts = deal_contracts_on(chain)
    if from_address(document["escrow"]) != contracts.escrow:
        raise InputError(
            f"{name} is for the escrow {document['escrow']}, which this version does not know.",
            f"It knows {checksum(contracts.escrow)}: agree on new terms, or use the version that wrote them.",
        )
    return contracts


def _changed(name: str, how: str) -> InputError:
    return InputError(f"{name} was changed: {how}.", "Ask for the original file.")


def inline(brief: bytes) -> str:
    """A data: URI (RFC 2397) that holds the brief itself: nobody has to host it."""
    return "data:application/json;base64," + base64.b64encode(brief).decode()


def fresh_salt() -> bytes:
    """Tells deals with otherwise equal terms apart; mostly zero bytes, which are cheap in a transaction."""
    return secrets.token_bytes(8).rjust(32, b"\0")


# Soundness


def require_sound(contracts: DealContracts, terms: Terms, now: int) -> None:
    """Raise InputError for whatever ``open`` would refuse in a block of second ``now``."""
    for rule in (_parties, _amounts, _deadlines, _later_times, _dispute_times, _rest):
        rule(contracts, terms, now)


def _refuse_if(bad: bool, message: str, next_step: str) -> None:
    if bad:
        raise InputError(message, next_step)


def _parties(contracts: DealContracts, t: Terms, _: int) -> None:
    for name, party in (("payer", t.payer), ("payee", t.payee)):
        _refuse_if(not any(party), f"The {name} is the zero address.", "Give the address of a person.")
        _refuse_if(party == contracts.escrow, f"The {name} is the escrow itself.", "Give the address of a person.")
    _refuse_if(t.payer == t.payee, "Payer and payee are the same.", "Give the other party's address.")
    _refuse_if(t.arbiter in (t.payer, t.payee), "The arbiter is one of the parties.", "Name a third one.")


def _amounts(_: DealContracts, t: Terms, __: int) -> None:
    _refuse_if(len(t.milestones) >= _MAX_MILESTONES, "There are too many milestones.", "At most 255 after the first.")
    _refuse_if(t.amount == 0, "The amount is 0.", "Give an amount.")
    _refuse_if(min(milestones_of(t)) <= 0, "Some milestone gets nothing.", "The first gets what the others leave.")


def _deadlines(_: DealContracts, t: Terms, now: int) -> None:
    _refuse_if(t.deliver_by <= now, f"The delivery was due {when(t.deliver_by, now)}.", "Give a later time.")
    _refuse_if(
        t.verdict_by <= t.deliver_by,
        f"The verdict is due {when(t.verdict_by, now)}, not after the delivery.",
        "Give a later time.",
    )
    _refuse_if(t.verdict_by > now + _LONGEST, "The verdict is due in more than ten years.", "Give an earlier time.")


def _later_times(_: DealContracts, t: Terms, __: int) -> None:
    longest = max((max(m.deliver_time, m.verdict_time) for m in t.milestones), default=0)
    _refuse_if(longest > _LONGEST, "A milestone takes more than ten years.", "Give shorter times.")
    _refuse_if(any(m.deliver_time == 0 for m in t.milestones), "A milestone has no time to deliver.", "Give it some.")


def _dispute_times(_: DealContracts, t: Terms, __: int) -> None:
    times = (t.dispute_time, t.ruling_time)
    if any(t.arbiter):
        _refuse_if(0 in times, "An arbiter needs time for the dispute and for the ruling.", "Give both times.")
    else:
        _refuse_if(any(times), "There is no arbiter to use these times.", "Name an arbiter, or leave the times out.")
    _refuse_if(max(times) > _LONGEST, "A dispute takes more than ten years.", "Give shorter times.")


def _rest(_: DealContracts, t: Terms, __: int) -> None:
    _refuse_if(t.silence_share > WHOLE, "The silence share is more than everything.", "Give 0 to 100 percent.")
    in_use = any(t.buyer_key) or t.reveal_time != 0
    _refuse_if(in_use, "Encrypted deliveries are not part of this version.", "Leave buyerKey and revealTime 0.")


def default_verdict_by(deliver_by: int, policy: Policy) -> int:
    """Leaves the committee a second round, and as much again, after a delivery in the last second."""
    return deliver_by + 3 * policy.submit_time + policy.challenge_time


def require_openable(client: Client, terms: Terms, now: int) -> tuple[Policy | None, Currency]:
    """All that can be known before paying: the terms are sound, and policy, arbiter and token are on this chain.
    Returns the policy (None where the terms name none) and the currency. Raises InputError."""
    require_sound(client.deals, terms, now)
    return require_supported(client, terms), currency_of(client, terms.token)


def propose(client: Client, terms: Terms, brief: bytes, brief_uri: str, now: int) -> TermsFile:
    """``terms`` with this brief and a fresh salt, as a file to share. Raises InputError for terms that nobody could
    open in a block of second ``now``."""
    load_brief(brief)
    bound = replace(terms, brief=brief_digest(brief), salt=fresh_salt())
    require_openable(client, bound, now)
    return TermsFile(client.deals, bound, brief, brief_uri)


def require_supported(client: Client, terms: Terms) -> Policy | None:
    """The policy of the terms, or None where they name none. Raises InputError when policy or arbiter do not exist on
    this chain, or when the times leave the committee no second round."""
    if any(terms.arbiter):
        client.arbitration_cost(terms.arbiter)
    if not any(terms.policy):
        return None
    policy = policy_or_none(client, terms.policy)
    if policy is None:
        raise unknown_policy(terms.policy)
    _require_time_to_judge(terms, policy)
    return policy


def unknown_policy(policy: bytes) -> InputError:
    """What to say of a policy that this chain's Oracle did not create."""
    return InputError(f"There is no policy {checksum(policy)} on this chain.", "See: countersign policy list.")


def _require_time_to_judge(terms: Terms, policy: Policy) -> None:
    """The committee must be able to answer, lapse, and answer again, with its challenge window, before the deadline."""
    needed = 2 * policy.submit_time + policy.challenge_time
    times = [terms.verdict_by - terms.deliver_by, *(m.verdict_time for m in terms.milestones)]
    if min(times) < needed:
        raise InputError(
            f"{show_duration(min(times))} from delivery to verdict is too short for this policy.",
            f"Leave at least {show_duration(needed)}: twice its time to answer, and its challenge window.",
        )


def warnings(terms: Terms, policy: Policy | None) -> list[str]:
    """What is allowed and may still surprise."""
    found = []
    if policy is None:
        found.append("No committee judges: only payer, payee and time decide.")
    if not any(terms.arbiter):
        found.append("There is no arbiter: where no verdict counts, the silence share decides alone.")
    if policy and not any(policy.arbiter):
        found.append("Nobody can challenge the committee: its word is final.")
    return found


# In plain words


def preview(terms: Terms, policy: Policy | None, brief: Brief, currency: Currency, now: int) -> list[str]:
    """The terms in sentences, one per line, as of second ``now``."""
    parts: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _who(terms, brief, currency),
        lambda: _delivery(terms, currency, now),
        lambda: _judgement(terms, policy, currency, now),
        lambda: _silence(terms, currency, now),
        lambda: _milestones(terms, currency),
        lambda: iter([f"At any time {_AT_ANY_TIME}"]),
        lambda: (f"Note: {warning}" for warning in warnings(terms, policy)),
    )
    return [line for part in parts for line in part()]


_AT_ANY_TIME = "the payer may release the money, and the payee may give it back."


def _who(t: Terms, brief: Brief, currency: Currency) -> Iterator[str]:
    yield f"{checksum(t.payer)} (payer) puts {currency.show(t.amount)} into the escrow for {checksum(t.payee)} (payee)."
    if any(t.token):
        yield f"The money is the token {checksum(t.token)}, which calls itself {currency.symbol}."
    yield f"Ordered: {_quoted(brief.title)}."
    if brief.text:
        yield f"In words: {_quoted(brief.text)}."
    if brief.media_types:
        yield f"Its type is one of: {_quoted(*brief.media_types)}."
    if brief.must_show:
        yield f"It must show: {_quoted(*brief.must_show)}."
    if any(brief.reference):
        yield f"It is compared with {to_hex(brief.reference)}."


def _quoted(*texts: str) -> str:
    """Words of the other party, each on one line and in quotes that it cannot close: they must not look like ours."""
    return ", ".join(json.dumps(" ".join(text.split()), ensure_ascii=False) for text in texts)


def _delivery(t: Terms, currency: Currency, now: int) -> Iterator[str]:
    yield f"If nothing is delivered by {when(t.deliver_by, now)}, the payer gets {currency.show(t.amount)} back."


def _judgement(t: Terms, policy: Policy | None, currency: Currency, now: int) -> Iterator[str]:
    if policy is None:
        return
    yield (
        f"A committee of {len(policy.seats)} judges (policy {checksum(t.policy)}): if {policy.k} of them give "
        f"{policy.pass_score} or more of 100, the payee gets {currency.show(amount_of(t, 0))}; if too many give less, "
        f"the payer gets {currency.show(t.amount)} back."
    )
    if policy.challenge_time:
        who = f"before {checksum(policy.arbiter)}" if any(policy.arbiter) else "by nobody: there is no arbiter"
        yield f"The verdict may be challenged for {show_duration(policy.challenge_time)}, {who}."
    yield f"A verdict counts when it is final by {when(t.verdict_by, now)}."


def _silence(t: Terms, currency: Currency, now: int) -> Iterator[str]:
    effect = silence_effect(t, 0, currency.show)
    if any(t.arbiter):
        yield (
            f"If nobody judges by then, either party has {show_duration(t.dispute_time)} to ask the arbiter "
            f"{checksum(t.arbiter)}, who has {show_duration(t.ruling_time)} to rule."
        )
        yield f"If nobody asks, or the arbiter is silent, {effect}."
    else:
        yield f"If nobody judges by {when(t.verdict_by, now)}, {effect}."


def _milestones(t: Terms, currency: Currency) -> Iterator[str]:
    if t.milestones:
        yield f"There are {len(t.milestones) + 1} milestones; the above is about the first."
    for number, m in enumerate(t.milestones, 2):
        yield (
            f"Milestone {number}: {currency.show(m.amount)}, delivered within {show_duration(m.deliver_time)} of the "
            f"payment before, judged within {show_duration(m.verdict_time)} of the delivery."
        )
