"""Every answer that the API's document promises has a test that got it.

The session notes each answer of a view, and what the middleware answers instead of one, by call, status and error code.
A whole run fails when a documented answer was never seen: a call without a test for its success, or for one of its
errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.test import Client
from django.urls import Resolver404, resolve
from rest_framework.views import APIView

from tests.document import operations

Answer = tuple[str, str, int, str]
"""Method, path of the document, status and error code; "" for a success."""
NEVER_PROVOKED = {"INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "DISK_FULL"}
"""What any call may answer when something breaks, which ``test_api_envelope`` does."""
NO_ADDRESS = "NOT_FOUND"
"""What is answered before a call is known where the id in its address can be none; ``test_api_every_call`` asks all."""
_seen: set[Answer] = set()
_pauses: list[object] = []


def watch() -> None:
    """Note every answer from now on."""
    finalize, request_of_client = APIView.finalize_response, Client.request

    def finalizing(self: APIView, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answered = finalize(self, request, response, *args, **kwargs)
        match = getattr(request, "resolver_match", None)
        if match is not None:
            _note(str(request.method), match.route, answered.status_code, _code(answered))
        return answered

    def requesting(self: Client, **request: Any) -> Any:
        answered = request_of_client(self, **request)
        if answered.status_code == 429 and answered["Content-Type"] == "application/json":
            _note_refused(request, answered.json()["error"]["code"])
        return answered

    APIView.finalize_response = finalizing  # type: ignore[method-assign]
    Client.request = requesting  # type: ignore[method-assign]


@contextmanager
def paused() -> Iterator[None]:
    """Note nothing meanwhile: requests that a machine makes up are no test of a call."""
    _pauses.append(None)
    try:
        yield
    finally:
        _pauses.pop()


def unseen() -> list[Answer]:
    """The documented answers that no test got."""
    return sorted(_documented() - _seen)


def _note(method: str, route: str, status: int, code: str) -> None:
    if _pauses:
        return
    path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)
    _seen.add((method, path, status, code))


def _note_refused(request: dict[str, Any], code: str) -> None:
    """A refusal before any view was reached."""
    try:
        match = resolve(request["PATH_INFO"])
    except Resolver404:
        return
    _note(request["REQUEST_METHOD"], match.route, 429, code)


def _documented() -> set[Answer]:
    return {
        (operation.method, operation.path, int(status), code)
        for operation in operations()
        for status in operation.told["responses"]
        for code in operation.codes().get(int(status), {""})
        if code not in NEVER_PROVOKED and not (code == NO_ADDRESS and "{" in operation.path)
    }


def _code(response: Any) -> str:
    data = getattr(response, "data", None)
    return str(data.get("code", "")) if response.status_code >= 400 and isinstance(data, dict) else ""
