"""What the backend for PostgreSQL does beyond Django's: health without a round trip, plans that the server keeps."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import NotSupportedError, OperationalError, ProgrammingError, connection, connections, transaction
from django.db.backends.postgresql import base as postgresql
from django.db.models import QuerySet

from datasync.models import SyncTaskFile
from erp.compiled import Compiled, compiled
from erp.postgresql import base
from erp.postgresql.base import PREPARED_AFTER

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Of PostgreSQL alone"),
]


@pytest.fixture
def asked() -> Compiled[[str], User]:
    @compiled
    def by_name(name: str) -> QuerySet[User]:
        return User.objects.filter(username=name)

    return by_name


def _session() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _end_session() -> None:
    """As when the server is started anew: another session ends this one."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [_session()])
    finally:
        other.close()


def _kept() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor]


def test_a_connection_that_the_server_has_closed_is_not_usable() -> None:
    connection.ensure_connection()
    assert connection.is_usable()

    _end_session()

    assert not connection.is_usable()
    connection.close()


def test_a_request_after_the_server_came_back_gets_a_new_connection(asked: Compiled[[str], User]) -> None:
    User.objects.create_user("ada")
    before = _session()
    _end_session()
    connection.close_if_unusable_or_obsolete()  # as when a request begins

    (found,) = asked("ada")

    assert found.username == "ada"
    assert _session() != before


def test_a_connection_that_broke_within_a_request_is_told(asked: Compiled[[str], User]) -> None:
    asked("ada")
    _end_session()

    with pytest.raises(OperationalError):
        asked("ada")
    connection.close()


def test_what_the_server_says_unasked_does_not_make_a_connection_unusable() -> None:
    connection.ensure_connection()
    before = _session()
    with connection.cursor() as cursor:
        cursor.execute("LISTEN news")
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("NOTIFY news")
    other.close()

    assert connection.is_usable()
    assert _session() == before


def test_the_server_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def is_usable(_: object) -> bool:
        asked.append("asked")
        return True

    monkeypatch.setattr(postgresql.DatabaseWrapper, "is_usable", is_usable)
    connection.ensure_connection()
    for _ in range(3):
        assert connection.is_usable()
    assert len(asked) <= 1

    monkeypatch.setattr(base, "CHECKED_EVERY", 0.0)

    before = len(asked)
    assert connection.is_usable()
    assert len(asked) == before + 1


def test_a_connection_in_the_middle_of_something_is_not_taken_for_quiet() -> None:
    connection.ensure_connection()
    assert connection.is_usable()
    broken = connection.copy()
    with broken.cursor() as cursor:
        assert broken.is_usable()
        broken.set_autocommit(False)
        with pytest.raises(ProgrammingError):
            cursor.execute("SELECT nothing_of_the_kind")

    assert not broken.is_usable()
    broken.close()


def test_the_server_keeps_what_is_asked_often(asked: Compiled[[str], User]) -> None:
    connection.close()
    User.objects.create_user("ada")
    for _ in range(PREPARED_AFTER):
        asked("ada")
    assert not _kept()

    asked("ada")

    (kept,) = _kept()
    assert kept.startswith('SELECT "auth_user"."id"')
    assert [user.username for user in asked("ada")] == ["ada"]
    assert asked("grace") == []


def _until_kept(asked: Compiled[[str], User]) -> None:
    for _ in range(PREPARED_AFTER + 1):
        asked("ada")
    assert _kept()


def _by_another_session(*statements: str) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    finally:
        other.close()


def test_a_column_that_another_session_changes_makes_the_statement_anew(asked: Compiled[[str], User]) -> None:
    User.objects.create_user("ada")
    _until_kept(asked)
    _by_another_session("ALTER TABLE auth_user ALTER COLUMN last_name TYPE varchar(160)")
    try:
        assert [user.username for user in asked("ada")] == ["ada"]
        assert [user.username for user in asked("ada")] == ["ada"]
    finally:
        _by_another_session("ALTER TABLE auth_user ALTER COLUMN last_name TYPE varchar(150)")


def test_a_changed_column_within_a_transaction_fails_it_and_not_the_next(asked: Compiled[[str], User]) -> None:
    User.objects.create_user("ada")
    _until_kept(asked)
    _by_another_session("ALTER TABLE auth_user ALTER COLUMN last_name TYPE varchar(160)")
    try:
        with pytest.raises(NotSupportedError), transaction.atomic():
            asked("ada")
        assert len(asked("ada")) == 1
    finally:
        _by_another_session("ALTER TABLE auth_user ALTER COLUMN last_name TYPE varchar(150)")


def test_statements_that_the_server_has_forgotten_are_made_anew(asked: Compiled[[str], User]) -> None:
    User.objects.create_user("ada")
    _until_kept(asked)
    with connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$")
    assert not _kept()

    assert [user.username for user in asked("ada")] == ["ada"]


def test_what_the_server_kept_is_good_after_a_rollback(asked: Compiled[[str], User]) -> None:
    User.objects.create_user("ada")
    _until_kept(asked)
    with transaction.atomic():
        asked("ada")
        transaction.set_rollback(True)

    assert len(asked("ada")) == 1


def test_numbers_of_any_size_are_one_statement() -> None:
    connection.close()

    @compiled
    def by_task(task_pk: int) -> QuerySet[SyncTaskFile]:
        return SyncTaskFile.objects.filter(task=task_pk)

    for task_pk in (1, 40_000, 3_000_000_000) * (PREPARED_AFTER + 1):
        assert by_task(task_pk) == []

    assert len(_kept()) == 1


def test_what_never_changes_is_part_of_the_statement() -> None:
    connection.close()

    @compiled
    def waiting(task_pk: int) -> QuerySet[SyncTaskFile]:
        return SyncTaskFile.objects.filter(task=task_pk, state="queued").exclude(file_sha256__contains="100%")

    for _ in range(PREPARED_AFTER + 1):
        assert waiting(1) == []

    (kept,) = _kept()
    assert "'queued'" in kept
    assert r"E'%100\\%%'" in kept
    assert "$2" not in kept


def test_other_statements_are_not_remembered(asked: Compiled[[str], User]) -> None:
    connection.close()
    asked("ada")
    for number in range(50):
        User.objects.filter(username=f"somebody {number}").exists()

    _until_kept(asked)

    assert len(_kept()) == 1
    assert connection.connection.prepare_threshold is None


def test_nothing_of_the_thread_that_asked_first_is_kept() -> None:
    @compiled
    def by_name(name: str) -> QuerySet[User]:
        return User.objects.filter(username=name)

    def ask() -> weakref.ref[Any]:
        by_name("ada")
        own = connections["default"]
        own.close()
        return weakref.ref(own)

    with ThreadPoolExecutor(1) as thread:
        connection_of_the_thread = thread.submit(ask).result()
    gc.collect()

    assert connection_of_the_thread() is None
    assert by_name("ada") == []
