"""The whole command line on a real chain, with real files, by careful and by clumsy hands."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from commandline import Cli, Outcome

from countersign.canonical import to_hex
from countersign.certificate import Certificate, path_beside
from countersign.errors import SignerError
from tools.devnet import Devnet
from tools.ports import free_port

COMMANDS = [
    ["seal"], ["claim"], ["retract"], ["object"], ["verify"], ["show"], ["mine"], ["find"], ["recover"],
    ["model", "publish"], ["model", "show"], ["keys", "new"], ["keys", "show"], ["index", "sync"], ["index", "status"],
    ["index", "rebuild"], ["doctor"],
]  # fmt: skip


def done(outcome: Outcome, code: int = 0) -> Outcome:
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


def refused(outcome: Outcome, *words: str, code: int = 2) -> Outcome:
    """A sentence and a next step, on stderr."""
    done(outcome, code)
    assert outcome.err.startswith("error: ") and len(outcome.err.strip().splitlines()) >= 2, outcome
    for word in words:
        assert word in outcome.err
    return outcome


def states(outcome: Outcome) -> dict[str, str]:
    return {step["name"]: step["state"] for step in outcome.json["steps"]}


def settle(chain: Devnet) -> None:
    """Wait until all that happened is final."""
    head, deadline = int(chain.rpc("eth_blockNumber"), 16), time.monotonic() + 60
    while int(chain.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16) < head:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def transactions(chain: Devnet, account: int) -> int:
    who = chain.rpc("eth_accounts")[account]
    return int(chain.rpc("eth_getTransactionCount", who, "latest"), 16)


# The main job


def test_a_work_from_seal_to_objection(cli: Cli, work: Path, chain: Devnet, tmp_path: Path) -> None:
    before = transactions(chain, 0)
    sealed = done(cli("seal", work, "--origin", "digitalCapture", "--json", key="test:0")).json
    assert [entry["state"] for entry in sealed] == ["proved"]
    certificate = path_beside(work)
    assert json.loads(certificate.read_text())["signature"]
    assert stat.S_IMODE((cli.home / "salt-secret").stat().st_mode) == 0o600

    online = done(cli("verify", work, "--json"))
    assert states(online)["claim"] == "note" and online.json["outcome"] == "verified"
    refused(cli("seal", work, key="test:0"), "exists already", "--resume")
    done(cli("seal", work, "--resume", key="test:0"))
    done(cli("seal", certificate, "--resume", key="test:0"))
    assert transactions(chain, 0) == before + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "photo.jpg", "photo.jpg.countersign.json"]

    claimed = done(cli("claim", work, "--json", key="test:0")).json
    assert claimed[0]["content"] == done(cli("claim", work, "--json", key="test:0")).json[0]["content"]
    assert transactions(chain, 0) == before + 2
    assert states(done(cli("verify", work, "--json")))["claim"] == "pass"

    block_hash = _trusted(certificate)
    offline = ("verify", work, "--offline", "--json", "--block-hash")
    assert states(done(cli(*offline, block_hash)))["block"] == "pass"
    assert states(done(cli(*offline, "0x" + "00" * 32), 1))["block"] == "fail"
    assert done(cli("verify", work, "--offline", "--json"), 2).json["outcome"] == "could not check"
    assert done(cli("verify", certificate, "--json")).json["facts"]["origin"] == "captured by a camera or microphone"

    refused(cli("retract", work, key="test:1"), "does not speak for this identity", code=1)
    done(cli("retract", work, key="test:0"))
    assert done(cli("verify", work, "--json"), 2).json["outcome"] == "could not check"
    done(cli("retract", work, key="test:0"))
    settle(chain)
    assert states(done(cli("verify", work, "--json"), 1))["claim"] == "fail"
    done(cli("retract", work, "--undo", key="test:0"))
    done(cli("retract", work, "--undo", "--json", key="test:0"))
    assert transactions(chain, 0) == before + 4
    done(cli("retract", work, key="test:0"))
    done(cli("retract", work, "--undo", key="test:0"))
    assert transactions(chain, 0) == before + 6

    letter = tmp_path / "letter.txt"
    letter.write_text("It is mine.")
    for _ in range(2):
        done(cli("object", work, "--evidence", letter, "--json", key="test:1"))
    settle(chain)
    shown = done(cli("show", work, "--json")).json
    assert (len(shown["objections"]), shown["claim"]["retracted"], len(shown["history"])) == (1, 0, 1)
    assert "objection  by 0x7099" in done(cli("show", work)).out and "unanswered" in cli("show", work).out
    assert states(done(cli("verify", work, "--json")))["objections"] == "warn"
    mine = done(cli("mine", "--json", key="test:0")).json
    assert claimed[0]["content"] in [row["content"] for row in mine["claims"]]
    assert "claimed" in done(cli("mine", "--address", mine["address"])).out


def _trusted(certificate: Path) -> str:
    proof = Certificate.load(certificate).proof
    assert proof
    return "0x" + proof.check().block.hash.hex()


def test_many_files_are_one_transaction(cli: Cli, tmp_path: Path, chain: Devnet) -> None:
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file in files:
        file.write_bytes(os.urandom(100))
    before = transactions(chain, 2)
    done(cli("seal", *files, files[0], "--parent", "0x" + "11" * 32, key="test:2"))
    assert transactions(chain, 2) == before + 1
    for file in files:
        assert "one of 3 works" in done(cli("verify", file)).out
    unclaimed = done(cli("mine", "--json", key="test:2")).json["unclaimed"]
    assert len(unclaimed) == 1


def test_not_waiting_is_no_failure_and_resume_finishes(cli: Cli, work: Path, chain: Devnet) -> None:
    before = transactions(chain, 6)
    first = done(cli("seal", work, "--no-wait", "--json", key="test:6")).json
    assert first[0]["state"] == "draft"
    refused(cli("claim", work, "--no-wait", key="test:6"), "final")
    assert done(cli("seal", work, "--resume", "--json", key="test:6")).json[0]["state"] == "proved"
    assert transactions(chain, 6) == before + 1


def test_the_draft_is_on_disk_before_the_key_is_used(cli: Cli, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise SignerError("The key is away.", "Plug it in.")

    monkeypatch.setattr("countersign.keys.signer.LocalSigner.sign_digest", broken)
    refused(cli("seal", work, key="test:6"), "The key is away.")
    assert Certificate.load(path_beside(work)).signature is None
    monkeypatch.undo()
    done(cli("seal", work, "--resume", key="test:6"))
    assert Certificate.load(path_beside(work)).signature


def test_another_version_of_a_model_does_not_overwrite_the_manifest(cli: Cli, work: Path) -> None:
    done(cli("model", "publish", work, "--licence", "MIT", key="test:6"))
    refused(cli("model", "publish", work, "--licence", "Apache-2.0", key="test:6"), "another version")


def test_a_certificate_shows_the_claim_that_displaced_a_thief(cli: Cli, work: Path, tmp_path: Path) -> None:
    """The thief's claim is final already when the creator claims: the refreshed proof must not show it."""
    done(cli("seal", work, key="test:6"))
    stolen = tmp_path / "stolen.jpg"
    stolen.write_bytes(work.read_bytes())
    done(cli("seal", stolen, key="test:7"))
    done(cli("claim", stolen, key="test:7"))
    done(cli("claim", work, key="test:6"))
    block = to_hex(Certificate.load(path_beside(work)).proof.check().block.hash)  # type: ignore[union-attr]
    report = done(cli("verify", work, "--offline", "--block-hash", block, "--json"))
    assert states(report)["claim"] == "pass"


