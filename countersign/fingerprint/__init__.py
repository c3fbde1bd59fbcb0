"""What identifies a file: its exact bytes (:mod:`~countersign.fingerprint.digest`), and what it resembles: its ISCC
(:mod:`~countersign.fingerprint.iscc`)."""
