"""Content Credentials and disclosures through the command line, on a real chain: sealed, verified, stolen."""

from __future__ import annotations

import json
import shutil
import sys
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sklearn
from commandline import Cli, Outcome
from PIL import Image

from countersign.fingerprint.c2pa import reading

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from authority import Authority

AUTHORITY = Authority()
PHOTO = Path(str(sklearn.__file__)).parent / "datasets" / "images" / "china.jpg"
AI = ("--origin", "trainedAlgorithmicMedia")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture nobody else has sealed."""
    path = Path(shutil.copy(PHOTO, tmp_path / "photo.jpg"))
    path.write_bytes(path.read_bytes() + str(tmp_path).encode())
    return path


@pytest.fixture
def press(tmp_path: Path) -> tuple[str, ...]:
    chain, key = AUTHORITY.issue(tmp_path)
    (tmp_path / "anchors.pem").write_bytes(AUTHORITY.pem)
    return "--c2pa", "--c2pa-cert", str(chain), "--c2pa-key", str(key)


def steps(outcome: Outcome) -> dict[str, tuple[str, str]]:
    return {step["name"]: (step["state"], step["detail"]) for step in outcome.json["steps"]}


def test_sealed_with_credentials_and_disclosure_and_verified_both_ways(
    cli: Cli, photo: Path, press: tuple[str, ...], tmp_path: Path
) -> None:
    before = photo.read_bytes()
    made = cli("seal", photo, *AI, *press, "--training", "notAllowed", "--disclosure", key="test:0")
    assert made.code == 0, made.err
    copy, anchors = tmp_path / "photo.c2pa.jpg", ("--trust-anchors", tmp_path / "anchors.pem", "--json")
    assert photo.read_bytes() == before and copy.exists()
    own = cli("verify", copy, *anchors)
    assert own.code == 0 and steps(own)["content"][1] == "The file's SHA-256 is the sealed one."
    assert steps(own)["manifest"] == ("pass", "The Content Credentials are part of the sealed bytes.")
    assert steps(own)["signer"][0] == "pass" and "also when that certificate has ended" in steps(own)["signer"][1]
    assert steps(own)["disclosure"][0] == "pass" and own.json["facts"]["credentials"]["state"] == "trusted"
    (tmp_path / "photo.c2pa.jpg.countersign.json").unlink()
    by_original = cli("verify", copy, *anchors)
    assert by_original.code == 0
    assert "without their Content Credentials are the sealed ones" in steps(by_original)["content"][1]
    assert steps(by_original)["manifest"][0] == "pass" and "name this seal" in steps(by_original)["manifest"][1]
    plain = cli("verify", photo, "--json")
    assert plain.code == 0 and "manifest" not in steps(plain) and steps(plain)["disclosure"][0] == "pass"
    told = json.loads((tmp_path / "photo.jpg.disclosure.json").read_text())
    assert told["aiGenerated"] is True and told["trainingAndMining"] == "notAllowed"
    assert told["sha256"] == sha256(before).hexdigest() and "Article 50" in told["legalReference"]
    assert told["digitalSourceType"].endswith("/trainedAlgorithmicMedia")


def test_a_changed_disclosure_and_a_changed_picture_fail(cli: Cli, photo: Path, tmp_path: Path) -> None:
    assert cli("seal", photo, *AI, "--c2pa", "--disclosure", key="test:0").code == 0
    copy, disclosure = tmp_path / "photo.c2pa.jpg", tmp_path / "photo.jpg.disclosure.json"
    development = cli("verify", copy, "--json")
    assert development.code == 0 and "trusted by nobody" in steps(development)["signer"][1]
    told = disclosure.read_text()
    disclosure.write_text(told.replace("true", "false"))
    changed = cli("verify", photo, "--json")
    assert changed.code == 1 and steps(changed)["disclosure"][0] == "fail"
    disclosure.write_text(told)
    data = bytearray(copy.read_bytes())
    data[-400] ^= 1
    copy.write_bytes(data)
    broken = cli("verify", copy, "--json")
    assert broken.code == 1 and steps(broken)["content"][0] == "fail"
    assert broken.json["facts"]["credentials"]["state"] == "invalid"


def test_stripped_and_signed_by_a_trusted_thief(cli: Cli, photo: Path, press: tuple[str, ...], tmp_path: Path) -> None:
    """C2PA says: trusted, and names the thief. The chain names the creator."""
    assert cli("seal", photo, *AI, *press, key="test:0").code == 0
    lair = tmp_path / "lair"
    lair.mkdir()
    stolen = Path(shutil.copy(photo, lair / "mine.jpg"))
    chain, key = AUTHORITY.issue(lair, "Mallory News")
    thief = cli("seal", stolen, *AI, "--c2pa", "--c2pa-cert", chain, "--c2pa-key", key, key="test:1")
    assert thief.code == 0
    anchors = ("--trust-anchors", tmp_path / "anchors.pem", "--json")
    told = cli("c2pa", "show", lair / "mine.c2pa.jpg", *anchors)
    assert told.code == 0 and told.json["credentials"]["state"] == "trusted"
    certificate = tmp_path / "photo.jpg.countersign.json"
    seen = cli("verify", lair / "mine.c2pa.jpg", "--certificate", certificate, *anchors)
    assert seen.code == 1 and steps(seen)["content"][0] == steps(seen)["seal"][0] == "pass"
    assert steps(seen)["manifest"][0] == "fail" and "name another seal" in steps(seen)["manifest"][1]
    assert "Mallory News" in steps(seen)["signer"][1]


def test_a_foreign_manifest_is_shown_and_sealed_as_it_is(cli: Cli, photo: Path, tmp_path: Path) -> None:
    assert cli("seal", photo, *AI, "--c2pa", key="test:0").code == 0
    camera = tmp_path / "camera.jpg"
    (tmp_path / "photo.c2pa.jpg").rename(camera)
    unknown = cli("verify", camera, "--json")
    assert unknown.code == 1 and unknown.json["facts"]["record"] is None
    assert steps(unknown)["signer"][0] == "warn" and unknown.json["facts"]["credentials"]["state"] == "development"
    again = cli("seal", camera, *AI, "--c2pa", key="test:0")
    assert again.code == 2 and "carries Content Credentials already" in again.err
    assert cli("seal", camera, *AI, key="test:0").code == 0
    sealed = cli("verify", camera, "--json")
    assert sealed.code == 0 and steps(sealed)["manifest"][0] == "pass"


def test_what_carries_none_is_sealed_by_certificate_alone(cli: Cli, tmp_path: Path) -> None:
    files = []
    for name, data in {
        "a.svg": b"<svg onload='alert(1)'/>",
        "b.pdf": b"%PDF-1.7 /JavaScript",
        "c.txt": b"words",
    }.items():
        files.append(tmp_path / name)
        files[-1].write_bytes(data + str(tmp_path).encode())
    made = cli("seal", *files, *AI, "--c2pa", key="test:0")
    assert made.code == 0 and made.out.count("its certificate alone seals it") == 3
    for file in files:
        seen = cli("verify", file, "--json")
        assert seen.code == 0 and "manifest" not in steps(seen)


def test_interrupted_and_taken_up_again(cli: Cli, photo: Path, tmp_path: Path) -> None:
    first = cli("seal", photo, *AI, "--c2pa", "--no-wait", key="test:0")
    assert first.code == 0, first.err
    assert cli("seal", photo, "--resume", key="test:0").code == 0
    for name in ("photo.jpg", "photo.c2pa.jpg"):
        seen = cli("verify", tmp_path / name, "--json")
        assert seen.code == 0, (name, seen.out)


MISUSES: list[tuple[tuple[Any, ...], str]] = [
    (("--c2pa",), "where a work comes from"),
    (("--disclosure",), "where a work comes from"),
    ((*AI, "--training", "allowed"), "Add --c2pa or --disclosure"),
    ((*AI, "--c2pa-key", "x.pem"), "Add --c2pa"),
    ((*AI, "--c2pa", "--c2pa-key", "x.pem"), "key without its certificate"),
    ((*AI, "--c2pa", "--c2pa-cert", "x.pem"), "needs its private key"),
    ((*AI, "--disclosure", "--metadata", "photo.jpg"), "one document as metadata"),
    ((*AI, "--c2pa", "--bundle", "x.bundle"), "Name the files one by one"),
]


@pytest.mark.parametrize(("options", "words"), MISUSES)
def test_a_misuse_is_said_and_leaves_nothing(
    cli: Cli, photo: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[Any, ...], words: str
) -> None:
    monkeypatch.chdir(photo.parent)
    said = cli("seal", photo, *options, key="test:0")
    assert said.code == 2 and words in said.err, said.err
    assert [path.name for path in photo.parent.iterdir() if path.name != "home"] == ["photo.jpg"]


def test_a_cut_off_picture_gets_no_credentials(cli: Cli, photo: Path) -> None:
    photo.write_bytes(photo.read_bytes()[:50_000])
    said = cli("seal", photo, *AI, "--c2pa", key="test:0")
    assert said.code == 2 and "not a whole picture" in said.err
    assert cli("seal", photo, *AI, key="test:0").code == 0, "its bytes can still be sealed"


def test_credentials_for_a_work_that_is_sealed_already(cli: Cli, photo: Path, tmp_path: Path) -> None:
    assert cli("seal", photo, *AI, key="test:0").code == 0
    made = cli("c2pa", "sign", photo, "--json")
    assert made.code == 0 and made.json["credentials"].endswith("photo.c2pa.jpg")
    assert cli("c2pa", "sign", photo, "--json").json == made.json, "twice is once"
    seen = cli("verify", tmp_path / "photo.c2pa.jpg", "--json")
    assert seen.code == 0 and "they are not part of it" in steps(seen)["manifest"][1]
    shown = cli("c2pa", "show", tmp_path / "photo.c2pa.jpg")
    assert shown.code == 0 and "development certificate" in shown.out and "io.iscc.v0 ISCC:" in shown.out
    assert cli("c2pa", "show", photo).code == 1


def test_a_sidecar_belongs_to_media_that_get_one(cli: Cli, tmp_path: Path) -> None:
    from PIL import Image

    clip, picture = tmp_path / "work.webp", tmp_path / "work.png"
    Image.effect_noise((64, 64), 90).save(clip)
    Image.effect_noise((64, 64), 90).save(picture)
    assert cli("seal", clip, *AI, "--c2pa", key="test:0").code == 0 and (tmp_path / "work.c2pa").exists()
    assert cli("seal", picture, *AI, key="test:0").code == 0
    seen, other = cli("verify", clip, "--json"), cli("verify", picture, "--json")
    assert seen.code == 0 and steps(seen)["manifest"][0] == "pass"
    assert other.code == 0 and "manifest" not in steps(other)


def test_what_only_lies_where_a_manifest_belongs_is_not_verified(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, copy = tmp_path / "plain.png", tmp_path / "plain.c2pa.png"
    Image.radial_gradient("L").save(work)
    work.write_bytes(work.read_bytes() + str(tmp_path).encode())
    assert cli("seal", work, *AI, "--c2pa", key="test:0").code == 0
    signed = copy.read_bytes()
    (tmp_path / "plain.c2pa.png.countersign.json").unlink()
    junk = b"nothing that anybody signed"
    chunk = len(junk).to_bytes(4) + b"caBX" + junk + zlib.crc32(b"caBX" + junk).to_bytes(4)
    data = work.read_bytes()
    copy.write_bytes(data[:33] + chunk + data[33:])
    seen = cli("verify", copy, "--json")
    assert seen.code == 1 and steps(seen)["content"][0] == "pass" and steps(seen)["manifest"][0] == "fail"
    copy.write_bytes(signed)
    assert cli("verify", copy).code == 0
    monkeypatch.setattr(reading, "find_spec", lambda _: None)
    blind = cli("verify", copy, "--json")
    assert blind.code == 2 and steps(blind)["manifest"][0] == "unknown" and "media" in steps(blind)["manifest"][1]
    assert cli("verify", work).code == 0, "where there is nothing to read, no library is missed"


def test_a_signers_name_is_one_line_of_its_own(cli: Cli, photo: Path, tmp_path: Path) -> None:
    """It stands in a step: a line of its own would pass for a step, or for the outcome."""
    chain, key = AUTHORITY.issue(tmp_path, "x\n\x1b[32mVERIFIED\x1b[0m: Step 9 \u202e")
    assert cli("seal", photo, *AI, "--c2pa", "--c2pa-cert", chain, "--c2pa-key", key, key="test:0").code == 0
    for command in (("verify", photo.with_name("photo.c2pa.jpg")), ("c2pa", "show", photo.with_name("photo.c2pa.jpg"))):
        shown = cli(*command).out
        assert "x\\x0a\\x1b[32mVERIFIED\\x1b[0m: Step 9 \\u202e" in shown
        assert not any(
            line.startswith(("VERIFIED: Step 9", "\x1b[32mVERIFIED\x1b[0m: Step 9")) for line in shown.split("\n")
        )
