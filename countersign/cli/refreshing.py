"""``refresh``: a certificate's proof anew, as of the newest final block."""

from __future__ import annotations

from pathlib import Path

import click

from countersign.canonical import checksum
from countersign.certificate import Certificate
from countersign.cli.shell import Shell, certificate_path, command
from countersign.errors import CertificateError
from countersign.records import Contracts

__all__ = ["refresh_command"]


@command("refresh", "countersign refresh photo.jpg\ncountersign refresh photo.jpg.countersign.json --rpc https://…")
@click.argument("file", metavar="FILE|CERTIFICATE", type=click.Path(path_type=Path))
def refresh_command(shell: Shell, file: Path) -> None:
    """Prove a certificate anew: claim and keys as they stand now. It is kept as it is where nothing newer is final."""
    from countersign import seal

    path = certificate_path(file)
    certificate = Certificate.load(path)
    client = shell.client()
    renewed = seal.prove(client, certificate, _sealer(path, certificate, client.contracts))
    before, after = _proven(certificate), _proven(renewed)
    newer = before is None or after is None or after > before
    if newer:
        renewed.save(path)
    facts = {"certificate": str(path), "refreshed": newer, "before": before, "finalized": after}
    was = f", formerly {before}" if before is not None else ""
    kept = f"proven as of block {before} already; the newest final block is {after}."
    shell.answer(facts, f"{path}: {f'proven as of block {after}{was}.' if newer else kept}")


def _sealer(path: Path, certificate: Certificate, contracts: Contracts) -> bytes:
    """Who sealed it. Raises CertificateError for a draft, and for a certificate of other contracts than these."""
    if certificate.proof is None or certificate.sealer is None:
        raise CertificateError(f"{path} is a draft: there is no proof to refresh.", "Run: countersign seal --resume.")
    if certificate.contracts != contracts:
        where = f"chain {certificate.contracts.chain_id}, registry {checksum(certificate.contracts.registry)}"
        raise CertificateError(f"{path} is of {where}.", "Name a node of that chain with --rpc and --chain.")
    return certificate.sealer


def _proven(certificate: Certificate) -> int | None:
    """Number of the block that the proof is for; None for a broken proof, which any sound one replaces."""
    assert certificate.proof
    try:
        return certificate.proof.check().block.number
    except CertificateError:
        return None
