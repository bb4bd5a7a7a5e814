"""Remap: the typed columns of stored rows, computed again from their kept originals after a template was corrected."""
