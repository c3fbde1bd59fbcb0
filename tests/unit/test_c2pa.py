"""Content Credentials signed, read and judged: with real certificates, by the real library, against real tampering."""

from __future__ import annotations

import os
import random
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sklearn
from authority import Authority
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from world import CREATOR, NOW, draft

from countersign import seal
from countersign.certificate import Certificate
from countersign.certificate.credentials import judge
from countersign.errors import InputError, MissingExtra
from countersign.fingerprint.c2pa import child, reading
from countersign.fingerprint.c2pa.container import original_digest, without_credentials
from countersign.fingerprint.c2pa.reading import Credentials, read_manifest, sidecar_of
from countersign.fingerprint.c2pa.signing import Identity, development, from_pem, from_pkcs12, sign
from countersign.fingerprint.digest import digest_file
from countersign.seal.credentials import credentials_path, definition, write_credentials

AUTHORITY = Authority()
VECTORS = Path(__file__).parents[1] / "vectors"
PHOTO = Path(str(sklearn.__file__)).parent / "datasets" / "images" / "flower.jpg"
DAY = 86400


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def anchors(place: Path) -> Path:
    (place / "anchors.pem").write_bytes(AUTHORITY.pem)
    return place / "anchors.pem"


@pytest.fixture(scope="module")
def press(place: Path) -> Identity:
    return from_pem(*AUTHORITY.issue(place), str)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return Path(shutil.copy(PHOTO, tmp_path / "photo.jpg"))


def certificate_of(work: Path, **said: Any) -> Certificate:
    return draft(content=digest_file(work).sha256, **({"origin": "trainedAlgorithmicMedia"} | said))


def published(work: Path, identity: Identity, **more: Any) -> tuple[Path, Certificate]:
    certificate = certificate_of(work)
    return write_credentials(work, certificate, identity, definition(certificate, **more)), certificate


# What is written is what is read


def test_a_signed_picture_says_who_what_and_which_seal(photo: Path, press: Identity, anchors: Path) -> None:
    before = photo.read_bytes()
    path, certificate = published(photo, press, training="notAllowed", iscc="ISCC:KEC2")
    read = read_manifest(path, anchors=anchors)
    assert read and (read.state, read.problems, read.embedded) == ("trusted", (), True)
    assert read.signer == "Ada Press, Ada Press" and read.issuer.startswith("Trusted Press Authority")
    assert read.seal and read.seal.leaf == certificate.leaf and read.seal.chain_id == 31337
    assert read.actions == ("c2pa.created",) and read.origin == "trainedAlgorithmicMedia"
    assert ("cawg.ai_generative_training", "notAllowed") in read.training and len(read.training) == 4
    assert read.soft_bindings == (("io.iscc.v0", "ISCC:KEC2"),) and read.generator == "Countersign"
    assert path.name == "photo.c2pa.jpg" and photo.read_bytes() == before
    assert original_digest(path) == certificate.work.content
    assert read.valid_from and read.valid_until and read.valid_until - read.valid_from == 91 * DAY
    assert read.signed_at is None, "no time stamp authority was asked"


def test_valid_is_not_trusted(photo: Path, press: Identity, tmp_path: Path) -> None:
    path, _ = published(photo, press)
    others = tmp_path / "others.pem"
    others.write_bytes(Authority("Someone Else").pem)
    for anchors in (None, others):
        read = read_manifest(path, anchors=anchors)
        assert read and read.state == "untrusted" and read.intact


def test_a_development_certificate_stays_one_even_when_anchored(photo: Path, tmp_path: Path) -> None:
    home = tmp_path / "home" / "dev.pem"
    own = development(home)
    assert development(home) == own and own.development
    assert stat.S_IMODE(home.stat().st_mode) == 0o600 and repr(own.key) not in repr(own)
    anchors = tmp_path / "anchors.pem"
    issuer = x509.load_pem_x509_certificates(own.chain)[1]
    from cryptography.hazmat.primitives.serialization import Encoding

    anchors.write_bytes(issuer.public_bytes(Encoding.PEM))
    read = read_manifest(published(photo, own)[0], anchors=anchors)
    assert read and read.state == "development" and "trusted by nobody" in read.signer


