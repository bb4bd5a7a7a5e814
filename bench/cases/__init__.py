"""One module a benchmark: each takes a ``Run`` and yields its lines of the table."""
