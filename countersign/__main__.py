"""``python -m countersign``: the command line."""

from countersign.cli import main

main()
