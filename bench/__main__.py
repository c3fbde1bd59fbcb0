"""``python -m bench [GROUP…] [--json]``: exit code 1 when a bar is missed; most times are reported, not judged."""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module

from bench.figures import document, table

GROUPS = ("gas", "verify", "oracle")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON document per group")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    met = True
    for group in options.groups or GROUPS:
        figures = import_module(f"bench.{group}").measure()
        print(json.dumps(document(group, figures)) if options.json else table(group, figures), flush=True)
        met = met and all(figure.met for figure in figures)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
