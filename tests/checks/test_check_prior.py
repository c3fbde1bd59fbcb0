"""Objections: earlier by the chain and alike by the bytes, or not justified."""

from __future__ import annotations

import io

import pytest
from picturefiles import encode
from PIL import Image

from countersign.checks import Check, Finding, Material, Precedence, delivery_check, open_check
from countersign.deal.brief import Brief

EARLIER = Precedence(10, 20)
TEXT = b"The mill by the river has ground its last corn; nobody has come since the autumn of that year.\n" * 4


@pytest.fixture(scope="module")
def check() -> Check:
    return open_check("prior-work")


def judge(check: Check, own: bytes | None, disputed: bytes, order: Precedence | None = EARLIER) -> Finding:
    return check.run(Material(disputed, Brief(""), own, order))


def smaller(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)).save(out, "JPEG", quality=50)
    return out.getvalue()


def test_a_re_encoded_smaller_copy_of_an_earlier_picture_is_found(check: Check, coffee: Image.Image) -> None:
    found = judge(check, encode(coffee, "PNG"), smaller(coffee))
    assert found.score == 100 and found.details["distance"] <= 8
    assert judge(check, TEXT, TEXT.upper()).score == 100


@pytest.mark.parametrize(
    "order", [Precedence(20, 20), Precedence(21, 20), Precedence(None, 20), Precedence(1, None), None]
)
def test_whoever_was_not_first_loses(check: Check, order: Precedence | None) -> None:
    found = judge(check, TEXT, TEXT, order)
    assert found.score == 0 and found.reason.endswith(".")


def test_another_work_is_another_work(check: Check, coffee: Image.Image) -> None:
    turned = coffee.transpose(Image.Transpose.ROTATE_90)
    for own, disputed in (
        (encode(coffee), encode(turned)),
        (encode(coffee), TEXT),
        (TEXT, bytes(range(256)) * 9),
        (TEXT, b""),
        (encode(coffee)[:300], encode(coffee)),
    ):
        assert judge(check, own, disputed).score == 0
    assert judge(check, None, TEXT).score == 0


def test_it_runs_alone_and_says_what_it_is(check: Check) -> None:
    assert delivery_check("prior-work").name == "prior-work" and len(check.weights) == 32
    assert "nothing about copying" in check.card
