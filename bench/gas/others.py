"""Gas of the peers for jobs like ours: steady state, the second or later of several runs."""

from __future__ import annotations

from typing import Any

from web3.logs import DISCARD

from bench.gas.lab import Lab
from bench.peers import artifact, shipped
from countersign.canonical import keccak

__all__ = ["eas", "kleros", "kleros_token", "reality", "uma"]

_EAS = "@ethereum-attestation-service/eas-contracts@1.9.0"
_KLEROS = "@kleros/kleros-interaction@0.10.0"
_UMA = "@uma/core@2.62.2"
_REALITY = "@reality.eth/contracts@3.2.22"
_NOBODY = "0x" + "00" * 20
_EVIDENCE = "/ipfs/QmMetaEvidenceHashaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/m.json"
_PAYER, _PAYEE, _ASKER, _ARBITER = 1, 2, 3, 9
_AMOUNT, _BOND, _BOUNTY = 10**16, 10**16, 10**15
_DAY, _LIVENESS = 86_400, 7_200
_STEADY = 2
"""Runs until no first-time cost of a contract or account is left."""


def eas(lab: Lab) -> tuple[int, int]:
    """EAS 1.9 ``attest`` (bytes32 schema, no recipient) and ``timestamp``."""
    schemas = lab.deploy(_hardhat(_EAS, "SchemaRegistry"))
    eas = lab.deploy(_hardhat(_EAS, "EAS"), schemas.address)
    schema = "bytes32 contentHash"
    lab.run(schemas.functions.register(schema, _NOBODY, True))
    uid = keccak(schema.encode() + bytes(20) + b"\x01")
    attest = [lab.gas(eas.functions.attest((uid, (_NOBODY, 0, True, bytes(32), _hash(n), 0)))) for n in range(_STEADY)]
    timestamp = [lab.gas(eas.functions.timestamp(_hash(n))) for n in range(_STEADY)]
    return attest[-1], timestamp[-1]


def kleros(lab: Lab) -> int:
    """Kleros v1 escrow of coin: create and pay."""
    escrow = _kleros(lab, "MultipleArbitrableTransaction").functions
    payee = lab.accounts[_PAYEE]
    totals = [
        lab.gas(escrow.createTransaction(_DAY, payee, _EVIDENCE), _PAYER, _AMOUNT)
        + lab.gas(escrow.pay(deal, _AMOUNT), _PAYER)
        for deal in range(_STEADY)
    ]
    return totals[-1]


def kleros_token(lab: Lab) -> int:
    """Kleros v1 escrow of an ERC-20: create and pay."""
    contract = _kleros(lab, "MultipleArbitrableTokenTransaction")
    payer, payee, escrow = lab.accounts[_PAYER], lab.accounts[_PAYEE], contract.functions
    token = lab.token(payer, payee, contract.address)
    lab.run(token.functions.approve(contract.address, 2**256 - 1), _PAYER)
    totals = [
        lab.gas(escrow.createTransaction(_AMOUNT, token.address, _DAY, payee, _EVIDENCE), _PAYER)
        + lab.gas(escrow.pay(deal, _AMOUNT), _PAYER)
        for deal in range(_STEADY)
    ]
    return totals[-1]


def _kleros(lab: Lab, name: str) -> Any:
    arbiter = lab.deploy(_truffle("CentralizedArbitrator"), _BOUNTY)
    return lab.deploy(_truffle(name), arbiter.address, b"", 3_600)


