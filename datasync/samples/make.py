"""Write the whole set, and say exactly what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from datasync.samples.content import Identity, SheetContent, generator
from datasync.samples.files import write
from datasync.samples.others import other_recipes
from datasync.samples.periods import DEFAULT_TODAY, Calendar
from datasync.samples.recipe import Recipe, write_side_file
from datasync.samples.shopee import shopee_recipes
from datasync.samples.shops import ALL_SHOPS
from datasync.samples.tiktok import tiktok_recipes
from datasync.samples.truth import Outcome, SampleFile, SampleSet

MINIMUM_ROWS = 16
"""Room for every trap of a file, however small the set."""


def make_samples(
    folder: Path,
    *,
    rows: int = 100_000,
    seed: int = 20260101,
    today: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SampleSet:
    """Write realistic exports of about ``rows`` rows in all into ``folder`` and return what is true about them.

    The same ``rows``, ``seed`` and ``today`` give the same bytes. ``today`` (default: 2 February 2026) is the day on
    which the set was collected. ``progress`` is told files done and files in all.
    """
    calendar = Calendar(today or DEFAULT_TODAY)
    recipes = [*shopee_recipes(calendar), *tiktok_recipes(calendar), *other_recipes(calendar)]
    scale = rows / sum(recipe.weight for recipe in recipes)
    facts: dict[str, set[tuple[object, ...]]] = {}
    made: list[SampleFile] = []
    for done, recipe in enumerate(recipes, start=1):
        content = _write(folder, recipe, rows=max(MINIMUM_ROWS, round(recipe.weight * scale)), seed=seed)
        made.append(_truth(folder / recipe.path, recipe, content))
        if recipe.family and content and made[-1].good:
            domain_facts = facts.setdefault(recipe.family.domain, set())
            domain_facts.update(_scoped(recipe, identity) for identity in content.identities)
        if progress:
            progress(done, len(recipes))
    counted = {domain: len(keys) for domain, keys in sorted(facts.items())}
    return SampleSet(folder=folder, files=tuple(made), shops=ALL_SHOPS, facts=counted)


def _write(folder: Path, recipe: Recipe, *, rows: int, seed: int) -> SheetContent | None:
    path = folder / recipe.path
    content = None
    if recipe.write_whole:
        recipe.write_whole(path)
    elif recipe.build:
        content = recipe.build(generator(seed, recipe.stream or recipe.path), rows)
        write(path, content, recipe.layout)
    if recipe.side_file:
        write_side_file(path, recipe)
    return content


def _scoped(recipe: Recipe, identity: Identity) -> tuple[object, ...]:
    family = recipe.family
    return (family and (family.platform, family.sub_domain, family.granularity), *identity)


def _truth(path: Path, recipe: Recipe, content: SheetContent | None) -> SampleFile:
    outcome = recipe.outcome
    imported = content if outcome is Outcome.OK else None
    if imported and imported.bad_cells:
        outcome = Outcome.QUARANTINED
    counts = Counter[str]()
    if imported:
        counts["read"] = imported.rows_read
        counts["quarantined"] = imported.quarantined
        counts["good"] = imported.rows_read - imported.quarantined - imported.totals - imported.duplicates
    return SampleFile(
        path=path,
        header_set=recipe.header_set,
        family=recipe.family,
        shop=recipe.shop,
        period=recipe.period if recipe.family else None,
        collected_at=recipe.collected_at,
        format=recipe.layout.format,
        encoding=recipe.layout.encoding,
        delimiter=recipe.layout.delimiter,
        header_row=content.header_row if content else 0,
        data_row=content.first_data_row if content else 0,
        outcome=outcome,
        code=recipe.code,
        side_file=recipe.side_file,
        rows_read=counts["read"],
        good=counts["good"],
        quarantined=counts["quarantined"],
        totals=imported.totals if imported else 0,
        duplicates=imported.duplicates if imported else 0,
        bad_cells=tuple(imported.bad_cells) if imported else (),
        sums=dict(imported.sums) if imported else {},
        note=recipe.note,
    )
