"""The first load of an .xlsx export: the product against what others would use. The slow ones get fewer rows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import servers
from bench.measure import Series, ratio
from bench.product import Probe
from bench.report import Result, at_least, rate, seconds
from bench.run import Run
from datasync.samples import bench_orders
from erp.supervisor import BASE_DIR


@dataclass(frozen=True, slots=True)
class _Peer:
    name: str
    title: str
    rows: int  # at full size
    faster_by: float | None


PEERS = (
    _Peer("dlt", "dlt merge (Arrow)", 100_000, 2.5),
    _Peer("pandas", "pandas (calamine) + to_sql + merge", 100_000, 6),
    _Peer("django-import-export", "django-import-export (bulk)", 5_000, 12),
    _Peer("orm-loop", "naive ORM loop", 2_000, 200),
)
SLOW_PEERS = (_Peer("pandas-openpyxl", "pandas (openpyxl) + to_sql + merge", 20_000, None),)


def run(run: Run) -> Iterator[Result]:
    """Each turn: the product, then every peer, each into an empty database of its own."""
    installation = run.installation("peers")
    ours = Series()
    theirs = {peer: Series() for peer in (*PEERS, *(SLOW_PEERS if run.slow_peers else ()))}
    with Probe(installation) as probe:
        file_id = probe.catalogue(run.export(installation, suffix=".xlsx", rows=run.rows))
        for turn in range(1, run.repeat + 1):
            run.say(f"peers: turn {turn} of {run.repeat}")
            servers.forget_facts(installation.database)
            ours.add(probe.sync(file_id, inserted=run.rows).seconds)
            for peer, series in theirs.items():
                rows = run.scaled(peer.rows)
                path = bench_orders(run.folder / f"peer_{rows}.xlsx", rows)
                series.add(_seconds(run, peer, path, rows=rows))
    for peer, series in theirs.items():
        yield _result(run, peer, ours, series)


def _result(run: Run, peer: _Peer, ours: Series, theirs: Series) -> Result:
    rows = run.scaled(peer.rows)
    what = f"{run.rows:,} × 24 xlsx, first, against {peer.title}"
    product = rate(run.rows, ours.median)
    against = f"{rate(rows, theirs.median)} ({rows:,} rows in {seconds(theirs.median)})"
    faster = ratio([taken / rows for taken in theirs.seconds], [taken / run.rows for taken in ours.seconds])
    if peer.faster_by is None:
        return Result(what, product, against, f"{faster:.1f} × as fast")
    return at_least(what, value=faster, limit=peer.faster_by, unit="× as fast", product=product, against=against)


def _seconds(run: Run, peer: _Peer, path: Path, *, rows: int) -> float:
    database = servers.create_database(run.server, "bench_peer")
    servers.settle(database)
    command = [sys.executable, "-W", "ignore", "-m", "bench.peers", peer.name, database, str(path)]
    done = subprocess.run(command, cwd=BASE_DIR, check=True, stdout=subprocess.PIPE, text=True)
    with servers.connect(database) as connection:
        stored = connection.execute("SELECT count(*) FROM peer_orders").fetchone()
    if stored != (rows,):
        raise RuntimeError(f"{peer.title} stored {stored} of {rows} rows.")
    return float(done.stdout.splitlines()[-1])
