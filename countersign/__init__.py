"""Countersign: seals of origin for AI-made works, verdicts by independent AI oracles, payment that follows them.

The package reads as a pipeline, lowest layer first (a module imports only from those above it in this list)::

    errors settings      what goes wrong, and the one place where configuration is read
    records canonical    what is said, and the only place where it becomes bytes
    merkle fingerprint   RFC 6962 trees; digests of files
    certificate          the file that proves a seal, and the state proofs inside it
    keys                 who signs
    chain                talking to a node: client, sender that survives crashes, codec, deployments
    index                events to rows; the index finds, the chain decides
    seal models deal     the write flows: a work, a model, a payment under terms
    checks               AI models that judge bytes (extra: checks)
    oracle               a node: look, sign, tell the others, submit
    verify               the read flow
    provenance evidence  what a work derives from, as a graph; one ZIP for somebody who checks offline
    cli                  parse, call, print
"""

__version__ = "0.1.0"
__all__ = ["__version__"]
