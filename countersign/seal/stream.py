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
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from getpass import getpass
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from countersign.canonical import checksum, from_hex
from countersign.certificate import Certificate, path_beside
from countersign.certificate.disclosure import SUFFIX as DISCLOSURE_SUFFIX
from countersign.certificate.disclosure import disclosure, write_disclosure
from countersign.certificate.document import SUFFIX
from countersign.chain.client import Client
from countersign.chain.sender import Sender, intent
from countersign.durable import open_regular, unlock, write_durably
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
_LAST = 60.0
"""Seconds for which a generator's own error waits until what it made is sealed."""
_SUFFIXES = (SUFFIX, DISCLOSURE_SUFFIX)
"""Names of what is written beside outputs."""
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
    return Sealing(folder, client, Sender(client, signer, settings.outbox_path.absolute()), secret, **pace)


class Sealing:
    """A folder of outputs that are sealed in the background. Use it as a context manager; threads may share it."""

    def __init__(
        self, folder: Path, client: Client, sender: Sender, secret: bytes, *, batch: int = 256, every: float = 10.0,
        limit: int = 1024, wait: bool = True,
    ) -> None:  # fmt: skip
        """``secret`` is what salts derive from. A batch is sealed when ``batch`` outputs wait or one has waited
        ``every`` seconds; while ``limit`` wait, :meth:`add` blocks. With ``wait`` the end of the context waits until
        all certificates are there, else until all is sealed; after an error it waits a minute at most. Raises
        InputError when the folder cannot be used, SignerError when it is another key's or for another chain."""
        self._folder, self._client, self._sender, self._secret = _made(folder), client, sender, secret
        self._batch, self._every, self._limit, self._wait = batch, every, limit, wait
        self._queue = Queue(self._folder, sender.address, client.contracts)
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._flushing = 0
        self._stopped = self._given_up = False
        self._proved = 0
        self._final: int | None = None
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
            if kind is None:
                self.flush(final=self._wait)
            elif issubclass(kind, Exception) and not self._given_up:
                self.flush(_LAST, final=False)
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
        (0x and 64 digits) or a name in words; ``parents`` are the SHA-256 of works it derives from, 32 bytes each.
        Raises InputError for what cannot be kept or said; nothing is written or queued then.
        """
        self._require_alive()
        identified = model.startswith("0x")
        said_model = from_hex(model, 32, "model id") if identified else ZERO
        _require_sayable(origin, parents, (name, model, prompt))
        self._make_room()
        path = self._kept(data, name)
        content = digest_file(path).sha256
        work = Work(content, origin=origin, model=said_model)
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
        self._given_up = False
        self._require_alive()
        left = self._queue.unfinished if final else self._queue.unsealed
        with self._in_a_hurry():
            while left() and time.monotonic() < deadline:
                self._require_alive()
                self._pause(0.05)
        if left():
            self._given_up = True
            raise self.trouble or InputError(
                f"{left()} outputs of {self._folder} have no certificate yet.", f"Run: countersign flush {self._folder}"
            )

    @contextmanager
    def _in_a_hurry(self) -> Iterator[None]:
        """Until the last flush is over, no output waits for others to come together with."""
        with self._changed:
            self._flushing += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._flushing -= 1

    # Keeping

    def _kept(self, data: Any, name: str | None) -> Path:
        """The file that holds the output, on disk."""
        if isinstance(data, os.PathLike):
            path = Path(data)
            _require_no_companion(path.name)
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
        """One for each file, however it is named."""
        whole = path.resolve()
        return whole.name if whole.parent == self._folder else str(whole)

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
            in_the_way = self._go_on_with_all()
            while due := self._due():
                self._go_on(self._assign(due))
            if in_the_way:
                raise in_the_way

    def _go_on_with_all(self) -> InputError | None:
        """What is in the way of one batch is its files: the others need not wait for it. Nor is the chain asked about
        every sealed one again and again, while it has made nothing final."""
        sealed, in_the_way = self._queue.batches(sealed=True), None
        final = self._client.finalized().number if sealed else self._final
        for root in self._queue.batches(sealed=False) + (sealed if final != self._final else []):
            try:
                self._go_on(root)
            except InputError as error:
                in_the_way = in_the_way or error
        self._final = self._final if in_the_way else final
        return in_the_way

    def _due(self) -> list[Output]:
        waiting = self._queue.waiting(self._batch)
        if not waiting or self._stopped:
            return []
        old = time.time() - waiting[0].at >= self._every
        return waiting if old or self._flushing or len(waiting) == self._batch else []

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
            _fingerprint(path, output.content),
            output.origin,
            output.model,
            parents_root(output.parents),
            output.metadata,
        )
        return Draft(path.name, work, salt_of(self._secret, work), output.parents)

    def _go_on(self, root: bytes) -> None:
        """Seal a batch, and write its certificates when the seal is final."""
        outputs, sealer = self._queue.batch(root), self._sender.address
        if self._client.seal_of(root, sealer) is None:  # not yet, or the chain took it back
            made = [self._drafted(output, root) for output in outputs]
            self._sender.send(seal_call(made[0]), intent("seal", root, sealer))
        self._queue.sealed(root)
        with suppress(NotFinal):  # raised for the first: while a seal is not final, hardly anything is read
            self._prove_all(outputs, root)
            self._queue.finish(root)

    def _prove_all(self, outputs: list[Output], root: bytes) -> None:
        in_the_way: InputError | None = None
        for output in outputs:
            try:
                certificate = self._drafted(output, root)
                if certificate.proof is None:
                    prove(self._client, certificate, self._sender.address).save(self._certificate_path(output))
                    self._proved += 1
            except InputError as error:
                in_the_way = in_the_way or error
        if in_the_way:
            raise in_the_way

    def _drafted(self, output: Output, root: bytes) -> Certificate:
        """The draft of an output as it was made, or its certificate."""
        if not self._certificate_path(output).exists():
            self._remake(root)
        made = Certificate.load(self._certificate_path(output))
        if made.root != root or made.work.content != output.content or made.creator != self._sender.address:
            raise InputError(
                f"{self._certificate_path(output)} is not the draft that {checksum(self._sender.address)} made.",
                "Put back the one that was there.",
            )
        return made

    def _remake(self, root: bytes) -> None:
        """Drafts that somebody removed follow from the secret and the files, unless those have changed."""
        outputs = self._queue.batch(root)
        made = drafts(map(self._draft, outputs), self._sender.address, self._client.contracts)
        for output, certificate in zip(outputs, made, strict=True):
            path = self._certificate_path(output)
            if certificate.root == root and not path.exists():
                certificate.save(path, replace=False)

    def _certificate_path(self, output: Output) -> Path:
        return path_beside(self._folder / output.name)

    # Threads

    def _require_alive(self) -> None:
        if self._process != os.getpid():
            what = f"The outputs of {self._folder} are sealed by the process that opened the folder."
            raise InputError(what, "Call countersign.sealing in this process, too: they take turns.")
        if self._broken:
            raise InputError(
                f"Sealing stopped: {type(self._broken).__name__}.", f"The outputs are safe; run: countersign flush "
                f"{self._folder}",
            ) from self._broken  # fmt: skip
        if not self._thread.is_alive():
            raise InputError("Nothing is sealed outside of the context.", "Write: with countersign.sealing(…) as s.")

    def _pause(self, seconds: float) -> None:
        with self._changed:
            if not self._stopped:
                self._changed.wait(seconds)

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _stop(self) -> None:
        if self._process != os.getpid():
            return  # a forked child must not close what its parent uses
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
            try:
                yield True
            finally:
                unlock(lock.fileno())


def _made(folder: Path) -> Path:
    """The folder, there by now, by a name that holds when the program changes its own."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{folder} cannot be created: {error.strerror}.", "Name a folder, and check the disk."
        ) from error
    return folder.resolve()


