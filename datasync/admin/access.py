"""Who sees which shops: a part of each person's page, and a list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from datasync.admin.base import OperatorAdmin
from datasync.models import ShopLimit

WHAT_A_LIMIT_MEANS = gettext_lazy(
    "Whoever is limited sees and changes what belongs to their shops alone, wherever they sign in: files, rows, tasks "
    "and quarantine, here, by the API and in downloads. Files and rows of no known shop are out of their sight, but "
    "for their own uploads. They publish no templates, scan no folders and look after no people. A limit without shops "
    "shows nothing. Whoever has no limit sees all shops; superusers always do. It holds at once."
)


class ShopLimitForm(forms.ModelForm[ShopLimit]):
    """A limit. One that names no shop is one too, and the strictest: it is not taken for an empty form."""

    def has_changed(self) -> bool:
        """Whether there is something to save."""
        return self.instance.pk is None or super().has_changed()


class ShopLimitInline(admin.StackedInline[Any, Any]):
    """The limit of a person, on their page."""

    model = ShopLimit
    form = ShopLimitForm
    extra = 0
    fields = ("shops",)
    autocomplete_fields = ("shops",)


@admin.register(ShopLimit)
class ShopLimitAdmin(OperatorAdmin):
    """The same limits in a list, to see who sees a shop."""

    list_display = ("user", "shop_count")
    list_select_related = ("user",)
    search_fields = ("user__username", "shops__name", "shops__shop_id")
    autocomplete_fields = ("user", "shops")
    fieldsets = ((None, {"description": WHAT_A_LIMIT_MEANS, "fields": ("user", "shops")}),)
    empty_hint = gettext_lazy(
        "Nobody is limited: everybody who may sign in sees all shops. “Add” limits a person to some."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the shops along."""
        counted: QuerySet[Any] = super().get_queryset(request).annotate(counted_shops=Count("shops", distinct=True))
        return counted

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A limit stays with its person."""
        return ("user",) if obj else ()

    @admin.display(description=gettext_lazy("shops"), ordering="counted_shops")
    def shop_count(self, limit: Any) -> int:
        """How many shops are seen."""
        return int(limit.counted_shops)


class LimitFilter(admin.SimpleListFilter):
    """People by whether they are limited to shops."""

    title = gettext_lazy("limited to shops")
    parameter_name = "limited"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Limited or not."""
        return [("yes", _("yes")), ("no", _("no"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The people of that kind; superusers are not limited, whatever is written down."""
        limited = {"shop_limit__isnull": False, "is_superuser": False}
        if self.value() == "yes":
            return queryset.filter(**limited)
        return queryset.exclude(**limited) if self.value() == "no" else queryset


def with_limits(people: QuerySet[Any]) -> QuerySet[Any]:
    """The people, each with whether they are limited and to how many shops, for ``limit_in_words``."""
    limit = ShopLimit.objects.filter(user=OuterRef("pk"))
    shops = Count("shop_limit__shops", distinct=True)
    told: QuerySet[Any] = people.annotate(is_limited=Exists(limit), shops_seen=shops)
    return told


def limit_in_words(person: Any) -> str:
    """How much a person sees."""
    if person.is_superuser or not person.is_limited:
        return _("all shops")
    if not person.shops_seen:
        return _("nothing")
    return ngettext("%(count)s shop", "%(count)s shops", person.shops_seen) % {"count": person.shops_seen}
