"""States and kinds: value, label, colour and named groups live together."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Granularity(models.TextChoices):
    """How much time one row covers. Weekly and monthly exports grow: they are period-to-date."""

    HOURLY = "hourly", _("hourly")
    DAILY = "daily", _("daily")
    WEEKLY = "weekly", _("weekly")
    MONTHLY = "monthly", _("monthly")
    SNAPSHOT = "snapshot", _("snapshot")


class DomainChoice(models.TextChoices):
    """What a row is; the values are those of ``datasync.fields.Domain``."""

    ORDERS = "orders", _("orders")
    PRODUCTS = "products", _("products")
    ANALYTICS = "analytics", _("analytics")
    SERVICES = "services", _("services")
    INVENTORY = "inventory", _("inventory")
    FINANCE = "finance", _("finance")


class SubDomain(models.TextChoices):
    """Two unlike exports of one domain. Mandatory for services, forbidden elsewhere."""

    AGENT = "agent", _("agent")
    AI_ASSISTANT = "ai_assistant", _("AI assistant")


class FileState(models.TextChoices):
    """Where a catalogued file stands."""

    NEEDS_DESCRIPTION = "needs_description", _("needs description")
    PENDING = "pending", _("pending")
    QUEUED = "queued", _("queued")
    PROCESSING = "processing", _("processing")
    INGESTED = "ingested", _("ingested")
    PARTIAL = "partial", _("ingested in part")
    QUARANTINED = "quarantined", _("quarantined")
    FAILED = "failed", _("failed")
    TEMPLATE_UPDATE_REQUIRED = "template_update_required", _("template update required")
    SOURCE_MISSING = "source_missing", _("source missing")
    DELETED = "deleted", _("deleted")
    """Taken out of the catalogue by a person; the row stays, because facts and audit refer to it."""


FILE_ACTIVE = (FileState.QUEUED, FileState.PROCESSING)
FILE_UNSYNCED = (FileState.PENDING, FileState.NEEDS_DESCRIPTION)
FILE_SYNCED = (FileState.INGESTED, FileState.PARTIAL, FileState.QUARANTINED)
FILE_COLOURS = {
    FileState.NEEDS_DESCRIPTION: "amber",
    FileState.PENDING: "grey",
    FileState.QUEUED: "blue",
    FileState.PROCESSING: "blue",
    FileState.INGESTED: "green",
    FileState.PARTIAL: "amber",
    FileState.QUARANTINED: "amber",
    FileState.FAILED: "red",
    FileState.TEMPLATE_UPDATE_REQUIRED: "red",
    FileState.SOURCE_MISSING: "red",
    FileState.DELETED: "grey",
}


class TaskState(models.TextChoices):
    """Where a task stands. A terminal state never moves; a retry makes a new task."""

    PENDING = "pending", _("pending")
    QUEUED = "queued", _("queued")
    PROCESSING = "processing", _("processing")
    COMPLETED = "completed", _("completed")
    PARTIAL = "partial", _("completed in part")
    FAILED = "failed", _("failed")
    CANCELLING = "cancelling", _("cancelling")
    CANCELLED = "cancelled", _("cancelled")


TASK_ACTIVE = (TaskState.PENDING, TaskState.QUEUED, TaskState.PROCESSING, TaskState.CANCELLING)
TASK_TERMINAL = (TaskState.COMPLETED, TaskState.PARTIAL, TaskState.FAILED, TaskState.CANCELLED)
TASK_COLOURS = {
    TaskState.PENDING: "grey",
    TaskState.QUEUED: "blue",
    TaskState.PROCESSING: "blue",
    TaskState.COMPLETED: "green",
    TaskState.PARTIAL: "amber",
    TaskState.FAILED: "red",
    TaskState.CANCELLING: "amber",
    TaskState.CANCELLED: "grey",
}


class ItemState(models.TextChoices):
    """Where one file of a task stands."""

    QUEUED = "queued", _("queued")
    PROCESSING = "processing", _("processing")
    COMPLETED = "completed", _("completed")
    PARTIAL = "partial", _("completed with quarantined rows")
    FAILED = "failed", _("failed")
    SKIPPED = "skipped", _("skipped")
    CANCELLED = "cancelled", _("cancelled")


ITEM_ACTIVE = (ItemState.QUEUED, ItemState.PROCESSING)
ITEM_SUCCEEDED = (ItemState.COMPLETED, ItemState.PARTIAL)
ITEM_TERMINAL = (
    ItemState.COMPLETED,
    ItemState.PARTIAL,
    ItemState.FAILED,
    ItemState.SKIPPED,
    ItemState.CANCELLED,
)
ITEM_COLOURS = {
    ItemState.QUEUED: "blue",
    ItemState.PROCESSING: "blue",
    ItemState.COMPLETED: "green",
    ItemState.PARTIAL: "amber",
    ItemState.FAILED: "red",
    ItemState.SKIPPED: "grey",
    ItemState.CANCELLED: "grey",
}


class TaskKind(models.TextChoices):
    """Which call made the task."""

    SINGLE = "single", _("single file")
    BATCH = "batch", _("batch")
    BATCH_BY_IDS = "batch_by_ids", _("chosen files")
    BATCH_ALL = "batch_all", _("everything pending")
    REMAP = "remap", _("stored rows typed again")


class TemplateState(models.TextChoices):
    """A published version never changes; a correction is a new version."""

    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    ARCHIVED = "archived", _("archived")


class TemplateOrigin(models.TextChoices):
    """Who made the template."""

    BUILTIN = "builtin", _("built in")
    SUGGESTED = "suggested", _("suggested")
    OPERATOR = "operator", _("operator")


class QuarantineState(models.TextChoices):
    """What became of a row that could not be trusted."""

    OPEN = "open", _("open")
    CORRECTED = "corrected", _("corrected")
    RELEASED = "released", _("released")
    DISCARDED = "discarded", _("discarded")


QUARANTINE_DECIDED = (QuarantineState.RELEASED, QuarantineState.DISCARDED)
QUARANTINE_UNDECIDED = (QuarantineState.OPEN, QuarantineState.CORRECTED)


class RowsFate(models.TextChoices):
    """What becomes of the rows that a deleted file wrote last."""

    KEEP = "keep", _("stay")
    DELETE = "delete", _("are deleted with it")


class ExportKind(models.TextChoices):
    """What an archive holds of its files."""

    ORIGINALS = "originals", _("files as they came")
    CLEANED = "cleaned", _("clean rows")
    QUARANTINE = "quarantine", _("quarantined rows")


class ExportState(models.TextChoices):
    """Where an archive stands."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("being made")
    READY = "ready", _("ready")
    FAILED = "failed", _("failed")
    EXPIRED = "expired", _("expired")


