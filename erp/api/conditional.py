"""Asking again for what has not changed costs next to nothing: weak entity tags and 304."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags
from rest_framework.request import Request

UNCHANGED = {int(HTTPStatus.NOT_MODIFIED): "Not changed since the answer whose ETag was sent."}
"""For the document of a call that tags its answers."""
CONDITION = {"If-None-Match": "The ETag of the last answer; 304 if nothing has changed since."}


def weak_tag(version: str) -> str:
    """The tag of answers that mean the same, whatever their request id and time."""
    return f'W/"{version}"'


def not_modified(request: Request, tag: str) -> HttpResponse | None:
    """The 304 for a caller who has this answer already; None for anybody else."""
    given = parse_etags(request.headers.get("If-None-Match", ""))
    if given != ["*"] and tag not in given:
        return None
    return HttpResponseNotModified(headers=tag_headers(tag))


def tag_headers(tag: str) -> dict[str, str]:
    """What an answer says so that it is asked for with its tag the next time."""
    return {"ETag": tag, "Cache-Control": "private, no-cache"}
