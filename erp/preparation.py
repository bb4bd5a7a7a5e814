"""What has to be in place before the product can be used; every step may be repeated."""

from __future__ import annotations

import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command

from datasync.mapping.services import load_builtin_templates
from erp.messages import compile_messages

FIRST_ADMIN = "admin"


def prepare() -> None:
    """Compile the translations, bring the tables up to date, load the built-in templates; an operator's edits stay."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    compile_messages(settings.LOCALE_PATHS)
    call_command("migrate", interactive=False, verbosity=0)
    load_builtin_templates()


def create_first_admin() -> str | None:
    """Create ``admin`` where no superuser exists, and give the password that is shown once; else nothing."""
    if User.objects.filter(is_superuser=True).exists() or User.objects.filter(username=FIRST_ADMIN).exists():
        return None
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(username=FIRST_ADMIN, password=password)
    return password
