"""The node goes away while somebody looks."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser

from browser.visitor import Visitor
from tools.webapp import WebApp

_HEALTH = re.compile(r"cannot be reached|\(final: ")


def test_the_node_going_away_is_said_in_words(browser: Browser, tmp_path: Path, work: Path) -> None:
    with WebApp(tmp_path) as app:
        person = Visitor(browser, app, wallet=False)
        person.open("/verify")
        person.sees("or choose a file")
        app.chain.stop()
        _reload_until_noticed(person)
        person.give(work)
        person.sees("Cannot check now")
        person.open("/deals")
        person.sees("does not answer")
        person.context.close()
        assert person.complaints == []


def _reload_until_noticed(person: Visitor) -> None:
    """What the server knows of the chain may be a second old."""
    person.page.reload()
    person.sees(_HEALTH)
    while not person.text("cannot be reached").is_visible():
        person.page.reload()
        person.sees(_HEALTH)
