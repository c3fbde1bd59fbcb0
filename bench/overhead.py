"""What sealing adds to making a picture: seal and Content Credentials beside C2PA alone, for a 12-megapixel JPEG."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.timing import best
from countersign import seal
from countersign.chain.deployments import contracts_on
from countersign.fingerprint.c2pa import SETTINGS
from countersign.fingerprint.c2pa.signing import Identity, development, sign
from countersign.fingerprint.digest import digest_file
from countersign.seal.credentials import definition

__all__ = ["measure"]

_GENERATED_MS = 1471.0
"""Stable Diffusion XL 1.0, 30 steps at 1024 x 1024 on an NVIDIA H100 with TensorRT, the fastest of the model card's
table "Performance Comparison": https://huggingface.co/stabilityai/stable-diffusion-xl-1.0-tensorrt"""
_SIDES = (4000, 3000)


def measure(runs: int = 15, sides: tuple[int, int] = _SIDES) -> list[Figure]:
    """``seal_c2pa_ms``: digest, draft, leaf, manifest, signature and embedding, in memory; its bar is 1.5 x C2PA alone.

    The transaction is not in it: one serves any number of works.
    """
    with tempfile.TemporaryDirectory() as folder:
        identity = development(Path(folder) / "development.pem")
        picture = Path(folder) / "picture.jpg"
        picture.write_bytes(_picture(sides))
        _sealed(picture, identity), _alone(picture, identity)  # nobody's first time counts
        ours, alone = best(lambda: _sealed(picture, identity), lambda: _alone(picture, identity), runs=runs)
        size = picture.stat().st_size / 1e6
    part = 100 * 1000 * ours / _GENERATED_MS
    note = (
        f"A JPEG of {size:.1f} MB. Stable Diffusion XL makes one picture in {_GENERATED_MS:,.0f} ms on an H100 (model "
        "card of stabilityai/stable-diffusion-xl-1.0-tensorrt: 30 steps, 1024 x 1024, TensorRT); sealing adds "
        f"{part:.1f} %."
    )
    peers = {"c2pa alone": round(1000 * alone, 2)}
    return [
        Figure("seal_c2pa_ms", round(1000 * ours, 2), "ms", peers=peers, note=note),
        Figure("seal_c2pa_vs_c2pa", round(ours / alone, 3), "x", limit=1.5),
    ]


def _picture(sides: tuple[int, int]) -> bytes:
    """Detail like a photograph's: about 0.4 bytes a pixel."""
    from PIL import Image

    file = io.BytesIO()
    noise = Image.effect_noise((sides[0] // 2, sides[1] // 2), 60).resize(sides)
    Image.merge("RGB", [noise, noise.rotate(180), noise]).save(file, "JPEG", quality=90)
    return file.getvalue()


def _sealed(picture: Path, identity: Identity) -> bytes:
    """As ``seal --c2pa`` does: the original's digest, its draft, the manifest that names the leaf, the embedded copy,
    and the check that dropping the manifest gives the original back."""
    content = digest_file(picture).sha256
    draft = seal.draft(
        content, bytes(20), contracts_on(31337), name=picture.name, salt=bytes(32), origin="trainedAlgorithmicMedia"
    )
    signed, _ = sign(picture, definition(draft, training="notAllowed", iscc="ISCC:KACYPXW445FTYNJ3"), identity)
    return signed


def _alone(picture: Path, identity: Identity) -> bytes:
    """The library's own way for a manifest with an action, thumbnails off too."""
    import c2pa  # type: ignore[import-untyped]

    action = {
        "action": "c2pa.created",
        "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    }
    said: dict[str, Any] = {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}]}
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(identity.algorithm.encode(), identity.chain, identity.key, None))
    with c2pa.Context.from_dict(SETTINGS, signer) as context:
        signed = io.BytesIO()
        c2pa.Builder(json.dumps(said), context).sign("image/jpeg", io.BytesIO(picture.read_bytes()), signed)
    return signed.getvalue()
