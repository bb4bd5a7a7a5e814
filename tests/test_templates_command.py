"""``templates``: look, compare, draft, import, publish, archive, delete and recheck from a terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from datasync.choices import AuditAction
from datasync.management.base import ConsoleError, Exit
from datasync.mapping import services
from datasync.mapping.versions import exported, find_template
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate
from tests.quarantine_rows import make_file
from tests.templates_support import draft, waiting

pytestmark = pytest.mark.django_db


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    call_command("templates", *map(str, arguments), "--json")
    return json.loads(capsys.readouterr().out)


def shown(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    call_command("templates", *map(str, arguments))
    return capsys.readouterr().out


def refused(*arguments: object) -> ConsoleError:
    with pytest.raises(ConsoleError) as raised:
        call_command("templates", *map(str, arguments))
    return raised.value


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    row = draft("Order\x1b[31m ID", "SKU", "Quantity")
    document = answer(capsys, "show", row.pk)
    assert (document["id"], [one["field"] for one in document["columns"]]) == (row.pk, ["order_id", "sku", "quantity"])
    table = shown(capsys, "show", row.pk)
    assert "quantity" in table
    assert "\x1b" not in table


def test_compare(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = draft(), draft("Order ID", "SKU", "Pieces", header_row=1)
    assert answer(capsys, "compare", before.pk, after.pk)["differences"]["added"] == ["Pieces"]
    table = shown(capsys, "compare", before.pk, after.pk)
    assert "0 → 1" in table
    file = make_file(header=["Order ID", "SKU", "Quantity"])
    assert answer(capsys, "compare", before.pk, "--file", file.pk)["verdict"] == "synced"
    assert refused("compare", before.pk).returncode == Exit.USAGE
    assert refused("compare", before.pk, "--file", 4242).code == "FILE_NOT_FOUND"


def test_publish_and_archive_say_first_what_they_do(capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("ada")
    row = draft()
    assert answer(capsys, "publish", row.pk, "--dry-run")["template"]["state"] == "draft"
    assert answer(capsys, "publish", row.pk, "--user", "ada")["template"]["state"] == "published"
    assert AuditEntry.objects.get(action=AuditAction.TEMPLATE_PUBLISHED).actor_name == "ada"
    assert "Nothing was changed." in shown(capsys, "archive", row.pk, "--dry-run")
    assert answer(capsys, "archive", row.pk)["template"]["state"] == "archived"
    failure = refused("publish", row.pk)
    assert (failure.code, failure.returncode) == ("TEMPLATE_NOT_DRAFT", Exit.USAGE)


def test_a_new_version_is_drafted_and_thrown_away(capsys: pytest.CaptureFixture[str]) -> None:
    row = services.publish(draft())
    made = answer(capsys, "new-version", row.pk)
    assert (made["version"], made["state"]) == (2, "draft")
    assert answer(capsys, "delete", made["id"], "--dry-run")["template"]["id"] == made["id"]
    assert HeaderTemplate.objects.count() == 2
    shown(capsys, "delete", made["id"])
    assert HeaderTemplate.objects.get() == row
    assert refused("delete", row.pk, "--dry-run").code == "TEMPLATE_NOT_DRAFT"


def test_import(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    row = services.publish(draft())
    path = tmp_path / "mine.toml"
    path.write_text(exported(find_template(row.pk))[1])
    (same,) = answer(capsys, "import", path)["templates"]
    assert (same["action"], same["id"]) == ("unchanged", row.pk)
    path.write_text(path.read_text().replace("header_row = 0", "header_row = 3"))
    planned = answer(capsys, "import", path, "--publish", "--dry-run")
    assert (planned["dry_run"], planned["templates"][0]["id"]) == (True, None)
    assert "published" in shown(capsys, "import", path, "--publish")
    assert HeaderTemplate.objects.get(state="published").header_row == 3
    path.write_text("x")
    assert refused("import", path).returncode == Exit.REFUSED


def test_recheck(capsys: pytest.CaptureFixture[str], settings: Any, tmp_path: Path) -> None:
    settings.DATA_ROOTS = [tmp_path]
    file = waiting(tmp_path)
    services.publish(draft())
    CatalogFile.objects.update(template=None, match={})
    assert answer(capsys, "recheck", "--dry-run")["looked_at"] == 1
    assert file.original_name in shown(capsys, "recheck", "--platform", "shopee", "--domain", "orders")
    assert answer(capsys, "recheck")["looked_at"] == 0
    assert refused("recheck", "--platform", "nope").returncode == Exit.USAGE


@pytest.mark.parametrize("action", ["show", "new-version", "publish", "archive", "delete"])
def test_unknown_ids(action: str) -> None:
    failure = refused(action, 424242)
    assert (failure.code, failure.returncode) == ("TEMPLATE_NOT_FOUND", Exit.USAGE)