@pytest.mark.parametrize("kind", ["webp", "gif", "tiff", "avif"])
def test_other_media_get_a_sidecar_and_stay_as_they_are(
    kind: str, press: Identity, anchors: Path, tmp_path: Path
) -> None:
    work = tmp_path / f"work.{kind}"
    Image.radial_gradient("L").convert("RGB").save(work)
    before = work.read_bytes()
    path, certificate = published(work, press)
    assert path == sidecar_of(work) == tmp_path / "work.c2pa" and work.read_bytes() == before
    read = read_manifest(work, sidecar=path, anchors=anchors)
    assert read and read.state == "trusted" and read.seal and read.seal.leaf == certificate.leaf
    work.write_bytes(before + b"\0")
    changed = read_manifest(work, sidecar=path, anchors=anchors)
    assert changed and changed.state == "invalid"
    assert steps(certificate, changed)["manifest"][0] == "warn", "found by its name: it may be another file's"
    path.write_bytes(b"junk")
    junk = read_manifest(work, sidecar=path)
    assert junk and (junk.state, junk.embedded) == ("invalid", False)


@pytest.mark.parametrize("origin", ["humanEdits", "trainedAlgorithmicMedia"])
def test_parents_are_ingredients_with_their_hashes(origin: str, photo: Path, press: Identity, anchors: Path) -> None:
    parents = (b"\1" * 32, b"\2" * 32) if origin != "humanEdits" else (b"\1" * 32,)
    certificate = replace(certificate_of(photo, origin=origin, parents=seal.parents_root(parents)), parents=parents)
    said = definition(certificate, titles=["first.png"])
    read = read_manifest(write_credentials(photo, certificate, press, said), anchors=anchors)
    assert read and read.state == "trusted"
    assert tuple(i.content for i in read.ingredients) == parents and read.ingredients[0].title == "first.png"
    assert {i.relation for i in read.ingredients} == {"parentOf" if origin == "humanEdits" else "inputTo"}
    assert read.actions == (("c2pa.opened", "c2pa.edited") if origin == "humanEdits" else ("c2pa.created",))


def test_a_file_without_credentials_has_none(photo: Path, tmp_path: Path) -> None:
    assert read_manifest(photo) is None
    for name, data in (("cut.jpg", PHOTO.read_bytes()[:900]), ("text.jpg", b"hello"), ("empty.png", b"")):
        (tmp_path / name).write_bytes(data)
        assert read_manifest(tmp_path / name) is None, name


def test_the_extension_does_not_matter(photo: Path, press: Identity, anchors: Path) -> None:
    path, _ = published(photo, press)
    read = read_manifest(path.rename(path.with_suffix(".png")), anchors=anchors)
    assert read and read.state == "trusted"


ACTIVE = {
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>fetch("http://example.org")</script></svg>',
    "form.pdf": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\ntrailer<</Root 1 0 R>>",
    "notes.txt": b"words",
    "data.json": b"{}",
    "weights.safetensors": b"\x08\0\0\0\0\0\0\0{}      ",
}


@pytest.mark.parametrize("name", ACTIVE)
def test_documents_and_text_are_sealed_by_certificate_alone(name: str, press: Identity, tmp_path: Path) -> None:
    work = tmp_path / name
    work.write_bytes(ACTIVE[name])
    assert credentials_path(work) is None
    with pytest.raises(InputError, match="kind without Content Credentials"):
        published(work, press)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_writing_twice_keeps_the_first_and_takes_nobody_elses_name(photo: Path, press: Identity) -> None:
    path, certificate = published(photo, press)
    first = path.read_bytes()
    assert published(photo, press)[0].read_bytes() == first
    other = certificate_of(photo, metadata=b"\3" * 32)
    with pytest.raises(InputError, match="exists already"):
        write_credentials(photo, other, press, definition(other))
    path.write_bytes(b"mine")
    with pytest.raises(InputError, match="exists already"):
        write_credentials(photo, certificate, press, definition(certificate))
    assert path.read_bytes() == b"mine"


