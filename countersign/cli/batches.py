"""``seal`` of a folder or with ``--bundle``: any number of works in one transaction, one file of certificates."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from countersign import seal
from countersign.canonical import checksum, to_hex
from countersign.certificate import BUNDLE_SUFFIX, Certificate, bundle_beside
from countersign.cli.shell import Shell
from countersign.errors import InputError, NotFinal
from countersign.seal.folder import Files, changed, compared, digest

if TYPE_CHECKING:
    from countersign.chain.client import Client
    from countersign.keys.signer import Signer

__all__ = ["fingerprints", "seal_batch"]

_SHOWN = 10
"""Names in a message, before it only counts."""


def fingerprints(wanted: bool | None) -> bool:
    """Whether works get fingerprints: as asked, else when what makes them is installed."""
    return find_spec("iscc_lib") is not None if wanted is None else wanted


def seal_batch(
    shell: Shell, given: tuple[Path, ...], bundle: Path | None, said: seal.Said | None, skip_bad: bool, wait: bool
) -> None:
    """Seal what is given as one bundle, or go on where an earlier run stopped; ``said`` is None when nothing is."""
    path, sources = _where(given, bundle)
    signer, client = shell.signer(), shell.client()
    with _begun(shell, client, signer, path) as batch:
        _require_same(batch, said)
        if not batch.drafted:
            if sources or batch.note("sources") or not batch.size:  # else a program added its works
                _list(shell, batch, sources, said or seal.Said(fingerprinted=fingerprints(None)))
                _digest(shell, batch, skip_bad)
                _require_unchanged(batch)
            _draft(shell, batch)
        there = compared(batch, Files({name: source for name, source in sources.items() if source.exists()}))
        done = _seal(shell, client, signer, batch, wait)
        shell.answer(_facts(path, done, *there), _text(path, done, *there))


def _where(given: tuple[Path, ...], bundle: Path | None) -> tuple[Path, dict[str, Path]]:
    """The bundle's path, and what it is made of: nothing for a bundle that is only to be gone on with."""
    if len(given) == 1 and given[0].is_dir():
        return _bundle(bundle) or bundle_beside(given[0].resolve()), {"": given[0].resolve()}
    if len(given) == 1 and given[0].name.endswith(BUNDLE_SUFFIX) and bundle is None:
        if not given[0].exists():
            raise InputError(f"{given[0]} does not exist.", "Give the folder or files to seal.")
        return given[0], {}
    path = _bundle(bundle)
    if path is None:
        raise InputError("There is a folder among several names.", "Say with --bundle where to put the certificates.")
    named = {file.absolute().name: file.resolve() for file in given}
    if len(named) < len(given):
        raise InputError("Two of these have the same name.", "Put them into one folder, and seal that.")
    return path, named


def _bundle(named: Path | None) -> Path | None:
    """The bundle's path as --bundle names it, with or without its ending."""
    return named if named is None or named.name.endswith(BUNDLE_SUFFIX) else bundle_beside(named)


@contextmanager
def _begun(shell: Shell, client: Client, signer: Signer, path: Path) -> Iterator[seal.Batch]:
    """The batch at ``path``. One that was begun now and has no list of works yet is not left behind by a failure."""
    new, secret = not path.exists(), seal.load_secret(shell.settings.secret_path)
    with seal.Batch(path, signer.address, client.contracts, secret) as batch:
        try:
            yield batch
        except BaseException:
            if new and not batch.size:
                path.unlink()
            raise


def _require_same(batch: seal.Batch, said: seal.Said | None) -> None:
    """The same command again goes on; another one would say something else of works that are drafted."""
    noted = batch.note("said")
    if said and noted and said.to_json() != noted:
        raise InputError(f"{batch.path.name} says something else of its works.", "Leave these options out to go on.")


