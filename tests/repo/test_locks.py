"""The locks pin everything and name no host but the public registries."""

from __future__ import annotations

import json
import re

import pytest

from tools.create2 import ROOT

REGISTRIES = re.compile(r"https?://(?:pypi\.org|files\.pythonhosted\.org|registry\.npmjs\.org)/")
URL = re.compile(r"(?:https?|file)://[^\s\"']+")


def text(name: str) -> str:
    return (ROOT / name).read_text()


def without_funding(lock: dict[str, object]) -> str:
    """The npm lock without the addresses where authors ask for money."""
    packages = lock["packages"]
    assert isinstance(packages, dict)
    return json.dumps([{k: v for k, v in entry.items() if k != "funding"} for entry in packages.values()])


@pytest.mark.parametrize("name", ["requirements.lock", ".npmrc", "verifier-js/.npmrc"])
def test_no_other_host(name: str) -> None:
    assert [url for url in URL.findall(text(name)) if not REGISTRIES.match(url)] == []


@pytest.mark.parametrize("name", ["package-lock.json", "verifier-js/package-lock.json"])
def test_no_other_host_in_the_npm_locks(name: str) -> None:
    urls = URL.findall(without_funding(json.loads(text(name))))
    assert [url for url in urls if not REGISTRIES.match(url)] == []


def test_every_python_requirement_is_pinned_and_hashed() -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", text("requirements.lock")).strip())
    assert len(entries) > 50
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


def test_no_pip_configuration_is_committed() -> None:
    assert not [name for name in ("pip.conf", "pip.ini", ".pip") if (ROOT / name).exists()]
    assert not re.search(r"(?m)^\s*-", text("requirements.lock").replace("    --hash", "")), "an option in the lock"


def test_the_package_does_not_need_ape() -> None:
    head = text("pyproject.toml").split("[dependency-groups]")[0]
    assert not re.search(r'"(?:eth-ape|ape-)', head)
