"""The console's pages of what was refused: charts, tables, the log and the counts."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ratelimits.events.charts import HEIGHT, WIDTH, bars, round_number, shares
from ratelimits.events.clock import today
from ratelimits.events.models import RateLimitDay
from tests.api import owner
from tests.rate_events import counted, event, give

__all__ = ["owner"]
OVERVIEW = reverse("admin:ratelimits_overview")
EVENTS, DAYS = (reverse(f"admin:ratelimits_{name}_changelist") for name in ("ratelimitevent", "ratelimitday"))
BAR = re.compile(r'<title>([^<]*)</title><rect [^>]*height="(\d+)"')
SCRIPT = "<script>alert(1)</script>"


def page(client: Client, address: str, **headers: str) -> str:
    response = client.get(address, headers=headers)
    assert response.status_code == 200
    return str(response.content.decode())


@pytest.mark.django_db
def test_an_overview_of_nothing_says_so(admin_client: Client) -> None:
    shown = page(admin_client, OVERVIEW)
    assert shown.count("Nothing was refused.") == 4
    assert "Nobody stands out." in shown
    assert 'class="chart"' not in shown


@pytest.mark.django_db
def test_the_overview_draws_hours_days_callers_and_paths(admin_client: Client, owner: User) -> None:
    event(f"user:{owner.pk}", times=120, user=owner)
    event("ip:203.0.113.9", times=30, ago=timedelta(hours=3))
    counted(today(), 150, key=f"user:{owner.pk}", path="/api/data-sync/files")
    counted(today() - timedelta(days=3), 75)
    shown = page(admin_client, OVERVIEW)
    hours, days = (BAR.findall(svg) for svg in re.findall(r'<svg class="chart".*?</svg>', shown, re.DOTALL))
    assert (len(hours), len(days)) == (24, 30)
    heights = [int(height) for _label, height in hours]
    assert [bool(height) for height in heights] == [False] * 20 + [True] + [False] * 2 + [True]
    assert heights[23] == pytest.approx(4 * heights[20], abs=4)
    assert days[29][0].endswith(": 150")
    assert ">owner</td>" in shown
    assert ">/api/data-sync/files</td>" in shown
    assert '<span class="badge badge-amber">warning</span>' in shown
    assert "ratelimits/admin.css" in shown


@pytest.mark.django_db
def test_the_overview_is_told_in_the_reader_s_language(admin_client: Client) -> None:
    counted(today(), 1234)
    event(times=1234)
    for language in ("en", "zh-hans"):
        shown = page(admin_client, OVERVIEW, **{"accept-language": language})
        drawings = re.findall(r'<svg class="(?:chart|share)".*?</svg>', shown, re.DOTALL)
        assert len(drawings) == 4
        for svg in drawings:
            numbers = re.findall(r' (?:[xy][12]?|width|height)="([^"]*)"', svg)
            assert numbers
            assert all(re.fullmatch(r"\d+", number) for number in numbers)


@pytest.mark.django_db
def test_hostile_texts_are_escaped_on_every_page(admin_client: Client) -> None:
    for number in range(3):
        event(f"ip:{SCRIPT}{number}", times=500, path=f"/api/{SCRIPT}", agent=SCRIPT, address=SCRIPT[:20])
    row = counted(today(), 9, key=f"ip:{SCRIPT}", path=f"/api/{SCRIPT}")
    detail = reverse("admin:ratelimits_ratelimitday_change", args=(row.pk,))
    for address in (OVERVIEW, EVENTS, DAYS, detail):
        shown = page(admin_client, address)
        assert SCRIPT not in shown
        assert "&lt;script&gt;" in shown


@pytest.mark.django_db
def test_the_overview_costs_the_same_however_much_there_is(admin_client: Client) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(admin_client, OVERVIEW)
        return len(captured)

    def fill(number: int) -> None:
        person = User.objects.create_user(f"user{number}")
        event(f"user:{person.pk}", times=200, user=person)
        counted(today(), 1, key=f"user:{person.pk}")

    fill(0)
    few = cost()
    for number in range(1, 30):
        fill(number)
    assert cost() == few


@pytest.mark.django_db
def test_the_lists_cost_the_same_and_lead_to_the_overview(admin_client: Client) -> None:
    def cost(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert f'href="{OVERVIEW}"' in page(admin_client, address)
        return len(captured)

    def fill(number: int) -> None:
        person = User.objects.create_user(f"user{number}")
        event(f"user:{person.pk}", user=person)
        counted(today(), 1, key=f"user:{person.pk}")

    fill(0)
    few = [cost(address) for address in (EVENTS, DAYS)]
    for number in range(1, 10):
        fill(number)
    assert [cost(address) for address in (EVENTS, DAYS)] == few


@pytest.mark.django_db
def test_empty_lists_say_what_would_be_there(admin_client: Client) -> None:
    for address in (EVENTS, DAYS):
        assert 'class="empty-hint">Nothing was refused' in page(admin_client, address)


@pytest.mark.django_db
def test_one_searches_the_log(admin_client: Client, owner: User) -> None:
    event(f"user:{owner.pk}", user=owner, path="/api/a", address="203.0.113.7")
    event("user:999", path="/api/b")
    for wanted, found in (("owner", 1), ("203.0.113.7", 1), ("/api/", 2), ("user:999", 1), ("user:99", 0)):
        assert admin_client.get(EVENTS, {"q": wanted}).context["cl"].result_count == found, wanted


@pytest.mark.django_db
def test_the_log_is_history_and_counts_may_be_cleared(admin_client: Client) -> None:
    row, day = event(), counted(today(), 1)
    for name, pk in (("ratelimitevent", row.pk), ("ratelimitday", day.pk)):
        assert admin_client.get(reverse(f"admin:ratelimits_{name}_add")).status_code == 403
        assert admin_client.post(reverse(f"admin:ratelimits_{name}_change", args=(pk,)), {}).status_code == 403
    gone = reverse("admin:ratelimits_ratelimitevent_delete", args=(row.pk,))
    assert admin_client.post(gone, {"post": "yes"}).status_code == 403
    gone = reverse("admin:ratelimits_ratelimitday_delete", args=(day.pk,))
    assert admin_client.post(gone, {"post": "yes"}).status_code == 302
    assert not RateLimitDay.objects.exists()


@pytest.mark.django_db
def test_only_who_has_the_right_sees_it(client: Client, owner: User) -> None:
    assert client.get(OVERVIEW)["Location"].startswith(reverse("admin:login"))
    give(owner, "view_ratelimitday")
    client.force_login(owner)
    assert client.get(OVERVIEW).status_code == 403
    assert OVERVIEW not in page(client, DAYS)
    give(owner, "view_ratelimitevent")
    assert client.get(OVERVIEW).status_code == 200


def test_bars_fit_into_the_drawing() -> None:
    chart = bars([(str(number), "x", number * 37) for number in range(30)])
    assert chart.lines[-1].value == 2000
    assert all(bar.y >= 0 and bar.x + bar.width <= WIDTH and bar.y + bar.height < HEIGHT for bar in chart.bars)
    assert sum(bool(bar.mark) for bar in chart.bars) <= 8
    tallest = bars([("a", "", 2000), ("b", "", 1), ("c", "", 0)])
    assert [bar.height for bar in tallest.bars][1:] == [1, 0]


def test_a_chart_of_nothing_has_lines() -> None:
    assert [line.value for line in bars([]).lines] == [0, 1, 2]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 2), (1, 2), (3, 4), (5, 6), (9, 10), (11, 20), (100, 100), (101, 200), (535, 600)]
)
def test_round_numbers(value: int, top: int) -> None:
    assert round_number(value) == top


def test_shares_are_of_the_longest() -> None:
    assert shares([]) == []
    assert shares([200, 100, 1, 0]) == [100, 50, 1, 0]
