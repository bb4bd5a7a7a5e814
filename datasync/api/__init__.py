"""The HTTP door of datasync: strict input, one call of a service, explicit output."""
