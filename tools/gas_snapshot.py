"""The gas of every verb in its usual case, against tests/gas-snapshot.json.

``python -m tools.gas_snapshot`` writes what is new and what fell; with ``--adr N`` also what rose: such an entry names
the decision record (docs/adr) that allows it. The jobs of ``python -m bench gas`` are made of these verbs.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.gas.committee import ARBITER, CHALLENGE, Committee, Member, recruit
from bench.gas.lab import Lab
from countersign.canonical import (
    adoption_digest,
    amendment_digest,
    attestation_digest,
    claim_digest,
    deal_id,
    keccak,
    leaf_data,
    model_digest,
    pack_attestation,
    subject_of,
    to_hex,
    work_id,
)
from countersign.chain.codec import tuple_of
from countersign.keys.ecdsa import address_of, sign
from countersign.merkle import hash_leaf
from countersign.records import Adoption, Attestation, Milestone, Model, Opening, Policy, Request, Seat, Terms, Work
from countersign.records import Path as Inclusion
from tools.devnet import Devnet

__all__ = ["Entry", "measure", "problems", "read"]

Entry = dict[str, int]
"""``gas``, and ``adr`` where it was allowed to rise."""

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "tests" / "gas-snapshot.json"
TOLERANCE = 0.02

_DAY, _AMOUNT, _FEE, _STAKE, _BOND = 86_400, 10**16, 10**15, 10**18, 10**16
_ANSWERS_ZERO = "0x5f5f5260205ff3"
"""Code of an arbiter that costs nothing and whose dispute is number 0, whatever it is asked."""
_REFUSES = "0x5f5ffd"
_EVIDENCE = "https://objector.example/evidence/42.json"
_PAYER, _PAYEE, _OTHER = 1, 2, 3


class _Run:
    """Calls verbs on a fresh chain, and remembers the gas of those that have a name."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.gas = lab, dict[str, int]()
        self.keys = [Member(secret, address_of(secret)) for secret in (keccak(b"key-%d" % n) for n in range(8))]
        for key in self.keys:
            lab.admit(key.address)

    def do(self, sender: bytes, name: str, *arguments: Any, value: int = 0) -> None:
        """``name`` is ``Contract.verb``, with a case after it where the verb has several."""
        contract, verb = name.split(" ")[0].split(".")
        self.gas[name] = self.lab.do(sender, contract, verb, *arguments, value=value)


def measure() -> dict[str, int]:
    """Gas by ``Contract.verb``, with a case where there are several."""
    with Devnet() as chain:
        run = _Run(Lab(chain))
        members = recruit(run.lab, 24)
        committee = Committee(run.lab, members[:5], 3)
        run.lab.client.rpc("anvil_setCode", to_hex(ARBITER), _ANSWERS_ZERO)
        run.lab.admit(ARBITER)
        _contents(run)
        _identities(run)
        _models(run)
        _deals(run, committee)
        _more_deals(run)
        _verdicts(run, members)
        _nodes(run)
        return run.gas


def _contents(run: _Run) -> None:
    key, other = run.keys[0], run.keys[1]
    openings = [_seal(run, each, work) for each, work in ((key, _work(0)), (other, _work(1)))]
    run.lab.wait(60)
    run.do(key.address, "ContentRegistry.claim", tuple_of(_work(0)), tuple_of(openings[0]))
    signature = sign(other.secret, claim_digest(run.lab.client.contracts, other.address, _work(1)))
    run.do(key.address, "ContentRegistry.claimFor", tuple_of(_work(1)), tuple_of(openings[1]), signature)
    run.do(key.address, "ContentRegistry.retract", _work(0).content, True)
    run.do(other.address, "ContentRegistry.object", _work(0).content, keccak(b"evidence"), _EVIDENCE)


def _work(number: int) -> Work:
    names = [keccak(b"%d-%d" % (number, field)) for field in range(5)]
    return Work(names[0], names[1], "trainedAlgorithmicMedia", *names[2:])


