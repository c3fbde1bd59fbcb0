"""Finding, recovering and warning on a real chain, with real pictures: a hint each time, never a proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commandline import Cli, Outcome

from countersign import seal
from countersign.canonical import to_hex
from countersign.certificate import Certificate, path_beside
from countersign.fingerprint.digest import digest_file
from tools.devnet import Devnet

Image = pytest.importorskip("PIL.Image")


def done(outcome: Outcome, code: int = 0) -> Outcome:
    assert outcome.code == code, outcome
    assert "Traceback" not in outcome.out + outcome.err
    return outcome


def picture(path: Path, seed: int) -> Path:
    """A picture nobody else has: the flower that scikit-learn ships, another part of it each time."""
    from sklearn.datasets import load_sample_image  # type: ignore[import-untyped]

    x, y = 37 * seed % 300, 53 * seed % 150
    exif = Image.Exif()
    exif[0x010E] = "the original"
    part = Image.fromarray(load_sample_image("flower.jpg")).crop((x, y, x + 330, y + 270))
    part.save(path, quality=95, exif=exif)
    return path


def copied(original: Path, path: Path, percent: int = 60, **options: Any) -> Path:
    """Re-encoded, resized, without its metadata."""
    with Image.open(original) as opened:
        small = opened.resize((opened.width * percent // 100, opened.height * percent // 100))
        small.save(path, **options)
    return path


def sealed(cli: Cli, path: Path, account: int) -> Path:
    done(cli("seal", path, key=f"test:{account}"))
    return path


def claimed(cli: Cli, path: Path, account: int) -> Path:
    sealed(cli, path, account)
    done(cli("claim", path, key=f"test:{account}"))
    return path


def test_a_stripped_resized_copy_finds_its_original_and_its_certificate(
    cli: Cli, chain: Devnet, tmp_path: Path
) -> None:
    original = claimed(cli, picture(tmp_path / "original.jpg", 1), 1)
    (tmp_path / "elsewhere").mkdir()
    copy = copied(original, tmp_path / "elsewhere" / "copy.webp", quality=60)

    found = done(cli("find", copy, "--json")).json
    assert found["exact"] is None and [one["content"] for one in found["similar"]] == [
        to_hex(digest_file(original).sha256)
    ]
    assert found["similar"][0]["unit"] == "content" and found["similar"][0]["distance"] <= 8
    assert "never proof" in found["hint"]
    said = done(cli("find", copy)).out
    assert "Nobody claims exactly these bytes." in said and "of 64 bits apart: sealed" in said

    answer = done(cli("recover", copy, "--json")).json
    assert answer["outcome"] == "verified" and answer["content"] == to_hex(digest_file(original).sha256)
    recovered = Path(answer["recovered"])
    assert recovered.parent == copy.parent and Certificate.load(recovered).name == "recovered"
    done(cli("verify", recovered))
    done(cli("verify", original, "--certificate", recovered))
    assert "not the sealed ones" in done(cli("verify", copy, "--certificate", recovered), 1).out
    assert "is not the sealed file" in done(cli("recover", copy)).out, "twice is as good as once"


def test_the_bytes_themselves_are_found_and_recovered(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    original = claimed(cli, picture(tmp_path / "original.jpg", 2), 1)
    assert "exactly these bytes: sealed" in done(cli("find", original)).out
    path_beside(original).unlink()
    assert "has exactly the sealed bytes" in done(cli("recover", original, "--out", path_beside(original))).out
    done(cli("verify", original))


def test_a_claim_on_an_earlier_work_of_somebody_else_warns_and_goes_on(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    original = claimed(cli, picture(tmp_path / "original.jpg", 3), 1)
    stolen = sealed(cli, copied(original, tmp_path / "stolen.jpg", quality=70), 2)
    said = done(cli("claim", stolen, key="test:2"))
    first = to_hex(digest_file(original).sha256)
    assert "warning: an earlier work is similar content" in said.err and first in said.err
    assert "never proof" in said.err and "claimed: " in said.out
    again = done(cli("claim", stolen, "--json", key="test:2"))
    assert [one["content"] for one in again.json[0]["similar"]] == [first]
    later = done(cli("claim", original, "--json", key="test:1"))
    assert later.json[0]["similar"] == [] and later.err == "", "a later copy is no reason to warn who was first"
    own = sealed(cli, copied(original, tmp_path / "small.jpg", quality=80), 1)
    warned = done(cli("claim", own, "--json", key="test:1")).json[0]["similar"]
    assert first not in [one["content"] for one in warned], "one's own earlier work is none of somebody else"

    answer = done(cli("recover", stolen, "--json")).json
    assert answer["content"] == to_hex(digest_file(original).sha256), "the earliest, though these bytes are claimed"
    assert answer["others"] == 2


def test_a_folder_of_certificates_knows_what_nobody_claimed(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    original = sealed(cli, picture(tmp_path / "original.jpg", 4), 1)
    (tmp_path / "bad.jpg.countersign.json").write_text("{")
    copy = copied(original, tmp_path / "copy.png")
    done(cli("recover", copy), 1)
    answer = done(cli("recover", copy, "--in", tmp_path, "--json"))
    assert answer.json["recovered"] == str(path_beside(original)) and answer.json["outcome"] == "verified"
    assert "bad.jpg.countersign.json is left out" in answer.err
    done(cli("recover", copy, "--in", tmp_path / "nowhere"), 2)


def test_nothing_is_found_for_what_nobody_knows(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    lonely = tmp_path / "lonely.bin"
    lonely.write_bytes(b"\0\1\2 nobody has these bytes")
    assert "Nothing similar" in done(cli("find", lonely), 1).out
    assert "Nothing like" in done(cli("recover", lonely), 1).out
    lonely.write_bytes(b"")
    for verb in ("find", "recover"):
        assert "is empty" in done(cli(verb, lonely), 2).err
        assert "does not exist" in done(cli(verb, tmp_path / "none.jpg"), 2).err


def test_without_a_node_the_index_alone_cannot_say_that_there_is_nothing(
    cli: Cli, chain: Devnet, tmp_path: Path
) -> None:
    original = claimed(cli, picture(tmp_path / "original.jpg", 5), 1)
    done(cli("find", original))
    away = Cli("http://127.0.0.1:9", cli.home)
    known = done(away("find", copied(original, tmp_path / "copy.png"), "--json"))
    assert known.json["current"] is False and "from the index alone" in known.err
    other = tmp_path / "other.txt"
    other.write_text("words that nobody wrote before, and nobody will again")
    done(away("find", other), 2)
    done(away("recover", original), 2)


def test_nothing_of_others_is_overwritten(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    original = claimed(cli, picture(tmp_path / "original.jpg", 6), 1)
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"my": "notes"}))
    assert "exists already" in done(cli("recover", original, "--out", mine), 2).err
    assert mine.read_text() == '{"my": "notes"}'
    own = path_beside(original).read_text()
    assert "exists already" in done(cli("recover", original, "--out", path_beside(original)), 2).err
    assert path_beside(original).read_text() == own


def test_a_claim_through_another_contract_says_so(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    original = sealed(cli, picture(tmp_path / "original.jpg", 7), 1)
    certificate = Certificate.load(path_beside(original))
    call = seal.claim_call(certificate, by_signature=True)
    payer = chain.rpc("eth_accounts")[3]
    chain.send({"from": payer, "to": _forwarder(chain, payer, call.to), "data": to_hex(call.data), "gas": hex(500_000)})
    copy = copied(original, tmp_path / "copy.png")
    assert done(cli("find", copy, "--json")).json["similar"]
    assert "through another contract" in done(cli("recover", copy), 2).err
    assert list(tmp_path.glob("recovered*")) == []
    done(cli("recover", copy, "--in", tmp_path))


def _forwarder(chain: Devnet, payer: str, to: bytes) -> str:
    """A contract that hands whatever it is sent on to ``to``."""
    runtime = bytes.fromhex("363d3d373d3d363d3d73") + to + bytes.fromhex("5af100")
    made = chain.send({"from": payer, "data": to_hex(bytes.fromhex("60218060093d393df3") + runtime)})
    address: str = chain.rpc("eth_getTransactionReceipt", made)["contractAddress"]
    return address


def test_no_trouble_with_the_index_keeps_a_claim_from_being_made(cli: Cli, chain: Devnet, tmp_path: Path) -> None:
    original = sealed(cli, picture(tmp_path / "original.jpg", 8), 1)
    (cli.home / "index-31337.sqlite").write_bytes(b"no database" * 1000)
    claimed = done(cli("claim", original, "--json", key="test:1"))
    assert "could not be looked for" in claimed.err and "rebuild" in claimed.err
    assert claimed.json[0]["state"] == "proved" and claimed.json[0]["similar"] == []
