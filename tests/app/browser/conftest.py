"""One browser, one web app and one chain for all tests in this folder; a new visitor, with nothing stored, for each."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from deals_in import court_on
from playwright.sync_api import Browser

from browser.visitor import Visitor
from tools.browser import MISSING, chromium, find_chromium
from tools.market import Market
from tools.webapp import WebApp


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Without Chromium a person sees which tests are left out; CI fails, because it would prove nothing."""
    if find_chromium() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(MISSING)
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebApp]:
    with WebApp(tmp_path_factory.mktemp("home")) as app:
        yield app


@pytest.fixture(scope="package")
def court(web: WebApp) -> Market:
    """A committee and an arbiter."""
    return court_on(web.chain)


@pytest.fixture
def visitor(browser: Browser, web: WebApp) -> Iterator[Visitor]:
    """Somebody with two wallets. Whatever the browser complains of fails the test."""
    yield from _visit(Visitor(browser, web))


@pytest.fixture
def stranger(browser: Browser, web: WebApp) -> Iterator[Visitor]:
    """Somebody whose browser has no wallet."""
    yield from _visit(Visitor(browser, web, wallet=False))


@pytest.fixture
def phone(browser: Browser, web: WebApp) -> Iterator[Visitor]:
    """Somebody with a narrow window and a wallet."""
    yield from _visit(Visitor(browser, web, width=360))


def _visit(person: Visitor) -> Iterator[Visitor]:
    yield person
    person.context.close()
    assert person.complaints == []
    assert person.foreign == []


@pytest.fixture
def work(tmp_path: Path) -> Path:
    path = tmp_path / "poem.txt"
    path.write_text(f"Written at {time.time_ns()}.\n")
    return path