EXPORT_UNFINISHED = (ExportState.QUEUED, ExportState.RUNNING)
EXPORT_COLOURS = {
    ExportState.QUEUED: "blue",
    ExportState.RUNNING: "blue",
    ExportState.READY: "green",
    ExportState.FAILED: "red",
    ExportState.EXPIRED: "grey",
}


class AccountState(models.TextChoices):
    """Whether exports are collected with an account."""

    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    BLOCKED = "blocked", _("blocked by the platform")


ACCOUNT_COLOURS = {AccountState.ACTIVE: "green", AccountState.PAUSED: "grey", AccountState.BLOCKED: "red"}


class VersionState(models.TextChoices):
    """Where a version of a collecting component stands. It is released once, and once withdrawn stays so."""

    DRAFT = "draft", _("draft")
    RELEASED = "released", pgettext_lazy("component version", "released")
    WITHDRAWN = "withdrawn", _("withdrawn")


VERSION_COLOURS = {VersionState.DRAFT: "amber", VersionState.RELEASED: "green", VersionState.WITHDRAWN: "grey"}


class AuditAction(models.TextChoices):
    """What a person did that somebody may ask about later."""

    ROWS_CORRECTED = "rows_corrected", _("rows corrected")
    ROWS_RELEASED = "rows_released", _("rows released")
    ROWS_DISCARDED = "rows_discarded", _("rows discarded")
    FILE_DELETED = "file_deleted", _("file deleted")
    FILE_RESTORED = "file_restored", _("file restored")
    FILE_DESCRIBED = "file_described", _("file described")
    TEMPLATE_DRAFTED = "template_drafted", _("template drafted")
    TEMPLATE_CHANGED = "template_changed", _("draft of a template changed")
    TEMPLATE_DELETED = "template_deleted", _("draft of a template deleted")
    TEMPLATE_PUBLISHED = "template_published", _("template published")
    TEMPLATE_ARCHIVED = "template_archived", _("template archived")
    REMAP_STARTED = "remap_started", _("remap started")
