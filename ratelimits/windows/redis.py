"""Logs in Redis: one script, which runs alone there, by Redis's own clock."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from erp.connections import redis_options
from erp.waits import give_up
from ratelimits.windows.base import Claim, StoreAway, Taken, Window
from ratelimits.windows.log import told

ANSWER_SECONDS = 0.3
_SECOND = 1_000_000
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function exact(number) return string.format('%.0f', number) end
local count, member = ARGV[1] == '1', ARGV[2]
local used, allowed = {}, true
for i, key in ipairs(KEYS) do
    local limit, span = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', exact(now - span))
    redis.call('ZREMRANGEBYSCORE', key, '(' .. exact(now + span), '+inf')
    used[i] = redis.call('ZCARD', key)
    allowed = allowed and used[i] < limit
end
local answer = {exact(now)}
for i, key in ipairs(KEYS) do
    local limit, span = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
    local fits = used[i] < limit
    if allowed and count then
        redis.call('ZADD', key, exact(now), member)
        redis.call('PEXPIRE', key, math.ceil(span / 1000) + 1000)
        used[i] = used[i] + 1
    end
    local at = math.max(0, used[i] - limit)
    local frees = redis.call('ZRANGE', key, at, at, 'WITHSCORES')
    table.insert(answer, {fits and 1 or 0, used[i], frees[2] or ''})
end
return answer
"""


class RedisWindow(Window):
    """Exact over all processes and machines that share the Redis; an answer that takes too long is none."""

    def __init__(self, url: str, *, seconds: float = ANSWER_SECONDS) -> None:
        # A second try, or a question whether the line is alive, costs whoever waits a second time-out.
        options: dict[str, Any] = {
            **redis_options(seconds=seconds),
            "health_check_interval": 0,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "driver_info": None,
        }
        self._url = url
        self._script = Redis.from_url(url, **options).register_script(_SCRIPT)

    def ask(self, claims: Sequence[Claim], *, count: bool) -> list[Taken]:
        """Run the script. The member is the request's own, so that two in one microsecond are two."""
        arguments: list[str | int] = [int(count), secrets.token_hex(8)]
        for claim in claims:
            arguments += [claim.limit, claim.seconds * _SECOND]
        try:
            now, *answers = self._script(keys=[_key(claim) for claim in claims], args=arguments)
        except (RedisError, OSError) as error:
            give_up(self._url)
            raise StoreAway(f"Redis: {error}") from error
        return [
            told(
                claim,
                allowed=bool(fits),
                used=used,
                now=int(now) / _SECOND,
                frees=float(frees) / _SECOND if frees else None,
            )
            for claim, (fits, used, frees) in zip(claims, answers, strict=True)
        ]


def _key(claim: Claim) -> str:
    """The name in Redis. All windows of one caller lie on one node of a cluster, by the part in braces."""
    who, _separator, what = claim.key.partition("|")
    return f"erp:rl:{{{who}}}:{what}" if what else f"erp:rl:{{{who}}}"
