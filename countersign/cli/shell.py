"""What all commands share: options, settings, output, progress."""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.canonical import from_hex
from countersign.certificate import Certificate, path_beside
from countersign.cli.text import printable
from countersign.errors import InputError, NotFinal, SignerError
from countersign.fingerprint.digest import FileDigest, digest_file
from countersign.settings import Settings

if TYPE_CHECKING:
    from countersign.chain.client import Client, Receipt
    from countersign.chain.sender import Sender
    from countersign.keys.signer import Signer
    from countersign.records import Call

__all__ = ["Shell", "certificate_path", "command", "content_of", "digest"]


@dataclass(frozen=True)
class Shell:
    """One run of a command: its settings and how it prints."""

    settings: Settings
    as_json: bool
    passphrase_fd: int | None

    def say(self, text: str) -> None:
        """A line for people; silent with --json."""
        if not self.as_json:
            click.echo(printable(text))

    def answer(self, facts: Any, text: str = "") -> None:
        """The result: ``facts`` with --json, else ``text``."""
        if self.as_json:
            click.echo(json.dumps(facts))
        elif text:
            click.echo(printable(text))

    def client(self, url: str | None = None) -> Client:
        """A client of the chain that is meant, checked; of the node at ``url`` rather than the one in the settings."""
        from countersign.chain.client import Client

        client = Client(url or self.settings.rpc, self.settings.chain_id)
        client.check()
        return client

    def signer(self) -> Signer:
        """The key that --key or COUNTERSIGN_KEY names. Raises SignerError when neither does."""
        from countersign.keys.signer import open_signer

        if self.settings.key is None:
            raise SignerError("No key is given.", "Use --key keystore:PATH (or test:0 on the local chain).")
        return open_signer(self.settings.key, self.settings.chain_id, self._passphrase)

    def own_address(self) -> bytes:
        """The address of the key that is given: a keystore says it without the passphrase."""
        from countersign.keys.keystore import address_in

        scheme, _, rest = (self.settings.key or "").partition(":")
        return address_in(Path(rest).expanduser()) if scheme == "keystore" else self.signer().address

    def new_passphrase(self) -> str:
        """A passphrase asked for twice, or read from --passphrase-fd."""
        if self.passphrase_fd is not None:
            return self._passphrase("")
        answer: str = click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
        return answer

    def ask(self, prompt: str) -> str:
        """A passphrase that exists already, asked for or read from --passphrase-fd."""
        return self._passphrase(prompt)

    def _passphrase(self, prompt: str) -> str:
        if self.passphrase_fd is None:
            answer: str = click.prompt(prompt, hide_input=True, err=True)
            return answer
        try:
            with open(self.passphrase_fd, "rb", buffering=0, closefd=False) as stream:  # the next line is for others
                return stream.readline().decode().rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SignerError(
                f"No passphrase can be read from file descriptor {self.passphrase_fd}.", "Open it, e.g. 3<FILE."
            ) from error

    def sender(self, client: Client, signer: Signer) -> Sender:
        """Sends for ``signer`` with the journal of this chain."""
        from countersign.chain.sender import Sender

        return Sender(client, signer, self.settings.outbox_path)

    def send(self, sender: Sender, call: Call, intent: str, doing: str) -> Receipt:
        """Send and print what was paid."""
        receipt = sender.send(call, intent, lambda sent: self.say(f"{doing}: transaction 0x{sent.hex()}"))
        self.say(f"{doing}: mined in block {receipt.block}, {receipt.gas:,} gas")
        return receipt

    def until_final(self, attempt: Callable[[], Certificate], wait: bool) -> Certificate:
        """Repeat ``attempt`` until what it needs is final; with ``wait`` off, NotFinal is raised at once."""
        told = ""
        while True:
            try:
                return attempt()
            except NotFinal as error:
                if not wait:
                    raise
                if error.message != told:
                    self.say(f"waiting for finality: {error.message}")
                    told = error.message
                time.sleep(1)

    @contextmanager
    def progress(self, total: int, label: str, unit: str = "B") -> Iterator[Callable[[int], None]]:
        """A progress bar on stderr for work of ``total`` units, with rate and time left, on a terminal only."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda _: None
            return
        began, done = time.monotonic(), 0

        def rate(_: Any) -> str:
            return _rate(done / max(time.monotonic() - began, 0.001), unit)

        with click.progressbar(length=total, label=label, file=sys.stderr, item_show_func=rate) as bar:

            def advance(units: int) -> None:
                nonlocal done
                done += units
                bar.update(units)

            yield advance


def _rate(per_second: float, unit: str) -> str:
    """As ``512 MB/s`` or ``9,120 works/s``."""
    return f"{per_second / 1e6:,.0f} MB/s" if unit == "B" else f"{per_second:,.0f}{unit}/s"


def command(name: str, examples: str, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with the common options; its function gets a :class:`Shell` first. ``examples`` ends its help."""

    def wrap(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(rpc: str | None, chain: int | None, key: str | None, home: Path | None, as_json: bool,
                passphrase_fd: int | None, **options: Any) -> Any:  # fmt: skip
            given: dict[str, Any] = {"rpc": rpc, "chain_id": chain, "key": key, "home": home}
            settings = replace(Settings.from_env(), **{k: v for k, v in given.items() if v is not None})
            return function(Shell(settings, as_json, passphrase_fd), **options)

        epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples.strip().splitlines())
        made: Callable[..., Any] = run
        for option in reversed(_COMMON):
            made = option(made)
        return click.command(name, click.Command, epilog=epilog, **kwargs)(made)

    return wrap


_COMMON: tuple[Callable[[Any], Any], ...] = (
    click.option("--key", metavar="URI", help="Who signs: keystore:PATH, or test:N locally. [COUNTERSIGN_KEY]"),
    click.option("--rpc", metavar="URL", help="The node to ask. [COUNTERSIGN_RPC]"),
    click.option("--chain", type=int, metavar="ID", help="The chain that is meant. [COUNTERSIGN_CHAIN]"),
    click.option("--home", type=click.Path(path_type=Path), help="Where state is kept. [COUNTERSIGN_HOME]"),
    click.option(
        "--passphrase-fd", type=int, metavar="N", help="Read passphrases from file descriptor N, a line each."
    ),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text."),
)


def digest(shell: Shell, path: Path) -> FileDigest:
    """SHA-256 of a file, with a progress bar where it takes long."""
    size = path.stat().st_size if path.is_file() else 0
    if size < 256 << 20:
        return digest_file(path)
    with shell.progress(size, f"Hashing {path.name}") as advance:
        return digest_file(path, advance)


def certificate_path(path: Path) -> Path:
    """Where the certificate of a work lies: beside it, unless ``path`` is a certificate itself."""
    return path if path.name.endswith(".countersign.json") else path_beside(path)


def content_of(shell: Shell, target: str) -> bytes:
    """The content a file path, a certificate path or 0x-hex of a SHA-256 names."""
    path = Path(target)
    if target.startswith("0x"):
        return from_hex(target, 32, "content hash")
    if path.name.endswith(".countersign.json"):
        return Certificate.load(path).work.content
    if not path.exists() and len(target) == 64:
        raise InputError(f"{target} is not a file.", "Write a hash with 0x in front.")
    return digest(shell, path).sha256
