"""How soon a connection notices that its other end is gone: one set of numbers for every connection of the product.

A server that ends says so. A machine that loses its power, or a firewall that forgets a connection, says nothing: such
a *half-open* connection waits for ever unless somebody asks. TCP asks here after ten quiet seconds and gives up after
another fifteen, and does not wait longer than that for a receipt either.
"""

from __future__ import annotations

import socket
from typing import Any

CONNECT_SECONDS = 5
QUIET_SECONDS = 10
PROBE_SECONDS = 5
PROBES = 3
UNRECEIPTED_SECONDS = QUIET_SECONDS + PROBE_SECONDS * PROBES
"""So long after the last sign of life TCP gives a connection up."""
PUBLISH_SECONDS = 0.3
"""For whom a person waits, each step of a publish or a look into the cache: after so long there is no answer."""
WORKER_SECONDS = 5.0
"""For a worker, who loses more by giving up than by waiting."""
REDIS_CHECK_SECONDS = 4
"""A Redis connection that was quiet for so long is asked whether it is alive before it is used."""


def postgres_options(own: dict[str, Any]) -> dict[str, Any]:
    """What libpq is told, in favour of what the address itself says (``own``).

    The server is told the same, so that it lets go of the locks of a client that is gone.
    """
    server = {
        "jit": "off",
        "tcp_keepalives_idle": QUIET_SECONDS,
        "tcp_keepalives_interval": PROBE_SECONDS,
        "tcp_keepalives_count": PROBES,
        "tcp_user_timeout": UNRECEIPTED_SECONDS * 1000,
    }
    told = " ".join(f"-c {name}={value}" for name, value in server.items())
    return {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": QUIET_SECONDS,
        "keepalives_interval": PROBE_SECONDS,
        "keepalives_count": PROBES,
        "tcp_user_timeout": UNRECEIPTED_SECONDS * 1000,
        **own,
        "options": f"{told} {own.get('options', '')}".strip(),
    }


def is_redis_server(url: str) -> bool:
    """Whether this is the address of one Redis; a broker may have addresses of other kinds."""
    return url.startswith(("redis://", "rediss://"))


def redis_options(*, seconds: float) -> dict[str, Any]:
    """What redis-py is told, whoever uses it: an answer that takes longer than ``seconds`` is none."""
    return {
        "socket_timeout": seconds,
        "socket_connect_timeout": min(seconds, CONNECT_SECONDS),
        "socket_keepalive": True,
        "socket_keepalive_options": _TCP_OPTIONS,
        "health_check_interval": REDIS_CHECK_SECONDS,
    }


_TCP_OPTIONS = {
    getattr(socket, name): value
    for name, value in (
        ("TCP_KEEPIDLE", QUIET_SECONDS),
        ("TCP_KEEPINTVL", PROBE_SECONDS),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", UNRECEIPTED_SECONDS * 1000),
    )
    if hasattr(socket, name)
}
