"""Signals of our own making, for the applications that want to hear, or to be asked."""

from django.dispatch import Signal

sync_finished = Signal()
"""Sent after the transaction that closed a task, at most once: a process that is lost in between sends it no more.
``sender=SyncProgressTask``, ``task``.
"""

before_submit = Signal()
"""Sent inside the transaction that makes a task, under the lock of its owner's row: before anything is made where it is
of one file or of those that a filter finds, and when its items are made where they are not as many as was said then.
``sender=SyncProgressTask``, ``task`` (None: not made yet), ``owner`` (None: nobody, as with the clock), ``files``,
their number, and ``rows``, which says how many rows are to be expected. A receiver that raises refuses the task and
undoes the transaction; a ``SyncError`` is told to whoever submitted.
"""