def _seal(run: _Run, key: Member, work: Work) -> Opening:
    contracts, salt = run.lab.client.contracts, keccak(b"salt" + key.address)
    leaf = leaf_data(contracts.chain_id, contracts.registry, key.address, work_id(work), salt)
    run.do(key.address, "ContentRegistry.seal", hash_leaf(leaf))
    return Opening(key.address, key.address, salt, Inclusion(0, 1))


def _identities(run: _Run) -> None:
    owner, second, third, guardian = run.keys[2:6]
    commitment = keccak(bytes(12) + second.address)
    run.do(owner.address, "Identities.register", commitment, guardian.address)
    adopted = Adoption(owner.address, second.address, keccak(b"third"), guardian.address)
    run.do(owner.address, "Identities.rotate", *_adoption(run, adopted, second))
    run.do(guardian.address, "Identities.suspect", owner.address, run.lab.now() - _DAY)
    run.do(guardian.address, "Identities.markCompromised", second.address)
    adopted = replace(adopted, key=third.address)
    run.do(guardian.address, "Identities.recover (schedules)", *_adoption(run, adopted, third))
    run.do(guardian.address, "Identities.cancel", owner.address)
    run.do(guardian.address, "Identities.recover (schedules)", *_adoption(run, adopted, third))
    run.lab.wait(7 * _DAY)
    run.do(guardian.address, "Identities.recover (completes)", *_adoption(run, adopted, third))


def _adoption(run: _Run, said: Adoption, key: Member) -> tuple[Any, bytes]:
    signature = sign(key.secret, adoption_digest(run.lab.client.contracts, said))
    return (said.identity, said.key, said.commitment, said.guardian), signature


def _models(run: _Run) -> None:
    key = run.keys[6]
    first, second = _model(key, b"1"), _model(key, b"2")
    run.do(key.address, "ModelRegistry.publish", tuple_of(first))
    signature = sign(key.secret, model_digest(run.lab.client.contracts, second))
    run.do(run.keys[0].address, "ModelRegistry.publishFor", tuple_of(second), signature)
    run.do(key.address, "ModelRegistry.deprecate", tuple_of(first))
    run.do(key.address, "ModelRegistry.revoke", tuple_of(first))


def _model(key: Member, version: bytes) -> Model:
    weights, root, card, data = (keccak(version + part) for part in (b"weights", b"root", b"card", b"data"))
    return Model(key.address, weights, root, card, data, "MIT")


def _deals(run: _Run, committee: Committee) -> None:
    """Paid on a verdict; disputed and ruled; refunded; expired."""
    judged, disputed, refunded, expired = (_terms(run, n, policy=committee.policy) for n in range(4))
    for terms in (judged, disputed, refunded, expired):
        _open(run, "Escrow.open (coin)", terms)
    for terms in (judged, disputed):
        run.do(terms.payee, "Escrow.deliver", tuple_of(terms), 0, keccak(b"delivery"), "https://seller.example/42.jpg")
    subject = subject_of(deal_id(run.lab.client.deals, judged), 0, keccak(b"delivery"))
    committee.request(judged.payee, subject)
    committee.submit(judged.payee, subject)
    run.lab.wait(CHALLENGE)
    run.do(judged.payee, "Escrow.settle (verdict)", tuple_of(judged))
    run.do(refunded.payee, "Escrow.refund", tuple_of(refunded))
    run.lab.wait(2 * _DAY)
    run.do(disputed.payer, "Escrow.dispute", tuple_of(disputed), "It is not what the brief asks for.")
    run.do(ARBITER, "Escrow.rule", 0, 3)
    run.do(disputed.payer, "Escrow.settle (ruling)", tuple_of(disputed))
    run.do(expired.payer, "Escrow.expire", tuple_of(expired))


