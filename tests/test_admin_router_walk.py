"""Every page of the console is for staff, and each page of a table for those who may see that table.

A table that is new in the console, or an address that is new beside the tables', has to be listed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.sites import site
from django.test import Client

from tests.api import person
from tests.routes import routes
from tests.world import World, company

pytestmark = pytest.mark.django_db
API, CONSOLE = "/api/", "/admin/"
TABLES = """
auth: group user
axes: accessattempt
datasync: auditentry catalogfile collectionaccount componentversion confirmedrows exportarchive financeentry headerset
datasync: headertemplate inventorysnapshot orderline platform productmetric qualityreport quarantinedrow servicemetric
datasync: shop shopalias shoplimit syncprogresstask synctaskfile trafficmetric
django_celery_beat: clockedschedule crontabschedule intervalschedule periodictask solarschedule
django_celery_results: groupresult taskresult
erp: apitoken workerheartbeat
ratelimits: creditaccount creditentry ratelimitday ratelimitevent raterule userquota
"""
OF_A_TABLE = ("", "add/", "{object_id}/", "{object_id}/change/", "{object_id}/delete/", "{object_id}/history/")
BESIDE_TABLES = {
    "/admin/auth/user/{id}/password/",
    "/admin/datasync/catalogfile/scan/",
    "/admin/datasync/headertemplate/import/",
    "/admin/datasync/headertemplate/{template_id}/compare/",
    "/admin/datasync/quarantinedrow/import/",
    "/admin/datasync/quarantinedrow/{row_id}/correct/",
    "/admin/datasync/quarantinedrow/{row_id}/discard/",
    "/admin/datasync/quarantinedrow/{row_id}/release/",
    "/admin/ratelimits/ratelimitevent/overview/",
}
FOR_ALL_STAFF = {
    "/admin/", "/admin/autocomplete/", "/admin/jsi18n/", "/admin/password_change/", "/admin/password_change/done/",
    "/admin/r/{content_type_id}/{object_id}/",
}  # fmt: skip
OPEN = {"/", "/admin/login/", "/admin/logout/"}


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    settings.DATA_ROOTS = [tmp_path]
    return company(tmp_path)


def tables() -> set[str]:
    """The addresses of the tables listed."""
    lines = [line.partition(": ") for line in TABLES.strip().splitlines()]
    return {f"{CONSOLE}{room}/{name}/" for room, _, names in lines for name in names.split()}


def patterns() -> set[str]:
    """What the router has besides the API, but for what matches many addresses at once."""
    return {route.path for route in routes() if not route.path.startswith(API) and "(?P" not in route.path}


def guarded() -> Iterator[str]:
    """Addresses for staff; the last two match any room and any address of the console."""
    for pattern in sorted(patterns() - OPEN):
        yield re.sub(r"{\w+}", "1", pattern)
    yield from (f"{CONSOLE}datasync/", f"{CONSOLE}nothing/")


def test_every_page_is_listed() -> None:
    of_tables = {table + page for table in tables() for page in OF_A_TABLE}
    assert patterns() == of_tables | BESIDE_TABLES | FOR_ALL_STAFF | OPEN
    assert {f"{CONSOLE}{model._meta.label_lower.replace('.', '/')}/" for model in site._registry} == tables()


@pytest.mark.parametrize("name", ["owner", "teammate", "stranger", "anonymous"])
def test_whoever_is_not_staff_is_sent_to_sign_in(world: World, name: str) -> None:
    browser = Client()
    if name != "anonymous":
        browser.force_login(getattr(world, name))
    for path in guarded():
        for method in (browser.get, browser.post):
            response = method(path)
            assert response.status_code == 302, f"{name} {path}"
            assert response["Location"].startswith("/admin/login/"), f"{name} {path}"


def test_staff_without_rights_see_no_table(world: World) -> None:
    browser = Client()
    browser.force_login(person("newcomer", is_staff=True))
    for_all = {re.sub(r"{\w+}", "1", pattern) for pattern in FOR_ALL_STAFF}
    for path in guarded():
        for method in (browser.get, browser.post):
            response = method(path)
            if response.status_code == 302:  # the short address of a row, or the history of one that is not there
                assert path in for_all or response["Location"] in {f"{path}change/", CONSOLE}, path
            elif path in {f"{CONSOLE}datasync/", f"{CONSOLE}nothing/"}:
                assert response.status_code == 404
            else:
                refused = response.status_code == 403 or (response.status_code == 405 and method == browser.get)
                assert path in for_all or refused, f"{path} {response.status_code}"


def test_staff_with_every_right_see_every_table(world: World) -> None:
    browser = Client()
    browser.force_login(world.staff)
    for table in sorted(tables()):
        assert browser.get(table).status_code == 200, table
