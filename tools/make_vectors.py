"""Writes tests/vectors/*.json, which the Python, Solidity and web tests all read.

It shares no code with the package: RFC 6962 as the recursion of its §2.1 over hashlib, EIP-712 by eth_account, ABI by
eth_abi. Run ``python -m tools.make_vectors`` after a change of format: tests/contracts/test_layout.py finds old files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "vectors"

CHAIN_ID = 31337
REGISTRY, IDENTITIES, MODELS = (to_checksum_address(bytes([n]) * 20) for n in (0xC1, 0xC2, 0xC3))
NODES, ORACLE, ESCROW, ARBITER, TOKEN = (to_checksum_address(bytes([n]) * 20) for n in (0xC4, 0xC5, 0xC6, 0xC7, 0xC8))
ZERO = "0x" + "00" * 32
NOBODY = "0x" + "00" * 20

CT_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
"""The leaves of the Certificate Transparency reference tests."""

CT_ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Their roots as published, by number of leaves: an anchor outside this file."""

TYPES: dict[str, list[dict[str, str]]] = {
    name: [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(", ")]
    for name, fields in {
        "EIP712Domain": "string name, string version, uint256 chainId, address verifyingContract",
        "Work": "bytes32 content, bytes32 fingerprint, string origin, bytes32 model, bytes32 parents, bytes32 metadata",
        "Claim": "address creator, Work work",
        "Seal": "uint256 chainId, address registry, address creator, bytes32 workId, bytes32 salt",
        "Model": "address publisher, bytes32 weights, bytes32 root, bytes32 card, bytes32 data, string licence, "
        "bytes32 parents, bytes32 metrics",
        "Adoption": "address identity, address key, bytes32 commitment, address guardian",
        "Request": "bytes32 subject, address policy, uint8 round",
        "Attestation": "Request request, uint8 score, bytes32 evidence, uint40 issuedAt",
        "Milestone": "uint256 amount, uint40 deliverTime, uint40 verdictTime",
        "Terms": "address payer, address payee, address token, uint256 amount, address policy, bytes32 brief, "
        "uint40 deliverBy, uint40 verdictBy, uint40 disputeTime, uint40 rulingTime, uint40 revealTime, "
        "address arbiter, uint16 silenceShare, Milestone[] milestones, bytes32 buyerKey, bytes32 salt",
        "Amendment": "bytes32 dealId, bytes32 newDealId",
    }.items()
}

PARTS = {"Claim": "Work", "Attestation": "Request", "Terms": "Milestone"}
"""The struct within a struct."""


def to_hex(data: bytes) -> str:
    """0x-prefixed lower-case hex."""
    return "0x" + data.hex()


# RFC 6962


