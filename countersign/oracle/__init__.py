"""A node: it looks at deliveries, signs what its check finds, and sees to it that the verdict reaches the chain.

``decide`` says what comes next, purely; ``evidence`` is the document a signature names; ``journal`` keeps what was
signed; ``relay`` carries attestations between nodes; ``isolated`` runs a check where it can do no harm; ``config`` is
the node's file; ``node`` is the loop that joins them.
"""
