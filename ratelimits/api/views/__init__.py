"""The calls under ``/api/rate-limit/``."""
