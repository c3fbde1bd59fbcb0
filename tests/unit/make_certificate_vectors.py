"""Writes tests/vectors/certificates.json: certificates with what every verifier must say of them, from real tries and
signatures (world.py).

    python tests/unit/make_certificate_vectors.py

A case is a base certificate, changed by RFC 6902 operations, written as JSON with two spaces and then, where ``splice``
says so, changed once more as text: the first occurrence of one text becomes another.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from world import (
    CONTENT,
    CONTRACTS,
    CREATOR,
    FILE,
    NOW,
    SERVICE,
    SUCCESSOR,
    THIEF,
    World,
    block_hash,
    draft,
    header,
    honest,
    sign,
)

from countersign import seal
from countersign.canonical import checksum, to_hex
from countersign.certificate import Certificate
from countersign.errors import CertificateError
from countersign.merkle import list_root
from countersign.verify import verify

VECTORS = Path(__file__).parents[1] / "vectors" / "certificates.json"
SEALED = NOW - 500
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PARENTS = (bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32)

Case = dict[str, Any]


def signed(c: Certificate, key: int = 0) -> Certificate:
    return replace(c, signature=sign(key, c.digest))


@cache
def bases() -> dict[str, Certificate]:
    """Certificates of every kind, as a chain would prove them."""
    one, child = signed(draft()), draft(parents=list_root(PARENTS))
    child = signed(replace(child, parents=PARENTS))
    wallet = replace(draft(), signature=b"a wallet's own kind of signature")
    heir, rotated = draft(), World().key(CREATOR, CREATOR, cutoff=SEALED - 10).key(SUCCESSOR, CREATOR)
    suspect = World().key(CREATOR, CREATOR, cutoff=NOW - 10, suspect_from=SEALED)
    late = World().key(CREATOR, CREATOR, cutoff=SEALED + 50)
    cut_off = World().key(CREATOR, CREATOR, cutoff=SEALED)
    return {
        "batch": honest(origin="print"),
        "single": World().sealed(one, CREATOR).claimed(CREATOR, SEALED, SEALED).prove(one, CREATOR),
        "unclaimed": World().sealed(one, CREATOR).prove(one, CREATOR),
        "unsigned": World().sealed(draft(), CREATOR).prove(draft(), CREATOR),
        "parents": World().sealed(child, CREATOR).prove(child, CREATOR),
        "retracted": World().sealed(one, CREATOR).claimed(CREATOR, SEALED, SEALED, 1).prove(one, CREATOR),
        "service": World().sealed(one, SERVICE).prove(one, SERVICE),
        "service unsigned": World().sealed(draft(), SERVICE).prove(draft(), SERVICE),
        "service signed late": late.sealed(one, SERVICE).prove(one, SERVICE),
        "service signed in time": late.sealed(one, SERVICE).claimed(CREATOR, SEALED, SEALED + 40).prove(one, SERVICE),
        "wallet": World(wallets=[CREATOR]).sealed(wallet, CREATOR).prove(wallet, CREATOR),
        "wallet by service": World(wallets=[CREATOR]).sealed(wallet, SERVICE).prove(wallet, SERVICE),
        "successor": rotated.sealed(heir, SUCCESSOR).prove(signed(heir, 3), SUCCESSOR),
        "cut off": cut_off.sealed(one, CREATOR).prove(one, CREATOR),
        "suspect": suspect.sealed(one, CREATOR).prove(one, CREATOR),
        "thief first": World().sealed(one, CREATOR).claimed(THIEF, SEALED - 1, SEALED).prove(one, CREATOR, THIEF),
        "thief later": World().sealed(one, CREATOR).claimed(THIEF, SEALED + 1, SEALED).prove(one, CREATOR, THIEF),
        "not sealed": World().claimed(CREATOR, SEALED, SEALED).prove(one, CREATOR),
        "sealed later": World().sealed(one, CREATOR, block=101).prove(one, CREATOR),
        "draft": draft(),
        "foreign registry": _foreign_registry(),
    }


def _foreign_registry() -> Certificate:
    """Consistent in itself, in a registry that anybody could have made."""
    contracts = replace(CONTRACTS, registry=THIEF)
    c = signed(seal.draft(CONTENT, CREATOR, contracts, name="photo.jpg", salt=bytes([9]) * 32))
    return World().sealed(c, CREATOR).prove(c, CREATOR)


def change(path: str, value: Any) -> dict[str, Any]:
    """RFC 6902: ``path`` gets ``value``."""
    return {"op": "add" if path.endswith("/-") or path.count("/") == 1 else "replace", "path": path, "value": value}


def apply(document: Any, patch: list[dict[str, Any]]) -> Any:
    """The RFC 6902 operations add, replace and remove."""
    document = copy.deepcopy(document)
    for operation in patch:
        *way, last = operation["path"].split("/")[1:]
        holder = document
        for part in way:
            holder = holder[int(part)] if isinstance(holder, list) else holder[part]
        key = (len(holder) if last == "-" else int(last)) if isinstance(holder, list) else last
        if operation["op"] == "remove":
            del holder[key]
        elif isinstance(holder, list) and operation["op"] == "add":
            holder.insert(key, operation["value"])
        else:
            holder[key] = operation["value"]
    return document


def text_of(document: Any, case: Case) -> str:
    """The certificate's text in a case."""
    text = json.dumps(apply(document, case.get("patch", [])), indent=2)
    old, new = case.get("splice", ("", ""))
    assert old in text
    return text.replace(old, new, 1)


