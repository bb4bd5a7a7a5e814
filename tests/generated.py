"""Requests made up from the API's document, sent through the whole web application in this process.

Every answer is held against the document: its status, its headers, its type, the shape of what it says and the code of
an error. The world is as it was again after each request. The same seed makes up the same requests.
"""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import CheckContext, CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Err
from schemathesis.specs.openapi import checks

from tests.connections import undone
from tests.document import document, operations

MOST_TOLD = 3
CONFIGURATION = {"generation": {"with-security-parameters": False, "allow-x00": True}}


def says_a_code_of_the_document(_context: CheckContext, response: Any, case: Any) -> None:
    """An error's code, by which programs decide, is one of those that the call can give with this status."""
    if response.status_code < 400 or "application/json" not in response.headers.get("content-type", [""])[0]:
        return
    code = response.json()["error"]["code"]
    known = _codes()[case.operation.label].get(response.status_code, set())
    assert code in known, f"{case.operation.label}: {response.status_code} {code}, the document has {sorted(known)}"


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
    says_a_code_of_the_document,
]


@dataclass
class Explorer:
    """Sends requests in the names of several people and remembers what was wrong.

    ``people`` are the headers that each sends, ``known`` the ids of things that there are, by the name of the
    parameter or field; half of the requests use them. ``sent`` counts what was made up by call, ``well`` are the calls
    of which any request succeeded.
    """

    people: Mapping[str, Mapping[str, str]]
    known: Mapping[str, Any]
    seed: int
    sent: Counter[str] = field(default_factory=Counter)
    well: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    def explore(self, *, examples: int) -> None:
        """Send at least so many requests, spread over all calls; calls that take nothing are soon known.

        Each call's own example comes before those.
        """
        called = list(_operations())
        for operation in called:
            self._show(operation)
            self._try(operation, math.ceil(examples / len(called)))
        talkative = [operation for operation in called if self.sent[operation.label] * len(called) >= examples]
        missing = examples - self.sent.total()
        for operation in talkative if missing > 0 else ():
            self._try(operation, math.ceil(missing / len(talkative)) + 1, again=True)

    def _show(self, operation: Any) -> None:
        """Send what the document shows, about things that there are, in the names of those who have signed in."""
        wanted = {parameter.name: self.known[parameter.name] for parameter in operation.path_parameters}
        shown = _examples().get(operation.label)
        body = {"body": dict(shown), "media_type": "application/json"} if shown else {}
        for person in (name for name, headers in self.people.items() if headers):
            case = operation.Case(path_parameters=dict(wanted), **body)
            self._place(case)
            self._send(case, person)

    def _try(self, operation: Any, examples: int, *, again: bool = False) -> None:
        positive = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
        strategies = [positive]
        if operation.body or operation.query or operation.path_parameters:
            strategies.append(operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE))

        signed_in = [name for name, headers in self.people.items() if headers]
        names = [*signed_in, *self.people]  # whoever has not signed in is told the same everywhere

        @seed(zlib.crc32(f"{self.seed} {operation.label} {again}".encode()))
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(strategies), person=st.sampled_from(names), known=st.booleans())
        def send(case: Any, person: str, known: bool) -> None:
            if known:
                self._place(case)
            self.sent[operation.label] += 1
            self._send(case, person)

        send()

    def _place(self, case: Any) -> None:
        """Name things that there are."""
        for holder in (case.path_parameters, case.query, case.body):
            if isinstance(holder, dict):
                holder.update({name: self.known[name] for name in holder if name in self.known})

    def _send(self, case: Any, person: str) -> None:
        label = case.operation.label
        with undone():
            response = case.call(headers=dict(self.people[person]))
        self.statuses[response.status_code] += 1
        if response.status_code < 400:
            self.well.add(label)
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as failures:
            self._note(label, person, failures)

    def _note(self, label: str, person: str, failures: FailureGroup) -> None:
        told = self.wrong.setdefault(label, [])
        if len(told) < MOST_TOLD:
            told.append(f"{label} as {person}: " + "\n".join(map(str, failures.exceptions)))


@cache
def _codes() -> Mapping[str, dict[int, set[str]]]:
    """The error codes of each call, by status."""
    return {call.name: call.codes() for call in operations()}


@cache
def _examples() -> Mapping[str, Mapping[str, Any]]:
    """The body that the document shows for each call that takes JSON."""
    bodies = {call.name: call.told.get("requestBody", {}).get("content", {}) for call in operations()}
    return {
        name: example["value"]
        for name, content in bodies.items()
        for example in content.get("application/json", {}).get("examples", {}).values()
    }


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
