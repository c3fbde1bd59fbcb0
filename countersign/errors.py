"""Everything that can go wrong, as one tree. Each error says what happened and what to do next."""

from __future__ import annotations

__all__ = [
    "CertificateError",
    "ChainError",
    "CountersignError",
    "IndexStoreError",
    "InputError",
    "MissingExtra",
    "NoContract",
    "NoFunds",
    "NotFinal",
    "Reverted",
    "SignerError",
    "TooLarge",
    "Unreachable",
    "WrongChain",
]


class CountersignError(Exception):
    """Root of the tree.

    ``message`` says what happened, ``next_step`` what to do about it; both are whole sentences. ``exit_code`` is what
    the command line returns: 2 "could not", 1 "the answer is no".
    """

    exit_code = 2

    def __init__(self, message: str, next_step: str) -> None:
        super().__init__(f"{message} {next_step}")
        self.message = message
        self.next_step = next_step


class InputError(CountersignError):
    """A file, argument or document that cannot be used."""


class CertificateError(InputError):
    """A certificate or draft that cannot be read."""


class SignerError(CountersignError):
    """A key that cannot be opened or may not sign here."""


class MissingExtra(CountersignError):
    """An optional dependency is not installed."""

    def __init__(self, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the extra '{extra}'.", f"Run: pip install 'countersign[{extra}]'.")


class IndexStoreError(CountersignError):
    """The local index cannot be opened, or belongs to another chain."""


class ChainError(CountersignError):
    """The chain, or the way to it, is not as needed."""


class Unreachable(ChainError):
    """No answer from the node."""


class TooLarge(Unreachable):
    """No answer from the node, but it might answer a smaller request."""


class WrongChain(ChainError):
    """The node serves another chain."""


class NoContract(ChainError):
    """No code where a contract should be."""


class NoFunds(ChainError):
    """The sender cannot pay for the transaction."""


class NotFinal(ChainError):
    """The chain could still forget what is asked for."""


class Reverted(ChainError):
    """A contract said no. ``name`` is its custom error, or "" when it gave none."""

    exit_code = 1

    def __init__(self, name: str, message: str, next_step: str) -> None:
        super().__init__(message, next_step)
        self.name = name
