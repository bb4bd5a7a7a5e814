"""The error answers of a call in the OpenAPI document: one for each status, with an example for each code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import exceptions as rest

from datasync.exceptions import CreditsExhausted, NoTasksAllowed, SyncError, TooManyActiveTasks, TooManyFilesInTask
from erp.api.envelopes import REQUEST_ID, TIMESTAMP, ErrorEnvelope
from erp.api.errors import INTERNAL, UNAVAILABLE, Problem, problem_of, sync_error
from erp.lockout.exceptions import SignInLocked

_PARAMS = {"what": "17", "task_id": "single_file_17_0a1b2c3d", "detail": "There is no such platform: shopy."}
_PARAMS_OF: dict[type[SyncError], dict[str, Any]] = {
    TooManyActiveTasks: {
        "active": 2, "limit": 2, "active_task_ids": ["batch_0a1b2c3d", "single_file_17_0a1b2c3d"], "eta_seconds": 3.4,
        "wait": 3.4,
    },
    NoTasksAllowed: {"name": "max_active_tasks"},
    TooManyFilesInTask: {"files": 1001, "limit": 1000},
    CreditsExhausted: {"balance": 0},
    SignInLocked: {"wait": 900.0},
}  # fmt: skip
"""What they are made with beyond that of which the message speaks."""
_THROTTLED = {
    "detail": "Too many requests: the limit is 100 a minute.",
    "params": {"scope": "default", "tier": "operator", "limit": 100, "key": "user:3", "retry_after": 12.4},
}
"""What the middleware answers instead of the view."""


def error_responses(known: Sequence[type[Exception]]) -> dict[int, OpenApiResponse]:
    """One response for each status, with an example for each error code."""
    examples: dict[int, dict[str, OpenApiExample]] = defaultdict(dict)
    for cls in known:
        problem = problem_of(cls)
        error = _example_error(cls, problem)
        examples[problem.status].setdefault(error["code"], _error_example(error))
    for problem in (INTERNAL, UNAVAILABLE):
        error = {
            "code": problem.code,
            "type": problem.kind,
            "detail": problem.detail,
            "recovery_suggestion": problem.recovery,
        }
        examples[problem.status].setdefault(error["code"], _error_example(error))
    return {
        int(status): OpenApiResponse(ErrorEnvelope, " · ".join(by_code), list(by_code.values()))
        for status, by_code in sorted(examples.items())
    }


def _error_example(error: Mapping[str, Any]) -> OpenApiExample:
    value = {
        "success": False,
        "error": error,
        "message": error["detail"],
        "data": None,
        "timestamp": TIMESTAMP,
        "request_id": REQUEST_ID,
    }
    return OpenApiExample(error["code"], value=value)


def _example_error(cls: type[Exception], problem: Problem) -> dict[str, Any]:
    if issubclass(cls, SyncError):
        names = re.findall(r"%\((\w+)\)", " ".join((cls.__doc__ or "").split()))
        params = {name: _PARAMS.get(name, name) for name in names} | _PARAMS_OF.get(cls, {})
        return {"type": problem.kind, **sync_error(cls(**params))}
    detail = problem.detail or str(getattr(cls, "default_detail", ""))
    error: dict[str, Any] = {
        "code": problem.code,
        "type": problem.kind,
        "detail": detail,
        "recovery_suggestion": problem.recovery,
    }
    if issubclass(cls, rest.ValidationError):
        text = "Ensure this value is less than or equal to 10."
        error |= {"detail": f"priority: {text}", "fields": {"priority": text}}
    if issubclass(cls, rest.Throttled):
        error |= _THROTTLED
    return error
