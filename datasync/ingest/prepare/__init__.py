"""Clean, leave totals out, fill down, type, identify and judge: whole columns, no loop over rows on the good path."""

from datasync.ingest.prepare.prepared import Prepared
from datasync.ingest.prepare.preparer import Preparer

__all__ = ["Prepared", "Preparer"]
