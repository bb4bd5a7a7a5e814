"""Rows that cannot be trusted: looked at, exported and, once corrected, let in."""
