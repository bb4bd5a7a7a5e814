"""Realistic sample exports, and what is true about them: for the demo, the tests and the benchmarks."""

from datasync.samples.bench import bench_orders, bench_shop_orders
from datasync.samples.make import make_samples
from datasync.samples.truth import BadCell, Family, Outcome, Period, SampleFile, SampleSet, Shop
from datasync.samples.unknown import UnknownExport, unknown_exports

__all__ = [
    "BadCell",
    "Family",
    "Outcome",
    "Period",
    "SampleFile",
    "SampleSet",
    "Shop",
    "UnknownExport",
    "bench_orders",
    "bench_shop_orders",
    "make_samples",
    "unknown_exports",
]
