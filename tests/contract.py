"""Every answer that the API's document promises has a test that got it.

The session notes each answer of a view, by call, status and error code. A whole run fails when a documented answer
was never seen: a call without a test for its success, or for one of its errors.
"""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from rest_framework.views import APIView

Answer = tuple[str, str, int, str]
"""Method, path of the document, status and error code; "" for a success."""
NEVER_PROVOKED = {"INTERNAL_ERROR", "SERVICE_UNAVAILABLE", "DISK_FULL"}
"""What any call may answer when something breaks; ``test_api_envelope`` breaks it."""
_seen: set[Answer] = set()


def watch() -> None:
    """Note every answer from now on."""
    finalize = APIView.finalize_response

    def noting(self: APIView, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answered = finalize(self, request, response, *args, **kwargs)
        match = getattr(request, "resolver_match", None)
        if match is not None:
            path = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", match.route)
            _seen.add((str(request.method), path, answered.status_code, _code(answered)))
        return answered

    APIView.finalize_response = noting  # type: ignore[method-assign]


def unseen() -> list[Answer]:
    """The documented answers that no test got."""
    return sorted(_documented() - _seen)


def _documented() -> set[Answer]:
    document = SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]
    return {
        (method.upper(), path, int(status), code)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for status, response in operation["responses"].items()
        for code in _codes(response, int(status))
        if code not in NEVER_PROVOKED
    }


def _codes(response: dict[str, Any], status: int) -> set[str]:
    if status < 400:
        return {""}
    examples = response["content"]["application/json"]["examples"].values()
    return {example["value"]["error"]["code"] for example in examples}


def _code(response: Any) -> str:
    data = getattr(response, "data", None)
    return str(data.get("code", "")) if response.status_code >= 400 and isinstance(data, dict) else ""
