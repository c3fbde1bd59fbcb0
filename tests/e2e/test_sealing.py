"""Three lines around a generator: its outputs are sealed in the background, whatever happens to the process, the node
and the chain; a prompt never leaves the machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import hypothesis
import pytest
from commandline import Cli
from faults import FaultProxy, at_random, seed_of

import countersign
from countersign.certificate import Certificate, path_beside
from countersign.certificate.disclosure import disclosure_path
from countersign.errors import InputError, SignerError, Unreachable
from countersign.records import ZERO
from countersign.seal import stream
from countersign.seal.stream import Sealing, prompt_hash
from countersign.seal.works import load_secret
from tools.deployment import deploy_local
from tools.devnet import Devnet

DEEP = hypothesis.settings.get_current_profile_name() == "deep"
SEED = seed_of(5000)
KILLS = 40 if DEEP else 5
OUTPUTS = 24


@pytest.fixture
def make(chain: Devnet, tmp_path: Path) -> Callable[..., Sealing]:
    """`countersign.sealing` with a key, a home and a node."""

    def made(**options: Any) -> Sealing:
        given = {"key": "test:6", "rpc": chain.url, "home": tmp_path / "home", "every": 0.2} | options
        return countersign.sealing(tmp_path / "outputs", **given)

    return made


def verified(cli: Cli, path: Path) -> dict[str, Any]:
    """What `verify` says of an output, which it must find good."""
    outcome = cli("verify", path, "--json")
    assert outcome.code == 0, outcome
    said: dict[str, Any] = outcome.json
    return said


def until(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for it, and fail when it never happens."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def sent(chain: Devnet) -> int:
    """Transactions of the key, ever."""
    account = "0x976EA74026E726554dB657fA54763abd0C3a0aa9"
    return int(chain.rpc("eth_getTransactionCount", account, "latest"), 16)


def test_three_lines_seal_text_bytes_pictures_and_files(
    make: Callable[..., Sealing], cli: Cli, chain: Devnet, tmp_path: Path
) -> None:
    from PIL import Image

    model, file, before = "0x" + "ab" * 32, tmp_path / "clip.bin", sent(chain)
    file.write_bytes(os.urandom(500))
    with make() as s:
        made = [
            s.add(f"A poem {os.urandom(8).hex()}", model=model, prompt="a poem about the sea"),
            s.add(os.urandom(300), model="painter-2", name="wave.bin"),
            s.add(Image.new("RGB", (64, 64), (9, 99, os.urandom(1)[0]))),
            s.add(file, origin="algorithmicMedia", parents=[sha256(b"sketch").digest()]),
        ]
    assert [path.suffix for path in made] == [".txt", ".bin", ".png", ".bin"] and made[3] == file
    for path in made:
        said = verified(cli, path)
        assert said["outcome"] == "verified"
        certificate = Certificate.load(path_beside(path))
        assert certificate.work.metadata == sha256(disclosure_path(path).read_bytes()).digest()
    assert Certificate.load(path_beside(made[0])).work.model == bytes.fromhex(model[2:])
    assert json.loads(disclosure_path(made[1]).read_text())["generator"] == "painter-2"
    assert Certificate.load(path_beside(file)).parents == (sha256(b"sketch").digest(),)
    assert 1 <= sent(chain) - before <= 4


def test_a_batch_is_one_transaction(make: Callable[..., Sealing], chain: Devnet) -> None:
    before = sent(chain)
    with make(batch=40, every=60.0) as s:
        paths = [s.add(os.urandom(20)) for _ in range(40)]
    assert sent(chain) == before + 1
    assert {Certificate.load(path_beside(path)).path.size for path in paths} == {40}


def test_a_prompt_leaves_the_machine_as_a_salted_hash_only(
    make: Callable[..., Sealing], faulty: Callable[..., FaultProxy], tmp_path: Path
) -> None:
    prompt = "a very private wish about Mr. Holloway"
    bodies: list[bytes] = []

    class Heard(FaultProxy):
        def take(self, body: bytes) -> str | None:
            bodies.append(body)
            return super().take(body)

    line = faulty()
    with Heard(line.node) as heard, make(rpc=heard.url) as s:
        path = s.add(b"an output" + os.urandom(9), prompt=prompt)
    told = disclosure_path(path).read_text()
    content = sha256(path.read_bytes()).digest()
    secret = load_secret(tmp_path / "home" / "salt-secret")
    assert json.loads(told)["saltedPromptSha256"] == prompt_hash(secret, content, prompt).hex()
    assert prompt_hash(bytes(32), content, prompt) != prompt_hash(secret, content, prompt)
    kept = [each.read_bytes() for each in (tmp_path / "outputs").iterdir()]
    needles = [prompt.encode(), sha256(prompt.encode()).hexdigest().encode(), sha256(prompt.encode()).digest()]
    needles.append(prompt.encode().hex().encode())
    assert bodies and not any(needle in text for needle in needles for text in (*bodies, *kept))


def test_waiting_for_finality_asks_next_to_nothing(tmp_path: Path, mining: Callable[[Devnet], Any]) -> None:
    """It takes a quarter of an hour on Ethereum, and a hundred batches may wait for it together."""
    asked: list[bytes] = []

    class Heard(FaultProxy):
        def take(self, body: bytes) -> str | None:
            asked.append(body)
            return super().take(body)

    with Devnet(epoch=8) as slow:
        deploy_local(slow)
        given = {"key": "test:6", "home": tmp_path / "home", "every": 0.0}
        with Heard(slow.url) as heard, countersign.sealing(tmp_path / "outputs", rpc=heard.url, batch=1, **given) as s:
            for _ in range(8):
                path = s.add(os.urandom(20))
            s.flush(60, final=False)
            asked.clear()
            time.sleep(2.5)
            assert s.unfinished == 8 and len(asked) <= 5 * 8, "each batch is looked at once"
            with mining(slow):
                s.flush(60)
    assert Certificate.load(path_beside(path)).proof


def test_outputs_wait_for_a_node_and_a_full_queue_holds_the_generator_up(
    make: Callable[..., Sealing], faulty: Callable[..., FaultProxy], cli: Cli
) -> None:
    line = faulty()
    with make(rpc=line.url, limit=3) as s:
        line.faults = lambda *_: "http 500"
        early = [s.add(os.urandom(50)) for _ in range(3)]
        late: list[Path] = []
        adding = threading.Thread(target=lambda: late.append(s.add(os.urandom(50))))
        adding.start()
        adding.join(1.5)
        assert adding.is_alive() and not late
        with pytest.raises(Unreachable):
            s.flush(timeout=2)
        line.faults = lambda *_: None
        adding.join(60)
        assert late
    for path in (*early, *late):
        verified(cli, path)


def test_a_bad_line_loses_and_doubles_nothing(
    make: Callable[..., Sealing], faulty: Callable[..., FaultProxy], cli: Cli, chain: Devnet
) -> None:
    line, before = faulty(), sent(chain)
    with make(rpc=line.url, batch=8, every=60.0) as s:
        line.faults = at_random(SEED, 0.1)
        paths = [s.add(os.urandom(50)) for _ in range(16)]
        s.flush(timeout=120)
    assert sent(chain) == before + 2
    for path in paths:
        verified(cli, path)


def test_what_a_failing_generator_made_is_sealed_and_its_error_is_told(make: Callable[..., Sealing], cli: Cli) -> None:
    with pytest.raises(ZeroDivisionError), make(every=60.0) as s:
        path = s.add(os.urandom(50))
        raise ZeroDivisionError
    assert cli("flush", path.parent, key="test:6").code == 0
    verified(cli, path)


def test_the_same_output_twice_is_one_and_other_bytes_need_another_name(make: Callable[..., Sealing]) -> None:
    content = os.urandom(40)
    with make() as s:
        assert s.add(content, name="one.bin") == s.add(content, name="one.bin")
        with pytest.raises(InputError, match="other bytes"):
            s.add(os.urandom(40), name="one.bin")
        assert s.unfinished <= 1


def test_nothing_empty_is_kept_and_a_file_is_no_folder(
    make: Callable[..., Sealing], chain: Devnet, work: Path, tmp_path: Path
) -> None:
    with make() as s:
        for empty in (b"", ""):
            with pytest.raises(InputError, match="empty output"):
                s.add(empty)
        assert s.unfinished == 0
    with pytest.raises(InputError, match="cannot be created: File exists"):
        countersign.sealing(work, key="test:6", rpc=chain.url, home=tmp_path / "home")


@pytest.mark.parametrize("name", ["../up.txt", "a/b.txt", ".hidden", "..", "nul\0.txt", ""])
def test_no_output_is_written_outside_its_folder(make: Callable[..., Sealing], name: str, tmp_path: Path) -> None:
    with make() as s, pytest.raises(InputError):
        s.add(b"x" if name else 7, name=name)
    assert not (tmp_path / "up.txt").exists()


def test_what_is_sealed_already_keeps_its_certificate(make: Callable[..., Sealing], cli: Cli, work: Path) -> None:
    assert cli("seal", work, "--no-wait", key="test:6").code == 0
    before = path_beside(work).read_bytes()
    with make() as s, pytest.raises(InputError, match="has a certificate already"):
        s.add(work)
    assert path_beside(work).read_bytes() == before


def test_what_became_of_a_file_meanwhile_holds_nobody_up(make: Callable[..., Sealing], cli: Cli) -> None:
    """The bytes that were added are sealed, without a fingerprint of others."""
    contents = [os.urandom(60) for _ in range(3)]
    with make(every=60.0) as s:
        deleted, changed, kept = (s.add(content) for content in contents)
        deleted.unlink()
        changed.write_bytes(b"other bytes")
    made = [Certificate.load(path_beside(path)) for path in (deleted, changed, kept)]
    assert [each.work.content for each in made] == [sha256(content).digest() for content in contents]
    assert [each.work.fingerprint == ZERO for each in made] == [True, True, False]
    verified(cli, kept)


def test_a_lost_draft_holds_up_its_own_batch_only(
    make: Callable[..., Sealing], faulty: Callable[..., FaultProxy], cli: Cli
) -> None:
    """And it is made anew from the secret and the file, if that is still what it was."""
    line, content = faulty(), os.urandom(40)
    with make(rpc=line.url, batch=1, wait=False) as s:
        line.faults = lambda *_: "http 500"
        lost = s.add(content)
        with pytest.raises(Unreachable):
            s.flush(timeout=2)
        path_beside(lost).unlink()
        lost.write_bytes(b"other bytes")
        line.faults = lambda *_: None
        other = s.add(os.urandom(40))
        until(lambda: s.unfinished == 1)
        verified(cli, other)
        with pytest.raises(InputError, match=lost.name):
            s.flush(timeout=0.1)
        lost.write_bytes(content)
    assert cli("flush", lost.parent, key="test:6").code == 0
    verified(cli, lost)


@pytest.mark.parametrize(
    "said",
    [
        {"parents": [b"short"]},
        {"parents": ["0x" + "ab" * 32]},
        {"model": "0x12"},
        {"model": "\ud800"},
        {"prompt": "\ud800"},
        {"name": "\ud800.txt"},
        {"name": "a.png.countersign.json"},
        {"name": "a.png.disclosure.json"},
    ],
)
def test_what_cannot_be_said_of_an_output_leaves_nothing_and_harms_no_other(
    make: Callable[..., Sealing], tmp_path: Path, said: dict[str, Any]
) -> None:
    with make(wait=False) as s:
        with pytest.raises(InputError):
            s.add("an output", **said)
        assert not [path for path in (tmp_path / "outputs").iterdir() if not path.name.startswith(".")]
        s.add("a good one")


def test_a_file_has_one_name_wherever_the_program_goes(
    make: Callable[..., Sealing], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chain: Devnet
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with countersign.sealing("outputs", key="test:6", rpc=chain.url, home="home", every=60.0) as s:
        path = s.add(os.urandom(40), name="one.bin")
        monkeypatch.chdir(tmp_path / "elsewhere")
        s.add(Path("../outputs/one.bin"))
        assert s.unfinished == 1
    assert path == tmp_path / "outputs" / "one.bin" and path_beside(path).exists()
    assert not list((tmp_path / "elsewhere").iterdir()) and list((tmp_path / "home").glob("outbox*"))


def test_after_a_flush_outputs_come_together_again(make: Callable[..., Sealing], chain: Devnet) -> None:
    with make(every=60.0) as s:
        s.add(os.urandom(20))
        s.flush(60, final=False)
        before = sent(chain)
        late = s.add(os.urandom(20))
        time.sleep(1)
        assert not path_beside(late).exists()
        s.add(os.urandom(20))
    assert sent(chain) == before + 1


def test_a_forked_child_neither_adds_nor_closes(make: Callable[..., Sealing]) -> None:
    with make() as s:
        child = os.fork()
        if not child:
            try:
                with pytest.raises(InputError, match="by the process that opened"):
                    s.add(b"from the child")
                with pytest.raises(InputError):
                    s.__exit__(None, None, None)
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        s.add(b"from the parent" + os.urandom(9))


def test_a_child_forked_while_a_folder_is_sealed_does_not_keep_it(tmp_path: Path) -> None:
    with stream._held(tmp_path / "lock") as held:
        child = os.fork()
        if not child:
            signal.pause()
    try:
        with stream._held(tmp_path / "lock") as again:
            assert held and again
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_generators_error_is_not_held_back_by_a_silent_node(
    make: Callable[..., Sealing], faulty: Callable[..., FaultProxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_LAST", 0.5)
    line = faulty()
    with pytest.raises(ZeroDivisionError) as raised, make(rpc=line.url) as s:
        line.faults = lambda *_: "http 500"
        s.add(os.urandom(50))
        raise ZeroDivisionError
    assert "Countersign: " in raised.value.__notes__[0]


def test_a_flush_that_gave_up_is_not_tried_again_at_the_end(
    make: Callable[..., Sealing], faulty: Callable[..., FaultProxy]
) -> None:
    line, began = faulty(), time.monotonic()
    with pytest.raises(Unreachable), make(rpc=line.url) as s:
        line.faults = lambda *_: "http 500"
        s.add(os.urandom(50))
        s.flush(timeout=1)
    assert time.monotonic() < began + 45, "a minute more"


def test_outside_of_its_context_nothing_is_taken(make: Callable[..., Sealing]) -> None:
    sealing = make()
    with pytest.raises(InputError, match="outside of the context"):
        sealing.add(b"x")
    with sealing:
        pass
    with pytest.raises(InputError, match="outside of the context"):
        sealing.add(b"x")


def test_a_folder_keeps_its_key(make: Callable[..., Sealing], cli: Cli, tmp_path: Path) -> None:
    with make(wait=False) as s:
        s.add(os.urandom(20))
    with pytest.raises(SignerError, match="Use that key"):
        make(key="test:5")
    outcome = cli("flush", tmp_path / "outputs", key="test:5")
    assert outcome.code == 2 and "Use that key" in outcome.err


def test_nothing_is_generated_without_a_key_or_a_node(make: Callable[..., Sealing], cli: Cli, tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="No key is given"):
        make(key=None)
    with pytest.raises(Unreachable):
        make(rpc="http://127.0.0.1:9")
    outcome = cli("flush", tmp_path, key="test:6")
    assert outcome.code == 2 and "holds no queue" in outcome.err


def test_many_threads_and_two_processes_share_a_folder(make: Callable[..., Sealing], cli: Cli) -> None:
    paths: list[Path] = []
    with make(batch=8) as one, make(batch=8) as other:
        threads = [
            threading.Thread(target=lambda s=s: paths.extend(s.add(os.urandom(30)) for _ in range(8)))
            for s in (one, other) * 2
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(set(paths)) == 32
    for path in paths:
        verified(cli, path)


_GENERATOR = """
import random, sys, time
import countersign
folder, rpc, home, first = sys.argv[1:5]
with countersign.sealing(folder, key="test:6", rpc=rpc, home=home, batch=5, every=0.1) as s:
    for n in range(int(first), COUNT):
        s.add(f"output {n} of {folder}", model="poet", prompt=f"prompt {n}", name=f"{n}.txt")
        print(n, flush=True)
        time.sleep(0.02)
"""


def test_killed_anywhere_no_output_is_lost_or_sealed_twice(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    """What ``add`` has returned for is sealed, once, whenever the process is killed."""
    random, folder, home, added, before = Random(SEED), tmp_path / "out", tmp_path / "home", 0, sent(chain)
    for _ in range(KILLS):
        process = _generator(folder, chain, home, added)
        time.sleep(random.uniform(0.9, 2.5))
        process.send_signal(signal.SIGKILL)
        said = process.communicate()[0].split()
        added = int(said[-1]) + 1 if said else added
        if added == OUTPUTS:
            break
    assert _generator(folder, chain, home, added).wait(120) == 0
    paths = [folder / f"{n}.txt" for n in range(OUTPUTS)]
    roots = {Certificate.load(path_beside(path)).root for path in paths}
    assert sent(chain) == before + len(roots), "one transaction for each batch"
    for path in paths:
        verified(cli, path)
    assert not list(folder.glob("*unfinished*"))


def _generator(folder: Path, chain: Devnet, home: Path, first: int) -> subprocess.Popen[str]:
    code = _GENERATOR.replace("COUNT", str(OUTPUTS))
    command = [sys.executable, "-c", code, str(folder), chain.url, str(home), str(first)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