def test_credentials_are_never_replaced(photo: Path, press: Identity) -> None:
    path, _ = published(photo, press)
    with pytest.raises(InputError, match="already"):
        published(path, press)


def test_a_work_without_origin_has_no_manifest(photo: Path) -> None:
    with pytest.raises(InputError, match="where a work comes from"):
        definition(certificate_of(photo, origin=""))


# Certificates


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate(),
                                 rsa.generate_private_key(65537, 2048)], ids=["P-384", "Ed25519", "RSA"])  # fmt: skip
def test_every_kind_of_key_signs(key: Any, photo: Path, anchors: Path, tmp_path: Path) -> None:
    read = read_manifest(published(photo, from_pem(*AUTHORITY.issue(tmp_path, key=key), str))[0], anchors=anchors)
    assert read and read.state == "trusted"


def test_pkcs12_with_and_without_a_passphrase(photo: Path, anchors: Path, tmp_path: Path) -> None:
    for passphrase in ("", "open sesame"):
        identity = from_pkcs12(AUTHORITY.issue_pkcs12(tmp_path, passphrase), lambda _, word=passphrase: word)
        read = read_manifest(published(photo, identity)[0], anchors=anchors)
        assert read and read.state == "trusted"
    with pytest.raises(InputError, match="cannot be opened"):
        from_pkcs12(tmp_path / "me.p12", lambda _: "wrong")


def test_a_bad_certificate_is_refused_in_words(tmp_path: Path) -> None:
    server = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")
    cases = {
        "valid from": AUTHORITY.issue(tmp_path, "ended", first=-9, last=-2),
        "not for signing content": AUTHORITY.issue(tmp_path, "server", purpose=server),
        "does not know this kind of key": AUTHORITY.issue(tmp_path, "odd", key=ec.generate_private_key(ec.SECP256K1())),
        "does not fit": (AUTHORITY.issue(tmp_path, "a")[0], AUTHORITY.issue(tmp_path, "b")[1]),
        "no certificates in PEM": (tmp_path / "a.key", tmp_path / "a.key"),
        "cannot be opened": (tmp_path / "a.pem", tmp_path / "a.pem"),
        "cannot be read": (tmp_path / "none.pem", tmp_path / "a.key"),
    }
    for words, (chain, key) in cases.items():
        with pytest.raises(InputError, match=words):
            from_pem(chain, key, str)
    (tmp_path / "root.pem").write_bytes(AUTHORITY.pem)
    with pytest.raises(InputError, match="damaged"):
        development(tmp_path / "root.pem")


def test_anchors_that_are_none_are_said(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "x.pem", tmp_path / "none.pem", photo):
        with pytest.raises(InputError, match="anchors"):
            read_manifest(photo, anchors=path)


# Attacks


def steps(certificate: Certificate, read: Credentials | None, *, sealed: bool = False) -> dict[str, tuple[str, str]]:
    assert read
    return {name: (state, detail) for name, state, detail in judge(certificate, read, sealed=sealed, at=NOW)}


def test_the_creators_own_credentials_name_the_seal(photo: Path, press: Identity, anchors: Path) -> None:
    path, certificate = published(photo, press)
    found = steps(certificate, read_manifest(path, anchors=anchors))
    assert found["manifest"][0] == found["signer"][0] == "pass"
    assert "they are not part of it" in found["manifest"][1] and "Trusted Press Authority" in found["signer"][1]


