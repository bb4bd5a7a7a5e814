"""Probes: each with its latency, none hangs the answer, and only what is essential takes the web out of service."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.cache.backends.dummy import DummyCache
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from erp.health import probes, views
from erp.health.heartbeat import record_heartbeat
from erp.health.probes import PROBES, Probe, ProbeFailed, run_all
from erp.middleware import HealthMiddleware
from erp.models import WorkerHeartbeat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probes that have no answer yet which they could give again."""
    monkeypatch.setattr(views, "PROBES", tuple(map(replace, PROBES)))


@pytest.fixture
def hanging() -> Iterator[Callable[[], None]]:
    """Something that does not answer before the test is over."""
    over = threading.Event()
    yield partial(_wait, over)
    over.set()


def _wait(over: threading.Event) -> None:
    over.wait(30)


def ready(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/health/ready")
    return response.status_code, response.json()


def test_alive_without_touching_anything(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/live")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


def test_ready_names_every_service_with_its_latency(client: Client) -> None:
    record_heartbeat("worker@host")
    status, body = ready(client)
    assert (status, body["status"]) == (200, "ok"), body
    assert set(body["checks"]) == {"database", "storage", "broker", "cache", "worker"}
    for check in body["checks"].values():
        assert check["status"] == "ok"
        assert 0 <= check["latency_ms"] < 1000


def test_probes_at_the_same_time_share_one_attempt() -> None:
    """A load balancer, an orchestrator and a person ask at once; none of them may be told that the web is down."""
    asked = []
    together = threading.Barrier(8)

    def slow() -> None:
        asked.append(threading.get_ident())
        time.sleep(0.2)

    shared = [Probe("slow", slow)]

    def ask() -> str:
        together.wait(5)
        return run_all(shared, limit=5)["slow"].error

    with ThreadPoolExecutor(8) as threads:
        errors = [future.result() for future in [threads.submit(ask) for _again in range(8)]]
    assert errors == [""] * 8
    assert len(asked) == 1


def test_readiness_asked_by_eight_at_once_is_ready(client: Client) -> None:
    record_heartbeat("worker@host")
    with ThreadPoolExecutor(8) as threads:
        answers = [future.result() for future in [threads.submit(ready, Client()) for _again in range(24)]]
    assert {(status, body["status"]) for status, body in answers} == {(200, "ok")}


def test_an_answer_is_given_again_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fail() -> None:
        asked.append(True)
        raise ProbeFailed("lost")

    lost = [Probe("lost", fail)]
    assert [run_all(lost)["lost"].error for _again in range(3)] == ["lost"] * 3
    assert len(asked) == 1
    monkeypatch.setattr(probes, "REUSED_SECONDS", 0.0)
    run_all(lost)
    assert len(asked) == 2


def test_an_attempt_that_began_long_ago_is_not_waited_for(hanging: Callable[[], None]) -> None:
    frozen = [Probe("frozen", hanging)]
    run_all(frozen, limit=0.05)
    began = time.perf_counter()
    assert run_all(frozen, limit=0.05)["frozen"].error == "timeout"
    assert time.perf_counter() - began < 0.04


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_in_production_by_plain_http_and_by_any_name(client: Client, settings: Any, address: str) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["erp.example.com"]
    response = client.get(address, headers={"host": "10.0.0.7:8000"})
    assert response.status_code == 200
    assert response["X-Request-Id"]
    assert client.post(address).status_code == 405
    assert client.get("/api/auth/me", headers={"host": "erp.example.com"}).status_code == 301


def test_other_addresses_go_on() -> None:
    passed: list[HttpRequest] = []

    def further(request: HttpRequest) -> HttpResponse:
        passed.append(request)
        return HttpResponse()

    HealthMiddleware(further)(RequestFactory().get("/health/other"))
    assert [request.path for request in passed] == ["/health/other"]


def test_without_a_worker_the_web_still_serves(client: Client) -> None:
    status, body = ready(client)
    assert (status, body["status"], body["checks"]["worker"]["status"]) == (200, "degraded", "none")


def test_a_silent_worker_is_told(client: Client) -> None:
    record_heartbeat("worker@host")
    WorkerHeartbeat.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert ready(client)[1]["checks"]["worker"]["status"] == "silent"


def test_heartbeats_are_one_row_a_worker_and_forgotten_after_a_day() -> None:
    record_heartbeat("old@host")
    WorkerHeartbeat.objects.update(seen_at=timezone.now() - timedelta(days=2))
    record_heartbeat("new@host")
    record_heartbeat("new@host")
    assert [beat.worker for beat in WorkerHeartbeat.objects.all()] == ["new@host"]


def test_unwritable_storage_takes_the_web_out_of_service(client: Client, settings: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    settings.UPLOAD_DIR = blocked / "uploads"
    status, body = ready(client)
    assert (status, body["status"], body["checks"]["storage"]["status"]) == (503, "failed", "failed")
    assert str(tmp_path) not in str(body)


def test_a_cache_that_forgets_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "cache", DummyCache("", {}))
    assert ready(client)[1]["checks"]["cache"]["status"] == "lost"


def test_a_service_that_hangs_delays_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, hanging: Callable[[], None]
) -> None:
    monkeypatch.setattr(views, "PROBES", (Probe("database", probes.ask_database), Probe("frozen", hanging)))
    began = time.perf_counter()
    _status, body = ready(client)
    assert time.perf_counter() - began < 1.5
    assert body["checks"]["database"]["status"] == "ok"
    assert body["checks"]["frozen"]["status"] == "timeout"


def test_a_service_that_hangs_collects_no_threads(hanging: Callable[[], None]) -> None:
    frozen = [Probe("frozen", hanging)]
    run_all(frozen, limit=0.01)
    before = threading.active_count()
    for _again in range(20):
        assert run_all(frozen, limit=0.01)["frozen"].error == "timeout"
    assert threading.active_count() == before


@pytest.mark.services
def test_a_real_worker_is_heard_of(client: Client, worker: Callable[..., Any]) -> None:
    worker()
    deadline = time.monotonic() + 30
    while not WorkerHeartbeat.objects.exists():
        assert time.monotonic() < deadline, "no heartbeat within 30 s"
        time.sleep(0.1)
    assert ready(client)[1]["checks"]["worker"]["status"] == "ok"
