"""The console's page of quotas: of a person or of a tier, and what the person has at this moment."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from ratelimits.models import UserQuota
from tests.api import owner
from tests.quotas import limit, limit_tier, make_task

__all__ = ["owner"]
pytestmark = pytest.mark.django_db
LIST, ADD = (reverse(f"admin:ratelimits_userquota_{page}") for page in ("changelist", "add"))


def save(client: Client, **fields: Any) -> Any:
    return client.post(ADD, {"user": "", "tier": "", "max_active_tasks": "", **fields})


def test_limits_of_a_person_and_of_a_tier(admin_client: Client, admin_user: User, owner: User) -> None:
    tier = Group.objects.get_or_create(name="premium")[0]
    assert save(admin_client, user=owner.pk, max_active_tasks=4).status_code == 302
    assert save(admin_client, tier=tier.pk, max_rows_per_day=0).status_code == 302
    rows = UserQuota.objects.order_by("pk").values_list("user", "tier", "max_active_tasks", "max_rows_per_day")
    assert list(rows) == [(owner.pk, None, 4, None), (None, tier.pk, None, 0)]
    assert set(UserQuota.objects.values_list("changed_by", flat=True)) == {admin_user.pk}


@pytest.mark.parametrize("both", [True, False])
def test_a_person_or_a_tier_has_to_be_chosen(admin_client: Client, owner: User, both: bool) -> None:
    chosen = {"user": owner.pk, "tier": Group.objects.get_or_create(name="premium")[0].pk} if both else {}
    response = save(admin_client, max_active_tasks=4, **chosen)
    assert response.status_code == 200
    assert "Choose either a person or a tier." in response.content.decode()
    assert not UserQuota.objects.exists()


def test_a_person_has_one_row(admin_client: Client, owner: User) -> None:
    limit(owner, max_active_tasks=4)
    assert save(admin_client, user=owner.pk, max_active_tasks=5).status_code == 200
    assert UserQuota.objects.get().max_active_tasks == 4


def test_the_pages_show_who_and_what_is_going_on(admin_client: Client, owner: User) -> None:
    task = make_task(owner)
    own, tier = limit(owner, max_active_tasks=4), limit_tier("premium", max_active_tasks=9).quota
    listed = admin_client.get(LIST, {"q": "e"}).content.decode()
    assert "tier premium" in listed
    assert ">owner<" in listed
    assert task.task_id in admin_client.get(page_of(own)).content.decode()
    assert admin_client.get(page_of(tier)).status_code == 200
    assert admin_client.get(ADD).status_code == 200


def test_an_empty_list_says_what_holds(admin_client: Client) -> None:
    assert "those of the installation hold" in admin_client.get(LIST).content.decode()


def test_who_has_no_right_to_it_changes_nothing(client: Client, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    client.force_login(owner)
    assert save(client, user=owner.pk, max_active_tasks=99).status_code == 403
    assert not UserQuota.objects.exists()


def page_of(quota: UserQuota) -> str:
    return reverse("admin:ratelimits_userquota_change", args=(quota.pk,))
