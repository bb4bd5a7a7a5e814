"""128-bit hashes of keys: how they are made, and how those of a file's earlier batches are remembered."""

from __future__ import annotations

import polars as pl
import polars_hash  # noqa: F401 - gives expressions their `chash`


def digest(text: pl.Expr) -> pl.Expr:
    """The stored hash of a text: the first half of its SHA-256, as 32 hexadecimal digits."""
    hashed: pl.Expr = text.chash.sha2_256()  # type: ignore[attr-defined]
    return hashed.str.slice(0, 32)


def digests(texts: pl.Series) -> pl.Series:
    """The hashes of a column of texts."""
    return texts.to_frame("text").select(digest(pl.col("text")).alias("hash")).to_series()


def halves(hashes: pl.Series) -> pl.DataFrame:
    """Hashes as two 64-bit numbers: a third of the memory that their text takes."""
    return hashes.to_frame("hash").select(
        pl.col("hash").str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64).alias("high"),
        pl.col("hash").str.slice(16).str.to_integer(base=16, dtype=pl.UInt64).alias("low"),
    )


class Memory:
    """What is known of the keys of earlier batches: one number for each key, added up where a key comes again.

    A batch is put into its short form only when the next one asks, so a file of one batch never pays for it. Looking
    up probes all that is remembered with the keys asked for, never the other way round: the cost of a batch does not
    grow with the hash table of the batches before it.
    """

    def __init__(self) -> None:
        self._known: pl.DataFrame | None = None
        self._waiting: list[tuple[pl.Series, pl.Series]] = []

    def __bool__(self) -> bool:
        return self._known is not None or bool(self._waiting)

    def add(self, hashes: pl.Series, numbers: pl.Series) -> None:
        """Remember a batch."""
        self._waiting.append((hashes, numbers))

    def recall(self, hashes: pl.Series) -> pl.Series:
        """The numbers of these keys, in their order; null where no earlier batch had the key."""
        parts = [] if self._known is None else [self._known]
        parts += [halves(old).with_columns(numbers.cast(pl.UInt32).alias("number")) for old, numbers in self._waiting]
        self._waiting.clear()
        if not parts:
            return pl.Series("number", [None], dtype=pl.UInt32).new_from_index(0, len(hashes))
        self._known = pl.concat(parts, rechunk=False)
        asked = halves(hashes).with_row_index("at")
        found = asked.join(self._known, on=["high", "low"], how="inner").group_by("at").agg(pl.col("number").sum())
        return asked.select("at").join(found, on="at", how="left", maintain_order="left")["number"]
