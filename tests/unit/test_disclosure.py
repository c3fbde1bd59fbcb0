"""The disclosure: what it says for each origin, and that it is never quietly replaced."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from world import draft

from countersign.certificate.credentials import Brought
from countersign.certificate.disclosure import disclosure, disclosure_path, write_disclosure
from countersign.errors import InputError
from countersign.records import ORIGINS, Work


@pytest.mark.parametrize("origin", [origin for origin in ORIGINS if origin])
def test_every_origin_is_said_in_words_and_as_a_uri(origin: str) -> None:
    told = json.loads(disclosure("x.jpg", Work(b"\1" * 32, origin=origin)))
    assert told["digitalSourceType"] == f"http://cv.iptc.org/newscodes/digitalsourcetype/{origin}"
    synthetic = origin in ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")
    assert told["aiGenerated"] is synthetic and told["statement"].endswith(".")
    assert ("artificial" in told["statement"] or "synthetic" in told["statement"]) is synthetic


def test_model_and_choice_are_told_when_there_are_any() -> None:
    work = Work(b"\1" * 32, origin="trainedAlgorithmicMedia", model=b"\2" * 32)
    told = json.loads(disclosure("x.jpg", work, training="notAllowed"))
    assert told["model"] == "0x" + "02" * 32 and told["trainingAndMining"] == "notAllowed"
    bare = json.loads(disclosure("x.jpg", replace(work, model=bytes(32))))
    assert "model" not in bare and "trainingAndMining" not in bare


def test_no_origin_no_disclosure_and_metadata_does_not_matter() -> None:
    with pytest.raises(InputError, match="where a work comes from"):
        disclosure("x.jpg", Work(b"\1" * 32))
    work = Work(b"\1" * 32, origin="print")
    assert disclosure("x.jpg", work) == disclosure("x.jpg", replace(work, metadata=b"\3" * 32))


def test_another_document_of_that_name_stays(tmp_path: Path) -> None:
    work = tmp_path / "x.jpg"
    path = write_disclosure(work, b"one")
    assert path == disclosure_path(work) and write_disclosure(work, b"one").read_bytes() == b"one"
    with pytest.raises(InputError, match="says something else"):
        write_disclosure(work, b"two")
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize(("metadata", "state"), [(b"\4" * 32, "pass"), (b"\5" * 32, "fail"), (bytes(32), "warn")])
def test_a_disclosure_beside_is_compared_with_the_sealed_one(metadata: bytes, state: str) -> None:
    certificate = draft(metadata=metadata)
    [(name, found, _)] = Brought(disclosure=b"\4" * 32).findings(certificate, None)
    assert (name, found) == ("disclosure", state)
