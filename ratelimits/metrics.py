"""What this application counts for whoever watches it."""

from __future__ import annotations

from prometheus_client import Counter

REFUSED = Counter("erp_rate_limit_refused", "Requests that a rate limit refused.", ("scope", "tier"))
DEGRADED = Counter("erp_rate_limit_degraded", "Requests limited by this process alone, as the shared store was away.")