def hash_leaf(data: bytes) -> bytes:
    """MTH({d(0)}) = SHA-256(0x00 || d(0))."""
    return sha256(b"\x00" + data).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """k: the largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return hash_leaf(leaves[0])
    k = split(len(leaves))
    return hash_node(tree_hash(leaves[:k]), tree_hash(leaves[k:]))


def tree_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*tree_path(index, leaves[:k]), tree_hash(leaves[k:])]
    return [*tree_path(index - k, leaves[k:]), tree_hash(leaves[:k])]


def item(index: int) -> bytes:
    """Leaf data number ``index`` of every tree in merkle.json: SHA-256 of the index as 8 bytes, big-endian."""
    return sha256(index.to_bytes(8, "big")).digest()


def path_record(index: int, leaves: Sequence[bytes]) -> dict[str, Any]:
    """One proven leaf."""
    hashes = [to_hex(node) for node in tree_path(index, leaves)]
    return {"index": index, "leaf": to_hex(hash_leaf(leaves[index])), "hashes": hashes}


def tree_record(leaves: Sequence[bytes], indices: Sequence[int]) -> dict[str, Any]:
    """A tree with the paths of some leaves."""
    paths = [path_record(index, leaves) for index in indices]
    return {"size": len(leaves), "root": to_hex(tree_hash(leaves)), "paths": paths}


def rfc6962() -> dict[str, Any]:
    """The Certificate Transparency trees of 1 to 8 leaves with every path."""
    leaves = [bytes.fromhex(leaf) for leaf in CT_LEAVES]
    trees = [tree_record(leaves[:size], range(size)) for size in range(1, len(leaves) + 1)]
    if [tree["root"][2:] for tree in trees] != list(CT_ROOTS[1:]):
        raise SystemExit("The roots differ from the published ones: correct tree_hash.")
    return {"leaves": ["0x" + leaf for leaf in CT_LEAVES], "empty": "0x" + CT_ROOTS[0], "trees": trees}


def some(size: int) -> list[int]:
    """All indices of a small tree; the ends, powers of two and their neighbours of a large one."""
    if size <= 17:
        return list(range(size))
    near = {power + step for power in (1, 8, 16, 32, 512) for step in (-1, 0, 1)}
    return sorted({0, size // 3, size - 2, size - 1} | {index for index in near if index < size})


def refused() -> list[dict[str, Any]]:
    """Openings that do not prove ``root``. ``fits``: the path's length fits, so that a (different) root comes out."""
    leaves = [item(index) for index in range(7)]
    good, root = path_record(2, leaves), to_hex(tree_hash(leaves))
    hashes: list[str] = good["hashes"]
    swapped, big = [hashes[1], hashes[0], *hashes[2:]], (1 << 64) - 1
    cases: list[tuple[str, int, int, list[str], bool]] = [
        ("index of the sibling", 3, 7, hashes, True),
        ("index of another subtree", 4, 7, hashes, True),
        ("index at the size", 7, 7, hashes, False),
        ("index beyond the size", 8, 7, hashes, False),
        ("largest index", big, 7, hashes, False),
        ("size 0", 0, 0, [], False),
        ("size 0 with a path", 2, 0, hashes, False),
        ("size one level up", 2, 9, hashes, False),
        ("size one level down", 2, 4, hashes, False),
        ("size of a single leaf", 0, 1, hashes, False),
        ("largest size", 2, big, hashes, False),
        ("no path", 2, 7, [], False),
        ("path without its first node", 2, 7, hashes[1:], False),
        ("path without its last node", 2, 7, hashes[:-1], False),
        ("path with one node more", 2, 7, [*hashes, hashes[0]], False),
        ("nodes swapped", 2, 7, swapped, True),
        ("65 nodes", 2, big, hashes[:1] * 65, False),
    ]
    names = ("what", "index", "size", "hashes", "fits")
    return [dict(zip(names, case, strict=True)) | {"leaf": good["leaf"], "root": root} for case in cases]


def merkle() -> dict[str, Any]:
    """Trees over 32-byte items, and openings that must be refused."""
    trees = []
    for size in (*range(1, 18), 31, 32, 33, 1000):
        trees.append(tree_record([item(index) for index in range(size)], some(size)))
    return {"item": "SHA-256 of the index as 8 bytes, big-endian", "trees": trees, "refused": refused()}


# EIP-712


def typed(kind: str, message: dict[str, Any], contract: str = REGISTRY) -> SignableMessage:
    """What eth_account makes of a struct: header = domain separator, body = struct hash."""
    used = ["EIP712Domain", kind, *([PARTS[kind]] if kind in PARTS else [])]
    domain = {"name": "Countersign", "version": "1", "chainId": CHAIN_ID, "verifyingContract": contract}
    types = {name: TYPES[name] for name in used}
    return encode_typed_data(
        full_message={"types": types, "primaryType": kind, "domain": domain, "message": message},
    )


def struct_hash(kind: str, message: dict[str, Any]) -> str:
    """hashStruct(message), which no domain enters."""
    return to_hex(typed(kind, message).body)


def digest_of(kind: str, message: dict[str, Any], contract: str) -> str:
    """What is signed under the domain of ``contract``."""
    text = typed(kind, message, contract)
    return to_hex(keccak(b"\x19\x01" + text.header + text.body))


