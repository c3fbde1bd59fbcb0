"""What the web server serves, without a browser."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from app import assets
from app.security import PAGE_POLICY, SecurityHeaders
from app.shell import page_routes
from countersign.errors import InputError

_SITE = Starlette(routes=[*assets.asset_routes(), *page_routes()], middleware=[Middleware(SecurityHeaders)])


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    text: str


def get(path: str) -> Answer:
    """One GET request, straight into the ASGI application."""
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    asyncio.run(_SITE({**scope, "headers": [], "http_version": "1.1", "scheme": "http"}, receive, send))
    headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return Answer(messages[0]["status"], headers, body.decode())


@pytest.mark.parametrize("path", ["/", "/verify", "/deals", "/desk"])
def test_pages_have_our_frame_and_no_inline_script(path: str) -> None:
    page = get(path)
    assert page.status == 200
    assert "<title>Countersign</title>" in page.text
    assert "<script>" not in page.text and "<style" not in page.text
    assert page.headers["content-security-policy"] == PAGE_POLICY


def test_the_default_page_has_one_address() -> None:
    assert get("/register").headers["location"] == "/"


def test_only_the_hashing_worker_may_compile_webassembly() -> None:
    assert "unsafe" not in PAGE_POLICY
    assert "'wasm-unsafe-eval'" in get(assets.asset_url("worker.js")).headers["content-security-policy"]
    assert get(assets.asset_url("wallet.js")).headers["content-security-policy"] == PAGE_POLICY


@pytest.mark.parametrize("name", ["nothing.js", "../serve.py", "%2e%2e%2fserve.py"])
def test_nothing_else_is_served(name: str) -> None:
    assert get(assets.asset_url(name)).status == 404


def test_assets_are_cached_by_their_version() -> None:
    assert "immutable" in get(assets.asset_url("sha256.js")).headers["cache-control"]
    assert get("/assets/old/app.css").headers["cache-control"] == "no-store"


def test_missing_node_modules_are_said_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(assets._FILES, "sha256.js", tmp_path / "sha256.umd.min.js")
    with pytest.raises(InputError, match="make setup"):
        assets.require_assets()
