"""``python -m bench [GROUP…] [--json] [--out FILE]``: exit code 1 when a bar is missed; most times are only reported.

Results go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from bench import report
from bench.figures import Figure, document, table
from bench.timing import progress

GROUPS = ("gas", "hash", "merkle", "near", "overhead", "verify", "index", "oracle")


def main() -> int:
    options = _options()
    results: dict[str, list[Figure]] = {}
    for group in options.groups or GROUPS:
        progress(f"{group} is measured")
        results[group] = import_module(f"bench.{group}").measure()
        shown = json.dumps(document(group, results[group])) if options.json else table(group, results[group])
        print(shown, flush=True)
    if options.out:
        command = " ".join(["python -m bench", *options.groups, f"--out {options.out}"])
        report.write(results, options.out, command, f"{datetime.now(UTC):%Y-%m-%d}")
        progress(f"{options.out} and its plots are written")
    return 0 if all(figure.met for figures in results.values() for figure in figures) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON document per group")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a page in Markdown, and plots into images/")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    if options.out and not options.out.parent.is_dir():
        parser.error(f"{options.out.parent} is no folder: give a file in a folder that exists")
    return options


if __name__ == "__main__":
    sys.exit(main())
