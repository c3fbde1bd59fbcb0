"""The index as the pages see it: what deals, policies, nodes, verdicts there are. What holds is asked of the chain."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from app.chain import client, is_local, settings
from countersign.errors import IndexStoreError
from countersign.index.query import Query
from countersign.index.store import Store
from countersign.index.sync import catch_up

__all__ = ["finder"]

_lock = threading.Lock()


@contextmanager
def finder() -> Iterator[Query]:
    """The index for one look. Raises IndexStoreError, also for whatever goes wrong while reading it."""
    path = settings().index_path
    try:
        if is_local():
            _bring_up_to_date()
        found = Query(path)
    except IndexStoreError as error:  # where this server keeps its files is nobody's business
        message = error.message.replace(str(path), "the server's file")
        raise IndexStoreError(message[:1].upper() + message[1:], error.next_step) from error
    try:
        yield found
    except sqlite3.Error as error:
        again = "Try again; if that does not help: countersign index rebuild."
        raise IndexStoreError(f"The index cannot be read: {error}.", again) from error
    finally:
        found.close()


def _bring_up_to_date() -> None:
    """On the local chain what was just sent is shown at once. A public chain has its own indexer: reading years of
    blocks is nothing for a page."""
    with _lock:
        store = Store(settings().index_path, client().contracts)
        try:
            catch_up(client(), store)
        finally:
            store.close()
