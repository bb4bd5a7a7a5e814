"""What an entry of the ledger is."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class EntryKind(models.TextChoices):
    """Grants and refunds add to the balance, the others take from it."""

    GRANT = "grant", _("granted")
    CONSUME = "consume", _("used")
    REFUND = "refund", _("refunded")
    EXPIRE = "expire", _("expired")


ADDING = (EntryKind.GRANT, EntryKind.REFUND)
ENTRY_COLOURS = {
    EntryKind.GRANT: "green",
    EntryKind.CONSUME: "blue",
    EntryKind.REFUND: "green",
    EntryKind.EXPIRE: "grey",
}
