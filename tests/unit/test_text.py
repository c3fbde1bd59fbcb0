"""Nothing that others wrote can steer the terminal."""

from __future__ import annotations

import pytest

from countersign.cli.text import printable


@pytest.mark.parametrize("hostile", ["\x1b]0;title\x07", "\x1b[2J", "\x1b[1A", "a\rb", "\x9b31m", "\x00", "\x7f"])
def test_control_characters_are_replaced(hostile: str) -> None:
    assert "\N{REPLACEMENT CHARACTER}" in printable(hostile)
    assert not set(printable(hostile)) & {"\x07", "\r", "\x9b", "\x00", "\x7f"}


def test_lines_tabs_and_our_colours_stay() -> None:
    assert printable("\x1b[32m✓\x1b[0m\tdone\n") == "\x1b[32m✓\x1b[0m\tdone\n"
