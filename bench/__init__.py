"""Benchmarks beside the peers, in one run: ``python -m bench [GROUP…] [--json] [--out FILE]``."""
