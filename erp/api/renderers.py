"""The envelope around every answer of the API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _
from rest_framework.renderers import JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

_MESSAGES = {
    HTTPStatus.OK: _("Done."),
    HTTPStatus.CREATED: _("Created."),
    HTTPStatus.ACCEPTED: _("Accepted; it runs in the background."),
}


def now() -> str:
    """The present moment as the envelope writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def request_id_of(request: Any) -> str:
    """The id that the middleware gave the request."""
    return getattr(request, "request_id", "")


def success_document(data: Any, *, request: Any, response: Any) -> dict[str, Any]:
    """The envelope of what went well."""
    message = getattr(response, "message", "") or gettext(_MESSAGES.get(response.status_code, _("Done.")))
    document = {
        "success": True,
        "data": data,
        "message": message,
        "timestamp": now(),
        "request_id": request_id_of(request),
    }
    page = getattr(response, "page", None)
    if page is not None:
        document["pagination"] = page.document
    return document


def error_document(error: Mapping[str, Any], *, request: Any) -> dict[str, Any]:
    """The envelope of what did not."""
    return {
        "success": False,
        "error": error,
        "message": error["detail"],
        "data": None,
        "timestamp": now(),
        "request_id": request_id_of(request),
    }


def dumps(document: Mapping[str, Any]) -> bytes:
    """Write compact JSON; U+2028 and U+2029 are escaped, as JavaScript once read them as line ends."""
    text = json.dumps(document, cls=JSONEncoder, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode("utf-8", "backslashreplace")


class EnvelopeRenderer(JSONRenderer):
    """JSON in the envelope of the contract; views and the exception handler only give it the content."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Wrap by status: from 400 on, ``data`` is the error that the exception handler made."""
        context = renderer_context or {}
        request, response = context.get("request"), context["response"]
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            return dumps(error_document(data, request=request))
        return dumps(success_document(data, request=request, response=response))
