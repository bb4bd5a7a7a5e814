"""The cache over HTTP."""
