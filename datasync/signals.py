"""Signals of our own making, for the applications that want to hear, or to be asked."""

from django.dispatch import Signal

sync_finished = Signal()
"""Sent once for each task, after the transaction that closed it: ``sender=SyncProgressTask``, ``task``."""

before_submit = Signal()
"""Sent inside the transaction that makes a task, when its items are made and its owner's row is locked:
``sender=SyncProgressTask``, ``task``, ``owner`` (None: nobody, as with the clock) and ``files``, their number.
A receiver that raises refuses the task and undoes the transaction; a ``SyncError`` is told to whoever submitted.
"""
