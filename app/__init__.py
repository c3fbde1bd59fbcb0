"""The web app: a shell around the package. Start it with ``streamlit run app/serve.py``.

``serve`` answers HTTP (security headers, static files, health), ``main`` is the router, ``views`` hold one page each,
``components`` what must run in the browser (wallet, file hashing, the shelf of drafts). The work itself never leaves
the browser, and this process holds no key: on chain 31337 alone it may use that chain's published test keys.
"""
