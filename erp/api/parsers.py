"""Reading a body: bounded in size, JSON also in depth, UTF-8, and without numbers that JSON does not have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

_FORM_BYTES = 1024 * 1024


class BoundedJSONParser(BaseParser):
    """JSON that cannot exhaust the web process."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - DRF's signature
    ) -> Any:
        """Read at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, whatever length the caller announced."""
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig
        try:
            return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
        except RecursionError:
            raise ParseError(_("The body is nested too deeply.")) from None
        except ValueError as error:
            raise ParseError(_("The body is no valid JSON: %(error)s.") % {"error": error}) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


class BoundedMultiPartParser(MultiPartParser):
    """Uploads, refused by their announced length before a byte is stored."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Allow one file of ``UPLOAD_LIMIT_BYTES`` and what else a form holds."""
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.UPLOAD_LIMIT_BYTES + _FORM_BYTES:
            raise RequestDataTooBig
        try:
            return super().parse(stream, media_type, parser_context)
        except OSError:  # as on a full disk: Django leaves the temporary file that it was writing to the collector
            for handler in request.upload_handlers:
                with suppress(OSError):
                    handler.upload_interrupted()
            raise
