"""pandas: read_excel, to_sql into a staging table, one INSERT … ON CONFLICT."""

# mypy: disable-error-code="import-not-found,import-untyped"

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import sqlalchemy

from bench.peers.columns import AMOUNTS, KEY, MOMENT, MOMENTS, NAMES, TABLE, TITLE_ROWS, WHOLE_NUMBERS

_ROWS_AT_ONCE = 1_000


def load(path: Path, database: str, *, engine: str = "calamine") -> float:
    """Seconds from the file to the merged table; ``engine`` reads the workbook."""
    connector = sqlalchemy.create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    with connector.begin() as connection:
        _create(connection)
    begun = time.perf_counter()
    frame = pd.read_excel(path, engine=engine, header=TITLE_ROWS, dtype=str).rename(columns=NAMES)
    for name in MOMENTS:
        frame[name] = pd.to_datetime(frame[name], format=MOMENT, utc=True)
    for name in (*AMOUNTS, *WHOLE_NUMBERS):
        frame[name] = pd.to_numeric(frame[name])
    with connector.begin() as connection:
        frame.to_sql(f"{TABLE}_staging", connection, if_exists="replace", index=False, chunksize=_ROWS_AT_ONCE)
        connection.execute(sqlalchemy.text(_merge()))
    return time.perf_counter() - begun


def _merge() -> str:
    names = list(NAMES.values())
    columns = ", ".join(names)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in KEY)
    return (
        f"INSERT INTO {TABLE} ({columns}) SELECT {columns} FROM {TABLE}_staging "
        f"ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET {changes}"
    )


def _create(connection: sqlalchemy.Connection) -> None:
    types = dict.fromkeys(NAMES.values(), "text")
    types |= dict.fromkeys(MOMENTS, "timestamptz")
    types |= dict.fromkeys(AMOUNTS, "double precision")
    types |= dict.fromkeys(WHOLE_NUMBERS, "bigint")
    columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
    connection.execute(sqlalchemy.text(f"CREATE TABLE {TABLE} ({columns}, PRIMARY KEY ({', '.join(KEY)}))"))
