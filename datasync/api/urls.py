"""Addresses under ``/api/data-sync/``. Ids are slugs or numbers, so that nothing else reaches the database."""

from django.urls import path

from datasync.api.views.deletion import BatchDeleteImpactView, DeleteFilesView, DeleteImpactView, RestoreView
from datasync.api.views.dry_run import DryRunView
from datasync.api.views.exports import DownloadView, ExportsView, ExportView
from datasync.api.views.facts import FactsView, FactView
from datasync.api.views.files import FilesView, FileView, PreviewView, ProfileView, RefreshView
from datasync.api.views.governance import DetailedCoverageView, PlatformsView, StatsView
from datasync.api.views.progress import ProgressStreamView, ProgressView, TaskStatusView, TasksView
from datasync.api.views.quality import LossAlertView, LossAnalysisView
from datasync.api.views.quarantine import (
    QuarantinedRowView,
    QuarantineFilesView,
    QuarantineStatsView,
    QuarantineView,
)
from datasync.api.views.quarantine_decisions import CorrectRowsView, DiscardRowsView, ReleaseRowsView
from datasync.api.views.quarantine_sheets import ExportRowsView, ImportCorrectionsView
from datasync.api.views.remap import RemapView
from datasync.api.views.steering import CancelTaskView, RetryTaskView
from datasync.api.views.submit import BatchAllView, BatchByIdsView, BatchView, SingleView
from datasync.api.views.template_use import (
    ArchiveTemplateView,
    CompareTemplatesView,
    ExportTemplateView,
    ImportTemplatesView,
    PublishTemplateView,
    RecheckView,
    SuggestTemplateView,
)
from datasync.api.views.templates import NewVersionView, TemplatesView, TemplateVersionsView, TemplateView

urlpatterns = [
    path("single", SingleView.as_view(), name="sync-single"),
    path("batch", BatchView.as_view(), name="sync-batch"),
    path("batch-by-ids", BatchByIdsView.as_view(), name="sync-batch-by-ids"),
    path("batch-all", BatchAllView.as_view(), name="sync-batch-all"),
    path("progress/<slug:task_id>", ProgressView.as_view(), name="sync-progress"),
    path("progress/<slug:task_id>/stream", ProgressStreamView.as_view(), name="sync-progress-stream"),
    path("tasks", TasksView.as_view(), name="sync-tasks"),
    path("task-status/<slug:celery_task_id>", TaskStatusView.as_view(), name="sync-task-status"),
    path("cancel-task/<slug:celery_task_id>", CancelTaskView.as_view(), name="sync-cancel-task"),
    path("retry-task/<slug:celery_task_id>", RetryTaskView.as_view(), name="sync-retry-task"),
    path("files", FilesView.as_view(), name="files"),
    path("files/refresh", RefreshView.as_view(), name="files-refresh"),
    path("files/batch", DeleteFilesView.as_view(), name="files-delete"),
    path("files/batch-delete-impact", BatchDeleteImpactView.as_view(), name="files-delete-impact"),
    path("files/<int:file_id>", FileView.as_view(), name="file"),
    path("files/<int:file_id>/profile", ProfileView.as_view(), name="file-profile"),
    path("files/<int:file_id>/dry-run", DryRunView.as_view(), name="file-dry-run"),
    path("files/<int:file_id>/delete-impact", DeleteImpactView.as_view(), name="file-delete-impact"),
    path("files/<int:file_id>/restore", RestoreView.as_view(), name="file-restore"),
    path("exports", ExportsView.as_view(), name="exports"),
    path("exports/<int:export_id>", ExportView.as_view(), name="export"),
    path("exports/<int:export_id>/download", DownloadView.as_view(), name="export-download"),
    path("preview", PreviewView.as_view(), name="preview"),
    path("templates/<int:template_id>/remap", RemapView.as_view(), name="template-remap"),
    path("files/recheck", RecheckView.as_view(), name="files-recheck"),
    path("templates", TemplatesView.as_view(), name="templates"),
    path("templates/suggest", SuggestTemplateView.as_view(), name="templates-suggest"),
    path("templates/compare", CompareTemplatesView.as_view(), name="templates-compare"),
    path("templates/import", ImportTemplatesView.as_view(), name="templates-import"),
    path("templates/<int:template_id>", TemplateView.as_view(), name="template"),
    path("templates/<int:template_id>/versions", TemplateVersionsView.as_view(), name="template-versions"),
    path("templates/<int:template_id>/new-version", NewVersionView.as_view(), name="template-new-version"),
    path("templates/<int:template_id>/publish", PublishTemplateView.as_view(), name="template-publish"),
    path("templates/<int:template_id>/archive", ArchiveTemplateView.as_view(), name="template-archive"),
    path("templates/<int:template_id>/export", ExportTemplateView.as_view(), name="template-export"),
    path("platforms", PlatformsView.as_view(), name="platforms"),
    path("governance/stats", StatsView.as_view(), name="governance-stats"),
    path("governance/detailed-coverage", DetailedCoverageView.as_view(), name="governance-coverage"),
    path("loss-analysis", LossAnalysisView.as_view(), name="loss-analysis"),
    path("loss-alert", LossAlertView.as_view(), name="loss-alert"),
    path("quarantine", QuarantineView.as_view(), name="quarantine"),
    path("quarantine/stats", QuarantineStatsView.as_view(), name="quarantine-stats"),
    path("quarantine/files", QuarantineFilesView.as_view(), name="quarantine-files"),
    path("quarantine/export", ExportRowsView.as_view(), name="quarantine-export"),
    path("quarantine/import", ImportCorrectionsView.as_view(), name="quarantine-import"),
    path("quarantine/correct", CorrectRowsView.as_view(), name="quarantine-correct"),
    path("quarantine/release", ReleaseRowsView.as_view(), name="quarantine-release"),
    path("quarantine/discard", DiscardRowsView.as_view(), name="quarantine-discard"),
    path("quarantine/<int:row_id>", QuarantinedRowView.as_view(), name="quarantined-row"),
    path("facts/<slug:domain>", FactsView.as_view(), name="facts"),
    path("facts/<slug:domain>/<slug:record_key>", FactView.as_view(), name="fact"),
]
