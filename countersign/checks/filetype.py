"""Is the file what the brief asks for? Magika, a small neural network that reads a file's first and last bytes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from countersign.checks.base import Finding, Material, card_of, extra, manifest_digest

__all__ = ["FileType", "normal"]

ALIASES = {
    "application/x-javascript": "application/javascript",
    "audio/mp3": "audio/mpeg",
    "audio/wav": "audio/x-wav",
    "audio/wave": "audio/x-wav",
    "image/heif": "image/heic",
    "image/jp2": "image/jpeg2000",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/x-ms-bmp": "image/bmp",
    "image/x-png": "image/png",
    "text/json": "application/json",
    "application/xml": "text/xml",
}
"""Names in use for what Magika calls otherwise."""

REFUSED = ("executable", "inode", "unknown", "undefined")


class FileType:
    """Score: Magika's confidence in percent if the type is one the brief names (``image/*`` names all), else 0.

    A brief that names none takes every recognised type except executables, and never unknown or empty bytes.
    """

    name = "file-type"
    licence = "Apache-2.0"

    def __init__(self) -> None:
        with extra("The file type check"):
            from magika import Magika

        self._magika = Magika()
        folder = _package("magika") / "models" / self._magika.get_model_name()
        self.weights = manifest_digest([folder / "config.min.json", folder / "model.onnx"])

    @property
    def card(self) -> str:
        return card_of(self.name)

    def run(self, material: Material) -> Finding:
        seen = self._magika.identify_bytes(material.content)
        kind, group, confidence = normal(seen.output.mime_type), seen.output.group, round(100 * seen.score)
        details = {"type": kind, "label": str(seen.output.label), "group": group, "confidence": confidence}
        wanted = tuple(normal(one) for one in material.brief.media_types)
        if not (_named(kind, wanted) if wanted else group not in REFUSED):
            return Finding(0, _refusal(seen.output.description, kind, wanted), details)
        return Finding(confidence, f"The delivery is {kind}, {confidence} % sure.", details)


def normal(media_type: str) -> str:
    """Lower case, without parameters, under Magika's name."""
    bare = media_type.partition(";")[0].strip().lower()
    return ALIASES.get(bare, bare)


def _named(kind: str, wanted: tuple[str, ...]) -> bool:
    family = kind.partition("/")[0] + "/*"
    return kind in wanted or family in wanted or "*/*" in wanted


def _refusal(description: str, kind: str, wanted: tuple[str, ...]) -> str:
    if wanted:
        return f"The delivery is {description} ({kind}); the brief asks for {' or '.join(wanted)}."
    return f"The delivery is {description} ({kind}): empty, unknown and executable files are refused."


def _package(name: str) -> Path:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent
