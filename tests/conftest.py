"""What every test may use: a database, private servers and real workers.

``TEST_DATABASE=sqlite`` (the default) runs the session on a SQLite file and the file-system broker,
``TEST_DATABASE=postgres`` on a private PostgreSQL and Redis. The environment is prepared before the settings are read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.test import TransactionTestCase

from erp.broker import QUEUES
from erp.messages import compile_messages
from tests import services
from tests.environment import CONFIGURING
from tests.workers import Worker

_started: list[services.Server] = []
_folder = Path(tempfile.mkdtemp(prefix="erp-tests-"))


def pytest_configure(config: pytest.Config) -> None:
    """Give the session its own folder and servers, whatever the environment of the developer says."""
    if _only_hands_out(config):
        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # which importing this named; those would read it at once
        return
    for name in CONFIGURING:
        os.environ.pop(name, None)
    os.environ["VAR_DIR"] = str(_folder / "var")
    os.environ["GROWING_SECONDS"] = "0"
    os.environ["RATE_LIMITS_ENABLED"] = "false"  # tests/rates.py turns them on where they are what is tested
    database = _database()
    if database == "postgres":
        for variable, start in (("DATABASE_URL", services.start_postgres), ("REDIS_URL", services.start_redis)):
            server = start()
            _started.append(server)
            os.environ[variable] = server.url
    elif database != "sqlite":
        raise pytest.UsageError(f"TEST_DATABASE is {database!r}; write sqlite or postgres.")
    os.environ["DJANGO_SETTINGS_MODULE"] = "erp.settings"
    compile_messages(settings.LOCALE_PATHS)
    settings.STATIC_ROOT.mkdir(parents=True)
    django.setup()
    from tests import contract  # noqa: PLC0415 - needs the settings

    contract.watch()


def _only_hands_out(config: pytest.Config) -> bool:
    """Whether other processes, each with servers of its own, run the tests of this one (``-n``)."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A whole run on PostgreSQL fails when no test got an answer that the API's document promises."""
    whole = session.config.args == session.config.getini("testpaths") and not session.config.option.keyword
    if exitstatus or not whole or _database() != "postgres":
        return
    from tests import contract  # noqa: PLC0415

    missing = contract.unseen()
    for method, path, status, code in missing:
        print(f"\nno test got this answer: {method} {path} {status} {code}", end="")
    if missing:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what the session started and leave nothing in the temporary folder."""
    shutil.rmtree(_folder, ignore_errors=True)
    if _only_hands_out(config):
        return
    from django.db import connections  # noqa: PLC0415 - the settings are read after this module

    connections.close_all()
    while _started:
        _started.pop().stop()
    shutil.rmtree(_folder, ignore_errors=True)


def _database() -> str:
    return os.environ.get("TEST_DATABASE", "sqlite")


_OF_A_DATABASE = {"db", "transactional_db", "private_postgres", "private_redis", "worker"}
_DOORS = {
    "test_api_": "postgres",
    "test_bad_input_api_": "postgres",
    "test_postgresql_": "postgres",
    **dict.fromkeys(("test_admin_", "test_command_", "test_demo", "test_tooling_serve"), "sqlite"),
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fast tests first: what starts servers or workers comes after, what is marked slow comes last.

    The rooms are tested on both databases. Once is enough for each door to them, and for what touches no database;
    what kills processes has a run of its own. A test that is asked for by its file's name runs on either.
    """
    if config.args == config.getini("testpaths"):
        elsewhere = [item for item in items if not _belongs_here(item)]
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if _belongs_here(item)]

    def cost(item: pytest.Item) -> int:
        if item.get_closest_marker("slow"):
            return 2
        uses = set(getattr(item, "fixturenames", ()))
        return int(bool(uses & {"worker", "private_postgres", "private_redis"} or item.get_closest_marker("services")))

    items.sort(key=cost)


def _belongs_here(item: pytest.Item) -> bool:
    if item.path.parent.name == "faults":
        return False
    if not _touches_a_database(item):
        return _database() == "sqlite"
    doors = (database for name, database in _DOORS.items() if item.path.name.startswith(name))
    return next(doors, _database()) == _database()


