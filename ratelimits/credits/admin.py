"""Balances and the ledger, to be looked at; adding an entry is granting credits."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import formats, timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from datasync.admin.base import HistoryAdmin, badge, grid, list_link, operator
from datasync.admin.messages import report_error
from datasync.exceptions import SyncError
from ratelimits.credits import services
from ratelimits.credits.choices import ENTRY_COLOURS, EntryKind
from ratelimits.credits.models import CreditAccount, CreditEntry
from ratelimits.credits.selectors import available_of_each, standing_of


class GrantForm(forms.ModelForm[CreditEntry]):
    """Credits for a person. The hidden key lets a form that is sent twice grant once."""

    amount = forms.IntegerField(min_value=1, max_value=services.MOST_CREDITS, label=gettext_lazy("credits"))
    key = forms.CharField(widget=forms.HiddenInput, max_length=services.LONGEST_GRANT_KEY, initial=uuid.uuid4)


@admin.register(CreditEntry)
class CreditEntryAdmin(HistoryAdmin):
    form = GrantForm
    list_display = ("at", "user", "kind_badge", "signed", "uncovered", "balance_after", "task", "note", "by")
    list_display_links = ("at",)
    list_filter = ("kind", "at")
    list_select_related = ("user",)
    search_fields = ("user__username", "task", "note", "=key")
    autocomplete_fields = ("user",)
    empty_hint = gettext_lazy("Nobody has been given credits yet. “Add” grants some; a credit pays for a row synced.")
    granted = ("user", "amount", "expires_at", "note", "key")
    shown = (
        "user", "kind", "amount", "uncovered", "balance_after", "expires_at", "task", "note", "key", "by", "at",
    )  # fmt: skip

    @admin.display(description=gettext_lazy("kind"), ordering="kind")
    def kind_badge(self, entry: CreditEntry) -> SafeString:
        """What it is, coloured."""
        kind = EntryKind(entry.kind)
        return badge(kind.label, ENTRY_COLOURS[kind])

    @admin.display(description=gettext_lazy("credits"), ordering="amount")
    def signed(self, entry: CreditEntry) -> str:
        """What it adds or takes."""
        return f"{entry.amount:+,}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may add entries may grant."""
        return request.user.has_perm("ratelimits.add_creditentry")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """To grant, what is asked for; of an entry, everything."""
        return self.shown if obj else self.granted

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """An entry does not change."""
        return self.shown if obj else ()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Grant, or say why not."""
        try:
            return super().add_view(request, form_url, {"title": _("Grant credits"), **(extra_context or {})})
        except SyncError as error:
            report_error(request, error)
            return HttpResponseRedirect(request.get_full_path())

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> CreditEntry:
        """The entry, as the service writes it."""
        asked = {name: form.cleaned_data[name] for name in ("amount", "expires_at", "note", "key")}
        return services.grant(form.cleaned_data["user"], by=operator(request), **asked)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """It is written already."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """It has nothing that goes with it."""


@admin.register(CreditAccount)
class CreditAccountAdmin(HistoryAdmin):
    list_display = ("user", "available", "entries", "opened_at")
    list_select_related = ("user",)
    search_fields = ("user__username",)
    fields = ("user", "available", "ends", "entries", "opened_at")
    empty_hint = gettext_lazy("Nobody has credits. A person's first grant, among the credit entries, opens an account.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditAccount]:
        """The accounts with what may be used of each."""
        accounts: QuerySet[CreditAccount] = super().get_queryset(request)
        return accounts.annotate(available=available_of_each())

    @admin.display(description=gettext_lazy("balance"), ordering="available")
    def available(self, account: Any) -> str:
        """Without what has ended."""
        return f"{account.available:,}"

    @admin.display(description=gettext_lazy("entries"))
    def entries(self, account: CreditAccount) -> SafeString:
        """The person's part of the ledger."""
        return list_link(CreditEntry, _("entries"), user__id__exact=account.pk)

    @admin.display(description=gettext_lazy("what ends next"))
    def ends(self, account: CreditAccount) -> SafeString | str:
        """The credits that end, soonest first; those that have ended are not among them."""
        ends = standing_of(account.user).ends
        rows = [(f"{end.amount:,}", formats.localize(timezone.localtime(end.expires_at))) for end in ends]
        return grid((_("credits"), _("end")), rows)
