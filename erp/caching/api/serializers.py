"""What the calls answer."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from erp.caching.selectors import PROCESS, SHARED


class CachedKind(serializers.Serializer[Any]):
    """Something that is cached, and what came of each question for it."""

    kind = serializers.CharField()
    ttl_seconds = serializers.IntegerField(help_text="So long it is kept at most.")
    tags = serializers.ListField(
        child=serializers.CharField(), help_text="A change of any of these makes it outdated at once."
    )
    hits = serializers.IntegerField(help_text="It was there.")
    misses = serializers.IntegerField(help_text="It was computed.")
    shared = serializers.IntegerField(help_text="Somebody else was computing it already.")
    bypassed = serializers.IntegerField(help_text="It is not kept, such as a search.")
    errors = serializers.IntegerField(  # type: ignore[assignment]
        help_text="The cache was away; it was computed."
    )
    hit_percent = serializers.FloatField(
        allow_null=True, help_text="The share that cost no computation, bypassed ones left out; null: nobody has asked."
    )
    asked_at = serializers.DateTimeField(allow_null=True, help_text="When it was asked for last.")


class CacheTag(serializers.Serializer[Any]):
    """What can change, and how often it did."""

    tag = serializers.CharField()
    invalidations = serializers.IntegerField()


class CacheStanding(serializers.Serializer[Any]):
    """The cache at this moment."""

    backend = serializers.ChoiceField([SHARED, PROCESS], help_text="`process`: without Redis each process has its own.")
    available = serializers.BooleanField(help_text="Whether it answers; where not, everything is computed.")
    shared = serializers.BooleanField(help_text="Whether the numbers are those of all processes.")
    kinds = CachedKind(many=True)
    tags = CacheTag(many=True)


class ClearedCache(serializers.Serializer[Any]):
    """What was made outdated."""

    tag = serializers.CharField()