def signed(kind: str, message: dict[str, Any], contract: str, secret: bytes) -> dict[str, str]:
    """Digest and signature under the domain of ``contract``."""
    signature = bytes(Account.sign_message(typed(kind, message, contract), secret).signature)
    return {"digest": digest_of(kind, message, contract), "signature": to_hex(signature)}


def secret_of(number: int) -> bytes:
    """A signing key for tests only."""
    return keccak(text=f"countersign test key {number}")


def address_of(number: int) -> str:
    """Its address, EIP-55."""
    return str(Account.from_key(secret_of(number)).address)


def word(text: str) -> str:
    """32 bytes that stand for ``text`` in a vector."""
    return to_hex(sha256(text.encode()).digest())


def works() -> list[dict[str, Any]]:
    """The emptiest work, full ones, and a text that is not ASCII."""
    names = ("content", "fingerprint", "model", "parents", "metadata")
    bare: dict[str, Any] = dict.fromkeys(names, ZERO) | {"content": word("bare"), "origin": ""}
    full = [
        {name: word(f"{name} {origin}") for name in names} | {"origin": origin}
        for origin in ("trainedAlgorithmicMedia", "digitalCapture", "é 龍 🐉")
    ]
    return [bare, *full, dict.fromkeys(names, "0x" + "ff" * 32) | {"origin": "x" * 100}]


def work_record(number: int, work: dict[str, Any]) -> dict[str, Any]:
    """Everything derived from one work by the creator with test key ``number``."""
    creator, salt, work_id = address_of(number), word(f"salt {number}"), struct_hash("Work", work)
    sealed = {"chainId": CHAIN_ID, "registry": REGISTRY, "creator": creator, "workId": work_id, "salt": salt}
    leaf = struct_hash("Seal", sealed)
    return {
        "work": work,
        "originHash": to_hex(keccak(text=work["origin"])),
        "workId": work_id,
        "creator": creator,
        "salt": salt,
        "leaf": leaf,
        "root": to_hex(hash_leaf(bytes.fromhex(leaf[2:]))),
        "claim": signed("Claim", {"creator": creator, "work": work}, REGISTRY, secret_of(number)),
    }


def model_record(number: int, licence: str, empty: bool) -> dict[str, Any]:
    """One model version by the publisher with test key ``number``."""
    names = ("weights", "root", "card", "data", "parents", "metrics")
    fields = {name: ZERO if empty and name != "weights" else word(f"{name} {number}") for name in names}
    model = {"publisher": address_of(number), "licence": licence} | fields
    return {
        "model": model,
        "licenceHash": to_hex(keccak(text=licence)),
        "modelId": struct_hash("Model", model),
        "publish": signed("Model", model, MODELS, secret_of(number)),
    }


def adoption_record(number: int, prepared: bool) -> dict[str, Any]:
    """The adoption of test key ``number`` + 1 by the identity of key ``number``."""
    adoption = {
        "identity": address_of(number),
        "key": address_of(number + 1),
        "commitment": to_hex(keccak(bytes(12) + bytes.fromhex(address_of(number + 2)[2:]))) if prepared else ZERO,
        "guardian": address_of(number + 3) if prepared else to_checksum_address(bytes(20)),
    }
    return {"adoption": adoption, "adopt": signed("Adoption", adoption, IDENTITIES, secret_of(number + 1))}


def eip712() -> dict[str, Any]:
    """Ids, leaves, digests and signatures under fixed contract addresses."""
    licences = (("", True), ("Apache-2.0", False), ("MIT OR LicenseRef-Ünïcode", False))
    return {
        "chainId": CHAIN_ID,
        "registry": REGISTRY,
        "identities": IDENTITIES,
        "models": MODELS,
        "works": [work_record(number, work) for number, work in enumerate(works())],
        "modelVersions": [model_record(10 + n, licence, empty) for n, (licence, empty) in enumerate(licences)],
        "adoptions": [adoption_record(20, True), adoption_record(30, False)],
    }


