"""Clean, leave totals out, fill down, type, identify and judge: whole columns, no loop over rows on the good path."""

from datasync.ingest.prepare.preparer import Prepared, Preparer

__all__ = ["Prepared", "Preparer"]
