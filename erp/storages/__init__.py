"""Where uploads are kept: a folder that every host has, or a bucket. ``STORAGES["uploads"]`` names the one in use."""
