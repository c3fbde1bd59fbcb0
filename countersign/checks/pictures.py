"""Opening pictures that strangers send. Needs the extra ``checks`` (numpy, Pillow)."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from countersign.checks.base import BadContent

__all__ = ["FORMATS", "MAX_PIXELS", "SIDE", "Small", "open_picture", "small"]

Image.init()  # else WebP and TIFF are unknown to open(formats=)

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")  # no EPS, PDF or SVG: those run programs
MAX_PIXELS = 64_000_000  # 192 MB as RGB; phones take up to 50 megapixels by default
SIDE = 192


@dataclass(frozen=True)
class Small:
    """A picture brought to SIDE x SIDE, uint8 RGB of shape (SIDE, SIDE, 3), and the size it had."""

    width: int
    height: int
    rgb: npt.NDArray[np.uint8]


def open_picture(content: bytes, whose: str = "The delivery") -> Image.Image:
    """The still picture in the bytes as RGB, upright, seen on white where transparent. Raises BadContent."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _upright(Image.open(io.BytesIO(content), formats=FORMATS), whose)
    except BadContent:
        raise
    except Exception as error:  # decoders raise nearly every exception type on hostile bytes
        raise BadContent(f"{whose} cannot be opened as a picture, or is cut short.") from error


def _upright(picture: Image.Image, whose: str) -> Image.Image:
    width, height = picture.size
    if width * height > MAX_PIXELS:  # known from the header, before anything is unpacked
        raise BadContent(f"{whose} has {width} x {height} pixels; this check opens at most {MAX_PIXELS:,}.")
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # phones put a second view into MPO
        raise BadContent(f"{whose} is animated or has several pages; only a still picture can be judged.")
    return _flat(ImageOps.exif_transpose(picture))


def _flat(picture: Image.Image) -> Image.Image:
    """RGB as people see it: dropping alpha would show what is invisible."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    shown = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")


def small(content: bytes, whose: str = "The delivery") -> Small:
    """The picture in the bytes at SIDE x SIDE, its shape forgotten. Pillow resamples in integers, so always alike."""
    picture = open_picture(content, whose)
    shrunk = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return Small(picture.width, picture.height, np.asarray(shrunk, dtype=np.uint8))