# Policies, verdicts, deals

SEAT = "(address,bytes32)"
POLICY = f"(bytes32,address,uint96,uint96,uint96,uint32,uint32,uint32,uint8,uint8,{SEAT}[])"
"""ABI type of `Policy`."""

LAYOUT = {
    "requestedAt": 40,
    "finalAt": 40,
    "ruledAt": 40,
    "signers": 32,
    "suspended": 32,
    "paid": 32,
    "bound": 8,
    "round": 8,
    "outcome": 8,
    "stage": 8,
}
"""Bits of the fields of `Verdict`, from the lowest."""

ISSUED_AT = 1_700_000_007
SCORES = (100, 70, 69, 0, 85)
"""Of the five seats; 70 passes."""


def raw(text: str) -> bytes:
    """Bytes of 0x-prefixed hex."""
    return bytes.fromhex(text[2:])


def committee(count: int) -> list[int]:
    """Test keys 100, 101, … in the order of their addresses."""
    return sorted(range(100, 100 + count), key=lambda number: int(address_of(number), 16))


def seats(count: int) -> list[dict[str, str]]:
    """A committee as seats, each with a model of its own."""
    nodes = map(address_of, committee(count))
    return [{"node": node, "model": word(f"model {node}")} for node in nodes]


def policies() -> list[dict[str, Any]]:
    """One seat without an arbiter, five with one, and 32 with the largest numbers there are."""
    largest, names = (1 << 96) - 1, ("submitTime", "challengeTime", "rulingTime")
    one = {"check": word("delivery/1"), "arbiter": NOBODY, "fee": 0, "bond": 0, "slash": 0}
    five = one | {"arbiter": ARBITER, "fee": 10**15 + 7, "bond": 10**17, "slash": 10**18}
    many = {"check": "0x" + "ff" * 32, "arbiter": NOBODY, "fee": largest, "bond": 0, "slash": largest}
    return [
        one | dict(zip(names, (60, 0, 0), strict=True)) | {"k": 1, "passScore": 1, "seats": seats(1)},
        five | dict(zip(names, (600, 500, 400), strict=True)) | {"k": 3, "passScore": 70, "seats": seats(5)},
        many | dict(zip(names, (13 * 86_400, 0, 0), strict=True)) | {"k": 32, "passScore": 100, "seats": seats(32)},
    ]


def encoded_policy(policy: dict[str, Any]) -> bytes:
    """abi.encode of the struct."""
    pairs = [(seat["node"], raw(seat["model"])) for seat in policy["seats"]]
    plain = [value for name, value in policy.items() if name not in ("check", "seats")]
    return bytes(encode([POLICY], [(raw(policy["check"]), *plain, pairs)]))


def init_code(code: bytes) -> bytes:
    """Creates a contract of ``code``: PUSH2 length, DUP1, PUSH1 10, then what returns all that follows."""
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("80 60 0a 3d 39 3d f3") + code


def policy_address(policy: dict[str, Any]) -> str:
    """CREATE2 (EIP-1014) by the Oracle with salt 0."""
    init = init_code(b"\0" + encoded_policy(policy))
    return str(to_checksum_address(keccak(b"\xff" + raw(ORACLE) + bytes(32) + keccak(init))[12:]))


