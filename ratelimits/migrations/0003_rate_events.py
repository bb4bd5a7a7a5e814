import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ratelimits', '0002_rate_rules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RateLimitEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(verbose_name='minute')),
                ('last_at', models.DateTimeField(verbose_name='last refused')),
                ('key', models.CharField(max_length=100, verbose_name='caller')),
                ('address', models.CharField(blank=True, max_length=45, verbose_name='address')),
                ('path', models.CharField(max_length=200, verbose_name='path')),
                ('method', models.CharField(max_length=10, verbose_name='method')),
                ('scope', models.CharField(max_length=20, verbose_name='scope')),
                ('tier', models.CharField(max_length=20, verbose_name='tier')),
                ('detail', models.CharField(blank=True, max_length=100, verbose_name='limit')),
                ('agent', models.CharField(blank=True, max_length=200, verbose_name='program')),
                ('times', models.PositiveBigIntegerField(default=1, verbose_name='times')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='person')),
            ],
            options={
                'verbose_name': 'refused request',
                'verbose_name_plural': 'refused requests',
                'ordering': ('-last_at', '-pk'),
                'indexes': [models.Index(fields=['-last_at', '-id'], name='rate_event_newest')],
                'constraints': [models.UniqueConstraint(fields=('at', 'key', 'scope', 'path'), name='one_event_a_minute')],
            },
        ),
        migrations.CreateModel(
            name='RateLimitDay',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(verbose_name='day')),
                ('path', models.CharField(max_length=200, verbose_name='path')),
                ('key', models.CharField(max_length=100, verbose_name='caller')),
                ('refused', models.PositiveBigIntegerField(default=0, verbose_name='refused')),
            ],
            options={
                'verbose_name': 'refusals of a day',
                'verbose_name_plural': 'refusals by day',
                'ordering': ('-day', '-refused', 'pk'),
                'constraints': [models.UniqueConstraint(fields=('day', 'path', 'key'), name='one_count_a_day')],
            },
        ),
    ]
