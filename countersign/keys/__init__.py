"""Who signs: signers behind one small protocol, opened by URI (:mod:`~countersign.keys.signer`)."""