def flipped(text: str) -> str:
    """One bit of hex, in the middle."""
    data = bytearray.fromhex(text[2:])
    data[len(data) // 2] ^= 1
    return "0x" + data.hex()


def _at(document: Any, path: str) -> Any:
    for part in path.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _bases_as_they_are() -> Iterator[Case]:
    for name in bases():
        yield {"name": name, "base": name}


def _changed_fields(document: Any) -> Iterator[Case]:
    hashes = ["work/content", "work/fingerprint", "work/model", "work/parents", "work/metadata", "creator", "salt"]
    hashes += ["contracts/registry", "contracts/identities", "contracts/models", "path/hashes/0", "path/hashes/1"]
    hashes += ["sealer", "root", "signature", "proof/header", "proof/accounts/0/address", "proof/accounts/0/nodes/0"]
    hashes += ["proof/accounts/0/slots/0/slot", "proof/accounts/0/slots/1/slot", "proof/accounts/0/slots/0/nodes/0"]
    for path in hashes:
        value = flipped(_at(document, f"/{path}"))
        yield {"name": f"changed {path}", "base": "batch", "patch": [change(f"/{path}", value)]}
    numbers = {"contracts/chainId": 1, "path/index": 1, "path/size": 9, "work/origin": "digitalCapture"}
    for path, value in numbers.items():
        yield {"name": f"changed {path}", "base": "batch", "patch": [change(f"/{path}", value)]}
    yield {"name": "another display name", "base": "batch", "patch": [change("/name", "龍 \"'\\\n.png")]}
    yield {"name": "an index of 2^64 - 1", "base": "batch", "patch": [change("/path/index", 2**64 - 1)]}
    yield {"name": "a size of 2^64 - 1", "base": "batch", "patch": [change("/path/size", 2**64 - 1)]}
    yield {"name": "an empty path", "base": "batch", "patch": [change("/path/hashes", [])]}
    yield {"name": "a path that is too long", "base": "batch", "patch": [change("/path/hashes/-", "0x" + "00" * 32)]}


def _signatures(c: Certificate) -> Iterator[Case]:
    assert c.signature
    r, s, v = c.signature[:32], int.from_bytes(c.signature[32:64], "big"), c.signature[64]
    made = {
        "the thief's signature": sign(1, c.digest),
        "a signature of another work": sign(0, bytes(32)),
        "a signature with high s": r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v]),
        "a signature with v 0 or 1": c.signature[:64] + bytes([v - 27]),
        "a compact signature": c.signature[:64],
        "a signature of zeros": bytes(64) + b"\x1b",
        "a signature off the curve": b"\xff" * 32 + c.signature[32:],
    }
    for name, signature in made.items():
        yield {"name": name, "base": "batch", "patch": [change("/signature", to_hex(signature))]}


