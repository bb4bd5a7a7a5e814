"""G20: workers whose clocks are wrong by an hour do no harm: all times come from the database."""

from __future__ import annotations

import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import Max, Min
from django.utils import timezone

from datasync.models import SyncTaskFile
from tests.faults.conftest import Start
from tests.faults.killing import kill_processes
from tests.faults.load import Load
from tests.faults.stops import Stops
from tests.faults.trials import Trials
from tests.workers import Worker

pytestmark = pytest.mark.django_db(transaction=True)
HOUR = timedelta(hours=1)
SOURCE = Path(__file__).parent / "skewed_clock.c"


@pytest.fixture
def clock(tmp_path: Path) -> str:
    """A library that makes whatever loads it believe in another time of day."""
    library = tmp_path / "skewed_clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
    return str(library)


def test_g20_wrong_clocks_are_harmless(start: Start, inbox: Path, stops: Stops, clock: str) -> None:
    """Processes of both workers are killed, so that each sweeps after the other."""
    trials = Trials(
        "G20", "a process is killed where clocks are an hour fast and slow", quick=4, minutes=4, kill_point=True
    )
    load = Load(inbox, trials)
    began = timezone.now()
    workers = [
        start(processes=2, LD_PRELOAD=clock, CLOCK_SKEW_SECONDS=str(round(skew.total_seconds())))
        for skew in (HOUR, -HOUR)
    ]
    assert [round((_said(worker) - timezone.now().replace(tzinfo=None)) / HOUR) for worker in workers] == [1, -1]
    kill_processes(load, stops, workers)
    items = SyncTaskFile.objects.all()
    times = items.aggregate(first=Min("started_at"), last=Max("finished_at"), queued=Min("queued_at"))
    assert began <= times["queued"] <= times["first"] < times["last"] <= timezone.now()
    untouched = items.exclude(pk__in=load.struck).values_list("attempt", "crashes")
    assert set(untouched) == {(1, 0)}, "a lease that was running was taken for one that had run out"


def _said(worker: Worker) -> datetime:
    """The time of day in the last line of its log that has one."""
    return datetime.fromisoformat(re.findall(r"^(\d{4}-\S+ \d\d:\d\d:\d\d),", worker.output(), re.MULTILINE)[-1])
