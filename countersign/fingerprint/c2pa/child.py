"""The process that reads a manifest: question as JSON on stdin, answer on stdout, ``null`` for a file without one.

Everything from the file is cut to one line of modest size here; what is of the wrong type counts as not said.
"""

from __future__ import annotations

import base64
import json
import re
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

from countersign.fingerprint.c2pa import SETTINGS
from countersign.fingerprint.c2pa.signing import DEVELOPMENT
from countersign.names import one_line

__all__ = ["answer", "main"]

_MEMORY, _SECONDS = 4 << 30, 50
_TEXT, _ITEMS = 300, 50
_LEAF, _ADDRESS = re.compile("0x[0-9a-f]{64}"), re.compile("0x[0-9a-fA-F]{40}")
_ENDED = {"signingCredential.expired", "claimSignature.outsideValidity", "signingCredential.untrusted"}
"""Failures of a certificate that has ended, and of nothing else."""
_BOUND = {"assertion.dataHash.match", "assertion.bmffHash.match", "assertion.boxesHash.match"}
_REVOKED = {"signingCredential.ocsp.revoked", "signingCredential.revoked"}
_WORDS = {
    "signingCredential.untrusted": "None of the trusted authorities vouches for the signer.",
    "signingCredential.expired": "The signer's certificate has expired, and no time stamp shows that it signed before.",
    "claimSignature.outsideValidity": "The signature was made while the signer's certificate was not valid.",
    "signingCredential.ocsp.revoked": "The signer's certificate is revoked.",
    "assertion.dataHash.mismatch": "The file's bytes are not those that were signed.",
    "assertion.bmffHash.mismatch": "The file's bytes are not those that were signed.",
    "assertion.hashedURI.mismatch": "A statement in the manifest was changed after signing.",
    "claimSignature.mismatch": "The signature does not fit what the manifest says.",
    "assertion.dataHash.additionalExclusionsPresent": "The signer left parts of the file unsigned.",
}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    question = json.load(sys.stdin)
    sidecar = Path(question["sidecar"]).read_bytes() if question["sidecar"] else None
    sys.stdout.write(json.dumps(answer(Path(question["path"]), sidecar, question["anchors"])))


def answer(path: Path, sidecar: bytes | None, anchors: str | None) -> dict[str, Any] | None:
    """What the active manifest says, as the fields of ``reading.Credentials`` in types of
    JSON; None when there is none. ``anchors`` are certificates in PEM."""
    import c2pa  # type: ignore[import-untyped]

    settings = SETTINGS | ({"trust": {"user_anchors": anchors}} if anchors else {})
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            path.open("rb") as file,
            c2pa.Reader(None, file, sidecar, context=context) as reader,
        ):
            detailed, shown = json.loads(reader.detailed_json()), json.loads(reader.crjson())
            store = json.loads(reader.json())
            return _reduced(store, detailed, shown, sidecar is None, bool(anchors))
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        claims = sidecar is not None or _has_manifest(path)
        why = f"The manifest cannot be read: {error}."
        return _invalid(why, sidecar is None) if claims else None


def _has_manifest(path: Path) -> bool:
    """Whether a file that cannot be read looks as if it carried a manifest."""
    last = b""
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            if b"jumb" in last + block and b"c2pa" in last + block:
                return True
            last = block[-64:]
    return False


def _invalid(why: str, embedded: bool) -> dict[str, Any]:
    empty: dict[str, Any] = {name: [] for name in ("earlier", "actions", "training", "ingredients", "soft_bindings")}
    return {"state": "invalid", "embedded": embedded, "problems": [_text(why)], "seal": None, **empty}  # fmt: skip


def _reduced(
    store: dict[str, Any], detailed: dict[str, Any], shown: dict[str, Any], embedded: bool, anchored: bool
) -> dict[str, Any]:
    label = _get(store, "active_manifest")
    manifests: dict[str, Any] = _get(store, "manifests", dict)
    active = _get(manifests, label, dict)
    told: Any = next((m for m in _get(shown, "manifests", list) if _get(m, "label") == label), {})
    signed = _get(told, "signature", dict)
    state, problems = _judged(store, _signer(signed), anchored)
    said = _get(_get(detailed, "manifests", dict), label, dict)
    assertions = _get(said, "assertion_store", dict)
    others = [_seal(m) for name, m in manifests.items() if name != label]
    return {
        "state": state,
        "problems": problems,
        "embedded": embedded,
        "generator": _text(_get(_get(_get(said, "claim", dict), "claim_generator_info", dict), "name")),
        "signer": _signer(signed),
        "issuer": _person(_get(_get(signed, "certificateInfo", dict), "issuer", dict)),
        "valid_from": _time(_validity(signed, "notBefore")),
        "valid_until": _time(_validity(signed, "notAfter")),
        "signed_at": _time(_get(_get(active, "signature_info", dict), "time")),
        "seal": _seal(active),
        "earlier": [seal for seal in others if seal][:_ITEMS],
        **_said(assertions),
        "ingredients": [_ingredient(i) for i in _get(active, "ingredients", list)[:_ITEMS]],
    }


