"""The figures over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from datasync.mapping import services
from tests.api import client_of, data_of, error_of, owner
from tests.quarantine_rows import make_file
from tests.templates_support import draft

__all__ = ["owner"]
PLATFORMS, STATS, COVERAGE = (
    f"/api/data-sync/{name}" for name in ("platforms", "governance/stats", "governance/detailed-coverage")
)


@pytest.fixture
def client(owner: User) -> APIClient:
    return client_of(owner)


@pytest.fixture
def seen(db: None) -> None:
    """Two families: one covered and drifted, one without a template."""
    row = services.publish(draft())
    make_file("a.csv", template=row, match={"outcome": "noted"})
    make_file("b.csv", domain="products")


def test_platforms(client: APIClient, seen: None) -> None:
    (given,) = data_of(client.get(PLATFORMS))
    assert given == {"code": "shopee", "name": "Shopee", "files": 2, "by_status": {"pending": 2}}


def test_stats(client: APIClient, seen: None) -> None:
    given = data_of(client.get(STATS))
    assert (given["files"], given["template_coverage"]) == (2, 50.0)
    assert given["oldest_pending"]["name"] == "a.csv"


def test_coverage_in_pages(client: APIClient, seen: None) -> None:
    body = client.get(COVERAGE, {"page_size": 1}).json()
    assert body["pagination"]["total"] == 2
    (missing,) = body["data"]
    assert (missing["status"], missing["domain"], missing["newest_template"]) == ("missing", "products", None)
    (covered,) = data_of(client.get(COVERAGE, {"page_size": 1, "page": 2}))
    assert (covered["status"], covered["drifted"]) == ("covered", 1)
    assert covered["outdated_templates"][0]["files"] == 1
    assert data_of(client.get(COVERAGE, {"page": 3, "page_size": 1})) == []


@pytest.mark.parametrize(
    ("query", "count"), [({"status": "missing"}, 1), ({"platform": "tiktok"}, 0), ({"domain": "orders"}, 1)]
)
def test_coverage_by_filter(client: APIClient, seen: None, query: dict[str, Any], count: int) -> None:
    assert len(data_of(client.get(COVERAGE, query))) == count


@pytest.mark.parametrize(
    ("query", "field"), [({"status": "x"}, "status"), ({"domain__in": "x"}, "domain__in"), ({"page": 0}, "page")]
)
def test_wrong_filters_are_named(client: APIClient, query: dict[str, Any], field: str) -> None:
    error = error_of(client.get(COVERAGE, query), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [field])


def test_queries_stay_flat(client: APIClient, seen: None) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            data_of(client.get(COVERAGE))
        return len(captured)

    queries()  # the first use of a token is written down
    before = queries()
    for number in range(20):
        make_file(f"{number}.csv", granularity="weekly" if number % 2 else "monthly", template=None)
    assert queries() == before


@pytest.mark.parametrize("address", [PLATFORMS, STATS, COVERAGE])
def test_nobody_unknown_sees_them(db: None, address: str) -> None:
    assert error_of(APIClient().get(address), 401)["code"] == "NOT_AUTHENTICATED"
