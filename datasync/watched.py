"""What changes of this application make cached answers outdated: the tags, and the models behind them."""

from __future__ import annotations

from datasync import models
from erp.caching.changes import watch

ACCOUNTS = "accounts"
COMPONENTS = "components"
FILES = "files"
PLATFORMS = "platforms"
QUARANTINE = "quarantine"
SHOPS = "shops"
TEMPLATES = "templates"


def watch_models() -> None:
    """Hear of changes from now on. Quarantined rows are deleted by their manager alone, a hundred thousand at once."""
    watch(models.CollectionAccount, ACCOUNTS, relations=[models.CollectionAccount.shops.through])
    watch(models.ComponentVersion, COMPONENTS)
    watch(models.CatalogFile, FILES)
    watch(models.Platform, PLATFORMS)
    watch(models.QuarantinedRow, QUARANTINE, one_by_one=False)
    watch(models.Shop, SHOPS)
    watch(models.HeaderTemplate, TEMPLATES)
