"""The calls, by room."""
