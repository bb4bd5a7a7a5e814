"""Accounts and component versions say how they stand in more than yes and no."""

import django.core.validators
from django.db import migrations, models


def say_states(apps, schema_editor):
    for model, no in (("CollectionAccount", "paused"), ("ComponentVersion", "withdrawn")):
        rows = apps.get_model("datasync", model)._base_manager.using(schema_editor.connection.alias)
        rows.filter(active=False).update(state=no)


def say_yes_or_no(apps, schema_editor):
    for model, yes in (("CollectionAccount", "active"), ("ComponentVersion", "released")):
        rows = apps.get_model("datasync", model)._base_manager.using(schema_editor.connection.alias)
        rows.exclude(state=yes).update(active=False)


class Migration(migrations.Migration):

    dependencies = [
        ('datasync', '0007_shop_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='collectionaccount',
            name='state',
            field=models.CharField(choices=[('active', 'active'), ('paused', 'paused'), ('blocked', 'blocked by the platform')], default='active', max_length=16, verbose_name='state'),
        ),
        migrations.AddField(
            model_name='collectionaccount',
            name='note',
            field=models.CharField(blank=True, default='', help_text='Everybody who may see the account reads it: no passwords.', max_length=500, verbose_name='note'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='componentversion',
            name='state',
            field=models.CharField(choices=[('draft', 'draft'), ('released', 'released'), ('withdrawn', 'withdrawn')], default='released', max_length=16, verbose_name='state'),
        ),
        migrations.AddField(
            model_name='componentversion',
            name='note',
            field=models.CharField(blank=True, default='', max_length=500, verbose_name='note'),
            preserve_default=False,
        ),
        migrations.RunPython(say_states, say_yes_or_no),
        migrations.RemoveField(
            model_name='collectionaccount',
            name='active',
        ),
        migrations.RemoveField(
            model_name='componentversion',
            name='active',
        ),
        migrations.AlterField(
            model_name='componentversion',
            name='state',
            field=models.CharField(choices=[('draft', 'draft'), ('released', 'released'), ('withdrawn', 'withdrawn')], default='draft', max_length=16, verbose_name='state'),
        ),
        migrations.AlterField(
            model_name='componentversion',
            name='checksum',
            field=models.CharField(blank=True, max_length=64, validators=[django.core.validators.RegexValidator('\\A[0-9a-f]{64}\\Z', 'Write the SHA-256 as 64 lower-case hexadecimal digits.')], verbose_name='checksum (SHA-256)'),
        ),
    ]
