"""A load into a table that already holds ten million rows, against the same load into an empty one."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from bench import servers
from bench.measure import Series, ratio
from bench.product import Probe
from bench.report import Result, at_most, seconds
from bench.run import Run
from datasync.samples import bench_orders


def run(run: Run) -> Iterator[Result]:
    """Each turn brings rows that are stored nowhere, right after a checkpoint: the worst moment for a large index."""
    full, empty = run.installation("growth_full"), run.installation("growth_empty")
    into_full, into_empty = Series(), Series()
    with Probe(full) as of_full, Probe(empty) as of_empty:
        file_ids = {probe: _exports(run, probe) for probe in (of_full, of_empty)}
        of_full.sync(file_ids[of_full][0], inserted=run.rows)
        run.say(f"growth: storing {run.growth_rows:,} rows")
        _multiply(full.database, rows=run.growth_rows, times=-(-run.growth_rows // run.rows))
        of_empty.sync(file_ids[of_empty][0], inserted=run.rows)
        for turn in range(1, run.repeat + 1):
            run.say(f"growth: turn {turn} of {run.repeat}")
            servers.forget_facts(empty.database)
            into_empty.add(of_empty.sync(file_ids[of_empty][turn], inserted=run.rows).seconds)
            servers.settle(full.database)
            into_full.add(of_full.sync(file_ids[of_full][turn], inserted=run.rows).seconds)
    servers.drop_database(run.server, full.database)
    yield at_most(
        f"{run.rows:,} rows CSV into {run.growth_rows:,} stored",
        value=ratio(into_full.seconds, into_empty.seconds),
        limit=1.5,
        unit="× empty",
        product=seconds(into_full.median),
        against=f"into an empty table {seconds(into_empty.median)}",
    )


def _exports(run: Run, probe: Probe) -> list[int]:
    """One file to begin with and one for each turn; no two share a key."""
    for number in range(run.repeat + 1):
        path = probe.installation.root / f"shopee_orders_monthly_202602{number + 1:02}_000000.csv"
        bench_orders(path, run.rows, first=number * run.rows, total=(run.repeat + 1) * run.rows)
    return probe.scan()


def _multiply(database: str, *, rows: int, times: int) -> None:
    """Copy the stored rows under new keys until the table holds ``rows``. The key's index is built afterwards."""
    table = sql.Identifier(servers.FACT_TABLE)
    with servers.connect(database) as connection:
        names = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped "
            "AND attname <> 'record_key'",
            [servers.FACT_TABLE],
        ).fetchall()
        columns = sql.SQL(", ").join(sql.Identifier(str(name)) for (name,) in names)
        key = sql.Identifier(f"{servers.FACT_TABLE}_pkey")
        connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(table, key))
        connection.execute(
            sql.SQL(
                "INSERT INTO {table} (record_key, {columns}) SELECT md5(record_key::text || number)::uuid, {columns} "
                "FROM {table}, generate_series(1, %s) AS number LIMIT (SELECT %s - count(*) FROM {table})"
            ).format(table=table, columns=columns),
            [times, rows],
        )
        connection.execute(sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY (record_key)").format(table, key))
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(table))
