"""What the commands about deals share: terms from a file or the index, the chain's time, content that others fetch."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from countersign.canonical import from_hex, load_terms
from countersign.cli.shell import Shell
from countersign.deal.fetch import LIMIT, fetch
from countersign.deal.terms import TermsFile
from countersign.durable import make_private_folder, open_regular, write_durably
from countersign.errors import InputError, WrongChain
from countersign.records import Terms
from countersign.settings import LOCAL_CHAIN

if TYPE_CHECKING:
    from countersign.chain.client import Client

__all__ = ["keep", "load_file", "now_on", "require_served", "terms_of"]


def now_on(client: Client) -> int:
    """Second of the next block at the earliest: a local chain may be ahead of the clock."""
    return max(client.head().time, int(time.time()))


def load_file(client: Client, path: Path) -> TermsFile:
    file = TermsFile.load(path)
    if file.contracts != client.deals:
        raise WrongChain(
            f"These terms are for chain {file.contracts.chain_id}.", f"Use --chain {file.contracts.chain_id}."
        )
    return file


def terms_of(shell: Shell, client: Client, target: str) -> Terms:
    """Of a terms file, or of an open deal that the index knows by its id."""
    if not target.startswith("0x"):
        return load_file(client, Path(target)).terms
    from countersign.cli.index import bring_up_to_date

    row = bring_up_to_date(shell).deal(from_hex(target, 32, "deal id"))
    if row is None:
        raise InputError(f"There is no open deal {target} on this chain.", "Give its terms file, or check --chain.")
    return load_terms(json.loads(row["terms"]))


# Content that others fetch


def _store(shell: Shell) -> Path:
    return shell.settings.home / "store"


def keep(shell: Shell, path: Path, content: bytes) -> str:
    """Copy a file, by its SHA-256, to where the nodes of the local chain find it; its URI."""
    if shell.settings.chain_id != LOCAL_CHAIN:
        raise InputError("Nodes cannot read files on this machine.", "Serve the file over https, and give its URI.")
    if not path.is_file():
        raise InputError(f"{path} is not a file.", "Give the file, or the URI where it is served.")
    with open_regular(path) as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise InputError(f"{path} is larger than {LIMIT >> 20} MiB.", "Nodes do not fetch more.")
    folder = _store(shell).absolute()
    make_private_folder(folder)
    kept = folder / (content.hex() + path.suffix)
    write_durably(kept, data)
    return kept.as_uri()


def require_served(shell: Shell, uri: str, content: bytes) -> None:
    """Before anything is promised on chain: nodes will find these very bytes there."""
    local = shell.settings.chain_id == LOCAL_CHAIN
    fetch(uri, content, files=_store(shell) if local else None, allow_local=local)
