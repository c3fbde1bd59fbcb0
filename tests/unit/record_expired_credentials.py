"""Writes tests/vectors/expired.c2pa.jpg: a picture signed with a certificate that lived for seconds, and the authority
that issued it, expired.pem. C2PA's library signs with no certificate that has ended. Run again only when the manifest's
format changes:

    python tests/unit/record_expired_credentials.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit")]

from authority import Authority  # noqa: E402
from PIL import Image  # noqa: E402
from world import draft  # noqa: E402

from countersign.fingerprint.c2pa.signing import from_pem, sign  # noqa: E402
from countersign.fingerprint.digest import digest_file  # noqa: E402
from countersign.seal.credentials import definition  # noqa: E402

LIFE = 5


def main() -> None:
    vectors, authority = ROOT / "tests" / "vectors", Authority()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "photo.jpg"
        Image.radial_gradient("L").resize((32, 32)).save(picture)
        chain, key = authority.issue(Path(folder), last=LIFE / 86400)
        certificate = draft(content=digest_file(picture).sha256, origin="digitalCapture")
        signed, _ = sign(picture, definition(certificate), from_pem(chain, key, str))
    (vectors / "expired.c2pa.jpg").write_bytes(signed)
    (vectors / "expired.pem").write_bytes(authority.pem)
    time.sleep(LIFE)


if __name__ == "__main__":
    main()
