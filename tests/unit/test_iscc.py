"""A file's ISCC is the reference's (iscc-core) and is told by bytes, not by names; bad bytes cost nobody anything."""

from __future__ import annotations

import importlib.util
import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

if not all(map(importlib.util.find_spec, ("iscc_lib", "iscc_core", "PIL", "skimage", "sklearn"))):
    pytest.skip("the extra media or the development group is not installed", allow_module_level=True)

import iscc_core  # type: ignore[import-untyped]
import iscc_lib
from PIL import Image, ImageChops, ImageOps

from countersign.errors import InputError
from countersign.fingerprint import iscc
from countersign.fingerprint.iscc import code_of, examine, fingerprint_of, iscc_code, unpack_fingerprint
from tools.similarity import distance, pictures

TEXT = "Every work carries a seal; independent oracles countersign it; payment follows. " * 20


def saved(path: Path, form: str = "PNG", **options: object) -> Path:
    """A real picture in that format."""
    picture = Image.fromarray(_china())
    picture.save(path, form, **options)
    return path


def _china() -> object:
    from sklearn.datasets import load_sample_image  # type: ignore[import-untyped]

    return load_sample_image("china.jpg")


def by_the_standard(path: Path) -> bytes:
    """The Image-Code as ISO 24138 and the reference describe it, step by step and without shortcuts."""
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGBA")
    shown = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright).convert("RGB")
    box = ImageChops.difference(shown, Image.new("RGB", shown.size, shown.getpixel((0, 0)))).getbbox()
    grey = shown.crop(box).convert("L").resize((32, 32), Image.Resampling.BICUBIC)
    code = iscc_core.gen_image_code_v0(list(grey.tobytes()), 64)["iscc"]
    return bytes(iscc_core.decode_base32(code.removeprefix("ISCC:"))[2:])


# Against the reference

_UNITS = {f"gen_{unit}_code_v0" for unit in ("text", "image", "data", "instance", "iscc")}


def test_the_library_passes_the_conformance_vectors_of_the_standard() -> None:
    """Its own, and those that come with the reference."""
    assert iscc_lib.conformance_selftest()
    checked = 0
    for name, function, given_, wanted in iscc_core.conformance_testdata():
        if function.__name__ in _UNITS:
            first = bytes(given_[0]) if function is iscc_core.gen_image_code_v0 else given_[0]
            made = getattr(iscc_lib, function.__name__)(first, *given_[1:])
            assert {key: made[key] for key in wanted} == wanted, name
            checked += 1
    assert checked >= 15


def test_real_pictures_have_the_reference_codes(tmp_path: Path) -> None:
    """Up to 511 pixels exactly; larger ones are shrunk in two steps, which changes two bits of 64 at most."""
    apart = {}
    for name, picture in pictures().items():
        path = tmp_path / f"{name}.bmp"
        picture.save(path)
        bits = distance(examine(path).content, by_the_standard(path))
        assert bits <= (2 if min(picture.size) >= 512 else 0), name
        apart[name] = bits
    assert len(apart) > 20 and sum(bits > 0 for bits in apart.values()) <= 3


