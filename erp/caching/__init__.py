"""Answers that are kept: one decorator, versions that change with the rows, one computation for all who wait."""
