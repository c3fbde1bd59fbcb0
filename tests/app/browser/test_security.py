"""The pages' security policy in a real browser, and that these tests would notice a violation of it."""

from __future__ import annotations

import urllib.request

from browser.visitor import Visitor
from tools.webapp import WebApp

_UNTIL_REPORTED = "const reported = new Promise((done) => addEventListener('securitypolicyviolation', () => done()));"
_ADD = "const add = (tag, values) => document.body.append(Object.assign(document.createElement(tag), values));"


def test_security_headers(web: WebApp) -> None:
    for path in ("/", "/verify", "/deals", "/desk", "/healthz", "/_stcore/health"):
        with urllib.request.urlopen(web.url + path) as response:
            policy = response.headers["content-security-policy"]
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


_BREACHES = {
    "add('script', {text: '1'})": "script-src",
    "add('style', {textContent: 'p {}'})": "style-src",
    "add('img', {src: 'https://example.org/x.png'})": "img-src",
    "add('iframe', {src: 'https://example.org/'})": "frame-src",
    "fetch('https://example.org/').catch(() => {})": "connect-src",
    "document.body.setAttribute('onclick', '1')": "script-src-attr",
}


def test_violations_would_be_noticed(visitor: Visitor) -> None:
    visitor.open("/verify")
    visitor.sees("What you learn")
    for breach, directive in _BREACHES.items():
        assert visitor.complaints == []
        visitor.page.evaluate(f"() => {{ {_UNTIL_REPORTED} {_ADD} {breach}; return reported; }}")
        visitor.page.evaluate("reportViolation.name")  # the report was sent before, so it has come
        assert any(complaint.startswith(directive) for complaint in visitor.complaints), breach
        visitor.complaints.clear()
    visitor.foreign.clear()
