"""Rows that are in the fact tables already: read in parts, and put under another key."""

from datasync.ingest.load.stored.merge import Merge, Waiting
from datasync.ingest.load.stored.rows import StoredRows, Whose

__all__ = ["Merge", "StoredRows", "Waiting", "Whose"]
