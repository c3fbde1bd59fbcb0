"""What each module offers is there, and is what it says."""

from __future__ import annotations

import json
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest

import countersign
from countersign.chain.deployments import contracts_on
from countersign.errors import CountersignError

NAMES = [module.name for module in pkgutil.walk_packages(countersign.__path__, "countersign.")]
NAMES.remove("countersign.__main__")  # importing it runs it


@pytest.mark.parametrize("name", NAMES)
def test_all_is_sorted_right_and_complete(name: str) -> None:
    module = import_module(name)
    offered = getattr(module, "__all__", [])
    assert all(hasattr(module, entry) for entry in offered)
    own = {
        entry
        for entry, value in vars(module).items()
        if not entry.startswith("_") and getattr(value, "__module__", None) == name and callable(value)
    }
    if not hasattr(module, "__path__"):
        assert own - set(offered) <= {"utc", "cli", "T"}, "public, but not in __all__"


def test_every_error_says_what_next() -> None:
    from countersign import errors

    for name in errors.__all__:
        assert issubclass(getattr(errors, name), CountersignError)
    error = errors.Reverted("NoSeal", "It said no.", "Seal first.")
    assert (str(error), error.exit_code, error.name) == ("It said no. Seal first.", 1, "NoSeal")
    assert "pip install 'countersign[app]'" in str(errors.MissingExtra("app", "The page"))


def test_the_contracts_are_where_create2_puts_them() -> None:
    path = Path(__file__).parents[2] / "deployments" / "create2.json"
    recorded = json.loads(path.read_text())["contracts"]
    for chain_id in (1, 31337):
        c = contracts_on(chain_id)
        assert c.chain_id == chain_id
        for name, address in (
            ("ContentRegistry", c.registry),
            ("Identities", c.identities),
            ("ModelRegistry", c.models),
        ):
            assert "0x" + address.hex() == recorded[name]["address"].lower()
