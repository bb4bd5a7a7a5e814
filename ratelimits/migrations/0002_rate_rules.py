import django.core.validators
from django.db import migrations, models

import ratelimits.limits.models

RULES = {
    "admin": (200, 100, 20),
    "manager": (150, 80, 15),
    "finance": (120, 30, 10),
    "premium": (100, 50, 10),
    "operator": (100, 50, 10),
    "normal": (60, 30, 5),
    "anonymous": (30, 10, 3),
}
SCOPES = ("default", "data_sync", "auth")


def create_rules(apps, schema_editor):
    rules = apps.get_model("ratelimits", "RateRule").objects.using(schema_editor.connection.alias)
    rules.bulk_create(
        rules.model(tier=tier, scope=scope, per_minute=per_minute)
        for tier, limits in RULES.items()
        for scope, per_minute in zip(SCOPES, limits, strict=True)
    )


class Migration(migrations.Migration):
    dependencies = [
        ("ratelimits", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="RateRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tier", models.CharField(help_text="A group's name; “admin” is also for superusers, “normal” for whoever is in no group with a rule, “anonymous” for whoever has not signed in.", max_length=20, validators=[ratelimits.limits.models.validate_tier], verbose_name="tier")),
                ("scope", models.CharField(choices=[("default", "everything else"), ("data_sync", "changes in data sync"), ("auth", "sign-in")], max_length=20, verbose_name="scope")),
                ("endpoint", models.CharField(blank=True, help_text="Blank for the whole scope; else the name of a call, which is then counted on its own as well.", max_length=100, validators=[ratelimits.limits.models.validate_endpoint], verbose_name="call")),
                ("per_minute", models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)], verbose_name="a minute")),
                ("enabled", models.BooleanField(default=True, verbose_name="enabled")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
            ],
            options={
                "verbose_name": "rate rule",
                "verbose_name_plural": "rate rules",
                "ordering": ("scope", "endpoint", "-per_minute", "tier"),
                "constraints": [
                    models.UniqueConstraint(fields=("tier", "scope", "endpoint"), name="one_rate_rule"),
                    models.CheckConstraint(condition=models.Q(("per_minute__gte", 1), ("per_minute__lte", 10000)), name="rate_rule_within_bounds"),
                ],
            },
        ),
        migrations.RunPython(create_rules, migrations.RunPython.noop),
    ]
