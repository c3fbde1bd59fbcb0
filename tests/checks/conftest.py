"""Real photographs, each kind of damage, and the checks, loaded once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from picturefiles import encode
from PIL import Image

from countersign.checks import Check, Material, open_check
from countersign.deal.brief import Brief
from tools.train_intact import photograph


@pytest.fixture(scope="session")
def coffee() -> Image.Image:
    """A photograph that no model has learnt from."""
    return photograph("coffee")


@pytest.fixture(scope="session", params=["intact-net", "intact-trees"])
def intact(request: pytest.FixtureRequest) -> Check:
    return open_check(request.param)


@pytest.fixture(scope="session")
def arrived(coffee: Image.Image) -> Callable[[bytes], Material]:
    """What a node looks at when these bytes arrive where the coffee was sent."""
    sent = encode(coffee)
    brief = Brief("A cup of coffee", reference=hashlib.sha256(sent).digest())
    return lambda content: Material(content, brief, sent)
