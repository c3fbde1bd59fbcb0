"""The web server: ``streamlit run app/serve.py`` (settings: app/.streamlit/config.toml and COUNTERSIGN_*)."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.assets import asset_routes, require_assets
from app.security import SecurityHeaders
from app.shell import page_routes
from countersign.errors import CountersignError


async def healthz(_: Request) -> PlainTextResponse:
    """Answers while the process serves; says nothing of the chain."""
    return PlainTextResponse("ok", headers={"cache-control": "no-store"})


try:
    require_assets()
except CountersignError as error:
    sys.exit(f"countersign: {error}")

app = st.App(
    Path(__file__).with_name("main.py"),
    routes=[Route("/healthz", healthz), *asset_routes(), *page_routes()],
    middleware=[Middleware(SecurityHeaders)],
)
