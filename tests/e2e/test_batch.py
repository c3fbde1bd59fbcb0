"""Any number of works in one transaction: folders by careful and by clumsy hands, and a million."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import many
import pytest
from commandline import Cli, Outcome

from countersign import seal
from countersign.certificate import Bundle, Certificate, bundle_beside, path_beside
from countersign.chain.client import Client
from countersign.chain.sender import Sender
from countersign.keys.signer import open_signer
from countersign.records import Work
from countersign.verify import verify
from tools.devnet import Devnet

FILES = 40


def done(outcome: Outcome, code: int = 0) -> Outcome:
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


def refused(outcome: Outcome, *words: str) -> None:
    done(outcome, 2)
    for word in words:
        assert word in outcome.err, outcome


def nonce(chain: Devnet, account: int) -> int:
    return int(chain.rpc("eth_getTransactionCount", chain.rpc("eth_accounts")[account], "latest"), 16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of files nobody else has, in two levels."""
    made = tmp_path / "photos"
    for number in range(FILES):
        path = made / ("summer" if number % 2 else ".") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(1000))
    return made


# A folder


def test_a_folder_from_seal_to_claim(cli: Cli, chain: Devnet, folder: Path, tmp_path: Path) -> None:
    before, bundle = nonce(chain, 5), bundle_beside(folder)
    facts = done(cli("seal", folder, "--origin", "print", "--json", key="test:5")).json
    assert (facts["works"], facts["state"], facts["notIncluded"]) == (FILES, "proved", 0)
    assert nonce(chain, 5) == before + 1
    assert list(folder.rglob("*.countersign.*")) == []
    work, moved = folder / "summer" / "7.png", tmp_path / "elsewhere.png"
    assert "VERIFIED" in done(cli("verify", work)).out
    moved.write_bytes(work.read_bytes())
    done(cli("verify", moved, "--certificate", bundle))
    listed = done(cli("certificate", bundle)).out.splitlines()
    assert listed[2:4] == ["  0.png", "  10.png"] and listed[-1] == f"  and {FILES - 20} more"
    taken = tmp_path / "taken.json"
    done(cli("certificate", bundle, "summer/7.png", "--out", taken))
    block = Certificate.load(taken).proof
    assert block is not None
    trusted = "0x" + block.check().block.hash.hex()
    done(cli("verify", moved, "--certificate", taken, "--offline", "--block-hash", trusted))
    refused(cli("verify", work, "--offline", "--block-hash", trusted), "whether somebody claims")
    done(cli("claim", work, key="test:5"))
    done(cli("claim", f"{bundle}#8.png", key="test:5"))
    for claimed in (work, folder / "8.png"):
        states = {step["name"]: step["state"] for step in done(cli("verify", claimed, "--json")).json["steps"]}
        assert states["claim"] == "pass" and path_beside(claimed).exists()
    assert nonce(chain, 5) == before + 3


def test_the_same_command_again_changes_nothing_and_adds_nothing(cli: Cli, chain: Devnet, folder: Path) -> None:
    first = done(cli("seal", folder, "--json", key="test:5")).json
    before = nonce(chain, 5)
    (folder / "later.png").write_bytes(b"later")
    again = done(cli("seal", folder, "--json", key="test:5")).json
    assert again == first | {"notIncluded": 1} and nonce(chain, 5) == before
    resumed = done(cli("seal", bundle_beside(folder), "--resume", "--json", key="test:5")).json
    assert resumed["root"] == first["root"] and nonce(chain, 5) == before
    refused(cli("seal", folder, "--origin", "print", key="test:5"), "something else")
    refused(cli("seal", folder, key="test:6"), "was begun by")


def test_what_cannot_be_sealed_stops_before_anything_is_sent(cli: Cli, chain: Devnet, folder: Path) -> None:
    before = nonce(chain, 5)
    (folder / "nothing.png").touch()
    (folder / "link.png").symlink_to("0.png")
    os.mkfifo(folder / "pipe")
    (folder / "0.png.countersign.json").write_text("{}")
    refused(cli("seal", folder, key="test:5"), "nothing.png is empty", "--skip-bad")
    assert nonce(chain, 5) == before
    outcome = done(cli("seal", folder, "--skip-bad", "--json", key="test:5"))
    assert outcome.json["works"] == FILES and nonce(chain, 5) == before + 1


def test_a_file_that_changed_between_two_runs_is_refused(cli: Cli, folder: Path) -> None:
    (folder / "nothing.png").touch()
    refused(cli("seal", folder, key="test:5"), "is empty")
    (folder / "nothing.png").write_bytes(b"something now")
    (folder / "0.png").write_bytes(b"changed since")
    refused(cli("seal", folder, key="test:5"), "changed since", "0.png", "nothing is sealed yet")


def test_going_on_says_which_files_are_not_what_is_sealed(cli: Cli, folder: Path, work: Path, tmp_path: Path) -> None:
    done(cli("seal", folder, key="test:5"))
    (folder / "0.png").write_bytes(b"changed since")
    again = done(cli("seal", folder, key="test:5"))
    assert "touched, since they were digested: 1" in again.out
    assert done(cli("seal", folder, "--json", key="test:5")).json["changed"] == 1
    done(cli("seal", work, "--bundle", tmp_path / "one", "--no-wait", key="test:5"))
    work.unlink()
    assert done(cli("seal", work, "--bundle", tmp_path / "one", key="test:5")).out.count("sealed and final") == 1


