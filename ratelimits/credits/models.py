"""The ledger of credits, and what follows from it: each person's balance, and what is left of each grant."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from ratelimits.credits.choices import ADDING, EntryKind
from ratelimits.credits.exceptions import LedgerIsAppendOnly

LONGEST_KEY = 200
LONGEST_NOTE = 200
LONGEST_TASK = 64


class CreditAccount(models.Model):
    """A person's balance. It comes into being with the first grant: whoever has none is not charged.

    Whoever writes an entry of the person holds this row, so that entries are written one after the other. The database
    refuses a balance below zero.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="credit_account",
        verbose_name=_("person"),
    )  # fmt: skip
    balance = models.PositiveBigIntegerField(_("balance"), default=0)
    opened_at = models.DateTimeField(_("opened"), db_default=Now(), editable=False)

    class Meta:
        ordering = ("user__username",)
        verbose_name = _("credit account")
        verbose_name_plural = _("credit accounts")

    def __str__(self) -> str:
        return str(self.user)


class EntryQuerySet(models.QuerySet["CreditEntry"]):
    """Entries are read and added."""

    def update(self, **_values: Any) -> NoReturn:
        """Not of a ledger."""
        raise LedgerIsAppendOnly

    def bulk_create(
        self,
        objs: Iterable[CreditEntry],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Collection[str] | None = None,
        unique_fields: Collection[str] | None = None,
    ) -> list[CreditEntry]:
        """Add them, and overwrite none."""
        if update_conflicts or update_fields or unique_fields:
            raise LedgerIsAppendOnly
        return super().bulk_create(objs, batch_size, ignore_conflicts)

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not of a ledger."""
        raise LedgerIsAppendOnly

    def delete(self) -> NoReturn:
        """Not of a ledger."""
        raise LedgerIsAppendOnly


class CreditEntry(models.Model):
    """One line of a person's ledger, written once.

    ``amount`` is what it adds to the balance, negative where it takes. ``key`` names what it is for, so that nothing is
    entered twice. ``uncovered`` is what was used beyond the balance, which nobody owes. ``taken_from`` are the grants
    that used credits came from: ``[id of the entry, credits]`` of each. ``expires_at`` is when the credits that it
    added end; of an entry that took some or gave some back, when the last of those end. ``task`` is the public id of a
    task, and ``by`` the name of whoever granted: they stay what they were when the ledger was written.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="credit_entries", verbose_name=_("person")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=EntryKind)
    amount = models.BigIntegerField(_("credits"))
    uncovered = models.PositiveBigIntegerField(_("not covered"), default=0)
    balance_after = models.PositiveBigIntegerField(_("balance"))
    key = models.CharField(_("key"), max_length=LONGEST_KEY, unique=True)
    task = models.CharField(_("task"), max_length=LONGEST_TASK, blank=True)
    note = models.CharField(_("note"), max_length=LONGEST_NOTE, blank=True)
    by = models.CharField(_("granted by"), max_length=150, blank=True)
    taken_from = models.JSONField(_("taken from"), default=list, blank=True)
    at = models.DateTimeField(_("at"), db_default=Now())
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("credit entry")
        verbose_name_plural = _("credit entries")
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=ADDING, amount__gt=0, uncovered=0) | (~Q(kind__in=ADDING) & Q(amount__lte=0)),
                name="credit_entry_sign",
            ),
        )
        indexes = (
            models.Index(fields=("user", "-id"), name="credit_entry_of_person"),
            models.Index(fields=("task",), name="credit_entry_of_task"),
        )

    def __str__(self) -> str:
        return f"{self.amount:+,}"

    def save(self, **kwargs: Any) -> None:
        """Add it; of an entry that is in the ledger raise ``LedgerIsAppendOnly``."""
        if not self._state.adding:
            raise LedgerIsAppendOnly
        super().save(**(kwargs | {"force_insert": True}))

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Not of a ledger."""
        raise LedgerIsAppendOnly


class CreditLot(models.Model):
    """What is left of the credits that were granted with an entry. First in, first out: the oldest are used first.

    What is left of all lots of a person is their balance.
    """

    entry = models.OneToOneField(
        CreditEntry, primary_key=True, on_delete=models.PROTECT, related_name="lot", verbose_name=_("entry")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    remaining = models.PositiveBigIntegerField(_("left"))
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        ordering = ("entry_id",)
        verbose_name = _("credits left")
        verbose_name_plural = _("credits left")
        indexes = (
            models.Index(fields=("user", "entry"), condition=Q(remaining__gt=0), name="credit_lot_open"),
            models.Index(
                fields=("expires_at",), condition=Q(remaining__gt=0, expires_at__isnull=False), name="credit_lot_ending"
            ),
        )

    def __str__(self) -> str:
        return f"{self.remaining:,}"
