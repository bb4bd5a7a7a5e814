"""The answer of a view: its data, and what the envelope says beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.response import Response

from erp.api.pagination import CursorPage, Page


class Answer(Response):
    """A successful answer. ``message`` is translated text; without one the status speaks for itself."""

    def __init__(
        self,
        data: Any,
        *,
        message: str = "",
        status: int = 200,
        page: Page | CursorPage | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(data, status=status, headers=dict(headers or {}))
        self.message = message
        self.page = page
