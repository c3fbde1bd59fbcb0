"""Static files: our own CSS and JavaScript, and the WebAssembly SHA-256 that npm installed.

Each URL carries a digest of all files, so browsers may keep them for ever and modules can import each other.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.security import WORKER_POLICY
from countersign.errors import InputError

__all__ = ["asset_routes", "asset_url", "module_stub", "require_assets"]

_APP = Path(__file__).parent
_HASH_WASM = _APP.parent / "node_modules" / "hash-wasm" / "dist" / "sha256.umd.min.js"
_OWN = (
    "theme/app.css",
    "theme/boot.js",
    "theme/favicon.svg",
    "components/component.css",
    "components/hasher/hasher.js",
    "components/hasher/reading.js",
    "components/hasher/worker.js",
    "components/vault/vault.js",
    "components/wallet/intent.js",
    "components/wallet/journal.js",
    "components/wallet/wallet.js",
)
_FILES = {Path(name).name: _APP / name for name in _OWN} | {"sha256.js": _HASH_WASM}
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


def require_assets() -> None:
    """Raise InputError when a file that the browser will need is not there."""
    for path in _FILES.values():
        if not path.is_file():
            raise InputError(f"{path.name} of the web app is missing ({path.parent}).", "Run: make setup.")


def _version() -> str:
    digest = sha256()
    for path in _FILES.values():
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:12]


_VERSION = _version()


def asset_url(name: str) -> str:
    """Path of a static file on this server."""
    return f"/assets/{_VERSION}/{name}"


def module_stub(name: str) -> str:
    """JavaScript of a Streamlit component whose code is the static module ``name``."""
    url = f'new URL("{asset_url(name)}", location.origin)'
    return f"const {{ default: mount }} = await import({url});\nexport default mount;\n"


async def _serve(request: Request) -> Response:
    path = _FILES.get(request.path_params["name"])
    if path is None or not path.is_file():
        return PlainTextResponse("There is no such file.", 404)
    headers = {"cache-control": _FOR_EVER if request.path_params["version"] == _VERSION else "no-store"}
    if path.name == "worker.js":
        headers["content-security-policy"] = WORKER_POLICY
    return FileResponse(path, headers=headers, media_type=_TYPES[path.suffix])


def asset_routes() -> list[Route]:
    """Routes that serve the static files."""
    return [Route("/assets/{version}/{name}", _serve)]
