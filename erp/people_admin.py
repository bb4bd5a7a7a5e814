"""People and their roles: Django's pages, with the shops that somebody is limited to and the tokens they have.

Whoever is limited to shops has no part in them: they could make a person who is not.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from datasync.admin.access import WHAT_A_LIMIT_MEANS, LimitFilter, ShopLimitInline, limit_in_words, with_limits
from datasync.admin.base import list_link
from datasync.admin.sight import WithinSight
from erp.models import ApiToken
from erp.token_admin import may_revoke, revoke_tokens

admin.site.unregister((User, Group))


@admin.register(User)
class PersonAdmin(WithinSight, UserAdmin[User]):
    """A person: name and password, rights, the shops they see, their tokens."""

    list_display = ("username", "email", "first_name", "last_name", "is_staff", "limited_to")
    list_filter = (*UserAdmin.list_filter, LimitFilter)
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        (_("shops"), {"description": WHAT_A_LIMIT_MEANS, "fields": ("limited_to",)}),
        (_("API tokens"), {"fields": ("tokens",)}),
    )
    readonly_fields = ("limited_to", "tokens")
    inlines = (ShopLimitInline,)
    actions = ("revoke_tokens",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """People, with how much they see."""
        return with_limits(super().get_queryset(request))

    def has_revoke_tokens_permission(self, request: HttpRequest) -> bool:
        """Whoever may revoke one token may revoke them all."""
        return may_revoke(request)

    @admin.display(description=_("sees"))
    def limited_to(self, person: Any) -> str:
        """All shops, some, or nothing."""
        return limit_in_words(person)

    @admin.display(description=_("API tokens"))
    def tokens(self, person: Any) -> SafeString:
        """How many there are, with a link to them."""
        tokens = ApiToken.objects.filter(user=person)
        told = gettext("%(usable)s neither revoked nor expired, of %(all)s")
        counts = {"usable": tokens.usable().count(), "all": tokens.count()}
        return list_link(ApiToken, told % counts, user__id__exact=person.pk)

    @admin.action(description=_("Revoke all API tokens at once"), permissions=("revoke_tokens",))
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End every token of the chosen people, as when a machine is lost; they can sign in for new ones."""
        revoke_tokens(self, request, ApiToken.objects.filter(user__in=queryset.values("pk")))


@admin.register(Group)
class RoleAdmin(WithinSight, GroupAdmin):
    """A role: a group of people with the same rights."""
