"""Two worker hosts, and a third with the web and the servers: one host is cut off in the middle of a batch.

The hosts are network namespaces; they have nothing in common but the servers, and the storage of the uploads: a folder
as a mount that all have, or a bucket. Nobody is told that the host is gone; packets just do not arrive any more.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from redis import Redis

from datasync.access import EVERYTHING
from datasync.catalog.services import Description, store_upload
from datasync.choices import ItemState
from datasync.models import OrderLine, SyncTaskFile
from datasync.runs import services
from datasync.runs.sweep import sweep
from erp.publishing import breaker
from tests.bucket_server import start_bucket_server
from tests.conftest import test_environment
from tests.faults.ledger import at_rest, check
from tests.faults.machines import Host, Network, network, refusal
from tests.faults.processes import pool_of
from tests.faults.stops import Point, Stops
from tests.faults.trials import Trials
from tests.services import Server, postgres_binaries, start_postgres, start_redis, wait_until
from tests.test_runs_whole_way import HEADER
from tests.workers import Worker

LEASE_SECONDS = int(os.environ.get("FAULT_LEASE_SECONDS", "8"))
FILES, ROWS = 8, 400
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(os.environ.get("TEST_DATABASE") != "postgres", reason="several hosts need PostgreSQL and Redis"),
]
StartOn = Callable[[Host], Worker]


@dataclass
class Third:
    """The host of this process: the network it is at the end of, and what the workers on the others are told."""

    network: Network
    environment: dict[str, str]


@pytest.fixture
def third(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Third]:
    """The network, with a PostgreSQL and a Redis that listen on it; this process uses them too while the test lasts."""
    if reason := refusal():
        pytest.skip(reason)
    with ExitStack() as stack:
        made = stack.enter_context(network(hosts=2))
        postgres, redis = _postgres_on(made.address, stack), _redis_on(made.address, stack)
        for name in ("broker_url", "broker_write_url", "broker_read_url"):
            monkeypatch.setitem(current_app.conf, name, redis.url)
        stack.callback(breaker.succeeded)
        stack.callback(connection.close)
        _move_database(postgres.url, stack)
        server = postgres.url.replace("127.0.0.1", made.address).rsplit("/", 1)[0]
        told = {
            "DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}",
            "REDIS_URL": redis.url.replace("127.0.0.1", made.address),
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "DATA_ROOTS": str(inbox),
        }
        yield Third(made, test_environment() | told)


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, third: Third, settings: Any, tmp_path: Path) -> Iterator[str]:
    """Where the uploads are kept, for this process as the web and for the hosts."""
    settings.VAR_DIR = tmp_path / "third"
    if request.param == "folder":
        settings.UPLOAD_DIR = tmp_path / "mount"
        third.environment["UPLOAD_DIR"] = str(settings.UPLOAD_DIR)
        yield request.param
        return
    server = start_bucket_server(third.network.address)
    try:
        bucket = server.make_bucket()
        settings.STORAGES = settings.STORAGES | {"uploads": server.storage(bucket)}
        settings.UPLOAD_DIR = tmp_path / "not-used"
        third.environment |= server.environment(bucket) | {"UPLOAD_DIR": str(settings.UPLOAD_DIR)}
        yield request.param
    finally:
        server.stop()


@pytest.fixture
def start_on(third: Third, storage: str, tmp_path: Path) -> Iterator[StartOn]:
    """Start a worker with one process on a host, whose folders are its own."""
    with ExitStack() as running:

        def started(host: Host) -> Worker:
            own = tmp_path / host.name
            (own / "tmp").mkdir(parents=True)
            worker = Worker.start(
                name=host.name,
                processes=1,
                environment=third.environment | {"VAR_DIR": str(own / "var"), "TMPDIR": str(own / "tmp")},
                log=tmp_path / f"{host.name}.log",
                within=host.within,
            )
            running.callback(worker.kill)
            return worker

        yield started


@pytest.mark.alone
def test_g4_a_host_that_is_cut_off_loses_its_file_to_the_other(
    third: Third, storage: str, start_on: StartOn, tmp_path: Path
) -> None:
    trials = Trials("G4", f"a host is cut off in the middle of a load; uploads in a {storage}", cost=1_000_000)
    expected = _upload(FILES, trial=0)
    stops = Stops()
    stops.install()
    struck = next(iter(expected))
    stops.set(struck, Point.COPY, order_id=expected[struck][ROWS // 2])
    workers = {host: start_on(host) for host in third.network.hosts}
    task = services.submit_by_ids(file_ids=list(expected), owner=None, sight=EVERYTHING).task
    wait_until(lambda: bool(stops.reached()), seconds=120, what=_logs("a load in COPY", workers))

    (reached,) = stops.reached()
    lost = next(host for host, worker in workers.items() if reached.process in pool_of(worker))
    lost.cut_off()
    cut = timezone.now()
    stops.let_all_go()
    wait_until(_rest_as_the_clock_sweeps, seconds=120, what=_logs("the batch", workers))
    item = task.items.get(file=struck)
    assert (item.state, item.attempt, item.crashes) == (ItemState.COMPLETED, 2, 1)
    assert set(task.items.values_list("state", flat=True)) == {ItemState.COMPLETED}
    assert item.finished_at is not None
    seconds = (item.finished_at - cut).total_seconds()
    trials.recovery.append(seconds)
    assert seconds <= 2 * LEASE_SECONDS
    check(expected, trials)
    written = set(OrderLine.objects.values_list("pk", "updated_at"))

    lost.connect()
    for host, worker in workers.items():
        if host is not lost:
            worker.stop()
    expected |= (later := _upload(2, trial=1))
    services.submit_by_ids(file_ids=list(later), owner=None, sight=EVERYTHING)
    wait_until(_rest_as_the_clock_sweeps, seconds=180, what=_logs("work of the host that is back", workers))
    again = SyncTaskFile.objects.filter(file__in=later)
    assert {name.split(":")[1] for name in again.values_list("worker", flat=True)} <= set(
        map(str, pool_of(workers[lost]))
    )
    assert written <= set(OrderLine.objects.values_list("pk", "updated_at"))
    check(expected, trials)
    assert not list(tmp_path.rglob("copies/*/*"))
    trials.tried += 1


def _upload(files: int, *, trial: int) -> dict[int, list[str]]:
    """Upload so many order exports of shops of their own; the order ids of each, by its file's primary key."""
    orders: dict[int, list[str]] = {}
    for number in range(files):
        named = [f"M{trial}F{number}-{row}" for row in range(ROWS)]
        lines = [
            f"{order},Completed,TN{row},2026-03-06 13:16,2026-03-06 13:20,SKU-{row},Red,25.00,20.00,1,20.00,1.00,Ana"
            for row, order in enumerate(named)
        ]
        name = f"shopee_orders_daily_20260306_{trial:03d}{number:03d}.csv"
        uploaded = SimpleUploadedFile(name, "\n".join([HEADER, *lines]).encode())
        described = Description(platform="shopee", shop_id=f"shop-{trial}-{number}")
        orders[store_upload(uploaded=uploaded, description=described, sight=EVERYTHING).pk] = named
    return orders


