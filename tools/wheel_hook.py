"""Puts the second verifier's page into the wheel, where it has been built (`make setup`): evidence carries it along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PAGE = "countersign-verify.html"


class WheelHook(BuildHookInterface[Any]):
    """Hatch finds the one class of this file."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """``version`` is "editable" where the page is found in the repository."""
        page = Path(self.root) / "verifier-js" / "dist" / PAGE
        if version != "editable" and page.exists():
            build_data["force_include"][str(page)] = f"countersign/{PAGE}"
