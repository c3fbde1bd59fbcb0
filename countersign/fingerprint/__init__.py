"""What identifies a file: its exact bytes (:mod:`~countersign.fingerprint.digest`)."""
