"""The rules: who may ask how often. A change holds from the next request on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Field
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from datasync.admin.base import OperatorAdmin
from ratelimits.limits.choices import TIERS
from ratelimits.limits.endpoints import endpoint_names
from ratelimits.limits.models import TIER_LENGTH, RateRule


@admin.register(RateRule)
class RateRuleAdmin(OperatorAdmin):
    list_display = ("tier", "scope", "endpoint", "per_minute", "enabled", "note")
    list_display_links = ("tier",)
    list_editable = ("per_minute", "enabled")
    list_filter = ("scope", "tier", "enabled")
    search_fields = ("tier", "endpoint", "note")
    empty_hint = _("No rule yet: the built-in limits hold, those of the tiers “normal” and “anonymous”.")

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the tiers and calls that there are; a rule for another one would never hold."""
        offered = {"tier": _tiers, "endpoint": endpoint_names}.get(db_field.name)
        if offered is None:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices = [("", "---------"), *((name, name) for name in sorted(offered()))]
        return forms.ChoiceField(
            choices=choices, label=db_field.verbose_name, help_text=db_field.help_text, required=not db_field.blank
        )


def _tiers() -> set[str]:
    groups = Group.objects.values_list("name", flat=True)
    return {*TIERS, *(name for name in groups if len(name) <= TIER_LENGTH)}
