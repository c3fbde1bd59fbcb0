"""docs/certificate.schema.json and the parser refuse the same, where a schema can say it; the W3C credential is one."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import make_certificate_vectors as made
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from countersign.certificate import Certificate, credential_text
from countersign.errors import CertificateError
from countersign.records import ORIGINS

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "certificate.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
DOCUMENTS = [json.loads(c.to_json()) for c in made.bases().values()]
NOT_IN_A_SCHEMA = re.compile("are not those that|is not Unicode text|is larger than|is not JSON")


def agree(document: Any) -> bool:
    """Whether the schema takes the document: the parser must say the same."""
    valid = VALIDATOR.is_valid(document)
    try:
        Certificate.from_json(json.dumps(document))
    except CertificateError as error:
        assert not valid or NOT_IN_A_SCHEMA.search(error.message), error.message
    else:
        assert valid, list(VALIDATOR.iter_errors(document))
    return valid


def whole(value: Any) -> Any:
    """1.0 as 1.5: to a schema 1.0 is a whole number, to the parser it is none."""
    if isinstance(value, float):
        return value + 0.5 if value.is_integer() else value
    if isinstance(value, dict):
        return {key: whole(child) for key, child in value.items()}
    return [whole(child) for child in value] if isinstance(value, list) else value


def test_the_schema_is_one_and_takes_every_certificate() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert all(agree(document) for document in DOCUMENTS)


def test_the_schema_refuses_what_the_vectors_refuse(vectors: Any) -> None:
    recorded = vectors("certificates")
    verdicts = []
    for case in recorded["cases"]:
        if "splice" not in case:
            document = made.apply(recorded["bases"][case["base"]], case.get("patch", []))
            verdicts.append(agree(document))
    assert verdicts.count(False) > 20


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False).map(whole)
    | st.text(max_size=68) | st.from_regex(r"0[xX][0-9a-fA-F]{0,68}\n?", fullmatch=True),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=8), v, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(st.data())
def test_schema_and_parser_agree_on_any_change(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
    holder, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(holder[key], dict | list) and holder[key] and data.draw(st.booleans()):
        holder = holder[key]
        key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
    if data.draw(st.booleans()) and isinstance(holder, dict):
        key = data.draw(st.sampled_from([key, "other", ""]))
    if data.draw(st.integers(0, 4)):
        holder[key] = data.draw(json_values)
    elif key in holder if isinstance(holder, dict) else True:
        del holder[key]
    agree(document)


# The W3C credential


@pytest.mark.parametrize("name", ["batch", "parents", "successor"])
def test_a_credential_follows_the_data_model(name: str) -> None:
    """VC Data Model 2.0, sections 4.3 to 4.10: what must be there, and of which form."""
    c = made.bases()[name]
    document = json.loads(credential_text(c))
    assert document["@context"][0] == "https://www.w3.org/ns/credentials/v2"
    terms = set(document["@context"][1])
    assert document["type"][0] == "VerifiableCredential" and set(document["type"][1:]) <= terms
    assert re.fullmatch(r"did:pkh:eip155:31337:0x[0-9a-fA-F]{40}", document["issuer"])
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
    assert stamp.fullmatch(document["validFrom"]) and document["validFrom"] == "2027-01-15T07:51:40Z"
    subject = document["credentialSubject"]
    assert subject["id"].startswith("ni:///sha-256;") and subject["sealedAt"] == document["validFrom"]
    assert set(subject) - {"id"} <= terms and (c.work.origin in ORIGINS)
    for evidence in document["evidence"]:
        assert set(evidence["type"]) <= terms
    assert Certificate.from_json(json.dumps(document["evidence"][0]["certificate"])) == c
    assert "proof" not in document  # there is no suite for the creator's signature: docs/certificate.md


def test_a_draft_is_no_credential() -> None:
    with pytest.raises(CertificateError, match="A draft proves no seal"):
        credential_text(made.bases()["draft"])
    with pytest.raises(CertificateError, match="proves no seal"):
        credential_text(made.bases()["not sealed"])
