"""Query strings that ask for what is not theirs: no list is filtered by the ORM, none grows without bound."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from rest_framework.test import APIClient

from tests.api import data_of, error_of
from tests.bad_requests import HOSTILE_TEXTS, SOME_TEXTS, TOO_BIG, address, assert_documented, parameters, root, send
from tests.document import Operation, operations

__all__ = ["root"]
pytestmark = pytest.mark.django_db
ORM = (
    "id__gt", "pk__in", "owner__password__startswith", "user__is_superuser", "uploaded_by__email__contains",
    "name__regex", "file__shop__name", "_state", "__class__", "order_by",
)  # fmt: skip
MOST_PER_PAGE = 200


def reads(name: str = "") -> list[Operation]:
    """Calls that read, with a parameter of this name where one is given, and nothing in the path that is not there."""
    found = [
        operation
        for operation in operations()
        if operation.method == "GET" and set(parameters(operation, "path")) <= {"domain"}
        if not name or name in parameters(operation, "query")
    ]
    assert len(found) > 2
    return found


def test_operators_of_the_database_are_no_filters(root: APIClient) -> None:
    for operation in reads():
        plain = send(root, operation)
        for name in ORM:
            response = send(root, operation, QUERY_STRING=f"{name}=1")
            if parameters(operation, "query"):
                assert list(error_of(response, 400)["fields"]) == [name], operation.name
            else:
                assert response.status_code == plain.status_code, operation.name


def test_an_ordering_names_what_the_document_names(root: APIClient) -> None:
    for operation in reads("ordering"):
        for value in ("owner__password", "?", "pk__gt", "-", "id,id", "\u0000"):
            response = send(root, operation, QUERY_STRING=urlencode({"ordering": value}))
            assert list(error_of(response, 400)["fields"]) == ["ordering"], (operation.name, value)


def test_a_page_of_a_thousand_million_rows_is_cut(root: APIClient) -> None:
    for operation in reads("page_size"):
        response = root.get(address(operation), {"page_size": 10**9})
        data_of(response)
        assert response.json()["pagination"]["page_size"] == MOST_PER_PAGE, operation.name


@pytest.mark.parametrize("value", ["0", "-1", str(10**30), "1.0", "1e3", "0x10", "", "true", "\u0663"])
def test_a_page_size_is_a_positive_number(root: APIClient, value: str) -> None:
    for operation in reads("page_size"):
        error = error_of(root.get(address(operation), {"page_size": value}), 400)
        assert list(error["fields"]) == ["page_size"], operation.name


@pytest.mark.parametrize("value", ["0", "-1", str(TOO_BIG), "last", ""])
def test_a_page_is_a_positive_number(root: APIClient, value: str) -> None:
    for operation in reads("page"):
        error = error_of(root.get(address(operation), {"page": value}), 400)
        assert list(error["fields"]) == ["page"], operation.name


@pytest.mark.slow
@pytest.mark.parametrize("value", SOME_TEXTS)
def test_hostile_values_get_a_documented_answer(root: APIClient, value: str) -> None:
    for operation in reads():
        for name in parameters(operation, "query"):
            response = send(root, operation, QUERY_STRING=urlencode({name: value}))
            assert_documented(operation, response, name)


@pytest.mark.parametrize("value", HOSTILE_TEXTS, ids=range(len(HOSTILE_TEXTS)))
def test_every_parameter_hostile_at_once_gets_a_documented_answer(root: APIClient, value: str) -> None:
    for operation in reads():
        query = urlencode(dict.fromkeys(parameters(operation, "query"), value))
        assert_documented(operation, send(root, operation, QUERY_STRING=query), value)


@pytest.mark.parametrize("query", ["%", "%ff=%fe", "=", "&&&", "a" * 10_000, "page=1&page=2", "page[]=1", "page=%00"])
def test_hostile_query_strings_get_a_documented_answer(root: APIClient, query: str) -> None:
    for operation in reads():
        assert_documented(operation, send(root, operation, QUERY_STRING=query), query)
