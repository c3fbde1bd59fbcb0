"""Pictures as files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from PIL import Image


def encode(picture: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def animated(frames: Sequence[Image.Image], kind: str) -> bytes:
    return encode(frames[0], kind, save_all=True, append_images=list(frames[1:]))
