"""What Celery is told about its broker: Redis, Redis behind Sentinel, or RabbitMQ by URL, else a folder.

No broker decides whose turn it is: the database does, so that priorities hold on a broker that knows none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kombu import Exchange, Queue
from redis.backoff import NoBackoff
from redis.retry import Retry

from erp import folder_broker
from erp.connections import PUBLISH_SECONDS, WORKER_SECONDS, redis_options

SYNC_QUEUE = "data_sync"
QUEUES = (
    SYNC_QUEUE,
    "data_processing",
    "scheduled",
    "file_tasks",
    "export",
    "email_tasks",
    "api_calls",
    "credits",
)
ROUTES: dict[str, dict[str, str]] = {
    "data_sync.*": {"queue": SYNC_QUEUE},
    "data_processing.*": {"queue": "data_processing"},
    "extract_product_images": {"queue": "data_processing"},
    "scheduled.*": {"queue": "scheduled"},
    "tasks.stats.*": {"queue": "scheduled"},
    "tasks.file.export_file": {"queue": "export"},
    "tasks.file.*": {"queue": "file_tasks"},
    "tasks.email.*": {"queue": "email_tasks"},
    "tasks.api.*": {"queue": "api_calls"},
    "tasks.credits.*": {"queue": "credits"},
    "celery.*": {"queue": "scheduled"},
}
HARD_LIMIT_SECONDS = 1800
SOFT_LIMIT_SECONDS = 1500
HEARTBEAT_SECONDS = 20
"""A RabbitMQ that was silent for twice as long is given up."""
PUBLISH_RETRY = {"max_retries": 1, "interval_start": 0.1, "interval_step": 0.0, "interval_max": 0.1}
"""For a connection that was lost since its last use. How long all of it may take is ``publishing.BUDGET_SECONDS``."""


def broker_priority(priority: int, *, redis: bool) -> int:
    """The broker's number for one of ours: at every door 10 goes first; on Redis 0 does."""
    return 10 - priority if redis else priority


def is_redis(url: str) -> bool:
    """Whether the broker is Redis, alone, encrypted or behind Sentinel."""
    return url.startswith(("redis://", "rediss://", "redis+socket://", "sentinel://"))


def is_sentinel(url: str) -> bool:
    """Whether Sentinels are asked which Redis is the broker."""
    return url.startswith("sentinel://")


def is_rabbitmq(url: str) -> bool:
    """Whether the broker speaks AMQP."""
    return url.startswith(("amqp://", "amqps://", "pyamqp://"))


def publishing_options(url: str) -> dict[str, Any]:
    """The transport options of whoever publishes and cannot wait, to be laid over those of the worker."""
    if is_redis(url):
        quick = redis_options(seconds=PUBLISH_SECONDS)
        return quick | _sentinel_options(PUBLISH_SECONDS) if is_sentinel(url) else quick
    if is_rabbitmq(url):
        return {"read_timeout": PUBLISH_SECONDS, "write_timeout": PUBLISH_SECONDS}
    return {}


def broker_settings(
    *,
    url: str,
    folder: Path,
    sentinel_master: str = "mymaster",
    soft_limit: int = SOFT_LIMIT_SECONDS,
    hard_limit: int = HARD_LIMIT_SECONDS,
) -> dict[str, Any]:
    """Celery's settings for the broker at ``url``; blank is the embedded one in ``folder``.

    RabbitMQ's queues are quorum queues: they survive the loss of a node. Before RabbitMQ 4 these know no priorities,
    from then on two.
    """
    arguments = {"x-queue-type": "quorum"} if is_rabbitmq(url) else None
    settings: dict[str, Any] = {
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_queues": [Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments) for name in QUEUES],
        "task_default_queue": SYNC_QUEUE,
        "task_create_missing_queues": False,
        "task_routes": ROUTES,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_acks_on_timeout": False,  # a message killed at the hard limit comes back, as of a lost worker
        "result_expires": None,  # results are the client's; how long they are kept is decided with the tasks
        "task_track_started": True,
        "task_time_limit": hard_limit,
        "task_soft_time_limit": soft_limit,
        "task_default_priority": broker_priority(5, redis=is_redis(url)),
        "worker_consumer": "erp.consumer:Consumer",
        "worker_prefetch_multiplier": 1,
        "worker_soft_shutdown_timeout": 30,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_hijack_root_logger": False,
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        "task_serializer": "json",
    }
    if is_redis(url):
        settings["broker_transport_options"] = {
            **redis_options(seconds=WORKER_SECONDS),
            "priority_steps": list(range(10)),
            "queue_order_strategy": "priority",
            "visibility_timeout": hard_limit + 300,
            "unacked_restore_interval": 15,
            "unacked_restore_throttle": 1,
        }
        settings["worker_disable_prefetch"] = True
    if is_sentinel(url):
        settings["broker_transport_options"] |= {"master_name": sentinel_master, **_sentinel_options(WORKER_SECONDS)}
    if is_rabbitmq(url):
        settings["broker_heartbeat"] = HEARTBEAT_SECONDS
        settings["broker_transport_options"] = {"confirm_publish": True}
    if url:
        settings["broker_url"] = url
        return settings
    for name in ("messages", "processed", "control"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    folder_broker.register()
    settings["broker_url"] = f"{folder_broker.SCHEME}://localhost"
    settings["broker_transport_options"] = {
        "data_folder_in": str(folder / "messages"),
        "data_folder_out": str(folder / "messages"),
        "processed_folder": str(folder / "processed"),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    }
    return settings


def _sentinel_options(seconds: float) -> dict[str, Any]:
    """Ask each Sentinel once and briefly: the next one knows as much."""
    brief = {**redis_options(seconds=seconds / 3), "retry": _NO_RETRY}
    return {"sentinel_kwargs": brief}


_NO_RETRY = Retry(NoBackoff(), 0)
