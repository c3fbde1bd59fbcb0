"""``NAME.countersign.json``: reading, writing and validating certificates. A draft is a certificate without proof."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any, TypeVar

from countersign import merkle
from countersign.canonical import checksum, claim_digest, from_hex, leaf_data, to_hex, work_id
from countersign.certificate.stateproof import AccountProof, SlotProof, StateProof
from countersign.durable import open_regular, write_durably
from countersign.errors import CertificateError, InputError
from countersign.records import Contracts, Opening, Path, Work

__all__ = ["FORMAT", "SUFFIX", "Certificate", "path_beside"]

FORMAT = "countersign-certificate/1"
SUFFIX = ".countersign.json"
_MAX_BYTES = 4 << 20
_MAX_DEPTH = 16
_TOP = "format name work creator salt contracts path root parents sealer signature proof"
_WORK = "content fingerprint origin model parents metadata"
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)

T = TypeVar("T")


def path_beside(work: FilePath) -> FilePath:
    """Where the certificate of a file lives: ``photo.jpg`` → ``photo.jpg.countersign.json``.

    Raises InputError for ``.`` and ``/``, which name no file.
    """
    if not work.name:
        raise InputError(f"{work} is a folder.", "Give a file.")
    return work.with_name(work.name + SUFFIX)


@dataclass(frozen=True)
class Certificate:
    """All that shows who sealed a work and when. Well-formed, not yet believed: :mod:`countersign.verify` checks it.

    ``sealer`` and ``path`` open the seal of ``root``; ``parents`` are the contents that the work's root of parents
    stands for, as far as they are told; ``signature`` is the creator's EIP-712 consent (65 bytes, or a contract
    wallet's), ``proof`` the chain's state as of a block at or after the seal. Until there is a proof it is a draft.
    WARNING: whoever has the salt can open the seal: keep drafts secret; a lost salt is a lost work.
    """

    name: str
    work: Work
    creator: bytes
    salt: bytes
    contracts: Contracts
    path: Path
    root: bytes
    parents: tuple[bytes, ...] = ()
    sealer: bytes | None = None
    signature: bytes | None = None
    proof: StateProof | None = None

    @property
    def state(self) -> str:
        """ "draft" until the chain's proof is attached, then "proved"."""
        return "proved" if self.proof else "draft"

    @property
    def leaf(self) -> bytes:
        """Data of the seal leaf, recomputed."""
        c = self.contracts
        return leaf_data(c.chain_id, c.registry, self.creator, work_id(self.work), self.salt)

    @property
    def proven_root(self) -> bytes | None:
        """The root that the path proves for the leaf, to be compared with ``root``; None when the path fits no tree."""
        return merkle.root_of(merkle.hash_leaf(self.leaf), self.path)

    @property
    def digest(self) -> bytes:
        """What the creator signs."""
        return claim_digest(self.contracts, self.creator, self.work)

    def opening(self) -> Opening:
        """What the registry needs to open the seal. Raises CertificateError before sealing."""
        if self.sealer is None:
            raise CertificateError("The work is not sealed yet.", "Run: countersign seal --resume.")
        return Opening(self.creator, self.sealer, self.salt, self.path)

    def to_json(self) -> str:
        """Canonical text: the fields in a fixed order, two spaces, one final newline."""
        return json.dumps(_encode(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        """Read and validate. Raises CertificateError naming the first field that is wrong."""
        if len(text) > _MAX_BYTES:
            raise _invalid("it is larger than any certificate")
        if _nesting(text) > _MAX_DEPTH:
            raise _invalid("it is nested deeper than any certificate")
        try:
            document = json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise _invalid("it is not JSON") from error
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise _invalid(f"its format is not {FORMAT}")
        return _decode(document)

    def save(self, path: FilePath, *, replace: bool = True) -> None:
        """Write durably (fsync, rename); drafts are readable by their owner only."""
        write_durably(path, self.to_json().encode(), private=self.proof is None, replace=replace)

    @classmethod
    def load(cls, path: FilePath) -> Certificate:
        """Read from a file. Raises CertificateError when it is missing, too large, or not a certificate."""
        try:
            with open_regular(path) as file:
                data = file.read(_MAX_BYTES + 1)
            if len(data) > _MAX_BYTES:
                raise _invalid("it is larger than any certificate")
            text = data.decode()
        except UnicodeDecodeError as error:
            raise _invalid("it is not UTF-8 text") from error
        except FileNotFoundError as error:
            lost = "Check the name, or seal the work first. A lost one: countersign recover FILE."
            raise CertificateError(f"{path} cannot be read: {error.strerror}.", lost) from error
        except OSError as error:
            raise CertificateError(f"{path} cannot be read: {error.strerror}.", "Check the name.") from error
        return cls.from_json(text)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's fields. Of a field that stands twice one reader takes the first, another the last (RFC 8259, §4):
    what a person is shown would not be what was checked."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _invalid("a field stands in it twice")
    return fields


def _no_number(name: str) -> None:
    raise _invalid(f"{name} is not JSON")


def _nesting(text: str) -> int:
    """How deep lists and objects are nested. The parser recurses: where a library raised Python's recursion limit (as
    some for Ethereum do), deep nesting would end the whole process."""
    depth = deepest = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if (first := token[0][0]) in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _invalid(why: str) -> CertificateError:
    return CertificateError(
        f"This is not a valid certificate: {why}.", "Give the .countersign.json file as you received it."
    )


def _encode(c: Certificate) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "name": c.name,
        "work": {
            "content": to_hex(c.work.content),
            "fingerprint": to_hex(c.work.fingerprint),
            "origin": c.work.origin,
            "model": to_hex(c.work.model),
            "parents": to_hex(c.work.parents),
            "metadata": to_hex(c.work.metadata),
        },
        "creator": checksum(c.creator),
        "salt": to_hex(c.salt),
        "contracts": {
            "chainId": c.contracts.chain_id,
            "registry": checksum(c.contracts.registry),
            "identities": checksum(c.contracts.identities),
            "models": checksum(c.contracts.models),
        },
        "path": {"index": c.path.index, "size": c.path.size, "hashes": [to_hex(h) for h in c.path.hashes]},
        "sealer": checksum(c.sealer) if c.sealer else None,
        "root": to_hex(c.root),
        "signature": to_hex(c.signature) if c.signature else None,
        "proof": _encode_proof(c.proof) if c.proof else None,
    } | ({"parents": [to_hex(parent) for parent in c.parents]} if c.parents else {})


def _encode_proof(proof: StateProof) -> dict[str, Any]:
    return {
        "header": to_hex(proof.header),
        "accounts": [
            {
                "address": checksum(account.address),
                "nodes": [to_hex(node) for node in account.nodes],
                "slots": [
                    {"slot": to_hex(slot.slot), "nodes": [to_hex(node) for node in slot.nodes]}
                    for slot in account.slots
                ],
            }
            for account in proof.accounts
        ],
    }


class _Fields:
    """One JSON object being read: every getter names the field when its value is wrong. A field that no version of the
    format knows is refused: nothing covers what it says."""

    def __init__(self, document: object, where: str, known: str) -> None:
        if not isinstance(document, dict):
            raise _invalid(f"'{where.removesuffix('.')}' is not an object")
        if unknown := document.keys() - set(known.split()):
            raise _invalid(f"'{where}{min(unknown)[:80]}' is no field of a certificate")
        self._document, self._where = document, where

    def _get(self, name: str, kind: type[T]) -> T:
        value = self._document.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _invalid(f"'{self._where}{name}' is missing or of the wrong type")
        return value

    def text(self, name: str) -> str:
        value = self._get(name, str)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise _invalid(f"'{self._where}{name}' is not Unicode text")
        return value

    def number(self, name: str) -> int:
        value = self._get(name, int)
        if not 0 <= value < 1 << 64:
            raise _invalid(f"'{self._where}{name}' is out of range")
        return value

    def hex(self, name: str, size: int | None = None) -> bytes:
        return _hex(self.text(name), f"{self._where}{name}", size)

    def items(self, name: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
        values: list[object] = self._get(name, list)
        return tuple(read(value, f"{self._where}{name}[{i}]") for i, value in enumerate(values))

    def object(self, name: str, known: str) -> _Fields:
        return _Fields(self._document.get(name), f"{self._where}{name}.", known)

    def has(self, name: str) -> bool:
        return self._document.get(name) is not None


def _hex(value: object, where: str, size: int | None = None) -> bytes:
    try:
        if not isinstance(value, str) or not value.startswith("0x"):
            raise ValueError
        return from_hex(value, (len(value) - 2) // 2 if size is None else size)
    except (ValueError, InputError) as error:
        raise _invalid(f"'{where}' is not {size or ''} bytes of 0x-hex") from error


def _hash(value: object, where: str) -> bytes:
    return _hex(value, where, 32)


def _decode(document: dict[str, Any]) -> Certificate:
    top = _Fields(document, "", _TOP)
    work, path = top.object("work", _WORK), top.object("path", "index size hashes")
    chain = top.object("contracts", "chainId registry identities models")
    parents = top.items("parents", _hash) if top.has("parents") else ()
    if parents and merkle.list_root(parents) != work.hex("parents", 32):
        raise _invalid("'parents' are not those that 'work.parents' is the root of")
    return Certificate(
        name=top.text("name"),
        work=Work(
            content=work.hex("content", 32),
            fingerprint=work.hex("fingerprint", 32),
            origin=work.text("origin"),
            model=work.hex("model", 32),
            parents=work.hex("parents", 32),
            metadata=work.hex("metadata", 32),
        ),
        creator=top.hex("creator", 20),
        salt=top.hex("salt", 32),
        contracts=Contracts(
            chain.number("chainId"), chain.hex("registry", 20), chain.hex("identities", 20), chain.hex("models", 20)
        ),
        path=Path(path.number("index"), path.number("size"), path.items("hashes", _hash)),
        root=top.hex("root", 32),
        parents=parents,
        sealer=top.hex("sealer", 20) if top.has("sealer") else None,
        signature=_signature(top) if top.has("signature") else None,
        proof=_decode_proof(top.object("proof", "header accounts")) if top.has("proof") else None,
    )


def _signature(top: _Fields) -> bytes:
    signature = top.hex("signature")
    if not signature:
        raise _invalid("'signature' is empty")
    return signature


def _decode_proof(fields: _Fields) -> StateProof:
    return StateProof(fields.hex("header"), fields.items("accounts", _decode_account))


def _decode_account(value: object, where: str) -> AccountProof:
    fields = _Fields(value, f"{where}.", "address nodes slots")
    return AccountProof(fields.hex("address", 20), fields.items("nodes", _hex), fields.items("slots", _decode_slot))


def _decode_slot(value: object, where: str) -> SlotProof:
    fields = _Fields(value, f"{where}.", "slot nodes")
    return SlotProof(fields.hex("slot", 32), fields.items("nodes", _hex))
