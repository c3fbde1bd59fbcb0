"""Sealing what a generator makes, while it makes it::

    with countersign.sealing("outputs", key="keystore:me.json") as s:
        for prompt in prompts:
            s.add(generate(prompt), model="my-model-1", prompt=prompt)

``add`` returns when the output, what is said of it and its place in the queue are on disk. A thread seals what has come
together, a batch with each transaction, and writes the certificates beside the outputs once the seal is final. What a
crash interrupts goes on when the folder is opened again.
"""

from __future__ import annotations

import hmac
import io
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from getpass import getpass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from countersign.canonical import checksum, from_hex
from countersign.certificate import Certificate, path_beside
from countersign.certificate.disclosure import disclosure, write_disclosure
from countersign.chain.client import Client
from countersign.chain.sender import Sender, intent
from countersign.durable import open_regular, write_durably
from countersign.errors import CountersignError, InputError, MissingExtra, NotFinal, SignerError
from countersign.fingerprint.digest import digest_file
from countersign.keys.signer import open_signer
from countersign.records import ORIGINS, ZERO, Work
from countersign.seal.queue import Output, Queue
from countersign.seal.works import Draft, drafts, load_secret, parents_root, prove, salt_of, seal_call
from countersign.settings import Settings

__all__ = ["Sealing", "open_sealing", "prompt_hash"]

_LOG = logging.getLogger("countersign")
_LOCK = ".countersign-outputs.lock"
_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_KINDS = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif", b"%PDF-": ".pdf", b"OggS": ".ogg"}


def prompt_hash(secret: bytes, content: bytes, prompt: str) -> bytes:
    """What a disclosure says of a prompt: SHA-256(salt ‖ prompt in UTF-8), 32 bytes. The salt is HMAC-SHA-256(secret,
    "prompt" ‖ content): prompts are short and could be guessed from a bare hash. Whoever has the secret can show
    later which prompt it was."""
    salt = hmac.new(secret, b"prompt" + content, sha256).digest()
    return sha256(salt + prompt.encode()).digest()


def open_sealing(
    folder: Path, *, key: str | None, rpc: str | None, chain: int | None, home: str | Path | None, **pace: Any
) -> Sealing:
    """What :func:`countersign.sealing` does; ``pace`` are the options of :class:`Sealing`."""
    given: dict[str, Any] = {"key": key, "rpc": rpc, "chain_id": chain, "home": Path(home) if home else None}
    settings = replace(Settings.from_env(), **{name: value for name, value in given.items() if value is not None})
    if settings.key is None:
        raise SignerError("No key is given.", "Use key='keystore:PATH', or set COUNTERSIGN_KEY.")
    signer = open_signer(settings.key, settings.chain_id, getpass)
    client = Client(settings.rpc, settings.chain_id)
    client.check()
    secret = load_secret(settings.secret_path)
    return Sealing(folder, client, Sender(client, signer, settings.outbox_path), secret, **pace)


