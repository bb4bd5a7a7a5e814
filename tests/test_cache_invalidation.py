"""A committed change of a row makes outdated what was computed from it, at once and everywhere; nothing else does."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from django.db import transaction

from datasync import models
from datasync.choices import AccountState, FileState
from datasync.watched import ACCOUNTS, FILES, QUARANTINE, TEMPLATES
from erp.caching.changes import invalidate
from erp.supervisor import BASE_DIR
from tests.admin_rows import make_template
from tests.cache_support import Counting, Keep, keep, shared_cache
from tests.conftest import test_environment
from tests.quarantine_rows import make_file, make_row

__all__ = ["keep", "shared_cache"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def account(shared_cache: str) -> models.CollectionAccount:
    platform = models.Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})[0]
    return models.CollectionAccount.objects.create(platform=platform, account="main")


@pytest.fixture
def states(account: models.CollectionAccount, keep: Keep) -> Callable[[], list[str]]:
    """The states of the accounts, kept."""

    def states() -> list[str]:
        return list(models.CollectionAccount.objects.order_by("pk").values_list("state", flat=True))

    return keep(states, tags=(ACCOUNTS,))


def pause(account: models.CollectionAccount) -> None:
    models.CollectionAccount.objects.filter(pk=account.pk).update(state=AccountState.PAUSED)


def test_a_change_is_seen_at_once(account: models.CollectionAccount, states: Callable[[], list[str]]) -> None:
    assert states() == ["active"]
    pause(account)
    assert states() == ["paused"]


def test_a_change_that_is_rolled_back_changes_nothing(account: models.CollectionAccount, keep: Keep) -> None:
    kept = keep(Counting(), tags=(ACCOUNTS,))
    kept()
    with transaction.atomic():
        pause(account)
        transaction.set_rollback(True)
    assert kept() == 1


def test_a_savepoint_that_is_rolled_back_changes_nothing(account: models.CollectionAccount, keep: Keep) -> None:
    kept, other = keep(Counting(), tags=(ACCOUNTS,)), keep(Counting(), tags=("b",))
    kept(), other()
    with transaction.atomic():
        with transaction.atomic():
            pause(account)
            transaction.set_rollback(True)
        invalidate("b")
    assert (kept(), other()) == (1, 2)


def test_others_see_the_old_until_the_commit(
    account: models.CollectionAccount, states: Callable[[], list[str]]
) -> None:
    assert states() == ["active"]
    with transaction.atomic():
        pause(account)
        assert states() == ["paused"]  # its own change, for it alone
        assert in_a_thread(states) == ["active"]
    assert in_a_thread(states) == ["paused"]


def test_what_a_transaction_saw_of_itself_is_kept_for_nobody(
    account: models.CollectionAccount, states: Callable[[], list[str]]
) -> None:
    with transaction.atomic():
        pause(account)
        assert states() == ["paused"]
        transaction.set_rollback(True)
    assert states() == ["active"]


def test_what_was_computed_from_before_a_change_is_not_kept_for_after_it(
    account: models.CollectionAccount, keep: Keep
) -> None:
    read, go_on = threading.Event(), threading.Event()

    def slow() -> str:
        found = models.CollectionAccount.objects.get(pk=account.pk).state
        read.set()
        go_on.wait(5)
        return found

    kept = keep(slow, tags=(ACCOUNTS,))
    before: list[object] = []
    thread = threading.Thread(target=lambda: before.append(in_this_thread(kept)))
    thread.start()
    assert read.wait(5)
    pause(account)
    go_on.set()
    assert kept() == "paused"  # although a computation of the same is under way
    thread.join()
    assert before == ["active"]
    assert kept() == "paused"


CHANGES: dict[str, tuple[str, Callable[[models.CatalogFile], object]]] = {
    "a row saved": (FILES, lambda file: file.save()),
    "rows updated": (FILES, lambda file: models.CatalogFile.objects.update(state=FileState.FAILED)),
    "rows updated one by one": (FILES, lambda file: models.CatalogFile.objects.bulk_update([file], ["size"])),
    "rows of another row": (FILES, lambda file: file.platform and file.platform.files.update(rows={})),
    "rows made": (FILES, lambda file: models.CatalogFile.objects.bulk_create([another(file)])),
    "rows deleted": (FILES, lambda file: models.CatalogFile.objects.filter(pk=file.pk).delete()),
    "a row deleted": (FILES, lambda file: file.delete()),
    "a template published": (TEMPLATES, lambda file: make_template()),
    "a row in quarantine": (QUARANTINE, lambda file: make_row(file, 2, "A", "x", "")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_way_of_changing_rows_is_heard_of(change: str, shared_cache: str, keep: Keep) -> None:
    tag, make = CHANGES[change]
    file = make_file()
    kept = keep(Counting(), tags=(tag,))
    assert (kept(), kept()) == (1, 1)
    make(file)
    assert kept() == 2


def test_rows_in_quarantine_are_deleted_without_being_read_and_heard_of(shared_cache: str, keep: Keep) -> None:
    file = make_file()
    make_row(file, 2, "A", "x", "")
    kept = keep(Counting(), tags=(QUARANTINE,))
    kept()
    file.quarantined.all().delete()
    assert kept() == 2


def test_the_shops_of_an_account_are_a_change_of_it(account: models.CollectionAccount, keep: Keep) -> None:
    shop = models.Shop.objects.create(platform=account.platform, shop_id="sg-2")
    kept = keep(Counting(), tags=(ACCOUNTS,))
    kept()
    account.shops.add(shop)
    assert kept() == 2
    account.shops.clear()
    assert kept() == 3


def test_a_change_of_something_else_is_none(account: models.CollectionAccount, keep: Keep) -> None:
    kept = keep(Counting(), tags=(FILES,))
    kept()
    pause(account)
    assert kept() == 1


def test_an_update_that_changes_no_row_is_none(account: models.CollectionAccount, keep: Keep) -> None:
    kept = keep(Counting(), tags=(ACCOUNTS,))
    kept()
    models.CollectionAccount.objects.filter(account="nobody").update(note="x")
    assert kept() == 1


_OTHER = """
import django, sys
django.setup()
from datasync.access import EVERYTHING
from datasync.api import cached
from datasync.models import CollectionAccount