def _more_deals(run: _Run) -> None:
    """Released in coin, in tokens and by milestones; amended; credited to a payee that refuses, and withdrawn."""
    lab = run.lab
    holders = (lab.accounts[_PAYER], lab.accounts[_PAYEE], lab.web3.to_checksum_address(lab.client.deals.escrow))
    token = lab.token(*holders)
    lab.run(token.functions.approve(holders[-1], 2**256 - 1), _PAYER)
    coin, moved = _terms(run, 10), _terms(run, 11, token=bytes.fromhex(token.address[2:]))
    parts = _terms(run, 12, milestones=(Milestone(_AMOUNT // 4, _DAY, _DAY), Milestone(_AMOUNT // 4, _DAY, _DAY)))
    for case, terms in {"coin": coin, "token": moved, "3 milestones": parts}.items():
        _open(run, f"Escrow.open ({case})", terms)
        run.do(terms.payer, f"Escrow.release ({case})", tuple_of(terms), 0)
    _amend(run, _terms(run, 13))
    refused = _terms(run, 14, payee=run.keys[7].address)
    _open(run, "Escrow.open (coin)", refused)
    lab.client.rpc("anvil_setCode", to_hex(refused.payee), _REFUSES)
    run.do(refused.payer, "Escrow.release (credited)", tuple_of(refused), 0)
    lab.client.rpc("anvil_setCode", to_hex(refused.payee), "0x")
    run.do(refused.payer, "Escrow.withdraw", bytes(20), refused.payee)


def _terms(run: _Run, number: int, **changes: Any) -> Terms:
    """A day to deliver, another for the verdict, and an arbiter."""
    now, lab = run.lab.now(), run.lab
    terms = Terms(lab.account(_PAYER), lab.account(_PAYEE), _AMOUNT, now + _DAY, now + 2 * _DAY)
    usual: dict[str, Any] = {"brief": keccak(b"brief"), "dispute_time": _DAY, "ruling_time": _DAY, "arbiter": ARBITER}
    salt = keccak(b"salt-%d" % number)[:8].rjust(32, b"\0")
    return replace(terms, **(usual | {"silence_share": 5_000, "salt": salt} | changes))


def _open(run: _Run, name: str, terms: Terms) -> None:
    value = terms.amount if terms.token == bytes(20) else 0
    run.do(terms.payer, name, tuple_of(terms), "https://buyer.example/briefs/42.json", value=value)


def _amend(run: _Run, terms: Terms) -> None:
    """By the payer, with the signature of a payee."""
    payee = run.keys[0]
    old, new = (replace(terms, payee=payee.address, silence_share=share) for share in (0, 10_000))
    _open(run, "Escrow.open (coin)", old)
    deals = run.lab.client.deals
    agreed = sign(payee.secret, amendment_digest(deals, deal_id(deals, old), deal_id(deals, new)))
    run.do(old.payer, "Escrow.amend", tuple_of(old), tuple_of(new), "https://buyer.example/43.json", b"", agreed)


def _verdicts(run: _Run, members: list[Member]) -> None:
    """Asked with and without a fee, decided by 3 and by 13, paid; challenged and ruled; a liar slashed."""
    someone, lab = run.lab.account(_OTHER), run.lab
    seats = tuple(Seat(member.address, keccak(member.address)) for member in members[5:10])
    policy = Policy(keccak(b"delivery/1"), seats, 3, 70, _DAY, _DAY, _DAY, _FEE, _BOND, _STAKE, ARBITER)
    run.do(someone, "Oracle.createPolicy (5 seats)", tuple_of(policy))
    small, large = Committee(lab, members[:5], 3, _FEE), Committee(lab, members, 13)
    paid, ruled = keccak(b"paid"), keccak(b"ruled")
    for name, committee, subject in (("3 of 5", small, paid), ("3 of 5", small, ruled), ("13 of 24", large, paid)):
        run.gas[f"Oracle.request ({name})"] = committee.request(someone, subject)
        run.gas[f"Oracle.submit ({name})"] = committee.submit(someone, subject)
    run.do(someone, "Oracle.challenge", ruled, small.policy, "The nodes are wrong.", value=_BOND)
    run.do(ARBITER, "Oracle.rule", 0, 1)
    lab.wait(CHALLENGE)
    run.do(someone, "Oracle.withdraw (three signers)", paid, small.policy, 0)
    _slash(run, small.policy, paid, members[4])
    run.do(members[1].address, "Oracle.suspendSeat", small.policy, 1)


def _slash(run: _Run, policy: bytes, subject: bytes, liar: Member) -> None:
    """The last seat's node says 90 and 10 of the same request."""
    request, issued_at = Request(subject, policy, 0), run.lab.client.verdict(subject, policy).requested_at
    said = [Attestation(request, score, keccak(b"evidence"), issued_at) for score in (90, 10)]
    digests = [attestation_digest(run.lab.client.deals, each) for each in said]
    packed = [
        pack_attestation(each.score, each.evidence, sign(liar.secret, digest))
        for each, digest in zip(said, digests, strict=True)
    ]
    proof = ((subject, policy, 0), 4, issued_at, *packed)
    run.do(run.lab.account(_OTHER), "Oracle.slashEquivocation", proof)


def _nodes(run: _Run) -> None:
    node, oracle = run.keys[1].address, run.lab.client.deals.oracle
    run.do(node, "OracleNodes.join", oracle, keccak(node), value=_STAKE)
    run.do(node, "OracleNodes.leave")
    run.lab.wait(14 * _DAY)
    run.do(node, "OracleNodes.withdraw")


# The snapshot


def read() -> dict[str, Entry]:
    """The committed snapshot, by verb."""
    entries: dict[str, Entry] = json.loads(FILE.read_text())
    return entries


def problems(stored: Mapping[str, Entry], measured: Mapping[str, int]) -> list[str]:
    """A sentence for each verb whose gas is not what the snapshot says, within TOLERANCE."""
    lines = [f"{name}: it is not measured any more. Run: make gas-snapshot" for name in stored if name not in measured]
    for name, gas in measured.items():
        before = stored.get(name, {}).get("gas")
        if before is None:
            lines.append(f"{name}: {gas} gas, not in the snapshot yet. Run: make gas-snapshot")
        elif gas > before * (1 + TOLERANCE):
            lines.append(
                f"{name}: {before} → {gas} gas. Save it, or decide it in docs/adr: make gas-snapshot ADR=number"
            )
        elif gas < before * (1 - TOLERANCE):
            lines.append(f"{name}: {before} → {gas} gas, which is to stay so. Run: make gas-snapshot")
    return lines


def renewed(stored: Mapping[str, Entry], measured: Mapping[str, int], adr: int | None) -> dict[str, Entry]:
    """The next snapshot; what moved by TOLERANCE at most stays. Raises SystemExit for a rise without ``adr``."""
    entries: dict[str, Entry] = {}
    for name, gas in sorted(measured.items()):
        before = stored.get(name)
        if before and abs(gas - before["gas"]) <= TOLERANCE * before["gas"]:
            entries[name] = before
        elif before is None or gas < before["gas"]:
            entries[name] = {"gas": gas}
        elif adr is None:
            raise SystemExit(
                f"{name} rose from {before['gas']} to {gas} gas: save it, or name the decision: --adr NUMBER"
            )
        else:
            entries[name] = {"gas": gas, "adr": adr}
    return entries


def main() -> int:
    """Write the snapshot."""
    parser = argparse.ArgumentParser(prog="python -m tools.gas_snapshot", description=__doc__)
    parser.add_argument("--adr", type=int, metavar="NUMBER", help="the record in docs/adr that allows what rose")
    adr = parser.parse_args().adr
    if adr is not None and not list((ROOT / "docs" / "adr").glob(f"{adr:04}-*.md")):
        parser.error(f"there is no docs/adr/{adr:04}-….md: write down why first")
    entries = renewed(read() if FILE.exists() else {}, measure(), adr)
    FILE.write_text(json.dumps(entries, indent=1) + "\n")
    print(f"{len(entries)} verbs in {FILE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
