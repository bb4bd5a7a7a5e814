"""What a person in a browser sees of a refusal that comes before any page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def refusal_page(request: HttpRequest, *, error: Mapping[str, Any], wait: float) -> HttpResponse:
    """A page that says why, and after how many seconds it is worth trying again. ``error`` is as the API tells it.

    It shows nothing of who asks: the database, which knows, may be away.
    """
    seconds = max(1, ceil(wait))
    context = {"error": error, "seconds": seconds, "is_popup": True}
    page = render(request, "admin/refused.html", context, status=HTTPStatus.TOO_MANY_REQUESTS)
    page["Retry-After"] = str(seconds)
    page["Cache-Control"] = "no-store"
    return page
