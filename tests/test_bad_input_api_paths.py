"""Ids that are none: whatever stands in an address, the answer is that there is no such thing."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from rest_framework.test import APIClient

from tests.bad_requests import HOSTILE_TEXTS, TOO_BIG, address, parameters, root, send
from tests.document import Operation, operations

__all__ = ["root"]
pytestmark = pytest.mark.django_db(transaction=True)
NO_IDS = ("0", str(TOO_BIG), "9" * 30, "-1", "1.5", "1e3", "0x10", "\u0663", "null", "true")
QUOTED = [quote(text, safe="") for text in (*NO_IDS, *HOSTILE_TEXTS)]
RAW = ["%ff%fe", "%", "%zz", "%00", "%2e%2e%2f", "..;", "%0d%0aX-Evil:%201"]


def calls_with_ids() -> list[Operation]:
    """Calls about one thing."""
    found = [operation for operation in operations() if parameters(operation, "path")]
    assert len(found) > 15
    return found


def test_there_is_nothing_at_a_hostile_address(root: APIClient) -> None:
    for operation in calls_with_ids():
        for name in parameters(operation, "path"):
            for value in (*QUOTED, *RAW):
                path = address(operation, {name: value})
                response = send(root, operation, path, data="{}", content_type="application/json")
                about = (operation.name, value, response.status_code)
                assert response.status_code in {400, 404, 405, 415}, about
                assert response.json()["success"] is False, about
                assert "X-Evil" not in response, about
