"""Accounts and component versions, in explicit fields."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from datasync.choices import AccountState, VersionState
from datasync.models import CollectionAccount, ComponentVersion, Shop


class ReachedShop(serializers.ModelSerializer[Shop]):
    """A shop that an account reaches."""

    class Meta:
        model = Shop
        fields = ("shop_id", "name", "region")
        read_only_fields = fields


class Account(serializers.ModelSerializer[CollectionAccount]):
    """An account with which exports are collected; what it signs in with is not kept here."""

    platform = serializers.CharField(source="platform_id")
    state = serializers.ChoiceField(AccountState.choices)
    shops = ReachedShop(many=True)

    class Meta:
        model = CollectionAccount
        fields = ("id", "platform", "account", "state", "shops", "last_collected_at", "note")
        read_only_fields = fields


class AccountsByState(serializers.Serializer[Any]):
    """How many accounts are in each state."""

    active = serializers.IntegerField(default=0)
    paused = serializers.IntegerField(default=0)
    blocked = serializers.IntegerField(default=0)


class AccountFigures(serializers.Serializer[Any]):
    """Accounts in figures."""

    accounts = serializers.IntegerField()
    by_state = AccountsByState()
    never_collected = serializers.IntegerField(help_text="Active ones with which nothing was collected yet.")
    stale = serializers.IntegerField(help_text="Active ones with which nothing was collected for too long.")
    without_shops = serializers.IntegerField(help_text="Those that reach no shop.")
    last_collected_at = serializers.DateTimeField(allow_null=True)


class PlatformFigures(AccountFigures):
    """The accounts of one platform in figures."""

    platform = serializers.CharField()


class AccountStats(AccountFigures):
    """All accounts in figures, and by platform."""

    stale_hours = serializers.IntegerField(help_text="What counts as too long.")
    platforms = PlatformFigures(many=True)


class Version(serializers.ModelSerializer[ComponentVersion]):
    """A version of a collecting component."""

    platform = serializers.CharField(source="platform_id", allow_null=True, help_text="Null: it is for all.")
    state = serializers.ChoiceField(VersionState.choices)
    checksum = serializers.CharField(help_text="SHA-256 of what is installed; blank while a draft has none.")

    class Meta:
        model = ComponentVersion
        fields = ("id", "component", "version", "platform", "state", "checksum", "released_at", "note")
        read_only_fields = fields