def _require_sayable(origin: str, parents: Sequence[bytes], texts: Iterable[str | None]) -> None:
    if origin not in ORIGINS or not origin:
        raise InputError(f"'{origin}' is not an IPTC digital source type.", "Use e.g. trainedAlgorithmicMedia.")
    if any(not isinstance(parent, bytes) or len(parent) != 32 for parent in parents):
        raise InputError("A parent is no SHA-256 of 32 bytes.", "Give the digests of the works it derives from.")
    for text in texts:
        _utf8(text or "")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            "A name, model, prompt or output is no Unicode text.", "Replace the characters that stand alone."
        ) from error


def _content_of(data: Any) -> tuple[bytes, str]:
    """The bytes of an output and what its name should end with."""
    if isinstance(data, str):
        return _utf8(data), ".txt"
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
    _require_no_companion(name)
    return name


def _require_no_companion(name: str) -> None:
    """The certificate or disclosure of another output would be written over it."""
    if name.endswith(_SUFFIXES):
        raise InputError(f"{name} is the name of a certificate or disclosure.", "Give the output another name.")


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is there with these bytes. Raises InputError when it holds others."""
    if not path.exists():
        return False
    with open_regular(path) as file:
        same = os.fstat(file.fileno()).st_size == len(content) and file.read() == content
    if not same:
        raise InputError(f"{path} exists already, with other bytes.", "Give each output its own name.")
    return True


def _fingerprint(path: Path, content: bytes) -> bytes:
    """That of the bytes that were added: none when the file is gone by now, or holds others."""
    from countersign.fingerprint.iscc import fingerprint_of

    try:
        fingerprint = fingerprint_of(path)
        return fingerprint if digest_file(path).sha256 == content else ZERO
    except (InputError, MissingExtra):
        return ZERO
