"""``quality_report``: the newest score of each shop and domain, or those of one task."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from datasync.management.base import ConsoleError, Exit
from datasync.models import Platform, QualityReport
from tests.quarantine_rows import make_file, make_task

pytestmark = pytest.mark.django_db


@pytest.fixture
def reports() -> None:
    file = make_file()
    assert file.platform is not None
    for task_id, scores in (("batch_old", {"orders": 40.0}), ("batch_new", {"orders": 99.5, "products": 56.25})):
        other = make_file(f"{task_id}.csv")
        task = make_task(other, task_id=task_id)
        for domain, score in scores.items():
            QualityReport.objects.create(
                task=task, platform=file.platform, shop=file.shop, domain=domain, score=score, rows=10,
                missing_fields=["rating"],
            )  # fmt: skip


def scores(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, float]:
    call_command("quality_report", *arguments, "--json")
    document: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return {entry["domain"]: entry["score"] for entry in document}


def test_newest_of_each_shop_and_domain(reports: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert scores(capsys) == {"orders": 99.5, "products": 56.25}
    assert scores(capsys, "--below", "90") == {"products": 56.25}
    assert scores(capsys, "--domain", "orders", "--shop", "sg1", "--platform", "shopee") == {"orders": 99.5}
    assert scores(capsys, "--below", "10") == {}


def test_those_of_one_task(reports: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert scores(capsys, "--task", "batch_old") == {"orders": 40.0}


def test_table(reports: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("quality_report")
    shown = capsys.readouterr().out
    assert "99.5" in shown
    assert "rating" in shown


def test_none_says_when_one_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("quality_report")
    assert "when a sync ends" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "code"), [("--task", "TASK_NOT_FOUND"), ("--platform", "NOT_FOUND"), ("--shop", "NOT_FOUND")]
)
def test_what_is_not_known_is_a_usage_error(reports: None, option: str, code: str) -> None:
    with pytest.raises(ConsoleError, match="nope") as raised:
        call_command("quality_report", option, "nope")
    assert (raised.value.returncode, raised.value.code) == (Exit.USAGE, code)


def test_a_shop_is_known_on_its_own_platform_only(reports: None) -> None:
    Platform.objects.create(code="lazada", name="Lazada")
    with pytest.raises(ConsoleError, match="sg1"):
        call_command("quality_report", "--platform", "lazada", "--shop", "sg1")