def test_strip_and_sign_again_is_seen_though_c2pa_trusts_it(
    photo: Path, press: Identity, anchors: Path, place: Path, tmp_path: Path
) -> None:
    """C2PA alone says: trusted, made by Mallory."""
    path, certificate = published(photo, press)
    mallory = from_pem(*AUTHORITY.issue(place, "Mallory News"), str)
    stolen = tmp_path / "stolen.jpg"
    stolen.write_bytes(without_credentials(path.read_bytes()))
    own = draft(content=certificate.work.content, creator=b"\7" * 20, origin="digitalCapture")
    said = definition(own)
    bare = said | {"assertions": [a for a in said["assertions"] if a["label"] != "org.countersign.seal"]}
    for what, words in ((bare, "do not name the seal"), (said, "name another seal")):
        stolen.with_name("again.jpg").write_bytes(sign(stolen, what, mallory)[0])
        read = read_manifest(stolen.with_name("again.jpg"), anchors=anchors)
        assert read and read.state == "trusted" and read.signer.startswith("Mallory News")
        assert original_digest(stolen.with_name("again.jpg")) == certificate.work.content
        state, detail = steps(certificate, read)["manifest"]
        assert state == "fail" and words in detail and seal_creator(certificate) in detail


def seal_creator(certificate: Certificate) -> str:
    from countersign.canonical import checksum

    assert certificate.creator == CREATOR
    return checksum(certificate.creator)


def test_a_manifest_of_another_picture_is_invalid(photo: Path, press: Identity, anchors: Path, tmp_path: Path) -> None:
    path, certificate = published(photo, press)
    signed, plain = path.read_bytes(), photo.read_bytes()
    at = next(i for i in range(len(plain)) if signed[i] != plain[i])
    other = tmp_path / "other.jpg"
    Image.open(photo).rotate(180).save(other)
    manifest, victim = signed[at : at + len(signed) - len(plain)], other.read_bytes()
    other.write_bytes(victim[:at] + manifest + victim[at:])
    read = read_manifest(other, anchors=anchors)
    assert read and read.state == "invalid" and "bytes are not those that were signed" in " ".join(read.problems)
    assert original_digest(other) != certificate.work.content
    assert steps(certificate, read)["manifest"][0] == "fail"


@pytest.fixture(scope="module")
def signed_small(press: Identity, place: Path) -> dict[str, bytes]:
    made = {}
    for kind in ("jpg", "png"):
        work = place / f"small.{kind}"
        Image.radial_gradient("L").resize((24, 24)).save(work)
        made[kind] = published(work, press, training="notAllowed")[0].read_bytes()
    return made


@given(st.sampled_from(["jpg", "png"]), st.integers(0, 1 << 32), st.integers(1, 6), st.booleans())
def test_flipped_bytes_never_pass_for_valid(
    signed_small: dict[str, bytes], place: Path, kind: str, seed: int, flips: int, cut: bool
) -> None:
    """Whatever still counts as signed says what was signed, about the picture that was signed: what changed is padding,
    which nobody reads."""
    whole, dice = signed_small[kind], random.Random(seed)
    data = bytearray(whole)
    for _ in range(flips):
        data[dice.randrange(len(data))] ^= dice.randrange(1, 256)
    path = place / f"flipped.{kind}"
    path.write_bytes(data[: dice.randrange(len(data))] if cut and seed % 3 == 0 else data)
    read, honest = child.answer(path, None, AUTHORITY.pem.decode()), _honest(place, kind, whole)
    assert honest and honest["state"] == "trusted"
    if read and read["state"] != "invalid":
        assert read == honest and without_credentials(path.read_bytes()) == without_credentials(whole)


def _honest(place: Path, kind: str, whole: bytes) -> Any:
    (place / f"honest.{kind}").write_bytes(whole)
    return child.answer(place / f"honest.{kind}", None, AUTHORITY.pem.decode())


