"""What the backend for PostgreSQL does beyond Django's: health without a round trip, plans that the server keeps."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet

from erp.compiled import Compiled, compiled
from erp.connections import PREPARED_AFTER

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="Of PostgreSQL alone"),
]


@pytest.fixture
def asked() -> Compiled[User]:
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


def test_a_request_after_the_server_came_back_gets_a_new_connection(asked: Compiled[User]) -> None:
    User.objects.create_user("ada")
    before = _session()
    _end_session()
    connection.close_if_unusable_or_obsolete()  # as when a request begins

    (found,) = asked("ada")

    assert found.username == "ada"
    assert _session() != before


def test_a_connection_that_broke_within_a_request_is_told(asked: Compiled[User]) -> None:
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


def test_the_server_keeps_what_is_asked_often(asked: Compiled[User]) -> None:
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


def test_what_the_server_kept_is_good_after_a_rollback_and_a_change_of_the_table(asked: Compiled[User]) -> None:
    User.objects.create_user("ada")
    for _ in range(PREPARED_AFTER + 1):
        asked("ada")

    with transaction.atomic():
        asked("ada")
        transaction.set_rollback(True)
    assert len(asked("ada")) == 1
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE auth_user ADD COLUMN nickname text")
    try:
        assert len(asked("ada")) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE auth_user DROP COLUMN nickname")
