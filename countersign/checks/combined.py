"""Checks that ask two models at once."""

from __future__ import annotations

from countersign.checks import intact
from countersign.checks.base import AllOf, Check
from countersign.checks.text import TextShown

__all__ = ["text_and_net"]


def text_and_net() -> Check:
    """Every phrase is readable, and the picture arrived undamaged. Alone, ``text-shown`` says nothing of a picture that
    need not show any words; a seat that says nothing helps liars."""
    return AllOf([TextShown(), intact.net()])
