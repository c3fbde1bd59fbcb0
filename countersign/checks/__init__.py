"""Checks: real AI models that judge real bytes. Each needs the extra ``checks``; importing this needs nothing."""

from __future__ import annotations

from importlib import import_module

from countersign.checks.base import AllOf, AnyOf, Check, Finding, Material, Precedence
from countersign.errors import InputError

__all__ = [
    "NAMES",
    "PRIOR_WORK",
    "AllOf",
    "AnyOf",
    "Check",
    "Finding",
    "Material",
    "Precedence",
    "delivery_check",
    "open_check",
]

FILE_TYPE, PRIOR_WORK = "file-type", "prior-work"

_TABLE = {
    FILE_TYPE: "countersign.checks.filetype:FileType",
    "intact-net": "countersign.checks.intact:net",
    "intact-trees": "countersign.checks.intact:trees",
    PRIOR_WORK: "countersign.checks.prior:PriorWork",
    "robust-intact-net": "countersign.checks.robust:net",
    "robust-intact-trees": "countersign.checks.robust:trees",
    "text-shown": "countersign.checks.text:TextShown",
    "text-shown+intact-net": "countersign.checks.combined:text_and_net",
}

NAMES = tuple(sorted(_TABLE))


def open_check(name: str) -> Check:
    """The check of that name, its model loaded. Raises InputError when unknown, MissingExtra without the extra."""
    if name not in _TABLE:
        raise InputError(f"There is no check '{name}'.", f"Choose one of: {', '.join(NAMES)}.")
    module, _, factory = _TABLE[name].partition(":")
    check: Check = getattr(import_module(module), factory)()
    return check


def delivery_check(name: str) -> Check:
    """What a node runs on a delivery: the file type first (7 ms; 0 ends it), then the named check. The one that judges
    objections runs alone."""
    if name in (FILE_TYPE, PRIOR_WORK):
        return open_check(name)
    return AllOf([open_check(FILE_TYPE), open_check(name)])