@pytest.mark.parametrize("name", ["photo.png", "words.txt", "data.bin"])
def test_the_whole_code_is_the_reference_code(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "photo.png":
        saved(path)
        content = ["ISCC:" + iscc_core.encode_component(2, 1, 0, 64, by_the_standard(path))]
    elif name == "words.txt":
        path.write_text(TEXT)
        content = [iscc_core.gen_text_code_v0(TEXT, 64)["iscc"]]
    else:
        path.write_bytes(bytes(range(256)) * 9000)
        content = []
    units = [make(io.BytesIO(path.read_bytes()), 64)["iscc"]
             for make in (iscc_core.gen_data_code_v0, iscc_core.gen_instance_code_v0)]  # fmt: skip
    assert iscc_code(path) == iscc_core.gen_iscc_code_v0([*content, *units])["iscc"]
    assert code_of(fingerprint_of(path)) == iscc_code(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_seen_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "turned.png", exif=exif)
    assert examine(path).content == by_the_standard(path)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_kind_of_pixel_has_a_code(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "any.tiff"
    picture = Image.fromarray(_china()).resize((80, 60))
    (picture.convert("I").convert(mode) if mode == "I;16" else picture.convert(mode)).save(path)
    found = examine(path)
    assert found.kind == "image" and found.note == ""
    if mode in ("L", "LA", "RGB", "RGBA"):
        assert found.content == by_the_standard(path)


def test_what_is_invisible_does_not_count(tmp_path: Path) -> None:
    picture = Image.fromarray(_china()).convert("RGBA")
    hidden = Image.new("RGBA", picture.size, (90, 0, 200, 0))
    hidden.paste(picture.crop((100, 100, 500, 300)), (100, 100))
    plain = Image.new("RGB", picture.size, "white")
    plain.paste(hidden, mask=hidden.getchannel("A"))
    for name, one in (("hidden.png", hidden), ("plain.png", plain)):
        one.save(tmp_path / name)
    assert examine(tmp_path / "hidden.png").content == examine(tmp_path / "plain.png").content


def test_a_plain_border_is_cut_off(tmp_path: Path) -> None:
    picture = Image.fromarray(_china())
    for name, one in (("bare.png", picture), ("framed.png", ImageOps.expand(picture, (40, 10, 3, 90), "black"))):
        one.save(tmp_path / name)
    assert examine(tmp_path / "bare.png").content == examine(tmp_path / "framed.png").content


# Layout


def test_the_32_bytes(tmp_path: Path) -> None:
    found = examine(saved(tmp_path / "photo.png"))
    packed = found.packed
    assert len(packed) == 32 and packed[:8] == bytes.fromhex("5101000000000000")
    assert packed[8:] == found.content + found.data + found.instance
    assert unpack_fingerprint(packed) == found


def test_a_file_without_content_code_has_zeros_there(tmp_path: Path) -> None:
    path = tmp_path / "any.bin"
    path.write_bytes(b"\0\1\2")
    packed = fingerprint_of(path)
    assert packed[:2] == b"\x55\0" and packed[8:16] == bytes(8) and any(packed[16:24])
    assert "neither an image" in examine(path).note
    found = unpack_fingerprint(packed)
    assert found is not None and (found.kind, found.content) == ("", b"")


@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
def test_anybody_may_claim_any_fingerprint(claimed: bytes) -> None:
    found = unpack_fingerprint(claimed)
    assert found is None or found.packed == claimed


@pytest.mark.parametrize("claimed", [bytes(32), b"\x51\x01" + b"\1" * 30, b"\x55\0" + bytes(6) + b"\1" * 24, b""])
def test_what_is_no_fingerprint_of_ours_says_nothing(claimed: bytes) -> None:
    assert unpack_fingerprint(claimed) is None and code_of(claimed) is None


# Bad and odd input: there is a code or a reason, always


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"])
def test_an_image_cut_short_or_damaged_is_said(tmp_path: Path, form: str) -> None:
    whole = saved(tmp_path / "whole", form).read_bytes()
    path = tmp_path / "part"
    for share in (0.02, 0.5, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        found = examine(path)
        assert (found.kind == "") == bool(found.note) and any(found.data), (form, share)
    assert "cut short" in found.note or form == "WEBP"


def test_a_name_says_nothing(tmp_path: Path) -> None:
    assert examine(saved(tmp_path / "letter.txt")).kind == "image"
    (tmp_path / "photo.jpg").write_text(TEXT)
    assert examine(tmp_path / "photo.jpg").kind == "text"


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1 << 20))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("size", [(40_000, 40_000), (2**31 - 1, 2**31 - 1), (64_000_001, 1)])
def test_a_decompression_bomb_is_not_unpacked(tmp_path: Path, size: tuple[int, int]) -> None:
    found = examine(bomb(tmp_path / "bomb.png", *size))
    assert found.kind == "" and "pixels; at most 64,000,000" in found.note and any(found.instance)


def test_an_image_without_pixels_or_of_one_colour(tmp_path: Path) -> None:
    bomb(tmp_path / "none.png", 0, 0)
    assert examine(tmp_path / "none.png").note
    for size in ((1, 1), (1, 900), (700, 600)):
        Image.new("RGB", size, "navy").save(tmp_path / "plain.png")
        assert examine(tmp_path / "plain.png").kind == "image"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "markup"),
        ("﻿\n <!doctype html><p>words".encode(), "markup"),
        ("… — !?".encode(), "no letters"),
        ("plain words".encode("utf-16"), "neither"),
        (b"words first, then " + b"\xff" * 10, "neither"),
        (b"words " * 1000 + b"\xff", "not UTF-8"),
        (b"%PDF-1.7\n\x00 stream", "neither"),
    ],
)
def test_text_that_is_none_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    found = examine(tmp_path / "a.txt")
    assert found.kind == "" and words in found.note


def test_a_text_at_and_beyond_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iscc, "MAX_TEXT", 10_000)
    path = tmp_path / "long.txt"
    path.write_text("ä" * 5000)
    assert examine(path).kind == "text", "the limit is in bytes, and a letter cut by a block is no error"
    path.write_text("ä" * 5000 + "b")
    assert "10,000 bytes" in examine(path).note


def test_a_changed_text_is_near_and_another_is_far(tmp_path: Path) -> None:
    words = [f"word{n * n % 977}" for n in range(900)]
    texts = {"one": words, "changed": [*words[:400], "inserted", *words[400:]], "other": [w[::-1] for w in words]}
    for name, text in texts.items():
        (tmp_path / name).write_text(" ".join(text))
    one, changed, other = (examine(tmp_path / name).content for name in texts)
    assert distance(one, changed) <= 8 < distance(one, other)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    for path, words in ((tmp_path / "empty", "empty"), (tmp_path / "none", "cannot be read"), (tmp_path, "cannot")):
        with pytest.raises(InputError, match=words):
            examine(path)
