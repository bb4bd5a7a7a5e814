"""How outcomes are told to people; machines get their names."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

_LABELS = {
    "decided": gettext_noop("decided already"),
    "unknown_id": gettext_noop("unknown id"),
    "mismatch": gettext_noop("not the row of that id"),
    "repeated": gettext_noop("repeated"),
    "busy": gettext_noop("file in use"),
    "replaced": gettext_noop("of older content of the file"),
    "unreadable": gettext_noop("unreadable"),
    "rejected": gettext_noop("rejected"),
}
"""What is not told by its own word."""


def label(name: str) -> str:
    """A state or an outcome as people read it."""
    return _(_LABELS.get(name, name))
