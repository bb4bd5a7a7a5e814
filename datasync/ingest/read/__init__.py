"""Reading: from a path to batches of text cells, in a child process that a hostile file can only kill.

``sniff`` says what a file is; ``Reader`` reads it; ``reader()`` is this process's own one.
"""

from datasync.ingest.read.client import OpenSheet, Reader, limit_readers, reader
from datasync.ingest.read.sniff import sniff

__all__ = ["OpenSheet", "Reader", "limit_readers", "reader", "sniff"]
