"""The operators' pages: look at everything, describe and sync files, publish templates."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from datasync.admin import (
    access,
    audit,
    collection,
    exports,
    facts,
    files,
    places,
    quality,
    quarantine,
    runs,
    templates,
)

__all__ = [
    "access",
    "audit",
    "collection",
    "exports",
    "facts",
    "files",
    "places",
    "quality",
    "quarantine",
    "runs",
    "templates",
]

admin.site.site_header = admin.site.site_title = _("Data sync")
admin.site.index_title = _("Operations")
admin.site.site_url = None  # the console is the site
admin.site.index_template = "admin/datasync/index.html"
