"""A picture's bytes without its Content Credentials: exactly the original's, and nothing else is ever left out."""

from __future__ import annotations

import io
import zlib
from hashlib import sha256
from pathlib import Path

import pytest
import skimage
import sklearn
from authority import Authority
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from countersign.certificate.disclosure import source_type
from countersign.errors import InputError
from countersign.fingerprint.c2pa.container import holds, media_type, original_digest, walk, without_credentials
from countersign.fingerprint.c2pa.signing import Identity, from_pem, sign

ACTION = {"action": "c2pa.created", "digitalSourceType": source_type("print")}
CREATED = {"label": "c2pa.actions.v2", "data": {"actions": [ACTION]}}
REAL = sorted(
    path
    for package in (skimage, sklearn)
    for pattern in ("*.png", "*.jpg")
    for path in Path(str(package.__file__)).parent.rglob(pattern)
)


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    return from_pem(*Authority().issue(tmp_path_factory.mktemp("press")), str)


def jpeg(width: int = 24, **options: object) -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((width, 16)).save(file, "JPEG", **options)
    return file.getvalue()


def png() -> bytes:
    file = io.BytesIO()
    Image.radial_gradient("L").resize((24, 16)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("picture", REAL, ids=lambda path: path.name)
def test_a_real_picture_comes_back_byte_for_byte(picture: Path, press: Identity, tmp_path: Path) -> None:
    signed, embedded = sign(picture, {"assertions": [CREATED]}, press)
    published = tmp_path / "published"
    published.write_bytes(signed)
    assert embedded and len(signed) > picture.stat().st_size and holds(signed, picture.read_bytes())
    assert original_digest(published) == sha256(picture.read_bytes()).digest()
    assert original_digest(picture) is None, "there is nothing to leave out"


def test_there_are_real_pictures() -> None:
    assert len(REAL) >= 3 and {path.suffix for path in REAL} == {".png", ".jpg"}


@pytest.mark.parametrize("size", [0, 70_000, 200_000])
def test_a_manifest_of_many_segments_is_left_out_whole(size: int, press: Identity, tmp_path: Path) -> None:
    filler = {"label": "org.example.filler", "data": {"text": "x" * size}}
    for name, data in (("a.jpg", jpeg()), ("a.png", png()), ("b.jpg", jpeg(progressive=True, comment=b"hello"))):
        (tmp_path / name).write_bytes(data)
        signed, _ = sign(tmp_path / name, {"assertions": [CREATED, filler]}, press)
        assert len(signed) > size and without_credentials(signed) == data


@given(st.binary(max_size=200), st.binary(max_size=200), st.integers(1, 200))
def test_odd_pictures_come_back_too(tail: bytes, comment: bytes, width: int) -> None:
    """Bytes after the end, comments, thumbnails inside APP segments: all stay."""
    data = jpeg(width, comment=comment, exif=b"Exif\0\0" + tail) + tail
    with_box = data[:2] + segment(manifest()) + data[2:]
    assert without_credentials(with_box) == data == without_credentials(data)
    assert holds(with_box, data) and holds(data, data)
    assert not holds(with_box, data + b"x") and not holds(with_box, data[:-1]) and not holds(b"", data)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_not_touched(data: bytes) -> None:
    for start in (b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"):
        walked = walk(io.BytesIO(start + data))
        if walked is None or not walked.credentials:
            assert without_credentials(start + data) == start + data


def manifest(box: bytes = b"jumb", uuid: str = "6332706100110010800000aa00389b71", packet: int = 1) -> bytes:
    description = b"\0\0\0\x1ejumd" + bytes.fromhex(uuid) + b"\3c2pa\0"
    return b"JP\0\1" + packet.to_bytes(4) + (8 + len(description)).to_bytes(4) + box + description


def segment(body: bytes, marker: int = 0xEB) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2) + body


KEPT = {
    "another JUMBF box (JPEG 360, privacy)": manifest(uuid="00" * 16),
    "a box that decoders read (JPEG XT)": manifest(box=b"RESI"),
    "a continuation without a start": manifest(packet=2),
    "too short": b"JP\0\1\0\0\0\1",
    "no JUMBF": b"HDR_RI ver=11",
}


@pytest.mark.parametrize("body", KEPT.values(), ids=KEPT.keys())
def test_what_is_not_a_manifest_stays(body: bytes) -> None:
    data = jpeg()
    data = data[:2] + segment(body) + data[2:]
    assert without_credentials(data) == data


def test_a_manifest_in_another_segment_or_after_the_scan_stays() -> None:
    data = jpeg()
    for changed in (data[:2] + segment(manifest(), 0xEA) + data[2:], data[:-2] + segment(manifest()) + data[-2:]):
        assert without_credentials(changed) == changed


def test_a_continuation_of_another_box_stays() -> None:
    data, first = jpeg(), manifest()
    for other in (b"JP\0\2" + (2).to_bytes(4) + first[8:16] + b"x", b"JP\0\1" + (3).to_bytes(4) + first[8:16] + b"x"):
        changed = data[:2] + segment(first) + segment(other) + data[2:]
        assert without_credentials(changed) == data[:2] + segment(other) + data[2:]


def chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)