def policy_record(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy as code; money as text."""
    code = b"\0" + encoded_policy(policy)
    return {
        "policy": policy | {name: str(policy[name]) for name in ("fee", "bond", "slash")},
        "encoded": to_hex(code[1:]),
        "initCodeHash": to_hex(keccak(init_code(code))),
        "address": policy_address(policy),
    }


def requests() -> list[dict[str, Any]]:
    """The five seats' first request and its last possible round, and one full of ones."""
    asked = {"subject": word("subject"), "policy": policy_address(policies()[1])}
    ones = {"subject": "0x" + "ff" * 32, "policy": to_checksum_address(b"\xff" * 20), "round": 1}
    return [asked | {"round": 0}, asked | {"round": 255}, ones]


def packed_attestation(score: int, evidence: str, signature: bytes) -> bytes:
    """Score, evidence, r, vs: s with the parity of the signature's point in its highest bit (EIP-2098)."""
    vs = bytearray(signature[32:64])
    vs[0] |= 0x80 * (signature[64] - 27)
    return bytes([score]) + raw(evidence) + signature[:32] + bytes(vs)


def attestation_record(seat: int, number: int, request: dict[str, Any], score: int, time: int) -> dict[str, Any]:
    """What the node with test key ``number``, which has ``seat``, says of a request."""
    evidence = word(f"evidence of seat {seat}")
    attestation = {"request": request, "score": score, "evidence": evidence, "issuedAt": time}
    said = signed("Attestation", attestation, ORACLE, secret_of(number))
    packed = packed_attestation(score, evidence, raw(said["signature"]))
    return {"seat": seat, "node": address_of(number), "attestation": attestation, **said, "packed": to_hex(packed)}


def attestations() -> list[dict[str, Any]]:
    """The five seats on their first request, by seat; then the first of them in the last round, at the end of time."""
    (first, last, _), keys = requests(), committee(len(SCORES))
    said = enumerate(zip(keys, SCORES, strict=True))
    records = [attestation_record(seat, key, first, score, ISSUED_AT) for seat, (key, score) in said]
    return [*records, attestation_record(0, keys[0], last, 0, (1 << 40) - 1)]


def terms() -> list[dict[str, Any]]:
    """Without later milestones, with one (a token, a verdict, an arbiter), and with three of the largest numbers."""
    times = ("deliverBy", "verdictBy", "disputeTime", "rulingTime", "revealTime")
    bare: dict[str, Any] = dict.fromkeys((field["name"] for field in TYPES["Terms"]), ZERO)
    bare |= {"payer": address_of(40), "payee": address_of(41), "token": NOBODY, "amount": 1, "policy": NOBODY}
    bare |= dict.fromkeys(times, 0) | {"deliverBy": ISSUED_AT + 60, "verdictBy": ISSUED_AT + 90, "arbiter": NOBODY}
    bare |= {"silenceShare": 0, "milestones": []}
    one = {"token": TOKEN, "amount": 10**18 + 1, "policy": policy_address(policies()[1]), "brief": word("brief")}
    one |= {"disputeTime": 50, "rulingTime": 60, "arbiter": ARBITER, "silenceShare": 3333, "salt": word("salt")}
    one |= {"milestones": [{"amount": 10**17, "deliverTime": 3600, "verdictTime": 7200}]}
    most = {"amount": (1 << 256) - 1, "silenceShare": (1 << 16) - 1, "buyerKey": word("buyer key")}
    most |= dict.fromkeys(times, (1 << 40) - 1)
    three = [{"amount": (1 << 255) + n, "deliverTime": (1 << 40) - 1 - n, "verdictTime": n} for n in range(3)]
    most |= {"milestones": three}
    return [bare, bare | one, bare | one | most]


def shown(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    """The message as JSON: what may exceed the numbers of JavaScript (uint256) as decimal text."""
    document = {}
    for field in TYPES[kind]:
        value = message[field["name"]]
        if field["type"] == "uint256":
            value = str(value)
        elif field["type"].endswith("[]"):
            value = [shown(field["type"][:-2], each) for each in value]
        document[field["name"]] = value
    return document


def terms_record(message: dict[str, Any]) -> dict[str, Any]:
    """Terms and their ids."""
    deal = digest_of("Terms", message, ESCROW)
    return {"terms": shown("Terms", message), "structHash": struct_hash("Terms", message), "dealId": deal}


def subjects() -> list[dict[str, Any]]:
    """Of the last 12 bytes of a delivery none counts: the first two are the same subject."""
    deals, delivery = [digest_of("Terms", each, ESCROW) for each in terms()], word("delivery")
    cases = [(deals[0], 0, delivery), (deals[0], 0, delivery[:42] + "00" * 12), (deals[1], 1, delivery)]
    cases.append((deals[2], 255, "0x" + "ff" * 32))
    return [
        {"dealId": deal, "milestone": number, "delivery": given, "subject": subject_of(deal, number, given)}
        for deal, number, given in cases
    ]


def subject_of(deal: str, milestone: int, delivery: str) -> str:
    """keccak256(abi.encode(dealId, milestone, bytes20(delivery)))."""
    return to_hex(keccak(encode(["bytes32", "uint8", "bytes20"], [raw(deal), milestone, raw(delivery)[:20]])))


def verdict_key(subject: str, policy: str) -> str:
    """keccak256(abi.encode(subject, policy)): where the verdict is stored."""
    return to_hex(keccak(encode(["bytes32", "address"], [raw(subject), policy])))


def request_record(request: dict[str, Any]) -> dict[str, Any]:
    """A request and what is derived from it."""
    key = verdict_key(request["subject"], request["policy"])
    return {"request": request, "structHash": struct_hash("Request", request), "verdictKey": key}


def amendment_record(first: int, second: int) -> dict[str, Any]:
    """One deal replaced by another, signed by the payer, who has test key 40."""
    deals = [digest_of("Terms", each, ESCROW) for each in terms()]
    amendment = {"dealId": deals[first], "newDealId": deals[second]}
    said = signed("Amendment", amendment, ESCROW, secret_of(40))
    return {"amendment": amendment, "payer": address_of(40), "amend": said}


def verdicts() -> list[dict[str, Any]]:
    """Requested, passed, failed and challenged, overturned and paid, annulled, and all bits that can be set."""
    t = ISSUED_AT
    cases = [
        (t, 0, 0, 0, 0b10, 0, 0, 0, 0, 0),
        (t, t + 500, 0, 0b10011, 0, 0, 70, 0, 1, 0),
        (t, t + 500, 0, 0b01100, 0b10, 0, 69, 1, 2, 1),
        (t, t + 500, t + 700, 0b10011, 0, 0b10011, 70, 0, 2, 4),
        (t, t + 500, t + 700, 0b10011, 0, 0, 70, 0, 3, 3),
        (*((1 << bits) - 1 for bits in list(LAYOUT.values())[:-2]), 3, 5),
    ]
    return [verdict_record(dict(zip(LAYOUT, case, strict=True))) for case in cases]


def verdict_record(fields: dict[str, int]) -> dict[str, Any]:
    """The fields written one after another, as bits, the last first."""
    bits = "".join(f"{fields[name]:0{width}b}" for name, width in reversed(LAYOUT.items()))
    return {"verdict": fields, "word": to_hex(int(bits, 2).to_bytes(32, "big"))}


def deals() -> dict[str, Any]:
    """Policies, requests, attestations, verdicts, terms and amendments under fixed contract addresses."""
    return {
        "chainId": CHAIN_ID,
        "nodes": NODES,
        "oracle": ORACLE,
        "escrow": ESCROW,
        "policies": [policy_record(policy) for policy in policies()],
        "requests": [request_record(each) for each in requests()],
        "attestations": attestations(),
        "verdicts": verdicts(),
        "terms": [terms_record(message) for message in terms()],
        "subjects": subjects(),
        "amendments": [amendment_record(0, 1), amendment_record(1, 2)],
    }


def main() -> int:
    """Write the files, or with ``--check`` say whether they are what this program writes."""
    stale = []
    for name, make in {"rfc6962": rfc6962, "merkle": merkle, "eip712": eip712, "deals": deals}.items():
        file, text = FOLDER / f"{name}.json", json.dumps(make(), indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            file.write_text(text, encoding="utf-8")
        elif not file.is_file() or file.read_text(encoding="utf-8") != text:
            stale.append(file.name)
    if stale:
        print(f"{', '.join(stale)}: not what tools/make_vectors.py writes. Run: python -m tools.make_vectors")
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
