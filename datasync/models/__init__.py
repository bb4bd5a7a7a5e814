"""The models of datasync, by room."""

from datasync.models.access import ShopLimit
from datasync.models.audit import AuditEntry
from datasync.models.catalog import CatalogFile
from datasync.models.collection import CollectionAccount, ComponentVersion
from datasync.models.facts import (
    FACT_MODELS,
    FIRST_PARKED,
    PARKED,
    Fact,
    FinanceEntry,
    InventorySnapshot,
    OrderLine,
    ProductMetric,
    ServiceMetric,
    TrafficMetric,
)
from datasync.models.media import ExportArchive, ProductImage
from datasync.models.places import Platform, Shop, ShopAlias
from datasync.models.quality import ConfirmedRows, QualityReport, QuarantinedRow
from datasync.models.runs import IdempotencyKey, SyncProgressTask, SyncTaskFile
from datasync.models.templates import HeaderSet, HeaderTemplate, TemplateColumn

__all__ = [
    "FACT_MODELS",
    "FIRST_PARKED",
    "PARKED",
    "AuditEntry",
    "CatalogFile",
    "CollectionAccount",
    "ComponentVersion",
    "ConfirmedRows",
    "ExportArchive",
    "Fact",
    "FinanceEntry",
    "HeaderSet",
    "HeaderTemplate",
    "IdempotencyKey",
    "InventorySnapshot",
    "OrderLine",
    "Platform",
    "ProductImage",
    "ProductMetric",
    "QualityReport",
    "QuarantinedRow",
    "ServiceMetric",
    "Shop",
    "ShopAlias",
    "ShopLimit",
    "SyncProgressTask",
    "SyncTaskFile",
    "TemplateColumn",
    "TrafficMetric",
]
