"""``templates``: load, list, validate, export; suggest a mapping for an unknown header and publish it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from datasync.catalog.services import catalogue_path
from datasync.choices import AuditAction, TemplateState
from datasync.management.base import ConsoleError, Exit
from datasync.mapping.template_file import BUILTIN
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate

pytestmark = pytest.mark.django_db


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    call_command("templates", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def loaded(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("templates", "load")
    capsys.readouterr()


@pytest.fixture
def unknown(loaded: None, tmp_path: Path, settings: Any) -> CatalogFile:
    """A Shopify export, for which no template comes along."""
    settings.DATA_ROOTS, settings.GROWING_SECONDS = [tmp_path], 0
    path = tmp_path / "shopify_orders_daily_20260101_000000.csv"
    path.write_text(
        "Name,Created at,Lineitem sku,Lineitem quantity,Total\n"
        + "".join(f"#{number},2026-01-01 10:00:00 +0800,SKU-{number},2,10.50\n" for number in range(1001, 1021))
    )
    return catalogue_path(path)


def test_load_twice_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    first = answer(capsys, "load")
    assert first["created"] == HeaderTemplate.objects.count() > 0
    counts = {"created": 0, "updated": 0, "unchanged": first["created"], "kept": 0}
    assert answer(capsys, "load") == {"dry_run": False, **counts, "templates": []}


def test_load_says_first_what_it_would_do(loaded: None, capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("ada")
    mine = HeaderTemplate.objects.filter(domain="products").earliest("pk")
    HeaderTemplate.objects.filter(pk=mine.pk).update(origin="operator", header_row=5)
    assert answer(capsys, "load", "--dry-run")["templates"] == [{"name": ANY, "action": "kept"}]
    planned = answer(capsys, "load", "--dry-run", "--force")
    assert [one["action"] for one in planned["templates"]] == ["updated"]
    call_command("templates", "load", "--dry-run", "--force")
    assert "Nothing was changed." in capsys.readouterr().out
    assert not HeaderTemplate.objects.filter(version=mine.version + 1).exists()
    assert answer(capsys, "load", "--force", "--user", "ada") == planned | {"dry_run": False}
    entry = AuditEntry.objects.latest("pk")
    assert (entry.action, entry.actor_name) == (AuditAction.TEMPLATE_PUBLISHED, "ada")
    assert entry.detail["archived"] == [mine.pk]


def test_load_takes_no_files(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="unrecognized"):
        call_command("templates", "load", str(tmp_path / "mine.toml"))


def test_list_filters(loaded: None, capsys: pytest.CaptureFixture[str]) -> None:
    everything = answer(capsys, "list")
    orders = answer(capsys, "list", "--domain", "orders", "--platform", "shopee", "--state", "published")
    assert 0 < len(orders) < len(everything)
    assert all(entry["name"].startswith("shopee/") for entry in orders)
    assert answer(capsys, "list", "--state", "archived") == []


def test_empty_list_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("templates", "list")
    assert "templates load" in capsys.readouterr().out


def test_exported_template_is_imported_again(loaded: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = HeaderTemplate.objects.filter(domain="orders").first()
    assert row is not None
    path = tmp_path / "mine.toml"
    assert answer(capsys, "export", str(row.pk), "--output", str(path))["path"] == str(path)
    assert answer(capsys, "validate", str(path)) == [{"path": str(path), "templates": 1, "error": ""}]
    (same,) = answer(capsys, "import", str(path))["templates"]
    assert (same["id"], same["action"]) == (row.pk, "unchanged")
    changed = path.read_text(encoding="utf-8").replace("required = true", "required = false", 1)
    path.write_text(changed, encoding="utf-8")
    (drafted,) = answer(capsys, "import", str(path))["templates"]
    assert HeaderTemplate.objects.get(pk=drafted["id"]).state == TemplateState.DRAFT


def test_export_goes_to_standard_output(loaded: None, capsys: pytest.CaptureFixture[str]) -> None:
    row = HeaderTemplate.objects.first()
    assert row is not None
    call_command("templates", "export", str(row.pk))
    assert capsys.readouterr().out.startswith("[family]\n")


def test_validate_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("family = 3")
    deep = tmp_path / "deep.toml"
    deep.write_text(f"family = {'[' * 5000}")
    good = next(BUILTIN.glob("*.toml"))
    with pytest.raises(SystemExit) as ended:
        _shell("templates", "validate", str(deep), str(wrong), str(good), "--json")
    assert ended.value.code == Exit.REFUSED
    first, second, third = json.loads(capsys.readouterr().out)
    assert "deep.toml: it is nested too deeply" in first["error"]
    assert "wrong.toml" in second["error"]
    assert third["error"] == ""


def test_suggestion_is_shown_then_published(unknown: CatalogFile, capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("ada")
    call_command("templates", "suggest", str(unknown.pk))
    assert f"publish-suggestion {unknown.pk}" in capsys.readouterr().out
    suggestion = answer(capsys, "suggest", str(unknown.pk))
    assert {column["field"] for column in suggestion["columns"]} >= {"order_id", "sku", "quantity"}
    (published,) = answer(capsys, "publish-suggestion", str(unknown.pk), "--user", "ada")
    row = HeaderTemplate.objects.get(pk=published["id"])
    assert row.state == TemplateState.PUBLISHED
    assert row.created_by is not None
    assert row.created_by.username == "ada"


def test_suggestion_that_cannot_be_published_says_what_is_in_the_way(
    unknown: CatalogFile, capsys: pytest.CaptureFixture[str]
) -> None:
    CatalogFile.objects.filter(pk=unknown.pk).update(granularity="")
    call_command("templates", "suggest", str(unknown.pk))
    shown = capsys.readouterr().out
    assert "publish-suggestion" not in shown
    assert "Describe the file" in shown
    assert answer(capsys, "suggest", str(unknown.pk))["hindrance"]["error"]["code"] == "NEEDS_DESCRIPTION"
    with pytest.raises(ConsoleError) as raised:
        call_command("templates", "publish-suggestion", str(unknown.pk))
    assert raised.value.code == "NEEDS_DESCRIPTION"


def test_unknown_platform_is_a_usage_error(loaded: None) -> None:
    with pytest.raises(ConsoleError, match="nope") as raised:
        call_command("templates", "list", "--platform", "nope")
    assert raised.value.returncode == Exit.USAGE


@pytest.mark.parametrize("action", ["suggest", "publish-suggestion", "export"])
def test_unknown_id_is_a_usage_error(action: str) -> None:
    with pytest.raises(ConsoleError) as raised:
        call_command("templates", action, "424242")
    assert raised.value.returncode == Exit.USAGE


def _shell(*arguments: str) -> None:
    """Run a command as the shell does, in this process and its database."""
    from django.core.management import load_command_class  # noqa: PLC0415

    command = load_command_class("datasync", arguments[0])
    command._called_from_command_line = True  # type: ignore[attr-defined]
    call_command(command, *arguments[1:])
