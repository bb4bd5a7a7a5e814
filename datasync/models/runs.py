"""Work: a task is what a person asked for, an item is one file of it. These rows are the truth; a message is a bell."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from datasync.choices import ITEM_ACTIVE, TASK_ACTIVE, FileState, ItemState, TaskKind, TaskState


class RowCounts(models.Model):
    """The books: ``rows_read`` is the sum of all others once a file is finished."""

    rows_read = models.BigIntegerField(_("rows read"), default=0)
    rows_inserted = models.BigIntegerField(_("inserted"), default=0)
    rows_updated = models.BigIntegerField(_("updated"), default=0)
    rows_unchanged = models.BigIntegerField(_("unchanged"), default=0)
    rows_stale = models.BigIntegerField(_("stale"), default=0)
    rows_quarantined = models.BigIntegerField(_("quarantined"), default=0)
    rows_totals = models.BigIntegerField(_("totals rows"), default=0)
    rows_duplicates = models.BigIntegerField(_("duplicates in file"), default=0)

    class Meta:
        abstract = True


class SyncProgressTask(RowCounts):
    """What a person asked to be synced. While it runs its counts are those of its items; closing writes them here.

    ``message`` is a code of ``runs.words``. ``served_at`` says when a worker last took a turn at the task: who waited
    longest goes first.
    """

    task_id = models.CharField(_("task id"), max_length=64)
    celery_task_id = models.CharField(_("Celery task id"), max_length=64)
    kind = models.CharField(_("kind"), max_length=16, choices=TaskKind)
    state = models.CharField(_("state"), max_length=16, choices=TaskState, default=TaskState.PENDING)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="sync_tasks",
        verbose_name=_("owner"), db_index=False,
    )  # fmt: skip
    priority = models.PositiveSmallIntegerField(_("priority, 10 first"), default=5)
    only_with_template = models.BooleanField(_("only with template"), default=True)
    allow_quarantine = models.BooleanField(_("allow quarantine"), default=True)
    use_template_header_row = models.BooleanField(_("use the template's header row"), default=True)
    options = models.JSONField(_("options"), default=dict, blank=True)
    fallback = models.BooleanField(_("run without the broker"), default=False)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries",
        verbose_name=_("retry of"), db_index=False,
    )  # fmt: skip

    total_files = models.PositiveIntegerField(_("files"), default=0)
    succeeded_files = models.PositiveIntegerField(_("succeeded"), default=0)
    failed_files = models.PositiveIntegerField(_("failed"), default=0)
    skipped_files = models.PositiveIntegerField(_("skipped"), default=0)
    rows_per_second = models.FloatField(_("rows per second"), null=True, blank=True)
    message = models.CharField(_("message"), max_length=32, blank=True)
    errors = models.JSONField(_("errors"), default=list, blank=True)
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    quality = models.JSONField(_("quality check"), default=dict, blank=True)

    created_at = models.DateTimeField(_("created"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    closing_at = models.DateTimeField(_("being closed since"), null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    served_at = models.DateTimeField(_("last worked on"), null=True, blank=True, editable=False)
    cancel_requested_at = models.DateTimeField(_("cancel requested"), null=True, blank=True)
    deadline_at = models.DateTimeField(_("deadline"), null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("sync task")
        verbose_name_plural = _("sync tasks")
        constraints = (
            # Named as PostgreSQL named them when they were the fields' own, which came with an index each for LIKE.
            models.UniqueConstraint(fields=("task_id",), name="datasync_syncprogresstask_task_id_key"),
            models.UniqueConstraint(fields=("celery_task_id",), name="datasync_syncprogresstask_celery_task_id_key"),
            models.UniqueConstraint(fields=("parent",), name="task_one_retry"),
        )
        indexes = (
            models.Index(fields=("owner", "-id"), name="task_owner"),
            models.Index(fields=("created_at", "id"), name="task_created"),
            models.Index(fields=("state",), name="task_state"),
            models.Index(fields=("owner", "served_at"), name="task_served"),
            models.Index(fields=("owner", "finished_at"), name="task_ended"),
            models.Index(fields=("owner", "id"), condition=models.Q(state__in=TASK_ACTIVE), name="task_active"),
        )

    def __str__(self) -> str:
        return self.task_id


class SyncTaskFile(RowCounts):
    """One file of a task: the unit of work, claimed by a conditional UPDATE and guarded by its lease token.

    ``measured`` says how complete the file's rows were, by shop; the quality gate adds it up when the task closes.
    ``discarded_before`` of the quarantined rows keep no row in quarantine of this sync: a person had discarded them.
    ``state_before`` is what the file was when it was queued, and is again if nothing comes of it. ``crashes`` counts
    workers that died with the file in hand. ``resume_after`` is the last row, as the spreadsheet shows it, that work
    done in several transactions is through with.
    """

    task = models.ForeignKey(
        SyncProgressTask, on_delete=models.CASCADE, related_name="items", verbose_name=_("task"), db_index=False
    )
    file = models.ForeignKey(
        "datasync.CatalogFile", on_delete=models.PROTECT, related_name="items", verbose_name=_("file")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    state = models.CharField(_("state"), max_length=16, choices=ItemState, default=ItemState.QUEUED)
    file_sha256 = models.CharField(max_length=64)
    state_before = models.CharField(max_length=32, choices=FileState, default=FileState.PENDING, editable=False)
    template = models.ForeignKey(
        "datasync.HeaderTemplate", null=True, blank=True, on_delete=models.SET_NULL, related_name="+",
        verbose_name=_("template"),
    )  # fmt: skip
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    worker = models.CharField(_("worker"), max_length=200, blank=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    crashes = models.PositiveSmallIntegerField(_("crashes"), default=0)
    rows_expected = models.BigIntegerField(_("rows expected"), null=True, blank=True)
    resume_after = models.PositiveIntegerField(_("done up to row"), default=0)
    discarded_before = models.BigIntegerField(_("discarded before"), default=0)
    error = models.JSONField(_("error"), default=dict, blank=True)
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    measured = models.JSONField(_("measured"), default=dict, blank=True)
    queued_at = models.DateTimeField(_("queued"), db_default=Now())
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    duration_ms = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)

    class Meta:
        ordering = ("task", "position")
        verbose_name = _("file of a task")
        verbose_name_plural = _("files of tasks")
        constraints = (
            models.UniqueConstraint(fields=("task", "file"), name="item_identity"),
            models.UniqueConstraint(
                fields=("file",), condition=models.Q(state__in=ITEM_ACTIVE), name="item_one_active_per_file"
            ),
        )
        indexes = (
            models.Index(fields=("task", "state", "position"), name="item_of_task"),
            models.Index(fields=("lease_until",), condition=models.Q(state__in=ITEM_ACTIVE), name="item_active"),
        )

    def __str__(self) -> str:
        return f"{self.task_id}: {self.file_id}"


class IdempotencyKey(models.Model):
    """A submit that its client may send again without making a second task; kept for a day.

    ``digest`` is of the request that came first with the key; ``left_out`` is what its answer said beside the task.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    task = models.ForeignKey(SyncProgressTask, null=True, on_delete=models.CASCADE, related_name="+")
    left_out = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=("owner", "key"), name="idempotency_key_once"),)
        indexes = (models.Index(fields=("created_at",), name="idempotency_age"),)

    def __str__(self) -> str:
        return self.key