def test_a_mistyped_address_is_noticed(cli: Cli) -> None:
    refused(cli("mine", "--address", "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), "checksum")


def test_anybody_may_pay_for_a_signed_claim_and_nobody_may_take_it(cli: Cli, work: Path) -> None:
    done(cli("seal", work, key="test:3"))
    done(cli("claim", work, key="test:4"))
    assert done(cli("verify", work, "--json")).json["facts"]["creator"].startswith("0x90F7")

    path_beside(work).rename(work.with_name("kept"))
    done(cli("seal", work, key="test:4"))
    refused(cli("claim", work, key="test:4"), "claimed by 0x90F7", "object", code=1)
    assert states(done(cli("verify", work, "--json"), 1))["claim"] == "fail"
    unsigned = json.loads(path_beside(work).read_text()) | {"signature": None}
    path_beside(work).write_text(json.dumps(unsigned))
    done(cli("claim", work, key="test:5"), 1)


def test_a_model_is_published_once(cli: Cli, tmp_path: Path, chain: Devnet) -> None:
    weights, card = tmp_path / "net.onnx", tmp_path / "README.md"
    weights.write_bytes(os.urandom(100))
    card.write_text("# Net")
    before = transactions(chain, 0)
    publish = ("model", "publish", weights, "--card", card, "--licence", "MIT", "--json")
    made = done(cli(*publish, key="test:0")).json
    assert done(cli(*publish, key="test:0")).json == made
    assert transactions(chain, 0) == before + 1
    assert done(cli("model", "show", made["manifest"], "--json")).json["published_at"] > 0
    assert done(cli("model", "show", made["modelId"])).out.startswith("model ")
    assert done(cli("model", "show", "0x" + "12" * 32), 1)
    refused(cli("model", "show", weights), "not a manifest")
    Path(made["manifest"]).write_text(Path(made["manifest"]).read_text().replace("MIT", "GPL"))
    refused(cli("model", "show", made["manifest"]), "was changed")


def test_the_index_is_rebuilt_to_the_same(cli: Cli) -> None:
    refused(cli("index", "status"), "no index")
    done(cli("index", "sync", "--json"))
    first = done(cli("index", "status", "--json")).json
    done(cli("index", "rebuild", "--json"))
    again = done(cli("index", "status", "--json")).json
    assert again["block"] >= first["block"] and again["claims"] == first["claims"]
    (cli.home / "index-31337.sqlite").write_bytes(b"no database" * 1000)
    refused(cli("index", "status"), "rebuild")
    refused(cli("index", "sync"), "rebuild")
    done(cli("index", "rebuild"))


def test_the_doctor_explains(cli: Cli) -> None:
    done(cli("index", "sync"))
    well = {finding["subject"]: finding["ok"] for finding in done(cli("doctor", "--json", key="test:0")).json}
    assert well and all(well.values())
    cli.url = f"http://127.0.0.1:{free_port()}"
    findings = {finding["subject"]: finding for finding in done(cli("doctor", "--json"), 1).json}
    assert not findings["chain"]["ok"] and "does not answer" in findings["chain"]["detail"]


# Keys


def test_a_keystore_signs_when_it_has_money(cli: Cli, work: Path, chain: Devnet, tmp_path: Path) -> None:
    path, words = tmp_path / "me.json", "correct horse battery"
    address = done(cli("keys", "new", path, "--json", passphrase=words)).json["address"]
    refused(cli("keys", "new", path, passphrase=words), "exists already")
    refused(cli("keys", "new", tmp_path / "x.json", passphrase="short"), "too short")
    key = f"keystore:{path}"
    assert done(cli("keys", "show", key=key, passphrase=words)).out.strip() == address
    refused(cli("keys", "show", key=key, passphrase="wrong horse battery"), "does not open")
    assert done(cli("mine", "--json", key=key)).json["address"] == address

    poor = refused(cli("seal", work, key=key, passphrase=words), "0.000000 of the chain's coin", "Send it some")
    assert words not in poor.err + poor.out
    chain.rpc("anvil_setBalance", address, hex(10**18))
    done(cli("seal", work, "--resume", key=key, passphrase=words))
    done(cli("verify", work))


# Bad input


def test_files_that_cannot_be_sealed(cli: Cli, tmp_path: Path, work: Path) -> None:
    empty, pipe = tmp_path / "empty", tmp_path / "pipe"
    long = tmp_path / ("n" * 250)
    empty.touch()
    long.write_bytes(b"its certificate's name is too long")
    os.mkfifo(pipe)
    for bad, words in ((empty, "is empty"), (tmp_path / "none", "does not exist"), (pipe, "not a regular file"),
                       (Path("/"), "is a folder"), (long, "ile name too long"),
                       (work / "inside", "ot a directory")):  # fmt: skip
        refused(cli("seal", bad, key="test:0"), words)
        refused(cli("verify", bad), words)
        assert not list(tmp_path.glob("*.countersign.json"))
    for folder in (tmp_path, Path()):
        refused(cli("verify", folder), "is a folder")
    refused(cli("seal", work, empty, key="test:0"), "is empty")
    refused(cli("seal", work, "--metadata", tmp_path, key="test:0"), "is a folder")
    refused(cli("seal", work, "--parent", "0x12", key="test:0"), "32 bytes of hex")
    refused(cli("seal", work, "--model", "m", key="test:0"), "model id")
    refused(cli("seal", work, "--origin", "invented", key="test:0"))
    refused(cli("seal", work, "--resume", "--origin", "print", key="test:0"), "--resume")
    refused(cli("seal", work, "--resume", key="test:0"), "cannot be read")
    refused(cli("claim", work, key="test:0"), "cannot be read")
    refused(cli("seal", work), "No key is given")
    refused(cli("seal", work, key="0x" + "ab" * 32), "not a kind of key")
    refused(cli("verify", work, "--offline"), "no certificate")
    refused(cli("verify", work, "--block-hash", "0x12"), "block hash")
    assert not path_beside(work).exists()


def test_a_name_that_is_no_text_is_sealed_all_the_same(cli: Cli, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    odd.write_bytes(os.urandom(10))
    environment = os.environ | {"PYTHONUTF8": "1"}
    command = [sys.executable, "-m", "countersign", "seal", odd, "--key", "test:0", "--rpc", cli.url]
    run = subprocess.run([*command, "--home", cli.home], capture_output=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr.decode(errors="replace")


def test_a_file_that_changed_after_its_draft_is_not_resumed(cli: Cli, work: Path) -> None:
    cli.url, url = f"http://127.0.0.1:{free_port()}", cli.url
    refused(cli("seal", work, key="test:0"), "does not answer", "make up")
    assert not path_beside(work).exists()
    cli.url = url
    done(cli("seal", work, key="test:0"))
    work.write_bytes(b"edited")
    refused(cli("seal", work, "--resume", key="test:0"), "changed since its draft")
    assert states(done(cli("verify", work, "--json"), 1))["content"] == "fail"


def test_damaged_certificates_and_journals(cli: Cli, work: Path) -> None:
    path_beside(work).write_text('{"format": "countersign-certificate/1", "name": "\x1b[2J"}')
    refused(cli("verify", work), "not a valid certificate")
    path_beside(work).unlink()
    cli.home.mkdir()
    (cli.home / "outbox-31337.sqlite").write_bytes(b"no database" * 1000)
    refused(cli("seal", work, key="test:0"), "journal")
    assert Certificate.load(path_beside(work)).state == "draft"
    assert stat.S_IMODE(path_beside(work).stat().st_mode) == 0o600
    (cli.home / "salt-secret").write_text("torn")
    work.with_name("other").write_bytes(b"1")
    refused(cli("seal", work.with_name("other"), key="test:0"), "salt secret", "backup")


def test_a_certificate_of_another_chain_is_neither_refuted_nor_sealed_here(cli: Cli, work: Path) -> None:
    done(cli("seal", work, key="test:0"))
    document = json.loads(path_beside(work).read_text())
    document["contracts"]["chainId"] = 11155111
    path_beside(work).write_text(json.dumps(document))
    refused(cli("seal", work, "--resume", key="test:0"), "chain 11155111")
    refused(cli("claim", work, key="test:0"), "chain 11155111")


# Bad nodes


def test_nodes_that_are_not_as_needed(cli: Cli, work: Path) -> None:
    refused(cli("verify", work, "--chain", "1"), "serves chain 31337, not 1", "--chain 31337")
    refused(cli("seal", work, "--chain", "1", key="test:0"), "may not sign on chain 1")
    with Devnet() as bare:
        cli.url = bare.url
        refused(cli("seal", work, key="test:0"), "no Countersign registry", "Deploy")
        refused(cli("verify", work), "no Countersign registry")
    cli.url = bare.url
    refused(cli("seal", work, key="test:0"), "does not answer")
    for url, words in (("nonsense", "no URL"), ("ftp://127.0.0.1", "does not answer"), ("", "no URL")):
        cli.url = url
        refused(cli("verify", work), words)


class _Website(BaseHTTPRequestHandler):
    body = b""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[]", b"{}", b'{"jsonrpc":"2.0","id":1,"result":null}', b"1"])
def test_what_is_no_node_is_said(cli: Cli, work: Path, body: bytes) -> None:
    handler = type("Handler", (_Website,), {"body": body})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        cli.url = f"http://127.0.0.1:{server.server_port}"
        refused(cli("verify", work))
        server.shutdown()


def test_refusals_of_the_contracts_are_decoded(cli: Cli, work: Path, tmp_path: Path) -> None:
    refused(cli("object", work, "--evidence", work, key="test:0"), "Nobody claims", code=1)
    refused(cli("retract", work, key="test:0"), "Nobody claims", code=1)
    outcome = done(cli("retract", work, "--json", key="test:0"), 1)
    assert set(outcome.json) == {"error", "next"}
    assert done(cli("show", work), 1).out.startswith("Nobody claims")
    assert done(cli("verify", work), 1).out
    assert done(cli("verify", work, "--json"), 1).json["facts"]["record"] is None


# Manners


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(command: list[str]) -> None:
    shown = done(Cli.bare(*command, "--help")).out
    assert f"  countersign {' '.join(command)}" in shown.split("Examples:")[1]
    assert "--json" in shown


def test_usage_errors_are_sentences() -> None:
    refused(Cli.bare("sael"), "No such command")
    refused(Cli.bare("seal"), "Missing argument")
    refused(Cli.bare("verify", "x", "--nonsense"), "No such option")
    assert json.loads(done(Cli.bare("seal", "--json"), 2).out)["error"]
    assert "0." in done(Cli.bare("--version")).out
    assert "Usage" in Cli.bare("--help").out


def test_a_reader_that_leaves_early_is_no_trouble(cli: Cli, work: Path) -> None:
    command = f"{sys.executable} -m countersign doctor --rpc {cli.url} --home {cli.home} | head -c 1"
    run = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert b"Traceback" not in run.stderr and b"BrokenPipe" not in run.stderr


def test_the_journal_is_private_to_its_owner(cli: Cli, work: Path) -> None:
    done(cli("seal", work, key="test:6"))
    assert stat.S_IMODE(cli.home.stat().st_mode) == 0o700
    with sqlite3.connect(cli.home / "outbox-31337.sqlite") as journal:
        assert journal.execute("SELECT count(*) FROM sent").fetchone() == (1,)
