"""``flush``."""

from __future__ import annotations

from pathlib import Path

import click

from countersign.cli.shell import Shell, command
from countersign.errors import InputError

__all__ = ["flush_command"]


@command(
    "flush",
    """
countersign flush outputs --key keystore:me.json     seal what a crash or a silent node left waiting
countersign flush outputs --no-wait                  seal it, and leave the certificates for another time
""",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--wait/--no-wait", default=True, help="Wait until the seals are final (default).")
@click.option("--timeout", type=float, default=3600.0, show_default=True, metavar="SECONDS", help="Give up then.")
def flush_command(shell: Shell, folder: Path, wait: bool, timeout: float) -> None:
    """Finish what `countersign.sealing` queued in FOLDER: outputs of a generator that have no certificate yet."""
    from countersign.seal.queue import QUEUE
    from countersign.seal.stream import Sealing
    from countersign.seal.works import load_secret

    if not (folder / QUEUE).exists():
        raise InputError(f"{folder} holds no queue of outputs.", "Name the folder that was given to sealing().")
    client = shell.client()
    sender = shell.sender(client, shell.signer())
    with Sealing(folder, client, sender, load_secret(shell.settings.secret_path), wait=False) as sealing:
        before = sealing.unfinished
        sealing.flush(timeout, final=wait)
        left = sealing.unfinished
    text = "every output has its certificate" if not left else f"sealed; {left} wait for finality: run it again later"
    shell.answer({"folder": str(folder), "finished": before - left, "waiting": left}, text)