def _rest_as_the_clock_sweeps() -> bool:
    """Whether all is done; the third host has Celery's clock, which sweeps."""
    sweep()
    return at_rest()


def _logs(what: str, workers: dict[Host, Worker]) -> str:
    return f"{what}; the logs are {', '.join(str(worker.log) for worker in workers.values())}"


def _postgres_on(address: str, stack: ExitStack) -> Server:
    """A PostgreSQL that this host and the network reach; its rules of access lie where its user can read them."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    folder.chmod(0o755)
    access = folder / "pg_hba.conf"
    access.write_text(f"host all all 127.0.0.1/32 trust\nhost all all {address}/24 trust\n")
    server = start_postgres({"listen_addresses": f"127.0.0.1,{address}", "hba_file": str(access)})
    stack.callback(server.stop, by=signal.SIGQUIT)
    return server


def _redis_on(address: str, stack: ExitStack) -> Server:
    server = start_redis()
    stack.callback(server.stop, by=signal.SIGKILL)
    with Redis.from_url(server.url) as client:
        client.config_set("protected-mode", "no")
        client.config_set("bind", f"127.0.0.1 {address}")
    return server


def _move_database(url: str, stack: ExitStack) -> None:
    """Let this process work on a copy of the session's database in that server, until the stack is left."""
    told = connection.settings_dict
    before = {name: told[name] for name in ("HOST", "PORT", "USER", "PASSWORD")}
    server = url.rsplit("/", 1)[0]
    binaries = postgres_binaries()
    source = f"postgresql://{told['USER']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    dump = [str(binaries / "pg_dump"), "--format=custom", "--dbname", source]
    subprocess.run([str(binaries / "createdb"), "--maintenance-db", url, told["NAME"]], check=True)
    content = subprocess.run(dump, check=True, capture_output=True).stdout
    restore = [str(binaries / "pg_restore"), "--exit-on-error", "--dbname", f"{server}/{told['NAME']}"]
    subprocess.run(restore, check=True, input=content)
    connection.close()
    stack.callback(told.update, before)
    host, _colon, port = server.rpartition("@")[2].partition(":")
    told.update({"HOST": host, "PORT": port})
