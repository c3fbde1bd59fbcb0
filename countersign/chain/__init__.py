"""Talking to a node: :mod:`~countersign.chain.client` reads, :mod:`~countersign.chain.sender` writes and survives
crashes, :mod:`~countersign.chain.codec` turns calls, logs and reverts into records and words,
:mod:`~countersign.chain.deployments` knows where the contracts live.
"""