def _list(shell: Shell, batch: seal.Batch, sources: dict[str, Path], said: seal.Said) -> None:
    """List the works, once: what is put into a folder later is not sealed by going on."""
    if batch.note("sources"):
        return
    if not sources:
        raise InputError(f"{batch.path.name} has no list of works yet.", "Give the folder or files to seal.")
    files = Files(sources)
    if next(Files(sources).listed(), None) is None:
        raise InputError(f"{', '.join(map(str, sources.values()))} holds no files to seal.", "Put the works there.")
    where = json.dumps({name: os.fsencode(path).hex() for name, path in sources.items()})
    batch.expect(files.listed(), said.to_json(), where)
    for why, count in files.skipped.items():
        shell.say(f"skipped: {why}: {count:,}")


def _digest(shell: Shell, batch: seal.Batch, skip_bad: bool) -> None:
    files, said = _files(batch), seal.Said.from_json(batch.note("said") or "")
    size = sum(entry.size for entry in batch.expected())
    with shell.progress(size, f"Digesting {batch.size:,} files") as advance:
        refused = digest(batch, files, said, advance)
    if refused and not skip_bad:
        reasons = [bad.why for bad in refused]
        raise InputError(
            _some(reasons, "these files cannot be sealed"), "Mend them and repeat, or leave them out: --skip-bad."
        )
    batch.leave_out(bad.entry for bad in refused)
    for bad in refused:
        shell.say(f"left out: {bad.why}")


def _require_unchanged(batch: seal.Batch) -> None:
    """Refuse a file that is not any more what was digested: nothing has been sent yet."""
    names = list(islice(changed(batch, _files(batch)), _SHOWN + 1))
    if names:
        raise InputError(
            _some(names, "these files changed since they were digested"),
            f"Restore them, or remove {batch.path.name} and begin anew: nothing is sealed yet.",
        )


def _draft(shell: Shell, batch: seal.Batch) -> None:
    with shell.progress(batch.size, "Making the tree", unit=" works") as advance:
        batch.draft(advance)
    shell.say(f"draft saved: {batch.path.name}, {batch.size:,} works")


def _seal(shell: Shell, client: Client, signer: Signer, batch: seal.Batch, wait: bool) -> Certificate:
    """What all certificates have in common; without ``wait`` a draft as long as the seal is not final."""
    sender = shell.sender(client, signer)

    def attempt() -> Certificate:
        receipt = batch.seal(client, sender, lambda sent: shell.say(f"seal: transaction 0x{sent.hex()}"))
        if receipt:
            shell.say(f"seal: mined in block {receipt.block}, {receipt.gas:,} gas")
        return batch.prove(client)

    try:
        return shell.until_final(attempt, wait)
    except NotFinal:
        return batch.certificate


def _files(batch: seal.Batch) -> Files:
    noted = json.loads(batch.note("sources") or "{}")
    return Files({name: Path(os.fsdecode(bytes.fromhex(path))) for name, path in noted.items()})


def _some(texts: list[str], what: str) -> str:
    shown = "\n".join(f"  {text}" for text in texts[:_SHOWN])
    more = f"\n  and {len(texts) - _SHOWN:,} more" if len(texts) > _SHOWN else ""
    return f"Nothing is sent, {what}:\n{shown}{more}"


def _facts(path: Path, done: Certificate, later: int, other: int) -> dict[str, Any]:
    return {
        "bundle": str(path),
        "works": done.path.size,
        "creator": checksum(done.creator),
        "root": to_hex(done.root),
        "state": done.state,
        "notIncluded": later,
        "changed": other,
    }


def _text(path: Path, done: Certificate, later: int, other: int) -> str:
    here = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    lines = [f"{done.path.size:,} works under the root {to_hex(done.root)}: {here}"]
    if later:
        files = f"{later:,} files there are" if later > 1 else "1 file there is"
        lines.append(f"{files} not in it: to seal more, name another bundle with --bundle.")
    if other:
        lines.append(f"Files that changed, or were touched, since they were digested: {other:,}. It is not known that "
                     "their bytes of now are sealed; countersign verify tells.")  # fmt: skip
    if done.state == "draft":
        return "\n".join(["sealed, but not final yet: reveal nothing. Run the same command in a while:", *lines])
    how = f"You may post the works now; keep the bundle private. Certificates: countersign certificate {path.name} NAME"
    return "\n".join(["sealed and final.", *lines, how])
