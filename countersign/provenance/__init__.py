"""Where a work comes from: what certificates, the registry and Content Credentials say of its parents, as one graph.

``graph`` is the model and how it is traced, pure; ``sources`` finds what is said; ``layout`` and ``draw`` show it.
"""
