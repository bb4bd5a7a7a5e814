"""The console's pages of credits: balances and the ledger to look at, and a form that grants."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ratelimits.models import CreditAccount, CreditEntry
from tests.api import owner
from tests.credits_support import balance, give, let_pass, use

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
LIST, ADD = (reverse(f"admin:ratelimits_creditentry_{page}") for page in ("changelist", "add"))
ACCOUNTS = reverse("admin:ratelimits_creditaccount_changelist")


def grant(client: Client, person: User, **fields: Any) -> Any:
    told = {"user": person.pk, "amount": 100, "key": "k", "note": "March", "expires_at_0": "", "expires_at_1": ""}
    return client.post(ADD, told | fields, follow=True)


def test_granting(admin_client: Client, admin_user: User, owner: User) -> None:
    page = admin_client.get(ADD).content.decode()
    assert 'type="hidden" name="key"' in page
    assert "Grant credits" in page
    for _ in range(2):
        grant(admin_client, owner, expires_at_0="2100-01-01", expires_at_1="00:00:00")
    entry = CreditEntry.objects.get()
    assert (entry.user, entry.amount, entry.note, entry.by) == (owner, 100, "March", admin_user.username)
    assert entry.expires_at is not None
    assert entry.expires_at.year == 2100


def test_two_grants_have_two_keys(admin_client: Client) -> None:
    first, second = (admin_client.get(ADD).context["adminform"].form["key"].value() for _ in range(2))
    assert first != second


def test_a_form_that_was_sent_before_with_something_else(admin_client: Client, owner: User) -> None:
    grant(admin_client, owner)
    page = grant(admin_client, owner, amount=200).content.decode()
    assert "was used before for another entry" in page
    assert balance(owner) == 100


@pytest.mark.parametrize(
    "fields",
    [{"amount": 0}, {"amount": -5}, {"amount": 10**13}, {"amount": "many"}, {"user": 404}, {"note": "x" * 201},
     {"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}, {"expires_at_0": "soon"}],
)  # fmt: skip
def test_what_is_wrong_grants_nothing(admin_client: Client, owner: User, fields: dict[str, Any]) -> None:
    assert "errornote" in (page := grant(admin_client, owner, **fields).content.decode()) or "in the past" in page
    assert not CreditEntry.objects.exists()


def test_the_ledger_is_looked_at_and_not_touched(admin_client: Client, owner: User) -> None:
    give(owner, 100, note="<script>alert(1)</script>")
    entry = use(owner, 30, task="batch_0a1b2c3d")
    listed = admin_client.get(LIST, {"q": "owner"}).content.decode()
    assert "+100" in listed
    assert "-30" in listed
    assert "<script>alert(1)" not in listed
    assert "batch_0a1b2c3d" in listed
    for page in ("change", "delete"):
        address = reverse(f"admin:ratelimits_creditentry_{page}", args=(entry.pk,))
        assert admin_client.post(address, {"amount": 5, "post": "yes"}).status_code == 403
    address = reverse("admin:ratelimits_creditentry_change", args=(entry.pk,))
    shown = admin_client.get(address)
    assert shown.status_code == 200
    assert 'name="amount"' not in shown.content.decode()
    assert admin_client.post(LIST, {"action": "delete_selected", "_selected_action": entry.pk}).status_code in {
        200,
        302,
    }
    assert CreditEntry.objects.count() == 2


def test_balances(admin_client: Client, owner: User) -> None:
    let_pass(give(owner, 7000, days=1))
    give(owner, 100, days=1)
    listed = admin_client.get(ACCOUNTS).content.decode()
    assert ">100<" in listed
    assert "7,100" not in listed  # what has ended is not to be used
    assert f"{LIST}?user__id__exact={owner.pk}" in listed
    page = admin_client.get(reverse("admin:ratelimits_creditaccount_change", args=(owner.pk,)))
    assert page.status_code == 200
    assert "what ends next" in page.content.decode().lower()
    assert admin_client.get(f"{LIST}?user__id__exact={owner.pk}").status_code == 200
    for name in ("change", "delete"):
        address = reverse(f"admin:ratelimits_creditaccount_{name}", args=(owner.pk,))
        assert admin_client.post(address, {"balance": 5, "post": "yes"}).status_code == 403
    assert CreditAccount.objects.get().balance == 7100


def test_empty_lists_say_what_to_do(admin_client: Client) -> None:
    assert "Nobody has been given credits yet." in admin_client.get(LIST).content.decode()
    assert "Nobody has credits." in admin_client.get(ACCOUNTS).content.decode()


def test_granting_is_a_right_of_its_own(client: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    owner.user_permissions.add(Permission.objects.get(codename="view_creditentry"))
    client.force_login(owner)
    assert client.get(LIST).status_code == 200
    assert client.get(ADD).status_code == 403
    assert grant(client, owner).status_code == 403
    assert not CreditEntry.objects.exists()


def test_lists_cost_the_same_however_many(admin_client: Client, owner: User) -> None:
    def costs() -> list[int]:
        found = []
        for address in (LIST, ACCOUNTS):
            with CaptureQueriesContext(connection) as captured:
                assert admin_client.get(address).status_code == 200
            found.append(len(captured))
        return found

    give(owner, 1)
    few = costs()
    for number in range(9):
        give(User.objects.create_user(f"user{number}"), 1)
    assert costs() == few