def told():
    query = {"page": 1, "page_size": 50, "ordering": "platform"}
    sys.stdout.write(cached.accounts(query, sight=EVERYTHING)["rows"][0]["state"] + "\\n")
    sys.stdout.flush()

told()
sys.stdin.readline()
told()
CollectionAccount.objects.update(state="blocked")
"""


@pytest.mark.services
def test_a_change_is_seen_by_another_process_at_once(
    account: models.CollectionAccount, states: Callable[[], list[str]], shared_cache: str
) -> None:
    environment = test_environment() | {"REDIS_URL": shared_cache}
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER], cwd=BASE_DIR, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == "active\n"
    assert states() == ["active"]
    pause(account)
    other.stdin.write("\n")
    other.stdin.flush()
    assert other.stdout.readline() == "paused\n"
    assert other.wait(30) == 0
    assert states() == ["blocked"]
    other.communicate()


def another(file: models.CatalogFile) -> models.CatalogFile:
    return models.CatalogFile(
        root=file.root, storage_name="another.csv", original_name="another.csv", size=1, modified_at=file.modified_at,
        sha256="a" * 64, content_sha256="b" * 64,
    )  # fmt: skip


def in_a_thread(kept: Callable[[], object]) -> object:
    """What somebody gets who has a connection of their own."""
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(in_this_thread(kept)))
    thread.start()
    thread.join()
    return answers[0]


def in_this_thread(kept: Callable[[], object]) -> object:
    from django.db import connection  # noqa: PLC0415 - the thread's own

    try:
        return kept()
    finally:
        connection.close()
