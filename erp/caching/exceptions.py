"""What can go wrong when somebody asks for the cache itself; whoever asks for what is cached never hears of it."""

from __future__ import annotations

from datasync.exceptions import InvalidRequest, TransientError


class TagUnknown(InvalidRequest):
    """Nothing is cached under %(what)s; there are %(tags)s."""


class CacheUnavailable(TransientError):
    """The cache does not answer."""

    code = "CACHE_UNAVAILABLE"
    recovery = "Nothing to do: what is cached is computed meanwhile, and outdated when the cache is back."