def _proofs(document: Any, foreign: Any) -> Iterator[Case]:
    account = "/proof/accounts/0"
    yield {"name": "another certificate's proof", "base": "batch", "patch": [change("/proof", foreign["proof"])]}
    yield {"name": "another leaf's path", "base": "batch", "patch": [change("/path", foreign["path"])]}
    yield {"name": "another block", "base": "batch", "patch": [change("/proof/header", to_hex(header(bytes(32))))]}
    cut = document["proof"]["header"][:-2]
    yield {"name": "a truncated header", "base": "batch", "patch": [change("/proof/header", cut)]}
    yield {"name": "an empty header", "base": "batch", "patch": [change("/proof/header", "0x")]}
    yield {"name": "a header with a byte more", "base": "batch", "patch": [change("/proof/header", cut + "0000")]}
    node = _at(document, f"{account}/nodes/0")
    yield {"name": "a truncated node", "base": "batch", "patch": [change(f"{account}/nodes/0", node[:-64])]}
    yield {"name": "no nodes", "base": "batch", "patch": [change(f"{account}/nodes", [])]}
    yield {"name": "no slots", "base": "batch", "patch": [change(f"{account}/slots", [])]}
    yield {"name": "no accounts", "base": "batch", "patch": [change("/proof/accounts", [])]}
    left_out = {"op": "remove", "path": f"{account}/slots/1"}
    yield {"name": "the claim left out", "base": "batch", "patch": [left_out]}
    yield {"name": "the keys left out", "base": "batch", "patch": [{"op": "remove", "path": "/proof/accounts/1"}]}
    swapped = [change(f"{account}/slots/0/nodes", _at(document, f"{account}/slots/1/nodes"))]
    yield {"name": "another slot's nodes", "base": "batch", "patch": swapped}
    nodes = _at(document, f"{account}/nodes")
    yield {"name": "nodes in another order", "base": "batch", "patch": [change(f"{account}/nodes", nodes[::-1])]}
    yield {"name": "a node too many", "base": "batch", "patch": [change(f"{account}/nodes/-", "0xc0")]}


def _trust() -> Iterator[Case]:
    yield {"name": "no block hash", "base": "batch", "blockHash": None}
    yield {"name": "a wrong block hash", "base": "batch", "blockHash": "0x" + "22" * 32}
    yield {"name": "no file", "base": "batch", "content": None}
    yield {"name": "another file", "base": "batch", "content": "0x" + "22" * 32}


