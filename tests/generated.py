"""Requests made up from the API's document, sent through the whole web application in this process.

Every answer is held against the document: its status, its headers, its type and the shape of what it says. The world
is as it was again after each request.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckContext, CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi import checks

from tests.connections import undone
from tests.document import document

MOST_TOLD = 3
CONFIGURATION = {"generation": {"with-security-parameters": False, "allow-x00": True}}


def keeps_the_envelope(_context: CheckContext, response: Any, case: Any) -> None:
    """JSON comes in the envelope, which agrees with the status and carries the request's id."""
    if "application/json" not in response.headers.get("content-type", [""])[0]:
        return
    told = response.json()
    assert told["success"] is (response.status_code < 400), case.operation.label
    assert [told["request_id"]] == response.headers["x-request-id"], case.operation.label
    assert response.status_code < 400 or (told["error"]["code"] and told["data"] is None), case.operation.label


CHECKS: list[CheckFunction] = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    keeps_the_envelope,
]


@dataclass
class Explorer:
    """Sends requests in the names of several people and remembers what was wrong.

    ``people`` are the headers that each sends, ``known`` the ids of things that there are, by the name of the
    parameter or field; half of the requests use them.
    """

    people: Mapping[str, Mapping[str, str]]
    known: Mapping[str, Any]
    sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def explore(self, *, examples: int, deterministic: bool) -> None:
        """Send at least so many requests, spread over all calls; calls that take nothing are soon known."""
        operations = list(_operations())
        for operation in operations:
            self._try(operation, math.ceil(examples / len(operations)), deterministic=deterministic)
        talkative = [operation for operation in operations if self.sent[operation.label] * len(operations) >= examples]
        missing = examples - self.sent.total()
        for operation in talkative if missing > 0 else ():
            self._try(operation, math.ceil(missing / len(talkative)) + 1, deterministic=deterministic, again=True)

    def _try(self, operation: Any, examples: int, *, deterministic: bool, again: bool = False) -> None:
        positive = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
        strategies = [positive]
        if operation.body or operation.query or operation.path_parameters:
            strategies.append(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))

        signed_in = [name for name, headers in self.people.items() if headers]
        names = [*signed_in, *self.people]  # whoever has not signed in is told the same everywhere

        @settings(
            max_examples=examples,
            derandomize=deterministic and not again,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(strategies), person=st.sampled_from(names), known=st.booleans())
        def send(case: Any, person: str, known: bool) -> None:
            if known:
                self._place(case)
            self._send(case, person)

        send()

    def _place(self, case: Any) -> None:
        """Name things that there are."""
        for holder in (case.path_parameters, case.query, case.body):
            if isinstance(holder, dict):
                holder.update({name: self.known[name] for name in holder if name in self.known})

    def _send(self, case: Any, person: str) -> None:
        label = case.operation.label
        self.sent[label] += 1
        with undone():
            response = case.call(headers=dict(self.people[person]))
        self.statuses[response.status_code] += 1
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            self._note(label, person, failures)

    def _note(self, label: str, person: str, failures: FailureGroup) -> None:
        told = self.wrong.setdefault(label, [])
        if len(told) < MOST_TOLD:
            told.append(f"{label} as {person}: " + "\n".join(map(str, failures.exceptions)))


def _operations() -> Iterator[Any]:
    schema = schemathesis.openapi.from_dict(document(), config=schemathesis.Config.from_dict(CONFIGURATION))
    schema.app = _ended(get_wsgi_application())
    for result in schema.get_all_operations():
        if isinstance(result, Err):
            raise result.err()
        yield result.ok()


def _ended(application: Any) -> Any:
    """The application, each of whose answers is read and closed at once, as a server does."""

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        response = application(environ, start_response)
        try:
            return [b"".join(response)]
        finally:
            response.close()

    return answer
