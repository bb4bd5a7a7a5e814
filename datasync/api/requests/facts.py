"""What the calls for facts take."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from datasync.api.requests.sync import LARGEST_ID
from datasync.choices import Granularity, SubDomain
from datasync.facts.columns import columns_of
from datasync.facts.filters import OF_SOME_DOMAINS, Filters, has_filter
from datasync.facts.selectors import ORDERINGS
from erp.api.pagination import LAST_PAGE, CursorQuery
from erp.api.serializers import QueryFlag, QueryInteger

LAST_NUMBERED_ROW = 10_000
FORMATS = ("json", "csv")
_PAGING = ("cursor", "page", "page_size")


class NameList(serializers.CharField):
    """Names with commas between them."""

    def to_internal_value(self, data: Any) -> list[str]:  # type: ignore[override]
        """Each name once, in the order given."""
        return list(dict.fromkeys(part.strip() for part in super().to_internal_value(data).split(",")))


class FactQuery(CursorQuery):
    """Which facts, which of their columns, in which order and form."""

    platform = serializers.CharField(max_length=32, required=False)
    shop = serializers.CharField(
        max_length=100, required=False, help_text="The platform's id of the shop; read from the shop's part of the key."
    )
    sub_domain = serializers.ChoiceField(SubDomain.choices, required=False)
    granularity = serializers.ChoiceField(Granularity.choices, required=False)
    period_from = serializers.DateField(required=False, help_text="Periods that begin on this day or later.")
    period_to = serializers.DateField(required=False, help_text="Periods that begin on this day or earlier.")
    collected_since = serializers.DateTimeField(required=False)
    updated_since = serializers.DateTimeField(required=False, help_text="Inserted or changed since then.")
    file_id = QueryInteger(
        min_value=1, max_value=LARGEST_ID, required=False, help_text="The file that last wrote the row; indexed."
    )
    order_id = serializers.CharField(max_length=200, required=False, help_text="orders (indexed), finance.")
    sku = serializers.CharField(max_length=200, required=False, help_text="orders, products, inventory, finance.")
    product_id = serializers.CharField(max_length=200, required=False, help_text="orders, products, inventory.")
    fields_ = NameList(max_length=4000, required=False)
    ordering = serializers.ChoiceField(list(ORDERINGS), required=False, help_text="JSON: `key` by default.")
    raw = QueryFlag(default=False, help_text="The original row too, by header.")
    format = serializers.ChoiceField(FORMATS, default="json")
    bom = QueryFlag(default=False, help_text="CSV with a byte order mark, by which spreadsheets know UTF-8.")
    page = QueryInteger(
        min_value=1,
        max_value=LAST_PAGE,
        required=False,
        help_text=f"A numbered page instead of a cursor, up to row {LAST_NUMBERED_ROW:,}.",
    )

    def get_fields(self) -> dict[str, Any]:
        """``fields`` is a name that serializers keep for themselves."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Only what the domain has; one way of turning pages, and none in CSV."""
        refused = self._refused(attrs)
        if refused:
            raise serializers.ValidationError(refused)
        return super().validate(attrs)

    def _refused(self, attrs: dict[str, Any]) -> dict[str, Any]:
        domain: str = self.context["domain"]
        refused: dict[str, Any] = {
            name: _("The domain %(domain)s has no such filter.") % {"domain": domain}
            for name in OF_SOME_DOMAINS
            if name in attrs and not has_filter(domain, name)
        }
        unknown = [name for name in attrs.get("fields", ()) if name not in columns_of(domain)]
        if unknown:
            refused["fields"] = _("There is no such field: %(names)s.") % {"names": ", ".join(unknown)[:200]}
        if attrs["format"] == "csv":
            refused |= {name: _("CSV has no pages; it gives all rows.") for name in _PAGING if name in attrs}
        elif attrs["bom"]:
            refused["bom"] = _("Only CSV has a byte order mark.")
        if "page" in attrs and "cursor" in attrs:
            refused["page"] = _("Give a page or a cursor, not both.")
        elif attrs.get("page", 1) * attrs.get("page_size", self.default_page_size) > LAST_NUMBERED_ROW:
            refused["page"] = _(
                "Numbered pages end at row %(most)s. Read on with the cursor: leave page out, then send next_cursor."
            ) % {"most": f"{LAST_NUMBERED_ROW:,}"}
        if attrs.get("period_from") and attrs.get("period_to") and attrs["period_to"] < attrs["period_from"]:
            refused["period_to"] = _("The period ends before it begins.")
        return refused


def filters_of(query: dict[str, Any]) -> Filters:
    """The filters of a validated query."""
    return Filters(**{name: query[name] for name in Filters.__dataclass_fields__ if name in query})
