"""The demo: generated exports synced by a real worker, and books that have to balance with what was generated."""
