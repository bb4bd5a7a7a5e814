"""The reason that a person gives for a decision: kept with the rows and in the audit."""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

from datasync.exceptions import InvalidRequest

LONGEST_NOTE = 500
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


def checked_note(note: str, *, required: bool = False) -> str:
    """The note without blanks around it. Raises ``InvalidRequest`` for one that is too long, or missing."""
    said = note.strip()
    if (said or not required) and len(said) <= LONGEST_NOTE and not _NO_TEXT.search(said):
        return said
    if required:
        told = _("Say in at most %(most)s characters why the rows are discarded.")
    else:
        told = _("A note has at most %(most)s characters.")
    raise InvalidRequest(detail=told % {"most": LONGEST_NOTE})
