"""What can go wrong when facts are read."""

from __future__ import annotations

from datasync.exceptions.base import NotFound


class DomainNotFound(NotFound):
    """There is no such domain: %(what)s."""

    code = "DOMAIN_NOT_FOUND"
    recovery = "Name one of: orders, products, analytics, services, inventory, finance."


class FactNotFound(NotFound):
    """There is no such fact: %(what)s."""

    code = "FACT_NOT_FOUND"
    recovery = "Check the record key; a row goes when its file is deleted with its rows."
