"""Indexes that a migration drops and makes by hand: they are what the models say, there, back, and after a cut."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from datasync.models import CatalogFile, SyncProgressTask, SyncTaskFile

pytestmark = pytest.mark.django_db(transaction=True)
_by_hand: Any = import_module("datasync.migrations.0012_fewer_indexes")
POSTGRESQL = connection.vendor == "postgresql"
GOING = {name for name in _by_hand._GOING if POSTGRESQL or not name.endswith("_like")}
COMING = set(_by_hand._COMING)


def found() -> set[str]:
    names: set[str] = set()
    with connection.cursor() as cursor:
        for model in (CatalogFile, SyncProgressTask, SyncTaskFile):
            names |= set(connection.introspection.get_constraints(cursor, model._meta.db_table))
    return names


def test_every_change_of_the_models_is_in_a_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_indexes_go_and_come_back() -> None:
    assert found() >= COMING
    assert found().isdisjoint(GOING)
    try:
        call_command("migrate", "datasync", "0011", verbosity=0)
        assert found() >= GOING
        assert found().isdisjoint(COMING)
    finally:
        call_command("migrate", verbosity=0)
    assert found() >= COMING
    assert found().isdisjoint(GOING)


def test_a_migration_that_was_cut_off_goes_on() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX file_uploader")
        cursor.execute("CREATE INDEX datasync_catalogfile_sha256_91e77dd3 ON datasync_catalogfile (sha256)")
    for _ in range(2):  # and where all is done it does nothing
        with connection.schema_editor(atomic=False) as editor:
            _by_hand._forwards(None, editor)
        assert found() >= COMING
        assert found().isdisjoint(GOING)


@pytest.mark.skipif(not POSTGRESQL, reason="only PostgreSQL makes indexes beside work, and keeps those that failed")
def test_an_index_that_was_cut_off_is_made_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'file_content'::regclass")
        with connection.schema_editor(atomic=False) as editor:
            _by_hand._forwards(None, editor)
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'file_content'::regclass")
        assert cursor.fetchone() == (True,)


@pytest.mark.skipif(not POSTGRESQL, reason="on SQLite columns keep what they had until their table is made again")
def test_unique_constraints_have_the_names_that_the_models_say() -> None:
    wanted = {constraint.name for constraint in SyncProgressTask._meta.constraints}
    assert found() >= wanted
