"""The retry policy: which errors are tried again, when, and how often."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, InterfaceError, OperationalError

from datasync.exceptions import EncryptedFile, HeaderChanged, TransientError
from datasync.runs.retry import POLICY


@pytest.mark.parametrize(
    ("error", "attempt", "seconds"),
    [
        (OperationalError("locked"), 1, 1.0),
        (InterfaceError("closed"), 2, 2.0),
        (TransientError(), 3, 4.0),
        (OperationalError("locked"), 4, None),
        (IntegrityError("double"), 1, None),
        (EncryptedFile(), 1, None),
        (HeaderChanged(missing="a"), 1, None),
        (ValueError("a bug"), 1, None),
    ],
)
def test_only_what_can_go_away_is_tried_again(error: Exception, attempt: int, seconds: float | None) -> None:
    assert POLICY.seconds_until_next(error, attempt=attempt) == seconds