def test_a_reader_that_dies_or_hangs_is_an_answer(
    photo: Path, press: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, _ = published(photo, press)
    for words in ("import os; os.abort()", "print('{')", "print('[1]')", 'print(\'{"state": "trusted"}\')'):
        monkeypatch.setattr(reading, "_COMMAND", ("-c", words))
        read = read_manifest(photo)
        assert read and read.state == "invalid" and read.problems
    monkeypatch.setattr(reading, "_COMMAND", ("-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(reading, "_SECONDS", 0.3)
    assert "longer than" in read_manifest(photo).problems[0]  # type: ignore[union-attr]


def test_no_module_of_the_current_folder_is_run(photo: Path, press: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, _ = published(photo, press)
    (photo.parent / "json.py").write_text("raise SystemExit(3)")
    monkeypatch.chdir(photo.parent)
    read = read_manifest(photo)
    assert read and read.state == "untrusted"


def test_without_the_library_only_what_there_is_to_read_is_missed(
    photo: Path, press: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = published(photo, press)
    monkeypatch.setattr(reading, "find_spec", lambda _: None)
    assert read_manifest(photo) is None
    with pytest.raises(MissingExtra, match="countersign\\[media\\]"):
        read_manifest(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_hang_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(InputError, match="not a regular file"):
        read_manifest(tmp_path / "pipe.jpg")


# Two verdicts


def test_a_chain_time_outlives_a_certificate() -> None:
    picture, anchor = VECTORS / "expired.c2pa.jpg", VECTORS / "expired.pem"
    read = read_manifest(picture, anchors=anchor)
    assert read and read.state == "expired" and read.valid_from and read.valid_until
    certificate = draft(content=digest_file(picture).sha256)
    for at, sealed, state, words in (
        (read.valid_until - 1, True, "warn", "the name may be made up. The chain shows these credentials on"),
        (read.valid_until + 1, True, "warn", "Nothing shows that it signed before"),
        (read.valid_from - 1, True, "warn", "Nothing shows that it signed before"),
        (read.valid_until - 1, False, "warn", "not that these credentials existed then"),
        (None, True, "warn", "Nothing shows that it signed before"),
    ):
        name, found, detail = judge(certificate, read, sealed=sealed, at=at)[1]
        assert (name, found) == ("signer", state) and words in detail and "expired" in detail, (at, sealed)
    vouched = replace(read, problems=())
    state, detail = judge(certificate, vouched, sealed=True, at=read.valid_until - 1)[1][1:]
    assert state == "note" and "while it was valid" in detail and "made up" not in detail


def test_an_expired_certificate_hides_no_tampering(tmp_path: Path) -> None:
    data = bytearray((VECTORS / "expired.c2pa.jpg").read_bytes())
    data[-5] ^= 1
    (tmp_path / "x.jpg").write_bytes(data)
    read = read_manifest(tmp_path / "x.jpg", anchors=VECTORS / "expired.pem")
    assert read and read.state == "invalid"


def test_revoked_and_sealed_before_is_left_to_compare() -> None:
    certificate, read = draft(), Credentials("revoked", signer="Ada", valid_from=NOW - DAY, valid_until=NOW + DAY)
    state, detail = steps(certificate, read, sealed=True)["signer"]
    assert state == "note" and "compare with the revocation's time" in detail
    assert steps(certificate, read)["signer"][0] == "warn"


def test_what_is_sealed_with_its_credentials_needs_no_leaf(photo: Path, press: Identity, anchors: Path) -> None:
    """A camera's or another tool's manifest, sealed as part of the file."""
    path, _ = published(photo, press)
    certificate = draft(content=digest_file(path).sha256)
    found = steps(certificate, read_manifest(path, anchors=anchors), sealed=True)
    assert found["manifest"][0] == "pass" and "also when that certificate has ended" in found["signer"][1]
    broken = steps(certificate, Credentials("invalid", problems=("It is broken.",)), sealed=True)
    assert broken == {"manifest": ("warn", "The Content Credentials in the sealed bytes are not valid: It is broken.")}


def test_credentials_over_those_of_the_creator_are_a_warning(photo: Path, press: Identity) -> None:
    path, certificate = published(photo, press)
    read = read_manifest(path)
    assert read and read.seal
    over = replace(read, seal=None, earlier=(read.seal,))
    assert steps(certificate, over)["manifest"][0] == "warn"
    elsewhere = replace(read, seal=replace(read.seal, chain_id=1))
    assert steps(certificate, elsewhere)["manifest"][0] == "fail"