class Sealing:
    """A folder of outputs that are sealed in the background. Use it as a context manager; threads may share it."""

    def __init__(
        self, folder: Path, client: Client, sender: Sender, secret: bytes, *, batch: int = 256, every: float = 10.0,
        limit: int = 1024, wait: bool = True,
    ) -> None:  # fmt: skip
        """``secret`` is what salts derive from. A batch is sealed when ``batch`` outputs wait or one has waited
        ``every`` seconds; while ``limit`` wait, :meth:`add` blocks. With ``wait`` the end of the context waits until
        all certificates are there, else until all is sealed. Raises InputError when the folder cannot be used."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder} cannot be a folder for outputs: {error.strerror}.", "Name another.") from error
        self._folder, self._client, self._sender, self._secret = folder, client, sender, secret
        self._batch, self._every, self._limit, self._wait = batch, every, limit, wait
        self._queue = Queue(folder)
        self._changed = threading.Condition()
        self._hurried = self._stopped = False
        self._proved = 0
        self.trouble: CountersignError | None = None
        self._broken: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="countersign-sealing", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, Exception):
                self.flush(final=self._wait and kind is None)
        except CountersignError as trouble:
            if error is None:
                raise
            error.add_note(f"Countersign: {trouble}")
        finally:
            self._stop()

    # What a generator calls

    @property
    def unfinished(self) -> int:
        """How many outputs have no certificate yet."""
        return self._queue.unfinished()

    def add(
        self, data: Any, *, name: str | None = None, model: str = "", prompt: str | None = None,
        origin: str = "trainedAlgorithmicMedia", parents: Sequence[bytes] = (),
    ) -> Path:  # fmt: skip
        """Take an output; the file it is in. Blocks while too many wait.

        ``data`` is bytes, text, a picture of Pillow (kept as PNG), or the path of a file that stays where it is. The
        others are written into the folder as ``name``, or named by their digest. ``model`` is a published model's id
        (0x and 64 digits) or a name in words; ``parents`` are the SHA-256 of works it derives from. Raises InputError
        for what cannot be kept; nothing is queued then.
        """
        if origin not in ORIGINS or not origin:
            raise InputError(f"'{origin}' is not an IPTC digital source type.", "Use e.g. trainedAlgorithmicMedia.")
        self._make_room()
        path = self._kept(data, name)
        content = digest_file(path).sha256
        identified = model.startswith("0x")
        work = Work(content, origin=origin, model=from_hex(model, 32, "model id") if identified else ZERO)
        hashed = None if prompt is None else prompt_hash(self._secret, content, prompt)
        said = disclosure(path.name, work, generator=None if identified else model or None, prompt=hashed)
        write_disclosure(path, said)
        digest = sha256(said).digest()
        self._queue.add(Output(self._name(path), content, origin, work.model, tuple(parents), digest, time.time()))
        self._wake()
        return path

    def flush(self, timeout: float = 3600.0, *, final: bool = True) -> None:
        """Seal all that waits now, and with ``final`` wait for the certificates.

        Raises the error that is in the way after ``timeout`` seconds, or InputError; the outputs stay queued.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            self._hurried = True
            self._changed.notify_all()
        left = self._queue.unfinished if final else self._queue.unsealed
        while left() and time.monotonic() < deadline:
            self._require_alive()
            self._pause(0.05)
        if left():
            raise self.trouble or InputError(
                f"{left()} outputs of {self._folder} have no certificate yet.", f"Run: countersign flush {self._folder}"
            )

    # Keeping

    def _kept(self, data: Any, name: str | None) -> Path:
        """The file that holds the output, on disk."""
        if isinstance(data, os.PathLike):
            path = Path(data)
            self._require_new(path)
            return path
        content, suffix = _content_of(data)
        if not content:
            raise InputError("An empty output has nothing to seal.", "Look at what the generator returned.")
        path = self._folder / _plain(name or f"{sha256(content).hexdigest()[:16]}{suffix}")
        self._require_new(path)
        if not _holds(path, content):
            write_durably(path, content, replace=False)
        return path

    def _require_new(self, path: Path) -> None:
        """What another command sealed keeps its certificate."""
        if path_beside(path).exists() and not self._queue.knows(self._name(path)):
            raise InputError(f"{path} has a certificate already.", "Add outputs that are not sealed yet.")

    def _name(self, path: Path) -> str:
        return path.name if path.parent == self._folder else str(path.resolve())

    def _make_room(self) -> None:
        while self._queue.unsealed() >= self._limit:
            self._require_alive()
            self._wake()
            self._pause(0.05)

    # The thread

    def _run(self) -> None:
        pause = _PAUSE
        try:
            while not self._stopped:
                before = self._proved
                try:
                    self._work()
                    self.trouble, pause = None, _PAUSE
                except CountersignError as error:
                    if self.trouble is None or error.message != self.trouble.message:
                        _LOG.warning("outputs wait in %s: %s", self._folder, error)
                    self.trouble = error
                    pause = _PAUSE if self._proved > before else min(2 * pause, _LONGEST_PAUSE)
                self._pause(pause)
        except BaseException as error:
            self._broken = error
            self._wake()

    def _work(self) -> None:
        """One round, unless another process seals this folder just now: it takes our outputs along."""
        with _held(self._folder / _LOCK) as held:
            if not held:
                return
            for root in self._queue.batches():
                self._go_on(root)
            while due := self._due():
                self._go_on(self._assign(due))

    def _due(self) -> list[Output]:
        waiting = self._queue.waiting(self._batch)
        if not waiting or self._stopped:
            return []
        old = time.time() - waiting[0].at >= self._every
        return waiting if old or self._hurried or len(waiting) == self._batch else []

    def _assign(self, outputs: list[Output]) -> bytes:
        """A new batch; its root. Drafts first: when the queue says that a batch has a root, the salts are on disk."""
        made = drafts(map(self._draft, outputs), self._sender.address, self._client.contracts)
        for output, certificate in zip(outputs, made, strict=True):
            certificate.save(self._certificate_path(output))
        self._queue.assign(outputs, made[0].root)
        return made[0].root

    def _draft(self, output: Output) -> Draft:
        path = self._folder / output.name
        work = Work(
            output.content,
            _fingerprint(path),
            output.origin,
            output.model,
            parents_root(output.parents),
            output.metadata,
        )
        return Draft(path.name, work, salt_of(self._secret, work), output.parents)

    def _go_on(self, root: bytes) -> None:
        """Seal a batch, and write its certificates when the seal is final."""
        paths = [self._certificate_path(output) for output in self._queue.batch(root)]
        made = [Certificate.load(path) for path in paths]
        sealer = self._sender.address
        if any(each.root != root or each.creator != sealer for each in made):
            raise InputError(
                f"The drafts of {len(made)} outputs in {self._folder} are not those that {checksum(sealer)} made.",
                f"Open the folder with the key of {checksum(made[0].creator)}, and put moved drafts back.",
            )
        if self._client.seal_of(root, sealer) is None:  # not yet, or the chain took it back
            self._sender.send(seal_call(made[0]), intent("seal", root, sealer))
        self._queue.sealed(root)
        with suppress(NotFinal):
            for path, certificate in zip(paths, made, strict=True):
                if certificate.proof is None:
                    prove(self._client, certificate, sealer).save(path)
                    self._proved += 1
            self._queue.finish(root)

    def _certificate_path(self, output: Output) -> Path:
        return path_beside(self._folder / output.name)

    # Threads

    def _require_alive(self) -> None:
        if self._broken:
            raise InputError(
                f"Sealing stopped: {type(self._broken).__name__}.", f"The outputs are safe; run: countersign flush "
                f"{self._folder}",
            ) from self._broken  # fmt: skip

    def _pause(self, seconds: float) -> None:
        with self._changed:
            if not self._stopped:
                self._changed.wait(seconds)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _stop(self) -> None:
        self._stopped = True
        self._wake()
        self._thread.join()
        self._queue.close()


