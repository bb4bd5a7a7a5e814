from django.db import migrations

from datasync.raw_views import create_raw_views, drop_raw_views
from datasync.spreadsheets import unique_names


def name_columns(apps, schema_editor):
    """Header sets of before got no names yet."""
    header_sets = apps.get_model('datasync', 'HeaderSet').objects
    for header_set in header_sets.iterator(chunk_size=200):
        header_sets.filter(pk=header_set.pk).update(names=unique_names(header_set.headers))


class Migration(migrations.Migration):

    dependencies = [
        ('datasync', '0004_quarantine_decisions_and_lineage'),
    ]

    operations = [
        migrations.RunPython(name_columns, migrations.RunPython.noop),
        migrations.RunPython(create_raw_views, drop_raw_views),
    ]