def _touches_a_database(item: pytest.Item) -> bool:
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("services")
    return bool(marked or _OF_A_DATABASE & set(getattr(item, "fixturenames", ())))


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """A SQLite test database is a file, because threads and workers have to see it."""
    from erp.environment import text  # noqa: PLC0415

    if not text("DATABASE_URL"):
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(_folder / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> None:
    """Hashing passwords as in production costs a third of a second a user."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process may be told a second late, tests want to know at once."""
    from datasync.runs import situation  # noqa: PLC0415 - the settings are read after this module

    for asked in (situation.places, situation.worker_lives):
        monkeypatch.setattr(asked, "seconds", 0.0)


@pytest.fixture(autouse=True)
def no_language_left() -> Iterator[None]:
    """Whoever asks as a browser does leaves the language of the last answer behind in the thread."""
    from django.utils import translation  # noqa: PLC0415 - the settings are read after this module

    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def nothing_cached_of_another_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that commits its rows are taken away behind the product's back."""
    yield
    marked = request.node.get_closest_marker("django_db")
    if "transactional_db" in request.fixturenames or (marked and marked.kwargs.get("transaction")):
        from erp.caching.tags import EVERYTHING, renew  # noqa: PLC0415 - the settings are read after this module

        renew({EVERYTHING})


@pytest.fixture(scope="session", autouse=True)
def quick_emptying() -> Iterator[None]:
    """After a test that commits, empty only the tables in which there is something.

    Django truncates all of them, which makes PostgreSQL write some hundred new files each time.
    """
    if _database() != "postgres":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _self: _empty_tables())
        yield


def _empty_tables() -> None:
    from django.db import connection, transaction  # noqa: PLC0415 - the settings are read after this module

    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    quoted = [connection.ops.quote_name(name) for name in tables if name not in _MADE_ONCE]
    filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in quoted)
    with transaction.atomic(), connection.cursor() as cursor:  # references are checked at the end
        cursor.execute(filled)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")


_MADE_ONCE = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def private_postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server that belongs to this session."""
    yield from _shared("DATABASE_URL", services.start_postgres)


@pytest.fixture(scope="session")
def private_redis() -> Iterator[str]:
    """The URL of a Redis server that belongs to this session."""
    yield from _shared("REDIS_URL", services.start_redis)


def _shared(variable: str, start: Callable[[], services.Server]) -> Iterator[str]:
    """The session's own server where it has one, else one started now."""
    if url := os.environ.get(variable):
        yield url
        return
    server = start()
    yield server.url
    server.stop()


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    """Start real workers on the session's test database and broker: ``worker(processes=2, environment={…})``.

    They see only what is committed, hence the transactional database. Messages of earlier tests are thrown away.
    """
    from erp.celery import app  # noqa: PLC0415

    def purge() -> None:
        with app.connection_for_write() as connection:  # the pool keeps to the broker that it met first
            app.control.purge(connection)

    running: list[Worker] = []
    purge()

    def start(
        *, processes: int = 1, environment: dict[str, str] | None = None, queues: Sequence[str] = QUEUES
    ) -> Worker:
        number = len(running) + 1
        one = Worker.start(
            name=f"test{number}",
            processes=processes,
            environment=test_environment() | (environment or {}),
            log=tmp_path / f"worker{number}.log",
            queues=queues,
        )
        running.append(one)
        return one

    yield start
    for one in running:
        one.kill()
    purge()


def test_environment() -> dict[str, str]:
    """The environment in which another process works on this session's test database."""
    from django.db import connection  # noqa: PLC0415

    if connection.vendor == "sqlite":
        url = f"sqlite:///{connection.settings_dict['NAME']}"
    else:
        url = f"{os.environ['DATABASE_URL'].rsplit('/', 1)[0]}/{connection.settings_dict['NAME']}"
    return dict(os.environ) | {"DATABASE_URL": url}


test_environment.__test__ = False  # type: ignore[attr-defined]
