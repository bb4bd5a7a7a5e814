"""Who of the staff may do what concerns everybody: over the API the same people as in the console."""

from __future__ import annotations

from typing import Literal

from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import User
from django.db.models import Model
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from datasync.access import Sight
from datasync.exceptions import LimitedToShops
from erp.api.authentication import staff_of

REFUSALS = (PermissionDenied, LimitedToShops)
"""The errors to be documented of a call that asks here."""


def staff_of_all_shops(request: Request) -> User:
    """Whoever is signed in, who has to be staff, and not limited to shops; raises one of ``REFUSALS``."""
    person = staff_of(request)
    Sight.of(person).require_everything()
    return person


def allowed(request: Request, action: Literal["view", "add", "change", "delete"], model: type[Model]) -> User:
    """The same with the right to do this with rows of the model; whoever may change them may look at them."""
    person = staff_of_all_shops(request)
    enough = ("view", "change") if action == "view" else (action,)
    names = [get_permission_codename(one, model._meta) for one in enough]
    if not any(person.has_perm(f"{model._meta.app_label}.{name}") for name in names):
        raise PermissionDenied
    return person
