"""``refresh``: a certificate's proof anew, as of the newest final block."""

from __future__ import annotations

from pathlib import Path

import click

from countersign.certificate import Certificate
from countersign.cli.shell import Shell, certificate_path, command
from countersign.errors import CertificateError

__all__ = ["refresh_command"]


@command("refresh", "countersign refresh photo.jpg\ncountersign refresh photo.jpg.countersign.json --rpc https://…")
@click.argument("file", metavar="FILE|CERTIFICATE", type=click.Path(path_type=Path))
def refresh_command(shell: Shell, file: Path) -> None:
    """Prove a certificate anew: claim and keys as they stand now. What nothing newer is known of stays as it is."""
    from countersign import seal

    path = certificate_path(file)
    certificate = Certificate.load(path)
    if certificate.proof is None or certificate.sealer is None:
        raise CertificateError(f"{path} is a draft: there is no proof to refresh.", "Run: countersign seal --resume.")
    before = certificate.proof.check().block
    renewed = seal.prove(shell.client(), certificate, certificate.sealer)
    assert renewed.proof
    after = renewed.proof.check().block
    newer = after.number > before.number
    if newer:
        renewed.save(path)
    facts = {"certificate": str(path), "refreshed": newer, "before": before.number, "finalized": after.number}
    if newer:
        said = f"proven as of block {after.number}, formerly {before.number}."
    else:
        said = f"proven as of block {before.number} already; the newest final block is {after.number}."
    shell.answer(facts, f"{path}: {said}")
