"""What a file would have written so far, laid over what the table holds."""

from __future__ import annotations

import polars as pl

from datasync.ingest.hashes import halves

_KEY = ["high", "low"]


class Overlay:
    """Keys with the content that the file would have given them: 32 bytes for each time that it would have written one.

    A batch is put into its short form only when a later one asks, so a file of one batch never pays for it.
    """

    def __init__(self) -> None:
        self._known: pl.DataFrame | None = None
        self._waiting: list[pl.DataFrame] = []

    @property
    def bytes(self) -> int:
        """What is remembered in its short form."""
        return 0 if self._known is None else int(self._known.estimated_size())

    def write(self, rows: pl.DataFrame) -> None:
        """Remember ``record_key`` and ``content_hash`` of a batch."""
        self._waiting.append(rows.select("record_key", "content_hash"))

    def over(self, stored: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
        """What the table would hold for the keys of ``rows``, as ``Stored`` says it; ``stored`` is what it does hold.

        What the file itself wrote is as old as the file: neither newer nor older.
        """
        written = self._contents(rows["record_key"])
        if written.is_empty():
            return stored
        hashes = rows["content_hash"].gather(written["at"])
        own = written.select("at", "content_hash").with_columns(
            (pl.col("content_hash") == hashes).alias("same"),
            pl.lit(value=False).alias("newer"),
            pl.lit(value=False).alias("older"),
        )
        others = stored.join(written, on="at", how="anti")
        return pl.concat([others, own.select(others.columns).cast(others.schema)]).sort("at")

    def holds(self, keys: pl.Series) -> set[str]:
        """Those of the keys that the file would have written already."""
        return set(keys.gather(self._contents(keys)["at"]))

    def _contents(self, keys: pl.Series) -> pl.DataFrame:
        """``at`` and ``content_hash`` of those of the keys that were written, as they were written last."""
        asked = halves(keys).with_row_index("at")
        found = self._remembered().join(asked, on=_KEY, how="inner", maintain_order="left")
        last = found.unique(subset="at", keep="last", maintain_order=True).sort("at")
        texts = [f"{high:016x}{low:016x}" for high, low in last.select("content_high", "content_low").rows()]
        return last.select("at").with_columns(pl.Series("content_hash", texts, dtype=pl.String))

    def _remembered(self) -> pl.DataFrame:
        parts = [] if self._known is None else [self._known]
        for batch in self._waiting:
            contents = halves(batch["content_hash"]).rename({"high": "content_high", "low": "content_low"})
            parts.append(pl.concat([halves(batch["record_key"]), contents], how="horizontal"))
        self._waiting.clear()
        if not parts:
            return pl.DataFrame(schema=dict.fromkeys((*_KEY, "content_high", "content_low"), pl.UInt64))
        self._known = pl.concat(parts, rechunk=False)
        return self._known
