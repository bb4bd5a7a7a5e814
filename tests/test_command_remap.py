"""``manage.py templates remap``, and the same from the console's list of templates."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from datasync.management.base import ConsoleError, Exit
from datasync.management.commands.templates import Command
from datasync.models import HeaderTemplate, SyncProgressTask
from tests.api import staff
from tests.remap_support import (
    Bell,
    bell,
    corrected,
    facts,
    inbox,
    line,
    synced,
    take_turn,
    template_of,
    with_column,
    write_orders,
)

__all__ = ["bell", "inbox", "staff"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stored(inbox: Path, bell: Bell) -> HeaderTemplate:
    """A corrected template whose rows are stored as the one before read them."""
    synced(write_orders(inbox, [line("A1"), line("B1"), line("C1", recipient="")]))
    orders = template_of("orders", granularity="daily")
    return corrected(orders, with_column("Recipient", field="buyer_name", required=True))


def _run(*arguments: str) -> tuple[str, Exit]:
    command = Command(stdout=io.StringIO())
    call_command(command, "remap", *arguments)
    return command.stdout._out.getvalue(), command.exit_code  # type: ignore[attr-defined]


def test_a_dry_run(stored: HeaderTemplate) -> None:
    before = facts()
    text, code = _run(str(stored.pk), "--dry-run")
    assert code == Exit.OK
    assert "REQUIRED_MISSING" in text
    assert "buyer_name" in text
    told, _ = _run(str(stored.pk), "--dry-run", "--json")
    document = json.loads(told)
    assert (document["rows"], document["updated"], document["quarantined"]) == (3, 2, 1)
    assert facts() == before
    assert not SyncProgressTask.objects.filter(kind="remap").exists()


def test_it_is_followed_to_its_end(stored: HeaderTemplate, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(task: SyncProgressTask, **_: Any) -> None:
        take_turn()
        task.refresh_from_db()

    monkeypatch.setattr("datasync.management.remap.watch", work)
    told, code = _run(str(stored.pk), "--wait", "--json")
    document = json.loads(told)
    assert (document["status"], document["rows"]["updated"], document["busy_file_ids"]) == ("partial", 2, [])
    assert code == Exit.QUARANTINED


def test_without_waiting_the_task_is_named(stored: HeaderTemplate) -> None:
    text, code = _run(str(stored.pk))
    assert code == Exit.OK
    assert SyncProgressTask.objects.get(kind="remap").task_id in text


def test_nothing_to_do(inbox: Path, bell: Bell) -> None:
    text, code = _run(str(template_of("orders", granularity="daily").pk))
    assert (text.strip(), code) == ("No stored row is concerned.", Exit.OK)


def test_an_unknown_template(db: None) -> None:
    with pytest.raises(ConsoleError) as refused:
        _run("4711")
    assert (refused.value.code, refused.value.returncode) == ("TEMPLATE_NOT_FOUND", Exit.USAGE)


def test_the_console_shows_first_and_starts_then(stored: HeaderTemplate, staff: User) -> None:
    staff.is_superuser = True
    staff.save()
    client = Client()
    client.force_login(staff)
    address = reverse("admin:datasync_headertemplate_changelist")
    chosen = {"action": "remap", "_selected_action": str(stored.pk)}
    page = client.post(address, chosen)
    assert page.status_code == 200
    assert "buyer_name" in page.content.decode() or "Recipient" in page.content.decode()
    assert not SyncProgressTask.objects.filter(kind="remap").exists()
    assert client.post(address, chosen | {"start": "Start"}).status_code == 302
    assert SyncProgressTask.objects.get(kind="remap").owner == staff