def test_all_certificates_and_one_are_not_asked_for_together(cli: Cli, folder: Path, tmp_path: Path) -> None:
    done(cli("seal", folder, key="test:5"))
    for more in (["0.png"], ["--out", tmp_path / "c.json"]):
        refused(cli("certificate", bundle_beside(folder), *more, "--all", tmp_path / "all"), "Leave out the name")
    assert not (tmp_path / "all").exists()


def test_all_certificates_are_not_written_over_those_of_other_seals(cli: Cli, folder: Path) -> None:
    """An earlier seal of the same file has another root, and nothing but its certificate opens it."""
    single = folder / "0.png"
    done(cli("seal", single, key="test:5"))
    before = path_beside(single).read_bytes()
    done(cli("seal", folder, key="test:5"))
    refused(cli("certificate", bundle_beside(folder), "--all", folder), "of another seal", "Move it away")
    assert path_beside(single).read_bytes() == before
    path_beside(single).unlink()
    for _ in range(2):
        done(cli("certificate", bundle_beside(folder), "--all", folder, "--offline"))


def test_a_changed_file_is_not_verified_by_its_bundle(cli: Cli, folder: Path) -> None:
    done(cli("seal", folder, key="test:5"))
    (folder / "0.png").write_bytes(b"changed since")
    assert done(cli("verify", folder / "0.png"), 1).out.startswith("✗")


def test_several_files_and_folders_are_packed_by_name(cli: Cli, folder: Path, work: Path, tmp_path: Path) -> None:
    refused(cli("seal", folder, work, key="test:5"), "--bundle")
    done(cli("seal", folder / "summer", work, "--bundle", tmp_path / "mixed", key="test:5"))
    out = tmp_path / "all"
    done(cli("certificate", tmp_path / "mixed.countersign.bundle", "--all", out))
    assert (out / "photo.jpg.countersign.json").exists()
    assert len(list((out / "summer").iterdir())) == FILES // 2
    done(cli("verify", work, "--certificate", out / "photo.jpg.countersign.json"))
    refused(cli("seal", work, folder / ".." / work.name, "--bundle", tmp_path / "two", key="test:5"), "same name")


def test_an_empty_or_missing_folder_leaves_nothing_behind(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    refused(cli("seal", tmp_path / "empty", key="test:5"), "holds no files")
    refused(cli("seal", tmp_path / "none.countersign.bundle", "--resume", key="test:5"), "does not exist")
    refused(cli("seal", tmp_path / "none", "--bundle", tmp_path / "b", key="test:5"), "none")
    assert list(tmp_path.glob("*.countersign.bundle*")) == []


def test_names_that_a_bundle_lacks_are_refused(cli: Cli, folder: Path, work: Path) -> None:
    done(cli("seal", folder, key="test:5"))
    bundle = bundle_beside(folder)
    for target in ("none.png", "0x" + "00" * 32, work):
        refused(cli("certificate", bundle, target), "has no work")
    refused(cli("claim", f"{bundle}#none.png", key="test:5"), "has no work")
    refused(cli("claim", bundle, key="test:5"), "holds many works", "#NAME")
    refused(cli("verify", work, "--certificate", bundle), "no certificate of")


def test_what_a_program_left_in_a_batch_is_sealed_by_hand(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    signer, client = open_signer("test:5", 31337, str), Client(chain.url, 31337)
    path, contents = tmp_path / "outputs.countersign.bundle", [os.urandom(32) for _ in range(3)]
    with seal.Batch(path, signer.address, client.contracts, b"s" * 32) as batch:
        for content in contents:
            batch.add(content.hex(), Work(content))
    refused(cli("certificate", path), "not finished")
    assert done(cli("seal", path, "--resume", "--json", key="test:5")).json["works"] == 3
    done(cli("claim", f"{path}#{contents[1].hex()}", key="test:5"))
    claim = client.claim_of(contents[1])
    assert claim and claim.creator == signer.address


# Many


def test_many_works_are_sealed_at_once_and_any_leaf_can_be_claimed(
    chain: Devnet, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """A million in `make deep`, by a process of their own."""
    size = 1_000_000 if pytestconfig.pluginmanager.has_plugin("tools.deep") else 20_000
    before = nonce(chain, 6)
    command = [sys.executable, many.__file__, chain.url, "6", str(size), str(tmp_path)]
    facts = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert facts["gas"] < 50_000 and facts["peak_mb"] < 300, facts
    signer, client = open_signer("test:6", 31337, str), Client(chain.url, 31337)
    with Bundle(tmp_path / many.NAME) as bundle:
        taken = bundle.at(Random(size).randrange(size))
    proved = seal.prove(client, taken, signer.address)
    assert proved.proof and proved.path.size == size
    trusted = proved.proof.check().block.hash
    assert verify(proved, taken.work.content, block_hash=trusted).outcome == "verified"
    assert Sender(client, signer, tmp_path / "outbox").send(seal.claim_call(proved), "claim").ok
    claim = client.claim_of(taken.work.content)
    assert claim and claim.creator == signer.address
    assert nonce(chain, 6) == before + 2
