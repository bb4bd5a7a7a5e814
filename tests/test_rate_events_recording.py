"""From a refused request to the log: noted at once, written a moment later, and never at the caller's cost."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, connections
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from erp.supervisor import BASE_DIR
from ratelimits.events import recording
from ratelimits.events.buffer import Buffer
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.events.receivers import note_refusal
from tests.api import client_of, owner
from tests.programs import embedded, run
from tests.rate_events import HOSTILE
from tests.rates import ME, allow, limiter

__all__ = ["limiter", "owner"]


@pytest.fixture(autouse=True)
def buffer(monkeypatch: pytest.MonkeyPatch) -> Buffer:
    """A buffer of the test's own."""
    own = Buffer()
    monkeypatch.setattr(recording._process, "buffer", own)
    return own


def refuse(**fields: Any) -> None:
    """Tell the room of a refused request, as the limiter does."""
    told = {"key": "ip:203.0.113.9", "scope": "default", "tier": "anonymous", "limit": 30, **fields}
    request = told.pop("request", None) or RequestFactory().get("/api/x", headers={"user-agent": "collector/2.1"})
    note_refusal(sender=None, request=request, **told)


@pytest.mark.django_db
def test_a_refused_request_is_in_the_log(limiter: Any, owner: User) -> None:
    allow(2)
    client = client_of(owner, HTTP_USER_AGENT="collector/2.1")
    assert [client.get(ME).status_code for _ in range(5)] == [200, 200, 429, 429, 429]
    assert not RateLimitEvent.objects.exists()
    assert recording.flush() == 3
    event = RateLimitEvent.objects.get()
    assert (event.key, event.user, event.times) == (f"user:{owner.pk}", owner, 3)
    assert (event.method, event.path, event.scope, event.tier) == ("GET", ME, "default", "normal")
    assert (event.detail, event.address, event.agent) == ("2/m", "127.0.0.1", "collector/2.1")
    assert RateLimitDay.objects.get().refused == 3
    assert recording.flush() == 0


@pytest.mark.django_db
def test_noting_costs_no_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        for _ in range(100):
            refuse()
    assert len(captured) == 0


@pytest.mark.django_db
def test_what_the_caller_forges_is_harmless() -> None:
    request = RequestFactory().get("/api/x", headers={"user-agent": HOSTILE * 20}, REMOTE_ADDR="not an address\r\n")
    refuse(request=request, key=HOSTILE)
    recording.flush()
    event = RateLimitEvent.objects.get()
    assert all(text.isprintable() for text in (event.agent, event.key, event.address))
    assert len(event.agent) == 200
    assert "<script>" in event.agent


def test_paths_that_are_made_up_make_no_kinds(buffer: Buffer) -> None:
    for number in range(30):
        for path in (f"/api/auth/tokens/{number}", f"/api/{number}", f"/api/data-sync/progress/made-up-{number}"):
            refuse(request=RequestFactory().delete(path))
    noted = {one.refusal.path: one.times for one in buffer.take()}
    assert noted == {
        "/api/auth/tokens/<int:token_id>": 30, "*": 30, "/api/data-sync/progress/<slug:task_id>": 30,
    }  # fmt: skip


@pytest.mark.django_db
def test_what_cannot_be_written_waits(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def away(_noted: object) -> None:
        raise OperationalError("gone\nfor now")

    refuse()
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(recording, "record", away)
        patch.setattr(connections, "close_all", lambda: None)
        assert recording._flush() is False
        refuse()
    assert "gone for now" in caplog.text
    assert recording.flush() == 2


def test_a_forked_child_begins_anew(buffer: Buffer) -> None:
    refuse()
    recording._process.begin_anew()
    assert recording._process.buffer.take() == []
    assert len(buffer.take()) == 1


_PROGRAM = """
import time
import erp.wsgi
from django.test import Client
from ratelimits.models import RateLimitDay
ask = lambda: Client().get("/api/auth/me").status_code == 429
refused = sum(ask() for _ in range(40))
written = lambda: sum(RateLimitDay.objects.values_list("refused", flat=True))
until = time.monotonic() + 30
while written() < refused and time.monotonic() < until:
    time.sleep(0.05)
print(refused, written(), sum(ask() for _ in range(5)))
"""
_READ = "from ratelimits.models import RateLimitDay as d; print(sum(d.objects.values_list('refused', flat=True)))"


@pytest.mark.services
def test_a_web_process_writes_by_itself_and_at_its_end(tmp_path: Path) -> None:
    environment = embedded(tmp_path) | {"PYTHONPATH": str(BASE_DIR), "DJANGO_SETTINGS_MODULE": "erp.settings"}
    assert run(["migrate", "--verbosity", "0"], environment=environment)[0] == 0
    code, output, errors = run(["shell", "--no-imports", "--command", _PROGRAM], environment=environment)
    assert code == 0, errors
    assert output.split() == ["10", "10", "5"]
    _code, output, _errors = run(["shell", "--no-imports", "--command", _READ], environment=environment)
    assert int(output) == 15
