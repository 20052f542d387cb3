"""What the hub remembers, in one place: SQLite by default, PostgreSQL by URL; one schema for both.

    schema      the tables, named by the words of the hub
    open        `Store.open(url)`: migrate, connect, hand out transactions and sequence numbers
    bulk        many rows at driver speed, in and out (Arrow)
    budget      the ledger of calls all processes share
    queries     what the steps read and write, a module per step

Every row that a later step reads carries a `seq` from one counter. A writer takes its numbers inside its own
transaction by updating the counter's row, which holds back other writers until it commits: so numbers become visible
in order, and "everything after my watermark" misses nothing.
"""

from omnihub.store.open import Store, migrate
from omnihub.store.schema import metadata

__all__ = ["Store", "metadata", "migrate"]