def uma(lab: Lab) -> int:
    """UMA's optimistic oracle v3: assert (~90 bytes, bond pulled) and settle, nobody disputing."""
    asserter = lab.accounts[_ASKER]
    token = lab.token(asserter)
    oracle = _uma_oracle(lab, token)
    identifier, ask = oracle.functions.defaultIdentifier().call(), oracle.functions
    bond = ask.getMinimumBond(token.address).call()
    lab.run(token.functions.approve(oracle.address, 2**256 - 1), _ASKER)

    def once(n: int) -> int:
        claim = b"Content 0x" + _hash(n).hex().encode() + b" is AI generated"
        call = ask.assertTruth(claim, asserter, _NOBODY, _NOBODY, _LIVENESS, token.address, bond, identifier, bytes(32))
        asserted = lab.run(call, _ASKER)
        (event,) = oracle.events.AssertionMade().process_receipt(asserted, DISCARD)
        lab.wait(_LIVENESS + 1)
        return int(asserted["gasUsed"]) + lab.gas(ask.settleAssertion(event["args"]["assertionId"]), _PAYEE)

    return [once(n) for n in range(_STEADY + 1)][-1]


def _uma_oracle(lab: Lab, token: Any) -> Any:
    """The oracle with what it needs of UMA's voting system, set up as on a public chain."""
    voting = "data-verification-mechanism"
    finder = lab.deploy(_uma(f"{voting}/implementation/Finder"))
    parts = {
        b"CollateralWhitelist": lab.deploy(_uma("common/implementation/AddressWhitelist")),
        b"IdentifierWhitelist": lab.deploy(_uma(f"{voting}/implementation/IdentifierWhitelist")),
        b"Store": lab.deploy(_uma(f"{voting}/implementation/Store"), (0,), (0,), _NOBODY),
        b"Oracle": lab.deploy(_uma(f"{voting}/test/MockOracleAncillary"), finder.address, _NOBODY),
    }
    for name, part in parts.items():
        lab.run(finder.functions.changeImplementationAddress(name.ljust(32, b"\0"), part.address))
    lab.run(parts[b"CollateralWhitelist"].functions.addToWhitelist(token.address))
    lab.run(parts[b"Store"].functions.setFinalFee(token.address, (10**6,)))
    oracle = _uma("optimistic-oracle-v3/implementation/OptimisticOracleV3")
    contract = lab.deploy(oracle, finder.address, token.address, _LIVENESS)
    identifier = contract.functions.defaultIdentifier().call()
    lab.run(parts[b"IdentifierWhitelist"].functions.addSupportedIdentifier(identifier))
    return contract


def reality(lab: Lab) -> int:
    """Reality.eth 3.0: ask with a bounty, answer with a bond, claim after the timeout (no withdrawal)."""
    interface = artifact(_REALITY, "abi/solc-0.8.6/RealityETH-3.0.abi.json")
    code = shipped(_REALITY, "bytecode/RealityETH-3.0.bin").decode().strip()
    contract = lab.deploy({"abi": interface, "bytecode": code})
    ask, yes = contract.functions, (1).to_bytes(32, "big")

    def once(n: int) -> int:
        question = f"Is content 0x{_hash(n).hex()} AI generated?\u241fmisc\u241fen"
        asked = lab.run(ask.askQuestion(0, question, lab.accounts[_ARBITER], 60, 0, n), _ASKER, _BOUNTY)
        (event,) = contract.events.LogNewQuestion().process_receipt(asked, DISCARD)
        key, payee = event["args"]["question_id"], lab.accounts[_PAYEE]
        answered = lab.gas(ask.submitAnswer(key, yes, 0), _PAYEE, _BOND)
        lab.wait(61)
        claimed = lab.gas(ask.claimWinnings(key, [bytes(32)], [payee], [_BOND], [yes]), _PAYEE)
        lab.run(ask.withdraw(), _PAYEE)
        return int(asked["gasUsed"]) + answered + claimed

    return [once(n) for n in range(_STEADY)][-1]


def _hash(n: int) -> bytes:
    return keccak(b"content-%d" % n)


def _hardhat(package: str, path: str) -> dict[str, Any]:
    return artifact(package, f"artifacts/contracts/{path}.sol/{path.rpartition('/')[2]}.json")


def _uma(path: str) -> dict[str, Any]:
    return _hardhat(_UMA, path)


def _truffle(name: str) -> dict[str, Any]:
    return artifact(_KLEROS, f"build/contracts/{name}.json")
