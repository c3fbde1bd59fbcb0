"""The evidence file: the same bytes each time, complete, honest about failure, and harmless whatever the names say."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from test_names import HOSTILE
from world import CREATOR, NOW, THIEF, World, block_hash, draft, signed_by_creator

from countersign.canonical import checksum
from countersign.certificate import Certificate
from countersign.certificate.document import SUFFIX
from countersign.errors import InputError, MissingExtra
from countersign.evidence import Case, export, verifier_page
from countersign.evidence.instructions import command, readme
from countersign.evidence.page import draw
from countersign.fingerprint.c2pa.reading import Credentials
from countersign.fingerprint.digest import digest_file
from countersign.merkle import list_root
from countersign.records import Contracts
from countersign.verify import verify

SEALED = NOW - 500


def evidence(work: Path, *, trusted: bytes | None = None, name: str = "", claimed: bool = True, **said: Any) -> Case:
    """A case about the file ``work``, sealed in a chain made up in memory."""
    found = digest_file(work)
    c = signed_by_creator(draft(content=found.sha256, others=2, **said))
    c = replace(c, name=name or work.name)
    c = World().sealed(c, CREATOR).prove(c, CREATOR)
    report = verify(c, found.sha256, block_hash=trusted or block_hash(c))
    return Case(c, report, found, work)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(os.urandom(3 << 20))
    return path


def test_the_same_case_is_the_same_bytes(work: Path, tmp_path: Path) -> None:
    made = []
    for at in range(2):
        out = tmp_path / f"{at}.zip"
        sums = export(evidence(work), out)
        made.append(out.read_bytes())
        assert out.stat().st_mode & 0o777 == 0o600
    assert made[0] == made[1]
    with zipfile.ZipFile(io.BytesIO(made[0])) as archive:
        assert archive.testzip() is None and archive.namelist() == sorted(archive.namelist())
        assert set(archive.namelist()) == {*sums, "SHA256SUMS"}
        for name, digest in sums.items():
            assert sha256(archive.read(name)).hexdigest() == digest
        assert Certificate.from_json(archive.read(f"work/photo.jpg{SUFFIX}").decode()).name == "photo.jpg"


def test_what_lies_beside_the_work_is_in_it_and_the_work_may_stay_out(work: Path, tmp_path: Path) -> None:
    signed = work.with_name("photo.c2pa.jpg")
    signed.write_bytes(b"signed")
    case = replace(
        evidence(work),
        work=None,
        signed=signed,
        manifest=Credentials("untrusted", "Studio"),
        disclosure=b"{}",
        verifier=b"<html>",
    )
    sums = export(case, tmp_path / "x.zip")
    assert set(sums) >= {
        "c2pa/photo.c2pa.jpg",
        "c2pa/manifest.json",
        "work/photo.jpg.disclosure.json",
        "verifier/countersign-verify.html",
    }
    assert "work/photo.jpg" not in sums
    assert "was left out" in readme(case) and command(case).split()[2] == f"work/photo.jpg{SUFFIX}"
    assert "Open verifier/countersign-verify.html" in readme(case)


def test_an_existing_file_and_a_changing_work_leave_everything_as_it_was(work: Path, tmp_path: Path) -> None:
    case, out = evidence(work), tmp_path / "x.zip"
    out.write_bytes(b"precious")
    with pytest.raises(InputError, match="exists already"):
        export(case, out)
    assert out.read_bytes() == b"precious"
    for change in (b"x" * (3 << 20), b"short", b"y" * (4 << 20)):
        work.write_bytes(change)
        with pytest.raises(InputError, match="changed while"):
            export(case, tmp_path / "new.zip")
    work.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        export(case, tmp_path / "new.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.zip"]


needs_poppler = pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="Poppler (pdftoppm) is not installed")


def text_of(pdf: bytes, tmp_path: Path) -> str:
    """The words of a PDF as Poppler reads them."""
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout


def test_a_failed_check_is_said_first(work: Path, tmp_path: Path) -> None:
    case = evidence(work, trusted=bytes(32))
    assert case.report.outcome == "not verified"
    assert "did NOT succeed" in readme(case).splitlines()[3]
    export(case, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert json.loads(archive.read("report.json"))["outcome"] == "not verified"


def test_a_draft_has_no_block_and_says_so(work: Path) -> None:
    found = digest_file(work)
    c = draft(content=found.sha256)
    case = Case(c, verify(c, found.sha256), found, work)
    assert case.block is None and "There is no proof." in readme(case) and "0x…" in command(case)
    assert draw(case).startswith(b"%PDF") and "proof/header.json" not in case.parts()


def test_where_to_compare_depends_on_the_chain(work: Path) -> None:
    case = evidence(work)
    assert "development chain" in readme(case)
    for chain, place in ((1, "etherscan.io"), (10, "explorers of chain 10")):
        c = replace(case.certificate, contracts=Contracts(chain, *(bytes(20) for _ in range(3))))
        assert place in readme(replace(case, certificate=c))


@settings(max_examples=12)
@given(HOSTILE)
def test_no_name_leaves_its_folder_or_breaks_the_report(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    work = tmp_path_factory.getbasetemp() / "w"
    work.write_bytes(b"work")
    case = evidence(work, name=name.encode(errors="replace").decode() or "n")
    assert draw(case).startswith(b"%PDF")
    for entry in case.parts():
        path = Path(entry)
        assert not path.is_absolute() and ".." not in path.parts and len(path.parts) <= 2
    assert command(case) in readme(case)


def scan(pdf: Path, dots: int) -> str:
    """The QR code on the first page, drawn with so many dots per inch; "" when it is not made out."""
    import cv2

    command = [
        "pdftoppm",
        "-r",
        str(dots),
        "-f",
        "1",
        "-l",
        "1",
        "-singlefile",
        "-png",
        str(pdf),
        str(pdf.with_suffix("")),
    ]
    subprocess.run(command, check=True)
    return cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(pdf.with_suffix(".png"))))[0]


@needs_poppler
def test_the_code_leads_back_to_the_record(work: Path, tmp_path: Path) -> None:
    """Scanned from a picture of the page, as a phone does: it tries from near and far."""
    parents = tuple(sha256(bytes([n])).digest() for n in range(5))
    case = evidence(work, name="фото \u202egpj.<b>", origin="print", model=parents[0], parents=list_root(parents))
    case = replace(case, certificate=replace(case.certificate, parents=parents))
    (tmp_path / "report.pdf").write_bytes(draw(case))
    scanned = next(filter(None, (scan(tmp_path / "report.pdf", dots) for dots in (200, 250, 300, 150, 120))), "")
    content, registry = case.certificate.work.content.hex(), checksum(case.certificate.contracts.registry)
    assert scanned == case.uri == f"countersign:0x{content}?chain=31337&registry={registry}"
    words = text_of(draw(case), tmp_path)
    assert "VERIFIED" in words and block_hash(case.certificate).hex() in words and "and 2 more" in words
    assert "\\u0444" in words and "\\u202egpj.<b>" in words and "\u202e" not in words


@needs_poppler
def test_retracted_claims_and_thieves_are_in_the_report(work: Path, tmp_path: Path) -> None:
    from world import CONTENT

    c = signed_by_creator(draft(content=CONTENT))
    for holder, flags, words in ((CREATOR, 1, "RETRACTED"), (THIEF, 0, checksum(THIEF))):
        proven = World().sealed(c, CREATOR).claimed(holder, SEALED, SEALED, flags).prove(c, CREATOR, THIEF)
        report = verify(proven, CONTENT, block_hash=block_hash(proven))
        shown = text_of(draw(Case(proven, report)), tmp_path)
        assert words in shown and "NOT VERIFIED" in shown and "not at hand" in shown


def test_without_the_extra_it_says_which(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    with pytest.raises(MissingExtra, match="media"):
        draw(evidence(work))


def test_the_verifier_page_is_found_where_it_was_built() -> None:
    page = verifier_page()
    assert page is None or page.lstrip().lower().startswith(b"<!doctype html")


def test_a_large_work_takes_constant_memory(tmp_path: Path) -> None:
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(400 << 20)
    code = (
        "import resource, sys; sys.path.insert(0, 'tests/unit')\n"
        "from pathlib import Path; from test_evidence import evidence; from countersign.evidence import export\n"
        "work = Path(sys.argv[1]); case = evidence(work)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "export(case, work.with_name('out.zip'))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", code, big], capture_output=True, text=True, check=True, cwd=root)
    assert int(run.stdout) < 60 << 10  # KiB: the report's library, not the work
