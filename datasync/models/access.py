"""Who is limited to some shops."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ShopLimit(models.Model):
    """Limits a person to these shops; without any they see nothing. Whoever has no such row is not limited."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shop_limit", verbose_name=_("person")
    )
    shops = models.ManyToManyField(
        "datasync.Shop", blank=True, related_name="+", verbose_name=_("shops"),
        help_text=_("The person sees and changes what belongs to these shops alone; without any, nothing."),
    )  # fmt: skip

    class Meta:
        ordering = ("user__username", "pk")
        verbose_name = _("shop limit")
        verbose_name_plural = _("shop limits")

    def __str__(self) -> str:
        return str(self.user)