def _refused(document: Any) -> Iterator[Case]:
    salt = document["salt"]
    patches: dict[str, tuple[str, Any]] = {
        "another format": ("/format", "countersign-certificate/2"),
        "a format that is a list": ("/format", ["countersign-certificate/1"]),
        "an unknown field": ("/verified", True),
        "an unknown field inside": ("/work", {**document["work"], "title": "Mine"}),
        "a field named __proto__": ("/__proto__", {}),
        "a number as text": ("/path/index", "0"),
        "a number below zero": ("/path/index", -1),
        "a number of 65 bits": ("/path/size", 2**64),
        "true for a number": ("/path/index", True),
        "a text for an object": ("/work", "0x"),
        "an object for a list": ("/path/hashes", {"0": salt}),
        "a list for an object": ("/proof", [document["proof"]]),
        "hex without 0x": ("/salt", salt[2:]),
        "hex with 0X": ("/salt", "0X" + salt[2:]),
        "hex that is too short": ("/salt", salt[:-2]),
        "hex that is too long": ("/salt", salt + "00"),
        "hex of an odd length": ("/salt", salt[:-1]),
        "hex with a space": ("/salt", salt[:-1] + " "),
        "hex with a digit of another script": ("/salt", salt[:-1] + "\N{ARABIC-INDIC DIGIT ONE}"),
        "an empty signature": ("/signature", "0x"),
        "null for a hash": ("/salt", None),
        "other parents": ("/parents", ["0x" + "11" * 32]),
        "half a surrogate pair": ("/name", "\ud83d"),
    }
    for name, (path, value) in patches.items():
        yield {"name": name, "base": "batch", "patch": [change(path, value)]}
    for field in ("name", "work", "salt", "contracts", "path", "root"):
        yield {"name": f"no {field}", "base": "batch", "patch": [{"op": "remove", "path": f"/{field}"}]}
    index = f'"index": {document["path"]["index"]}'
    splices = {
        "a field twice": ('"name":', '"name": "other.jpg",\n  "name":'),
        "a field twice, once escaped": ('"name":', '"n\\u0061me": "other.jpg",\n  "name":'),
        "a field twice inside": ('"registry":', f'"registry": "{checksum(THIEF)}", "registry":'),
        "a fraction": (index, f"{index}.0"),
        "an exponent": (index, f"{index}e0"),
        "a leading zero": (index, '"index": 00'),
        "NaN": (index, '"index": NaN'),
        "five thousand digits": (index, '"index": ' + "9" * 5000),
        "a comment": ("{", "{ // mine"),
        "a comma too many": ("\n}", ",\n}"),
        "text after the end": ("\n}", "\n} {}"),
        "a byte order mark": ("{", "\ufeff{"),
        "deep nesting": ('"name": "photo.jpg"', '"name": ' + "[" * 2000 + "]" * 2000),
        "a control character": ("photo.jpg", "photo\u0001.jpg"),
        "an unknown escape": ("photo.jpg", "photo\\x2ejpg"),
        "half a document": ('"root"', "\x00"),
    }
    for name, splice in splices.items():
        yield {"name": name, "base": "batch", "splice": list(splice)}


def _read_all_the_same(document: Any) -> Iterator[Case]:
    """Other texts of the same certificate."""
    upper = "0x" + document["salt"][2:].upper()
    yield {"name": "hex digits in capitals", "base": "batch", "patch": [change("/salt", upper)]}
    lower = document["creator"].lower()
    yield {"name": "an address without capitals", "base": "batch", "patch": [change("/creator", lower)]}
    yield {"name": "null for no parents", "base": "batch", "patch": [change("/parents", None)]}
    yield {"name": "an escaped name of a field", "base": "batch", "splice": ['"salt"', '"s\\u0061lt"']}
    yield {"name": "minus zero", "base": "single", "splice": ['"index": 0', '"index": -0']}


def _cases() -> Iterator[Case]:
    document = json.loads(bases()["batch"].to_json())
    yield from _bases_as_they_are()
    yield from _changed_fields(document)
    yield from _signatures(bases()["batch"])
    yield from _proofs(document, json.loads(bases()["unclaimed"].to_json()))
    yield from _trust()
    yield from _refused(document)
    yield from _read_all_the_same(document)


def _judged(case: Case) -> Case:
    """The case with content, block hash and what this package says of it."""
    base = bases()[case["base"]]
    trusted = to_hex(block_hash(base)) if base.proof else None
    case = {"content": to_hex(CONTENT), "blockHash": trusted} | case
    content, trust = (
        None if case[name] is None else bytes.fromhex(case[name][2:]) for name in ("content", "blockHash")
    )
    try:
        c = Certificate.from_json(text_of(json.loads(base.to_json()), case))
    except CertificateError:
        return {**case, "outcome": "refused"}
    report = verify(c, content, block_hash=trust)
    steps = [[step.name, step.state] for step in report.steps]
    return {**case, "outcome": report.outcome, "failing": report.failed.name if report.failed else None, "steps": steps}


def certificates() -> dict[str, Any]:
    """The whole file."""
    at = {name: checksum(getattr(CONTRACTS, name)) for name in ("registry", "identities", "models")}
    return {
        "contracts": at,
        "file": FILE.decode(),
        "bases": {name: json.loads(c.to_json()) for name, c in bases().items()},
        "cases": [_judged(case) for case in _cases()],
    }


def text() -> str:
    """The file's text: ASCII, because a case holds half a surrogate pair."""
    return json.dumps(certificates(), indent=1) + "\n"


if __name__ == "__main__":
    VECTORS.write_text(text(), encoding="utf-8")
