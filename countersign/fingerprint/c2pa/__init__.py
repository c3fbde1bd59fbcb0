"""Content Credentials (C2PA): signing, embedding, reading; and the bytes of a picture without them.

:mod:`~countersign.fingerprint.c2pa.container` is our own small walk through JPEG and PNG,
:mod:`~countersign.fingerprint.c2pa.signing` writes manifests, :mod:`~countersign.fingerprint.c2pa.reading` reads them,
in a process of its own. The C2PA library is asked for no network: no remote manifests, no OCSP, no time stamps.
"""

__all__ = ["SETTINGS"]

SETTINGS = {
    "builder": {
        "thumbnail": {"enabled": False},
        "created_assertion_labels": [
            "c2pa.actions",
            "c2pa.actions.v2",
            "c2pa.soft-binding",
            "cawg.training-mining",
            "org.countersign.seal",
        ],
    },
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
}
"""What the library is told in every context. A thumbnail costs more time than all the rest; nothing may be fetched."""