@contextmanager
def _held(path: Path) -> Iterator[bool]:
    """Whether this process may seal: one at a time."""
    import fcntl

    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _content_of(data: Any) -> tuple[bytes, str]:
    """The bytes of an output and what its name should end with."""
    if isinstance(data, str):
        return data.encode(), ".txt"
    if isinstance(data, bytes | bytearray | memoryview):
        content = bytes(data)
        return content, next((kind for start, kind in _KINDS.items() if content.startswith(start)), ".bin")
    if callable(getattr(data, "save", None)):
        buffer = io.BytesIO()
        data.save(buffer, format="PNG")
        return buffer.getvalue(), ".png"
    raise InputError(
        f"An output of type {type(data).__name__} cannot be kept.", "Give bytes, text, a picture of Pillow, or a path."
    )


def _plain(name: str) -> str:
    """A file name, and no path: nothing is written outside the folder."""
    if name != Path(name).name or name in ("", ".", "..") or "\0" in name or name.startswith("."):
        raise InputError(f"{name!r} is not a file name.", "Give a name without folders and without a dot in front.")
    return name


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is there with these bytes. Raises InputError when it holds others."""
    if not path.exists():
        return False
    with open_regular(path) as file:
        same = os.fstat(file.fileno()).st_size == len(content) and file.read() == content
    if not same:
        raise InputError(f"{path} exists already, with other bytes.", "Give each output its own name.")
    return True


def _fingerprint(path: Path) -> bytes:
    from countersign.fingerprint.iscc import fingerprint_of

    try:
        return fingerprint_of(path)
    except MissingExtra:
        return ZERO
