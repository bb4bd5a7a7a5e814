"""Indexes that nobody reads go, while everybody works on: no table is locked, and no foreign key made again.

What Django would do is to drop and check six foreign keys anew in one transaction, which stops sign-in as well. The
unique constraints keep the names that they have on PostgreSQL; on SQLite they stay in the columns until the table is
made again.
"""

import time
from contextlib import contextmanager

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_LOCK = 2026112312
_GOING = {
    'datasync_catalogfile_platform_id_7fa1fba4': 'datasync_catalogfile (platform_id)',
    'datasync_catalogfile_platform_id_7fa1fba4_like': 'datasync_catalogfile (platform_id varchar_pattern_ops)',
    'datasync_catalogfile_source_platform_id_167e1178': 'datasync_catalogfile (source_platform_id)',
    'datasync_catalogfile_source_platform_id_167e1178_like':
        'datasync_catalogfile (source_platform_id varchar_pattern_ops)',
    'datasync_catalogfile_uploaded_by_id_2fc49726': 'datasync_catalogfile (uploaded_by_id)',
    'datasync_catalogfile_sha256_91e77dd3': 'datasync_catalogfile (sha256)',
    'datasync_catalogfile_sha256_91e77dd3_like': 'datasync_catalogfile (sha256 varchar_pattern_ops)',
    'datasync_catalogfile_content_sha256_7bb298ed': 'datasync_catalogfile (content_sha256)',
    'datasync_catalogfile_content_sha256_7bb298ed_like': 'datasync_catalogfile (content_sha256 varchar_pattern_ops)',
    'datasync_syncprogresstask_owner_id_ffc93665': 'datasync_syncprogresstask (owner_id)',
    'datasync_syncprogresstask_parent_id_71257646': 'datasync_syncprogresstask (parent_id)',
    'datasync_syncprogresstask_task_id_9b5cd0a4_like': 'datasync_syncprogresstask (task_id varchar_pattern_ops)',
    'datasync_syncprogresstask_celery_task_id_8a137908_like':
        'datasync_syncprogresstask (celery_task_id varchar_pattern_ops)',
    'datasync_synctaskfile_task_id_8c9e7f30': 'datasync_synctaskfile (task_id)',
}
_COMING = {
    'file_content': 'datasync_catalogfile (content_sha256)',
    'file_uploader': 'datasync_catalogfile (uploaded_by_id) WHERE uploaded_by_id IS NOT NULL',
}


def _replace(editor, coming, going):
    """Make the ones, then drop the others; again after a run that was cut off, what it has done stays done."""
    if editor.connection.vendor != 'postgresql':
        for name, columns in coming.items():
            if not name.endswith('_like'):
                editor.execute(f'CREATE INDEX IF NOT EXISTS {name} ON {columns}')
        for name in going:
            editor.execute(f'DROP INDEX IF EXISTS {name}')
        return
    with _alone(editor):
        for name, columns in coming.items():
            valid = _ask(editor, f"SELECT bool_and(indisvalid) FROM pg_index WHERE indexrelid = to_regclass('{name}')")
            if valid is False:  # it was cut off while it was made
                editor.execute(f'DROP INDEX CONCURRENTLY {name}')
            if not valid:
                editor.execute(f'CREATE INDEX CONCURRENTLY {name} ON {columns}')
        for name in going:
            editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS {name}')


@contextmanager
def _alone(editor):
    """While other hosts begin with the same migration. Asked again and again: who waits in PostgreSQL holds up both."""
    while not _ask(editor, f'SELECT pg_try_advisory_lock({_LOCK})'):
        time.sleep(1)
    try:
        yield
    finally:
        _ask(editor, f'SELECT pg_advisory_unlock({_LOCK})')


def _ask(editor, statement):
    with editor.connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _forwards(apps, editor):
    _replace(editor, _COMING, _GOING)


def _backwards(apps, editor):
    _replace(editor, _GOING, _COMING)


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('datasync', '0011_list_indexes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(_forwards, _backwards),
        migrations.SeparateDatabaseAndState(state_operations=[
            migrations.AlterField(
                model_name='catalogfile',
                name='content_sha256',
                field=models.CharField(max_length=64),
            ),
            migrations.AlterField(
                model_name='catalogfile',
                name='platform',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='files', to='datasync.platform', verbose_name='platform'),
            ),
            migrations.AlterField(
                model_name='catalogfile',
                name='sha256',
                field=models.CharField(max_length=64),
            ),
            migrations.AlterField(
                model_name='catalogfile',
                name='source_platform',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='datasync.platform', verbose_name='source platform'),
            ),
            migrations.AlterField(
                model_name='catalogfile',
                name='uploaded_by',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='uploaded by'),
            ),
            migrations.AlterField(
                model_name='syncprogresstask',
                name='celery_task_id',
                field=models.CharField(max_length=64, verbose_name='Celery task id'),
            ),
            migrations.AlterField(
                model_name='syncprogresstask',
                name='owner',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='sync_tasks', to=settings.AUTH_USER_MODEL, verbose_name='owner'),
            ),
            migrations.AlterField(
                model_name='syncprogresstask',
                name='parent',
                field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='retries', to='datasync.syncprogresstask', verbose_name='retry of'),
            ),
            migrations.AlterField(
                model_name='syncprogresstask',
                name='task_id',
                field=models.CharField(max_length=64, verbose_name='task id'),
            ),
            migrations.AlterField(
                model_name='synctaskfile',
                name='task',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='datasync.syncprogresstask', verbose_name='task'),
            ),
            migrations.AddIndex(
                model_name='catalogfile',
                index=models.Index(fields=['content_sha256'], name='file_content'),
            ),
            migrations.AddIndex(
                model_name='catalogfile',
                index=models.Index(condition=models.Q(('uploaded_by__isnull', False)), fields=['uploaded_by'], name='file_uploader'),
            ),
            migrations.AddConstraint(
                model_name='syncprogresstask',
                constraint=models.UniqueConstraint(fields=('task_id',), name='datasync_syncprogresstask_task_id_key'),
            ),
            migrations.AddConstraint(
                model_name='syncprogresstask',
                constraint=models.UniqueConstraint(fields=('celery_task_id',), name='datasync_syncprogresstask_celery_task_id_key'),
            ),
        ]),
    ]
