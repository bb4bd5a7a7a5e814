"""Is the product alive, and can it work: probes for orchestrators, and the heartbeat of the workers."""
