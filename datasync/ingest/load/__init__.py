"""Into the fact tables: classify by key and hash, insert what is new, update what changed, leave the rest."""

from datasync.ingest.load.loader import Loader
from datasync.ingest.load.rejects import Rejects
from datasync.ingest.load.vendors import loader_for

__all__ = ["Loader", "Rejects", "loader_for"]
