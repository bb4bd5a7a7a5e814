"""Whose name a sign-in claims, read before its view does."""

from __future__ import annotations

import unicodedata
from io import BytesIO

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import ParseError

from erp.api.parsers import BoundedJSONParser
from ratelimits.limits.endpoints import API

MOST_BYTES = 16 * 1024
"""More than any name, password and label take."""
_UNREADABLE = (ParseError, MultiPartParserError, SuspiciousOperation, BadRequest, OSError, ValueError)


def name_key(request: HttpRequest) -> str:
    """By what the claimed name is counted: hashed, so that the store holds no names.

    Spellings that either door may take for one name are one. Bodies in which no name is found all share a key; a body
    that is written so that only its view finds the name gains nothing by it.
    """
    name = unicodedata.normalize("NFKC", _name(request)).strip().casefold()
    digest = salted_hmac(__name__, name.encode("utf-8", "surrogatepass"), algorithm="sha256")
    return f"name:{digest.hexdigest()}"


def _name(request: HttpRequest) -> str:
    try:
        if not 0 < int(request.META.get("CONTENT_LENGTH") or 0) <= MOST_BYTES:
            return ""
        if not request.path_info.startswith(API):
            return str(request.POST.get("username", ""))
        said = BoundedJSONParser().parse(BytesIO(request.body))
    except _UNREADABLE:
        return ""
    name = said.get("username") if isinstance(said, dict) else None
    return name if isinstance(name, str) else ""
