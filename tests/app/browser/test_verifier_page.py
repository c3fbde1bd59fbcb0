"""The second verifier as one HTML file, opened from disk: it answers as the command line does and asks no network."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tools.create2 import ROOT

VECTORS = json.loads((ROOT / "tests" / "vectors" / "certificates.json").read_text())
CASES = {case["name"]: case for case in VECTORS["cases"]}
OUTCOMES = {"verified": "Verified", "not verified": "Not verified", "could not check": "Not decided yet"}


@pytest.fixture(scope="module")
def built() -> str:
    """The page as it is built now; its address on disk."""
    folder = ROOT / "verifier-js"
    if not (folder / "node_modules").exists():
        pytest.fail("The JavaScript verifier is not set up: run make setup.")
    subprocess.run(["node", "build.mjs"], cwd=folder, check=True, timeout=120)
    return (folder / "dist" / "countersign-verify.html").as_uri()


@pytest.fixture
def page(browser: Browser, built: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": 780})
    yield from opened(context, built)
    context.close()


def opened(context: BrowserContext, built: str) -> Iterator[Page]:
    """The page; whatever it asks for but itself, and whatever the console complains of, fails the test."""
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if request.url != built else None)
    page.goto(built)
    yield page
    assert complaints == []


def certificate(case: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(VECTORS["bases"][case["base"]]).encode()
    return {"name": "photo.jpg.countersign.json", "mimeType": "application/json", "buffer": text}


def work(data: bytes) -> dict[str, Any]:
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data}


def shown(page: Page) -> list[list[str]]:
    """Name and state of each step."""
    steps = page.locator("#steps li").all()
    names = [step.locator("h3").text_content() or "" for step in steps]
    return [
        [name.split(". ", 1)[1].removesuffix(word).lower(), str(step.get_attribute("class"))]
        for name, step in zip(names, steps, strict=True)
        for word in [step.locator("h3 span").text_content() or ""]
    ]


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if name == case["base"] and case["blockHash"]])
def test_each_kind_of_certificate_gets_the_answer_of_the_vectors(page: Page, name: str) -> None:
    case = CASES[name]
    page.set_input_files("#certificate", certificate(case))
    page.set_input_files("#work", work(VECTORS["file"].encode()))
    page.fill("#hash", case["blockHash"])
    expect(page.locator("#work-state")).to_contain_text(case["content"])
    expect(page.locator("#banner-title")).to_have_text(OUTCOMES[case["outcome"]])
    assert shown(page) == case["steps"]


def test_what_is_missing_or_wrong_is_said_step_by_step(page: Page) -> None:
    case = CASES["batch"]
    page.set_input_files("#certificate", {**certificate(case), "buffer": b'{"format": "countersign-certificate/1"'})
    expect(page.locator("#certificate-state")).to_contain_text("is not JSON")
    expect(page.locator("#result")).to_be_hidden()
    page.set_input_files("#certificate", certificate(case))
    expect(page.locator("#hash-hint")).to_contain_text("hash of block 100 on chain 31337")
    expect(page.locator("#banner-title")).to_have_text("Not decided yet")
    page.fill("#hash", "0x12")
    expect(page.locator("#hash-state")).to_have_text("A block hash is 0x and 64 hex digits.")
    page.fill("#hash", f"  {case['blockHash']} ")
    expect(page.locator("#banner-title")).to_have_text("Verified, but no file was compared")
    page.set_input_files("#work", work(b"another file"))
    expect(page.locator("#banner-title")).to_have_text("Not verified")
    expect(page.locator("#banner-text")).to_contain_text("Step 1, content")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_files_are_dropped_anywhere_and_large_ones_are_hashed_in_pieces(page: Page) -> None:
    case, data = CASES["batch"], VECTORS["file"]
    drop = """([certificate, work]) => {
      const files = new DataTransfer();
      files.items.add(new File([work], "photo.jpg"));
      files.items.add(new File([certificate], "photo.jpg.countersign.json"));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
    }"""
    page.evaluate(drop, [certificate(case)["buffer"].decode(), data])
    page.fill("#hash", case["blockHash"])
    expect(page.locator("#banner-title")).to_have_text("Verified")
    page.set_input_files("#work", work(bytes(5 << 20)))
    digest = "0x" + hashlib.sha256(bytes(5 << 20)).hexdigest()
    expect(page.locator("#work-state")).to_contain_text(digest)
    expect(page.locator("#banner-title")).to_have_text("Not verified")


def test_it_may_reach_no_network(page: Page) -> None:
    policy = page.locator('meta[http-equiv="Content-Security-Policy"]').get_attribute("content") or ""
    assert "default-src 'none'" in policy and "connect-src 'none'" in policy and "unsafe" not in policy
    assert page.locator("[src^=http], [href^=http]").count() == 0
