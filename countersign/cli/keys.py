"""``keys new|show``."""

from __future__ import annotations

from pathlib import Path

import click

from countersign.canonical import checksum
from countersign.cli.shell import Shell, command

__all__ = ["keys_command"]


@click.group("keys")
def keys_command() -> None:
    """Keys: make one, look at one. Keys live in encrypted files; passphrases are never arguments."""


@command("new", "countersign keys new me.json\ncountersign keys new me.json --passphrase-fd 3 3<passphrase.txt")
@click.argument("path", type=click.Path(path_type=Path))
def _new(shell: Shell, path: Path) -> None:
    """Make a key in an encrypted file (Web3 Secret Storage v3) that other wallets can read too."""
    from countersign.keys.keystore import create

    address = create(path, shell.new_passphrase())
    facts = {"address": checksum(address), "key": f"keystore:{path}"}
    shell.answer(
        facts, f"{checksum(address)}\nUse it with --key keystore:{path}. Back the file up: nobody can remake it."
    )


@command("show", "countersign keys show --key keystore:me.json")
def _show(shell: Shell) -> None:
    """Open the key, which shows that passphrase and file are right, and print its address."""
    address = checksum(shell.signer().address)
    shell.answer({"address": address, "key": shell.settings.key}, address)


for _command in (_new, _show):
    keys_command.add_command(_command)
