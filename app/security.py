"""What the browser is allowed to do with our pages: security headers for every response."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PAGE_POLICY", "WORKER_POLICY", "SecurityHeaders"]

_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",  # the empty element that emotion fills through CSSOM
    "'sha256-38RhXrc7EdReTKsOm23ZPOCUgniTUUcjky8QOOrQx6o='",  # react-aria: touch-action of pressable elements
)
"""The only inline <style> elements of Streamlit's front end. The browser tests fail when a version brings another."""


def _policy(directives: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


PAGE_POLICY = _policy(
    {
        "default-src": "'none'",
        # Streamlit turns a component's JavaScript into a blob: module. No inline script, no eval, no WebAssembly.
        "script-src": "'self' blob:",
        "style-src": f"'self' {' '.join(_STYLES)}",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "worker-src": "'self'",
        "manifest-src": "'self'",
        "frame-src": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
)
"""Content-Security-Policy of every page: this origin and nothing else."""

WORKER_POLICY = _policy({"default-src": "'none'", "script-src": "'self' 'wasm-unsafe-eval'"})
"""A worker obeys the policy of its own response: only the hashing worker may compile WebAssembly."""

_HEADERS = {
    "content-security-policy": PAGE_POLICY,
    "cross-origin-opener-policy": "same-origin-allow-popups",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class SecurityHeaders:
    """ASGI middleware: adds the headers above to each HTTP response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with a ``send`` that completes the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_missing(message["headers"])]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _missing(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {name.lower() for name, _ in headers}
    return [(name.encode(), value.encode()) for name, value in _HEADERS.items() if name.encode() not in present]