def _judged(store: dict[str, Any], signer: str, anchored: bool) -> tuple[str, list[str]]:
    verdict = _get(store, "validation_state")
    results = _get(_get(store, "validation_results", dict), "activeManifest", dict)
    failures, notes = _codes(results, "failure"), _codes(results, "informational")
    problems = [_sentence(code) for code in failures]
    problems += [_WORDS[code] for code in notes if code == "assertion.dataHash.additionalExclusionsPresent"]
    state = _state(verdict, set(failures), signer, anchored)
    held = set(_codes(results, "success"))
    if state in ("expired", "revoked") and not ("claimSignature.validated" in held and held & _BOUND):
        state = "invalid"
    return state, list(dict.fromkeys(problems))


def _state(verdict: str, failures: set[str], signer: str, anchored: bool) -> str:
    """Only the library's own positive verdict makes a manifest more than invalid, or failures of time alone."""
    if verdict not in ("Trusted", "Valid"):
        if failures & _REVOKED and failures <= _ENDED | _REVOKED:
            return "revoked"
        return "expired" if failures - {"signingCredential.untrusted"} and failures <= _ENDED else "invalid"
    if DEVELOPMENT in signer:
        return "development"
    return "trusted" if verdict == "Trusted" and anchored and not failures else "untrusted"


def _codes(results: dict[str, Any], kind: str) -> list[str]:
    return [_get(entry, "code") for entry in _get(results, kind, list)]


def _sentence(code: str) -> str:
    return _WORDS.get(code, f"The C2PA library reports {_text(code)}.")


def _said(assertions: dict[str, Any]) -> dict[str, Any]:
    actions: list[Any] = []
    for label in ("c2pa.actions.v2", "c2pa.actions"):
        actions += _get(_get(assertions, label, dict), "actions", list)
    entries: dict[str, Any] = {}
    for label in ("c2pa.training-mining", "cawg.training-mining"):
        entries |= _get(_get(assertions, label, dict), "entries", dict)
    origins = filter(None, (_get(action, "digitalSourceType") for action in actions))
    return {
        "actions": [_text(_get(action, "action")) for action in actions[:_ITEMS]],
        "origin": _text(next(origins, "").rpartition("/")[2]),
        "training": [(_text(name), _text(_get(entries[name], "use"))) for name in sorted(entries)[:_ITEMS]],
        "soft_bindings": _soft_bindings(assertions),
    }


def _soft_bindings(assertions: dict[str, Any]) -> list[tuple[str, str]]:
    found = [_get(assertions, name, dict) for name in assertions if name.split("__")[0] == "c2pa.soft-binding"]
    return [(_text(_get(binding, "alg")), _text(_get(block, "value")))
            for binding in found[:_ITEMS] for block in _get(binding, "blocks", list)[:_ITEMS]]  # fmt: skip


def _seal(manifest: Any) -> dict[str, Any] | None:
    for assertion in _get(manifest, "assertions", list):
        if _get(assertion, "label") == "org.countersign.seal":
            data = _get(assertion, "data", dict)
            leaf, registry, chain = _get(data, "leaf"), _get(data, "registry"), _get(data, "chainId", int)
            if _LEAF.fullmatch(leaf) and _ADDRESS.fullmatch(registry) and 0 <= chain < 1 << 64:
                return {"leaf": leaf[2:], "registry": registry[2:].lower(), "chain_id": chain}
    return None


def _ingredient(told: Any) -> dict[str, Any]:
    name = _get(told, "instance_id")
    return {"title": _text(_get(told, "title")), "relation": _text(_get(told, "relationship")),
            "content": _named(name)}  # fmt: skip


def _named(name: str) -> str | None:
    """The SHA-256 in a ``ni:`` name (RFC 6920), in hex."""
    match = re.fullmatch("ni:///sha-256;([A-Za-z0-9_-]{43})", name)
    return base64.urlsafe_b64decode(match[1] + "=").hex() if match else None


def _signer(signed: dict[str, Any]) -> str:
    return _person(_get(_get(signed, "certificateInfo", dict), "subject", dict))


def _person(name: dict[str, Any]) -> str:
    return ", ".join(_text(name[part]) for part in ("CN", "O") if isinstance(name.get(part), str))


def _validity(signed: dict[str, Any], which: str) -> str:
    told: str = _get(_get(_get(signed, "certificateInfo", dict), "validity", dict), which)
    return told


def _time(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return int(moment.timestamp()) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _text(value: str) -> str:
    """One line of modest length: it will stand beside words of ours."""
    return one_line(value[:_TEXT])


def _get(source: Any, name: Any, kind: type = str) -> Any:
    """A value of the expected kind, else an empty one."""
    value = source.get(name) if isinstance(source, dict) else None
    return value if isinstance(value, kind) and not isinstance(value, bool) else kind()


if __name__ == "__main__":
    main()
