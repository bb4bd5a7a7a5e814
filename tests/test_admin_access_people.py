"""On a person's page stands which shops they see, and their tokens; who is limited has no part in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from datasync.access import Sight
from datasync.models import Shop, ShopLimit
from erp.models import ApiToken
from tests.admin_sight import act, address, client_for, listed, make_shop, staff_limited_to, told
from tests.api import client_of, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(db: None) -> User:
    return person("ada")


def page_of(user: User) -> str:
    return address(User, "change", user.pk)


def form_of(user: User, *limits: list[Shop], delete: bool = False) -> dict[str, Any]:
    """What the page of a person sends, with these limits added, or the stored one of them changed."""
    stored = ShopLimit.objects.filter(user=user).first()
    joined = timezone.localtime(user.date_joined)
    form: dict[str, Any] = {
        "username": user.username, "is_active": "on",
        "date_joined_0": f"{joined:%Y-%m-%d}", "date_joined_1": f"{joined:%H:%M:%S}",
        "shop_limit-TOTAL_FORMS": len(limits) or int(stored is not None), "shop_limit-INITIAL_FORMS": int(bool(stored)),
    }  # fmt: skip
    for shops in limits:
        form |= {"shop_limit-0-user": user.pk, "shop_limit-0-shops": [shop.pk for shop in shops]}
    if stored:
        form |= {"shop_limit-0-id": stored.pk, "shop_limit-0-user": user.pk}
    return form | ({"shop_limit-0-DELETE": "on"} if delete else {})


def save(client: Client, user: User, form: dict[str, Any]) -> None:
    response = client.post(page_of(user), form)
    assert response.status_code == 302, response.context["errors"]


def seen(user: User) -> frozenset[int] | None:
    return Sight.of(User.objects.get(pk=user.pk)).shop_ids


def test_a_limit_is_given_changed_and_taken_away(admin_client: Client, ada: User) -> None:
    first, second = make_shop("a"), make_shop("b")
    save(admin_client, ada, form_of(ada))
    assert seen(ada) is None
    save(admin_client, ada, form_of(ada, [first]))
    assert seen(ada) == frozenset({first.pk})
    save(admin_client, ada, form_of(ada, [first, second]))
    assert seen(ada) == frozenset({first.pk, second.pk})
    save(admin_client, ada, form_of(ada, delete=True))
    assert seen(ada) is None


def test_a_limit_that_names_no_shop_is_kept(admin_client: Client, ada: User) -> None:
    save(admin_client, ada, form_of(ada, []))
    assert seen(ada) == frozenset()


def test_the_page_says_what_a_limit_means(admin_client: Client, ada: User) -> None:
    page = admin_client.get(page_of(ada)).content.decode()
    assert "A limit without shops shows nothing." in page
    assert "all shops" in page


def test_a_new_person_can_be_limited_from_the_start(admin_client: Client) -> None:
    shop = make_shop("a")
    form = {
        "username": "eve", "usable_password": "true", "password1": "a long phrase 1", "password2": "a long phrase 1",
        "shop_limit-TOTAL_FORMS": 1, "shop_limit-INITIAL_FORMS": 0, "shop_limit-0-shops": [shop.pk],
    }  # fmt: skip
    assert admin_client.post(address(User, "add"), form).status_code == 302
    assert seen(User.objects.get(username="eve")) == frozenset({shop.pk})


def test_who_changed_a_limit_is_written_down(admin_client: Client, ada: User) -> None:
    save(admin_client, ada, form_of(ada, [make_shop("a")]))
    assert "shop limit" in admin_client.get(address(User, "history", ada.pk)).content.decode()


def test_whoever_may_change_people_only_looks_at_limits(client: Client, ada: User) -> None:
    boss = User.objects.create_user("boss", is_staff=True)
    rights = ("view_user", "change_user", "view_shoplimit")
    boss.user_permissions.set(Permission.objects.filter(codename__in=rights))
    client.force_login(boss)
    client.post(page_of(ada), form_of(ada, [make_shop("a")]))
    assert seen(ada) is None


def test_the_list_says_how_much_everybody_sees(admin_client: Client, admin_user: User, ada: User) -> None:
    some = staff_limited_to(make_shop("a"), make_shop("b"), username="some")
    nobody = staff_limited_to(username="nobody")
    ShopLimit.objects.create(user=admin_user)
    rows = admin_client.get(address(User, "changelist")).context["cl"]
    told_of = {row.pk: rows.model_admin.limited_to(row) for row in rows.result_list}
    assert told_of == {admin_user.pk: "all shops", ada.pk: "all shops", some.pk: "2 shops", nobody.pk: "nothing"}
    assert listed(admin_client, User, limited="yes") == {some.pk, nobody.pk}
    assert listed(admin_client, User, limited="no") == {admin_user.pk, ada.pk}


def test_the_list_of_people_costs_the_same_however_many(admin_client: Client) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin_client.get(address(User, "changelist"))
        return len(captured)

    staff_limited_to(make_shop("a"), username="first")
    few = statements()
    for number in range(5):
        staff_limited_to(make_shop(f"shop{number}"), username=f"person{number}")
    assert statements() == few


def test_who_is_limited_makes_nobody_who_is_not(ada: User) -> None:
    limited = staff_limited_to(make_shop("a"))
    client = client_for(limited)
    form = {"username": "eve", "usable_password": "true", "password1": "a long phrase", "password2": "a long phrase"}
    for page in (address(User, "add"), page_of(limited), page_of(ada), address(User, "delete", ada.pk)):
        assert client.get(page).status_code in {403, 404}
        assert client.post(page, form).status_code in {403, 404}
    password = reverse("admin:auth_user_password_change", args=(ada.pk,))
    assert client.post(password, {"password1": "x", "password2": "x"}).status_code in {403, 404}
    assert client.get(address(Group, "changelist")).status_code == 403
    assert set(User.objects.values_list("username", flat=True)) == {"ada", "limited"}
    assert seen(limited) is not None
    assert client.get(reverse("admin:password_change")).status_code == 200


# Tokens


def test_a_person_leads_to_their_tokens(admin_client: Client, ada: User) -> None:
    ApiToken.issue(user=ada)[0].revoke()
    usable = ApiToken.issue(user=ada)[0]
    ApiToken.issue(user=person("bob"))
    page = admin_client.get(page_of(ada)).content.decode()
    assert f'?user__id__exact={ada.pk}">1 neither revoked nor expired, of 2</a>' in page
    assert len(listed(admin_client, ApiToken, user__id__exact=str(ada.pk))) == 2
    assert listed(admin_client, ApiToken, user__id__exact=str(ada.pk), state="usable") == {usable.pk}
    assert usable.pk not in listed(admin_client, ApiToken, state="ended")


def test_the_state_of_a_token_is_told(admin_client: Client, ada: User) -> None:
    good, revoked, expired, old, left = (ApiToken.issue(user=ada)[0] for _ in range(5))
    revoked.revoke()
    ApiToken.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    ApiToken.objects.filter(pk=old.pk).update(password_digest="another")
    ApiToken.objects.filter(pk=left.pk).update(user=User.objects.create_user("gone", is_active=False))
    for token, state in (
        (good, "can be used"),
        (revoked, "revoked"),
        (expired, "expired"),
        (old, "ended by a new password"),
        (left, "the person may not sign in"),
    ):
        assert f">{state}</span>" in admin_client.get(address(ApiToken, "change", token.pk)).content.decode()


def test_every_token_of_a_person_is_revoked_at_once(admin_client: Client, ada: User) -> None:
    clients = [client_of(ada), client_of(ada)]
    other = client_of(person("bob"))
    assert "Revoked 2 tokens." in told(act(admin_client, "revoke_tokens", ada))
    assert {client.get("/api/auth/me").status_code for client in clients} == {401}
    assert other.get("/api/auth/me").status_code == 200
    token = ApiToken.objects.filter(user=ada).first()
    assert token is not None
    assert "revoked" in admin_client.get(address(ApiToken, "history", token.pk)).content.decode().lower()


def test_who_may_not_change_tokens_revokes_none(client: Client, ada: User) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_user"))
    client.force_login(viewer)
    program = client_of(ada)
    act(client, "revoke_tokens", ada)
    assert program.get("/api/auth/me").status_code == 200
