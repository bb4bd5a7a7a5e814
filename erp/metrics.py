"""What the product counts for Prometheus, in each process by itself. The page that shows it comes with monitoring."""

from __future__ import annotations

from prometheus_client import Counter

CACHE_REQUESTS = Counter(
    "erp_cache_requests", "Questions to the cache, by what is cached and what came of them.", ("kind", "outcome")
)
CACHE_INVALIDATIONS = Counter("erp_cache_invalidations", "Changes that made cached things outdated.", ("tag",))
CACHE_FAILURES = Counter("erp_cache_failures", "How often the cache was asked and did not answer.")
