"""The licence check refuses what it must, and what ships passes it."""

from __future__ import annotations

import pytest

from tools.licences import Package, main, problem

MIT_TEXT = "Permission is hereby granted, free\nof charge, to any person"


def package(stated: str, *texts: str) -> Package:
    return Package("example", "1.0", stated, texts)


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ("GPL-3.0-only", ""),
        ("GNU Lesser General Public License v3 (LGPLv3)", ""),
        ("MIT AND LGPL-2.1", MIT_TEXT),
        ("Apache-2.0 AND Proprietary", ""),
        ("BSD License; Other/Proprietary License", ""),
        ("Proprietary", ""),
        ("", ""),
        ("", "All rights reserved."),
        ("MIT", "All rights reserved."),
        ("MIT", MIT_TEXT + "\nThis part is under the GNU General Public License."),
    ],
)
def test_refused(stated: str, text: str) -> None:
    assert problem(package(stated, text)) is not None


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ("MIT", MIT_TEXT),
        ("MIT License", ""),
        ("", MIT_TEXT),
        ("MIT OR GPL-3.0", MIT_TEXT),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", ""),
    ],
)
def test_allowed(stated: str, text: str) -> None:
    assert problem(package(stated, text)) is None


def test_what_ships_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    code = main()
    assert code == 0, capsys.readouterr().err
