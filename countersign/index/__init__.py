"""From events to rows: the index finds, the chain decides.

:mod:`~countersign.index.schema` is the tables, :mod:`~countersign.index.fold` turns an event into rows,
:mod:`~countersign.index.store` keeps rows and cursor in one transaction, :mod:`~countersign.index.sync` follows the
chain and rolls back, :mod:`~countersign.index.query` answers.
"""
