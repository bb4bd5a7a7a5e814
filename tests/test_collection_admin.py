"""The pages of accounts and component versions."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from datasync.models import CollectionAccount, ComponentVersion
from tests.collection_support import CHECKSUM, account, shop, version

pytestmark = pytest.mark.django_db
ACCOUNTS = "/admin/datasync/collectionaccount/"
VERSIONS = "/admin/datasync/componentversion/"


def act(client: Client, address: str, action: str, *rows: Any) -> str:
    """The page after an action on these rows."""
    answer = client.post(address, {"action": action, "_selected_action": [row.pk for row in rows]}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("block", "blocked"), ("activate", "active")])
def test_accounts_are_steered_from_the_list(admin_client: Client, action: str, state: str) -> None:
    rows = [account("one", state="paused"), account("two", state="active"), account("three", state="blocked")]
    assert "Changed 2 accounts." in act(admin_client, ACCOUNTS, action, *rows)
    assert set(CollectionAccount.objects.values_list("state", flat=True)) == {state}
    history = admin_client.get(reverse("admin:datasync_collectionaccount_history", args=(rows[0].pk,)))
    assert history.status_code == 200


def test_versions_are_released_and_withdrawn_from_the_list(admin_client: Client) -> None:
    ready, bare = version("1.0", checksum=CHECKSUM), version("1.1")
    page = act(admin_client, VERSIONS, "release", ready, bare)
    assert "Released 1 version." in page
    assert "shopee-collector 1.1 has no checksum." in page
    assert dict(ComponentVersion.objects.values_list("version", "state")) == {"1.0": "released", "1.1": "draft"}
    assert "Withdrew 1 version." in act(admin_client, VERSIONS, "withdraw", ready)
    assert ComponentVersion.objects.get(pk=ready.pk).state == "withdrawn"


def test_what_was_released_stays_as_it_is(admin_client: Client) -> None:
    draft, released = version("2.0"), version("1.0", checksum=CHECKSUM, state="released")
    form = admin_client.get(f"{VERSIONS}{draft.pk}/change/").content.decode()
    assert 'name="checksum"' in form
    address = f"{VERSIONS}{released.pk}/change/"
    form = admin_client.get(address).content.decode()
    assert 'name="checksum"' not in form
    assert 'name="note"' in form
    admin_client.post(address, {"note": "replaced by 2.0", "checksum": "0" * 64, "state": "draft"})
    released.refresh_from_db()
    assert (released.note, released.checksum, released.state) == ("replaced by 2.0", CHECKSUM, "released")
    assert admin_client.post(f"{VERSIONS}{released.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(f"{VERSIONS}{draft.pk}/delete/", {"post": "yes"}).status_code == 302


def test_a_wrong_checksum_is_told(admin_client: Client) -> None:
    page = admin_client.post(f"{VERSIONS}add/", {"component": "x", "version": "1", "checksum": "12", "note": ""})
    assert "64 lower-case hexadecimal digits" in page.content.decode()
    assert not ComponentVersion.objects.exists()


def test_a_search_counts_each_shop_once(admin_client: Client) -> None:
    account("one", shop("sg-1"), shop("sg-2"))
    page = admin_client.get(ACCOUNTS, {"q": "sg"}).content.decode()
    assert '<td class="field-shop_count">2</td>' in page


def test_statements_do_not_grow_with_the_rows(admin_client: Client) -> None:
    def statements(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin_client.get(address).status_code == 200
        return len(captured)

    account("a", shop("sg-1"))
    version("0.1")
    before = [statements(address) for address in (ACCOUNTS, VERSIONS)]
    for number in range(10):
        account(f"b{number}", shop(f"sg-{number}"))
        version(f"1.{number}")
    assert [statements(address) for address in (ACCOUNTS, VERSIONS)] == before