def test_of_a_png_only_the_manifest_is_left_out() -> None:
    data = png()
    text = chunk(b"tEXt", b"Comment\0caBX")
    for at in (33, len(data) - 12):
        changed = data[:at] + chunk(b"caBX", b"anything") + text + data[at:]
        assert without_credentials(changed) == data[:at] + text + data[at:]
    after = data + chunk(b"caBX", b"behind the end")
    assert without_credentials(after) == after


def test_a_manifest_between_two_pieces_of_a_picture_is_not_left_out() -> None:
    """Decoders end the picture there: what is seen is not what was sealed."""
    data, between = png(), chunk(b"caBX", b"anything")
    at = data.index(b"IDAT") - 4
    end = at + 12 + int.from_bytes(data[at : at + 4])
    body = data[at + 8 : end - 4]
    first, second = chunk(b"IDAT", body[:40]), chunk(b"IDAT", body[40:])
    whole = data[:at] + first + second + data[end:]
    cut = data[:at] + first + between + second + data[end:]
    assert Image.open(io.BytesIO(whole)).tobytes() == Image.open(io.BytesIO(data)).tobytes()
    with pytest.raises((OSError, SyntaxError)):
        Image.open(io.BytesIO(cut)).load()
    assert walk(io.BytesIO(cut)) is None and without_credentials(cut) == cut
    for around in (
        data[:at] + between + first + second + data[end:],
        data[:at] + first + second + between + data[end:],
    ):
        assert without_credentials(around) == whole


def test_a_manifest_that_moves_a_second_picture_is_not_left_out() -> None:
    """The index of a multi-picture file counts bytes from itself on: a gain map can be put where it points."""
    data, index = jpeg(), segment(b"MPF\0" + bytes(60), 0xE2)
    behind = data[:2] + index + segment(manifest()) + data[2:]
    assert walk(io.BytesIO(behind)) is None and without_credentials(behind) == behind
    before = data[:2] + segment(manifest()) + index + data[2:]
    assert without_credentials(before) == data[:2] + index + data[2:]


@pytest.mark.parametrize("data", [jpeg(), png()], ids=["jpeg", "png"])
def test_a_cut_off_picture_is_no_whole_picture(data: bytes, press: Identity, tmp_path: Path) -> None:
    path = tmp_path / "cut"
    for length in (20, len(data) // 2, len(data) - 2):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match="not a whole picture"):
            sign(path, {"assertions": [CREATED]}, press)


def test_a_flood_of_segments_ends_the_walk() -> None:
    data = jpeg()
    assert walk(io.BytesIO(data[:2] + segment(b"", 0xFE) * 70_000 + data[2:])) is None


def test_the_type_is_what_the_bytes_say() -> None:
    assert media_type(jpeg()[:16]) == "image/jpeg" and media_type(png()[:16]) == "image/png"
    assert media_type(b"RIFF\0\0\0\0WEBPVP8 ") == "image/webp" and media_type(b"RIFF\0\0\0\0xxxx") is None
    for head in (b"<svg xmlns=", b"%PDF-1.7", b"{}", b"hello", b"PK\3\4", b"", b"\xff\xd8"):
        assert media_type(head) is None


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        original_digest(tmp_path / "none.jpg")
