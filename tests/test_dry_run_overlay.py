"""What a file would have written so far: the last word on each key, in 32 bytes a row."""

from __future__ import annotations

import random
import tracemalloc

import polars as pl

from datasync.ingest.load.overlay import Overlay

STORED = {"at": pl.UInt32, "same": pl.Boolean, "newer": pl.Boolean, "older": pl.Boolean, "content_hash": pl.String}


def batch(rows: dict[int, int]) -> pl.DataFrame:
    """Keys with their content, as the loader hands them on: each key once."""
    return pl.DataFrame(
        {
            "record_key": [f"{key:032x}" for key in rows],
            "content_hash": [f"{content:032x}" for content in rows.values()],
        },
        schema={"record_key": pl.String, "content_hash": pl.String},
    )


def test_it_says_what_the_last_write_said() -> None:
    chance = random.Random(7)
    overlay, table, written = Overlay(), dict.fromkeys(range(0, 40, 2), 1), dict[int, int]()
    for _ in range(60):
        asked = batch({chance.randrange(40): chance.randrange(4) for _ in range(8)})
        keys = [int(key, 16) for key in asked["record_key"]]
        contents = [int(content, 16) for content in asked["content_hash"]]
        known = [
            (at, key, content) for at, (key, content) in enumerate(zip(keys, contents, strict=True)) if key in table
        ]
        stored = pl.DataFrame(
            [(at, table[key] == content, True, False, f"{table[key]:032x}") for at, key, content in known],
            schema=STORED,
            orient="row",
        )
        said = {row["at"]: row for row in overlay.over(stored, asked).to_dicts()}
        now = table | written
        assert list(said) == [at for at, key in enumerate(keys) if key in now]
        for at, row in said.items():
            assert row["same"] is (now[keys[at]] == contents[at])
            assert row["newer"] is (keys[at] not in written)
            assert int(row["content_hash"], 16) == now[keys[at]]
        assert overlay.holds(asked["record_key"]) == {f"{key:032x}" for key in keys if key in written}
        if chance.random() < 0.6:
            overlay.write(asked)
            written |= dict(zip(keys, contents, strict=True))


def test_a_key_takes_32_bytes() -> None:
    overlay, rows = Overlay(), 20_000
    tracemalloc.start()
    for start in range(0, 20 * rows, rows):
        overlay.write(batch({key: key for key in range(start, start + rows)}))
        overlay.holds(pl.Series([f"{start:032x}"]))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert overlay.bytes == 20 * rows * 32
    assert peak < 20_000_000  # what Python itself holds: no text, no object for each row
