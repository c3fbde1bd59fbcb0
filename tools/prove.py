"""Run the proofs in tests/contracts/proofs: `.venv-halmos/bin/python tools/prove.py`; ``--deep`` adds the long ones.

Other arguments are halmos' own (``--contract SealsProof``). It reads what `forge build` wrote. What halmos cannot prove
or cannot finish has failed. Exit code 0: everything is proved.
"""

from __future__ import annotations

import sys
from typing import Any

from halmos import sevm  # type: ignore[import-not-found]  # it has an environment of its own
from halmos.__main__ import _main as halmos  # type: ignore[import-not-found]

LOOPS = "20"
"""Rounds of a loop: more than any takes here. A proof that comes to more has not seen all, and fails."""

_function = sevm.Function


def function(name: str, *sorts: Any) -> Any:
    """Repairs halmos 0.3.3, which takes the bytes that SHA-256 hashes for bits, and stops there."""
    if name.startswith("f_sha256_"):
        sorts = (sevm.BitVecSorts[8 * int(name.removeprefix("f_sha256_"))], *sorts[1:])
    return _function(name, *sorts)


def main() -> int:
    """1 when a proof failed, was cut short, or none was found."""
    given = [argument for argument in sys.argv[1:] if argument != "--deep"]
    prefix = "(check|deep)_" if "--deep" in sys.argv else "check_"
    sevm.Function = function
    done = halmos(["--forge-build-out", ".build/forge", "--function", prefix, "--loop", LOOPS, "--no-status", *given])
    results = [result for group in (done.test_results or {}).values() for result in group]
    unfinished = [result.name for result in results if result.num_bounded_loops]
    for name in unfinished:
        print(f"{name}: a loop takes more than {LOOPS} rounds. Bound what it runs over, or raise LOOPS.")
    return int(done.exitcode) or int(bool(unfinished)) or int(not results)


if __name__ == "__main__":
    sys.exit(main())
