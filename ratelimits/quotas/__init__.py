"""Quotas: how many tasks of a person may be active, and how large they may be; counted from the tasks themselves."""
