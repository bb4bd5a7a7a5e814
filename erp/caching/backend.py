"""Where cached things lie: Redis where there is one, else the memory of each process."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from erp.connections import PUBLISH_SECONDS, is_redis_server, redis_options

PREFIX = "erp"
_KEYS = {"KEY_PREFIX": PREFIX, "KEY_FUNCTION": "erp.caching.backend.key_of"}


def cache_address(own: str, *, otherwise: str) -> str:
    """Where the cache lies: in a Redis of its own, else in the installation's; blank where that is none.

    Raises ImproperlyConfigured.
    """
    if own and not is_redis_server(own):
        raise ImproperlyConfigured("CACHE_URL is no address of a Redis; write redis://host:6379/1.")
    return own or (otherwise if is_redis_server(otherwise) else "")


def cache_settings(url: str, *, seconds: float = PUBLISH_SECONDS) -> dict[str, Any]:
    """Django's settings for the cache at ``url``, which may take so long for a step; blank is the process's memory.

    Values are JSON, never pickles: whoever can write to Redis must not run code here. A step that fails is not tried
    again and an idle connection is not asked whether it lives, so that a Redis that hangs costs one time-out.
    """
    if not url:
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", **_KEYS}
    connecting = {**redis_options(seconds=seconds), "health_check_interval": 0, "retry": Retry(NoBackoff(), 0)}
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": [url],
        **_KEYS,
        "REVERSE_KEY_FUNCTION": "erp.caching.backend.name_of",
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "CONNECTION_POOL_KWARGS": connecting,
        },
    }


def key_of(name: str, prefix: str, version: int) -> str:  # noqa: ARG001 - Django's signature
    """The key under which something lies: ``erp:{kind}:{hash}``."""
    return f"{prefix}:{name}"


def name_of(key: str) -> str:
    """What ``key_of`` was given."""
    return key.partition(":")[2]
