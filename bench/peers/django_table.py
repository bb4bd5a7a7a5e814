"""A Django of the peers' own, with a model for the export."""

from __future__ import annotations

from typing import Any

import dj_database_url
import django
from django.conf import settings
from django.db import connection, models

from bench.peers.columns import AMOUNTS, KEY, MOMENTS, NAMES, TABLE, WHOLE_NUMBERS


def order_model(database: str) -> Any:
    """The model, with its table made in the database."""
    settings.configure(
        DATABASES={"default": dj_database_url.parse(database)},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["import_export"],
        USE_TZ=True,
    )
    django.setup()
    fields: dict[str, Any] = {name: _field(name) for name in NAMES.values()}
    unique = models.UniqueConstraint(fields=KEY, name=f"{TABLE}_key")
    meta = type("Meta", (), {"app_label": "peers", "db_table": TABLE, "constraints": [unique]})
    model = type("PeerOrder", (models.Model,), fields | {"Meta": meta, "__module__": __name__})
    with connection.schema_editor() as editor:
        editor.create_model(model)
    return model


def _field(name: str) -> Any:
    if name in MOMENTS:
        return models.DateTimeField(null=True)
    if name in AMOUNTS:
        return models.FloatField(null=True)
    if name in WHOLE_NUMBERS:
        return models.IntegerField(null=True)
    return models.TextField(null=True)
