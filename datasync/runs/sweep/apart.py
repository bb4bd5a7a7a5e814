"""The boundary of a step of the sweep, or of one file or task in it: what fails there holds up nothing else."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from billiard.exceptions import SoftTimeLimitExceeded
from django.db import Error, connection

from erp.silence import limited

logger = logging.getLogger(__name__)
MOST_SECONDS = 60.0


@contextmanager
def apart(what: str, told: Counter[str]) -> Iterator[None]:
    """Do the block; where it fails, say so, count it as ``failed``, and see that the next one has a connection.

    The connection of one that hears nothing for ``MOST_SECONDS`` is cut. Only the end of the message's time gets out.
    """
    with limited(MOST_SECONDS):
        try:
            yield
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            told["failed"] += 1
            if isinstance(error, Error):  # a database that is busy or away, or does not let us
                logger.warning("The sweep leaves this to the next one: %s: %s", what, error)
            else:
                logger.exception("The sweep leaves this to the next one: %s", what)
            connection.close_if_unusable_or_obsolete()
