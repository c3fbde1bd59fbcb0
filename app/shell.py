"""The HTML document around every page: Streamlit's own, with our title, icon and style sheet, without inline script."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from app.assets import asset_url

__all__ = ["page_routes"]

_INLINE_SCRIPT = re.compile(r"<script>.*?</script>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ICON = re.compile(r'<link rel="shortcut icon"[^>]*>')
_HEAD = (
    '<meta name="description" content="Seal, claim and verify AI-made works; pay when AI oracles pass the delivery." />'
    f'<link rel="stylesheet" href="{asset_url("app.css")}" />'
)


@cache
def _document() -> str:
    html = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    html = _COMMENT.sub("", _INLINE_SCRIPT.sub(f'<script src="{asset_url("boot.js")}"></script>', html))
    html = _ICON.sub(f'<link rel="icon" type="image/svg+xml" href="{asset_url("favicon.svg")}" />', html)
    html = re.sub("<title>.*?</title>", "<title>Countersign</title>", html)
    return html.replace("</head>", f"{_HEAD}</head>")


async def _page(_: Request) -> Response:
    return HTMLResponse(_document(), headers={"cache-control": "no-cache"})


async def _home(_: Request) -> Response:
    return RedirectResponse("/")


def page_routes() -> list[Route]:
    """Routes of the pages in ``app/main.py``. Streamlit answers for its default page at ``/`` only."""
    return [*(Route(path, _page) for path in ("/", "/verify", "/deals", "/desk")), Route("/register", _home)]
