"""Signals of our own making, for the applications that only want to hear."""

from django.dispatch import Signal

sync_finished = Signal()
"""Sent once for each task, after the transaction that closed it: ``sender=SyncProgressTask``, ``task``."""
