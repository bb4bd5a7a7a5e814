"""Exact sliding windows: who may take how often in how many seconds, in stores that all processes share."""
