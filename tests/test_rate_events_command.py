"""``rate_limits``: what was refused, who stands out, what holds, and an end to old refusals."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from datasync.management.base import ConsoleError, Exit
from ratelimits.events.clock import today
from ratelimits.events.models import RateLimitDay, RateLimitEvent
from ratelimits.models import RateRule
from tests.api import owner
from tests.rate_events import counted, event
from tests.rates import allow, make_rules, put_into

__all__ = ["owner"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Any:
    """What the command prints."""

    def run(*arguments: str) -> str:
        call_command("rate_limits", *arguments)
        return capsys.readouterr().out

    return run


@pytest.fixture
def document(shown: Any) -> Any:
    """What the command prints for machines."""
    return lambda *arguments: json.loads(shown(*arguments, "--json"))


def test_the_figures_of_a_day(shown: Any, document: Any, owner: User) -> None:
    counted(today(), 12, key=f"user:{owner.pk}")
    text = shown("stats")
    for word in ("12", "owner", f"user:{owner.pk}", "/api/data-sync/files"):
        assert word in text
    found = document("stats", "--date", str(today()))
    assert (found["date"], found["refused"], found["by_key"][0]["username"]) == (str(today()), 12, "owner")
    assert "Nothing was refused on 2001-01-01" in shown("stats", "--date", "2001-01-01")


def test_the_figures_of_a_day_are_forgotten(shown: Any, document: Any) -> None:
    counted(today(), 12)
    counted(today() - timedelta(days=1), 12)
    assert document("stats", "--clear") == {"date": str(today()), "cleared": 1}
    assert RateLimitDay.objects.count() == 1
    assert "Forgotten: 0" in shown("stats", "--clear")


def test_the_log(shown: Any, document: Any, owner: User) -> None:
    event(f"user:{owner.pk}", user=owner, times=3, detail="60/m", path="/api/a\x1b[31m")
    event(scope="auth", ago=timedelta(hours=1))
    text = shown("events")
    assert text.index("owner") < text.index("203.0.113.9")
    assert "60/m" in text
    assert "\x1b" not in text
    found = document("events", "--limit", "1")
    assert [(one["key"], one["username"], one["times"]) for one in found] == [(f"user:{owner.pk}", "owner", 3)]
    assert [one["username"] for one in document("events", "--scope", "auth")] == [None]
    assert document("events", "--key", "user:999") == []
    assert "Nothing was refused." in shown("events", "--key", "user:999")


def test_who_stands_out(shown: Any, document: Any, owner: User) -> None:
    assert "Nobody stands out." in shown("anomalies")
    event(f"user:{owner.pk}", user=owner, times=25)
    assert document("anomalies") == []
    (one,) = document("anomalies", "--threshold", "10")
    assert (one["username"], one["refused"], one["level"]) == ("owner", 25, "critical")
    assert "critical" in shown("anomalies", "--threshold", "10")


def test_what_a_person_may(shown: Any, document: Any, owner: User) -> None:
    make_rules()
    put_into(owner, "manager")
    allow(3, tier="manager", scope="data_sync", endpoint="sync-single")
    found = {one["scope"]: one for one in document("limits", "--user", "owner")}
    assert found["data_sync"] == {
        "scope": "data_sync", "tier": "manager", "per_minute": 80, "endpoints": {"sync-single": 3},
    }  # fmt: skip
    assert "sync-single" in shown("limits", "--user", "owner")
    assert {one["tier"] for one in document("limits")} == {"anonymous"}


def test_the_rules(shown: Any, document: Any) -> None:
    RateRule.objects.all().delete()
    assert "built-in limits" in shown("rules")
    rule = allow(7, tier="finance", scope="auth")
    assert document("rules") == [
        {"id": rule.pk, "tier": "finance", "scope": "auth", "endpoint": "", "per_minute": 7, "enabled": True,
         "note": ""}
    ]  # fmt: skip
    assert "finance" in shown("rules")


def test_old_refusals_are_forgotten(shown: Any, document: Any) -> None:
    event(ago=timedelta(days=31))
    counted(today() - timedelta(days=32), 1)
    assert "Forgotten: 1 refusals and 1 counts by day." in shown("purge")
    assert document("purge") == {"events": 0, "days": 0}
    assert not RateLimitEvent.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (), ("forget",), ("stats", "--date", "20260306"), ("stats", "--date", "2026-W10-5"), ("stats", "--date", "now"),
        ("events", "--limit", "0"), ("events", "--limit", "1001"), ("events", "--scope", "all"),
        ("events", "--key", "a\0b"), ("anomalies", "--threshold", "9"), ("anomalies", "--threshold", "x"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("rate_limits", *arguments)


def test_a_person_who_is_not_there_is_said_so() -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("rate_limits", "limits", "--user", "nobody")
    assert (raised.value.returncode, raised.value.code) == (Exit.USAGE, "NOT_FOUND")
