"""``python -m tools.similarity``: how far the Image-Codes of altered copies and of unrelated pictures lie apart.

Prints the tables of docs/similarity.md, measured on the pictures that scikit-image and scikit-learn ship.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from countersign.fingerprint.iscc import FORMATS, image_code
from countersign.index.similar import DISTANCE, is_telling

__all__ = ["ALTERATIONS", "Row", "distance", "faces", "pictures", "rows", "unrelated"]

_LEAST = 100
"""Pixels of the shorter side of a picture that is measured."""
_SIDE_VIEWS = {"motorcycle_right.png", "chessboard_RGB.png", "multipage.tif"}
"""Second views of a picture that is there: neither altered nor unrelated."""


def _saved(picture: Image.Image, form: str, **options: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return Image.open(buffer).convert("RGB")


def _jpeg(quality: int) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: _saved(picture, "JPEG", quality=quality)


def _resized(percent: int) -> Callable[[Image.Image], Image.Image]:
    def resize(picture: Image.Image) -> Image.Image:
        size = (max(1, picture.width * percent // 100), max(1, picture.height * percent // 100))
        return _saved(picture.resize(size, Image.Resampling.LANCZOS), "JPEG", quality=85)

    return resize


def _cropped(percent: int) -> Callable[[Image.Image], Image.Image]:
    def crop(picture: Image.Image) -> Image.Image:
        x, y = picture.width * percent // 200, picture.height * percent // 200
        return picture.crop((x, y, picture.width - x, picture.height - y))

    return crop


def _brighter(percent: int) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: ImageEnhance.Brightness(picture).enhance(percent / 100)


def _bordered(picture: Image.Image) -> Image.Image:
    return ImageOps.expand(picture, max(picture.size) // 20, "white")


ALTERATIONS: dict[str, Callable[[Image.Image], Image.Image]] = {
    **{f"JPEG, quality {quality}": _jpeg(quality) for quality in (95, 75, 50, 30)},
    "WebP, quality 80": lambda picture: _saved(picture, "WEBP", quality=80),
    "PNG": lambda picture: _saved(picture, "PNG"),
    **{f"resized to {percent} %, JPEG 85": _resized(percent) for percent in (25, 50, 75, 150, 200)},
    **{f"brightness {percent} %": _brighter(percent) for percent in (80, 120)},
    "grey": lambda picture: ImageOps.grayscale(picture).convert("RGB"),
    "white border of 5 %": _bordered,
    **{f"{percent} % of each side's length cropped": _cropped(percent) for percent in (2, 5, 10)},
    "mirrored": ImageOps.mirror,
    "turned by 90°": lambda picture: picture.transpose(Image.Transpose.ROTATE_90),
}


@dataclass(frozen=True)
class Row:
    """One alteration: how many copies are found at the default distance, the median distance and the largest."""

    name: str
    found: int
    of: int
    median: float
    most: int


def distance(one: bytes, other: bytes) -> int:
    """Bits in which two codes differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def pictures() -> dict[str, Image.Image]:
    """Real pictures by name, RGB."""
    return {path.name: picture for path in _files() if (picture := _opened(path)) and path.name not in _SIDE_VIEWS}


def _files() -> list[Path]:
    import skimage
    import sklearn.datasets  # type: ignore[import-untyped]

    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.datasets.__file__).parent / "images")
    return sorted(path for folder in folders for path in folder.iterdir())


def _opened(path: Path) -> Image.Image | None:
    try:
        picture = Image.open(path, formats=FORMATS)
    except OSError:
        return None
    return _on_white(picture) if min(picture.size) >= _LEAST else None


def _on_white(picture: Image.Image) -> Image.Image:
    shown = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", shown.size, "white"), shown).convert("RGB")


def faces() -> list[Image.Image]:
    """100 faces of different people, 25 x 25 pixels, cut alike: the hardest unrelated pictures."""
    import skimage

    data = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")[:100]
    return [Image.fromarray((255 * face).astype("u1")).convert("RGB") for face in data]


def rows() -> Iterator[Row]:
    """The table of alterations."""
    originals = [(picture, image_code(picture)) for picture in pictures().values()]
    for name, alter in ALTERATIONS.items():
        apart = [distance(code, image_code(alter(picture))) for picture, code in originals]
        yield Row(name, sum(d <= DISTANCE for d in apart), len(apart), float(np.median(apart)), max(apart))


def unrelated(chosen: list[Image.Image]) -> list[int]:
    """The distance of every pair, ascending."""
    codes = [code for code in map(image_code, chosen) if is_telling("image", code)]
    return sorted(distance(*pair) for pair in itertools.combinations(codes, 2))


def main() -> None:
    print(f"| Copy | Found within {DISTANCE} of 64 | Median distance | Largest |\n|---|---|---|---|")
    for row in rows():
        print(f"| {row.name} | {row.found} of {row.of} | {row.median:g} | {row.most} |")
    print("\n| Unrelated | Pairs | Smallest distance | Within 4 | 6 | 8 | 10 | 12 |\n|---|---|---|---|---|---|---|---|")
    for name, chosen in (("real pictures", list(pictures().values())), ("100 faces", faces())):
        apart = unrelated(chosen)
        within = " | ".join(str(sum(d <= limit for d in apart)) for limit in (4, 6, 8, 10, 12))
        print(f"| {name} | {len(apart)} | {apart[0]} | {within} |")


if __name__ == "__main__":
    main()
