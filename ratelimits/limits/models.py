"""How often the people of a tier may ask."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ratelimits.limits.choices import MOST_PER_MINUTE, TIERS, Scope
from ratelimits.limits.endpoints import endpoint_names
from ratelimits.limits.scopes import scopes_of

TIER_LENGTH = 20


def validate_tier(name: str) -> None:
    """Refuse a tier that nobody can be in; a rule for it would never hold."""
    if name not in TIERS and not Group.objects.filter(name=name).exists():
        raise ValidationError(_("There is no group of this name: %(name)s."), params={"name": name})


def validate_endpoint(name: str) -> None:
    """Refuse the name of a call that there is not; a rule for it would never hold."""
    if name not in endpoint_names():
        raise ValidationError(_("There is no such call of the API: %(name)s."), params={"name": name})


class RateRule(models.Model):
    """A limit of a tier in a scope; with ``endpoint`` a further one, for that call alone.

    A change holds from the next request on. A rule that is not enabled counts as not there: then the tier ``normal``
    decides, and without a rule of that the built-in limit.
    """

    tier = models.CharField(
        _("tier"), max_length=TIER_LENGTH, validators=(validate_tier,),
        help_text=_("A group's name; “admin” is also for superusers, “normal” for whoever is in no group with a rule, "
                    "“anonymous” for whoever has not signed in."),
    )  # fmt: skip
    scope = models.CharField(_("scope"), max_length=20, choices=Scope)
    endpoint = models.CharField(
        _("call"), max_length=100, blank=True, validators=(validate_endpoint,),
        help_text=_("Blank for the whole scope; else the name of a call, which is then counted on its own as well."),
    )  # fmt: skip
    per_minute = models.PositiveIntegerField(
        _("a minute"), validators=(MinValueValidator(1), MaxValueValidator(MOST_PER_MINUTE))
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        ordering = ("scope", "endpoint", "-per_minute", "tier")
        verbose_name = _("rate rule")
        verbose_name_plural = _("rate rules")
        constraints = (
            models.UniqueConstraint(fields=("tier", "scope", "endpoint"), name="one_rate_rule"),
            models.CheckConstraint(
                condition=Q(per_minute__gte=1, per_minute__lte=MOST_PER_MINUTE), name="rate_rule_within_bounds"
            ),
        )

    def __str__(self) -> str:
        where = f"{self.scope} {self.endpoint}" if self.endpoint else self.scope
        return f"{self.tier}, {where}: {self.per_minute}/m"

    def clean_fields(self, exclude: Any = None) -> None:
        """Take names as they are compared, without blanks around them; refuse a call that never counts in the scope."""
        self.tier, self.endpoint = self.tier.strip(), self.endpoint.strip()
        super().clean_fields(exclude)
        asked = {"endpoint", "scope"} - set(exclude or ())
        if not (asked and self.endpoint):
            return
        counted = scopes_of(self.endpoint)
        if self.scope not in counted:
            said = _("This call never counts in that scope, but in: %(scopes)s.")
            raise ValidationError({min(asked): ValidationError(said, params={"scopes": ", ".join(sorted(counted))})})
