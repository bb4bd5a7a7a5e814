"""Addresses under ``/api/data-sync/``. Ids are slugs or numbers, so that nothing else reaches the database."""

from django.urls import path

from datasync.api.views.files import FilesView, FileView, PreviewView, RefreshView
from datasync.api.views.progress import ProgressView, TaskStatusView, TasksView
from datasync.api.views.submit import BatchAllView, BatchByIdsView, BatchView, SingleView

urlpatterns = [
    path("single", SingleView.as_view(), name="sync-single"),
    path("batch", BatchView.as_view(), name="sync-batch"),
    path("batch-by-ids", BatchByIdsView.as_view(), name="sync-batch-by-ids"),
    path("batch-all", BatchAllView.as_view(), name="sync-batch-all"),
    path("progress/<slug:task_id>", ProgressView.as_view(), name="sync-progress"),
    path("tasks", TasksView.as_view(), name="sync-tasks"),
    path("task-status/<slug:celery_task_id>", TaskStatusView.as_view(), name="sync-task-status"),
    path("files", FilesView.as_view(), name="files"),
    path("files/refresh", RefreshView.as_view(), name="files-refresh"),
    path("files/<int:file_id>", FileView.as_view(), name="file"),
    path("preview", PreviewView.as_view(), name="preview"),
]
