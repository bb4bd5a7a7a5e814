"""Who may look at limits and change them: whom the console lets do the same."""

from __future__ import annotations

from django.contrib.auth.models import User
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from erp.api.authentication import staff_of


def allowed(request: Request, right: str) -> User:
    """Whoever is signed in, who has to be staff with this right (``view_raterule``); else ``PermissionDenied``."""
    person = staff_of(request)
    if not person.has_perm(f"ratelimits.{right}"):
        raise PermissionDenied
    return person
