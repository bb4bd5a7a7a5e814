"""A query that is built once says what the same query says that is built each time."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Count, Q, QuerySet, Value
from django.test.utils import CaptureQueriesContext

from erp.compiled import Compiled, compiled
from erp.models import ApiToken

pytestmark = pytest.mark.django_db
built: list[str] = []


def _tokens(label: str, user_id: int) -> QuerySet[ApiToken]:
    built.append("tokens")
    return ApiToken.objects.filter(label=label, user_id=user_id).select_related("user").order_by("pk")


def _people(*, columns: tuple[str, ...], most: int) -> QuerySet[User, dict[str, object]]:
    built.append(f"{columns} {most}")
    people: QuerySet[User, dict[str, object]] = User.objects.order_by("username").values(*columns)
    return people[:most]


@pytest.fixture
def person() -> User:
    built.clear()
    person = User.objects.create_user("ada", last_name="Lovelace")
    for label in ("phone", "desk", "phone"):
        ApiToken.issue(user=person, label=label)
    ApiToken.issue(user=User.objects.create_user("grace"), label="phone")
    return person


def test_gives_the_instances_that_the_queryset_gives(person: User) -> None:
    asked = compiled(_tokens)

    phones, desks = asked("phone", person.pk), asked("desk", person.pk)

    assert phones == list(_tokens("phone", person.pk))
    assert desks == list(_tokens("desk", person.pk))
    assert len(phones) == 2
    assert len(desks) == 1
    with CaptureQueriesContext(connection) as statements:
        assert {token.user for token in phones} == {person}
        assert phones[0].created_at == ApiToken.objects.get(pk=phones[0].pk).created_at
    assert len(statements) == 1  # the second line's own


def test_is_built_once_for_each_shape(person: User) -> None:
    tokens, people = compiled(_tokens), compiled(_people)

    for _ in range(3):
        tokens("phone", person.pk)
        people(columns=("username",), most=1)
        people(columns=("username", "last_name"), most=2)

    assert built == ["tokens", "('username',) 1", "('username', 'last_name') 2"]
    assert people(columns=("username",), most=1) == [{"username": "ada"}]
    assert people(columns=("username", "last_name"), most=2)[0] == {"username": "ada", "last_name": "Lovelace"}


def test_asks_in_one_statement(person: User) -> None:
    asked = compiled(_tokens)
    asked("phone", person.pk)

    with CaptureQueriesContext(connection) as statements:
        assert asked.first("nobody's", person.pk) is None

    assert len(statements) == 1


def test_a_value_is_data_whatever_it_looks_like(person: User) -> None:
    asked = compiled(_tokens)
    odd = "%s <value 1>' OR 1=1 --"
    ApiToken.issue(user=person, label=odd)

    assert [token.label for token in asked(odd, person.pk)] == [odd]
    assert asked("<value 1>", person.pk) == []


def test_gives_annotated_columns_and_related_rows_that_are_not_there(person: User) -> None:
    @compiled
    def asked(user_id: int) -> QuerySet[User]:
        return User.objects.filter(pk=user_id).annotate(tokens=Count("api_tokens"), word=Value("told"))

    (found,) = asked(person.pk)

    assert (found.pk, getattr(found, "tokens"), getattr(found, "word")) == (person.pk, 3, "told")  # noqa: B009
    assert vars(found)["last_name"] == "Lovelace"


def test_gives_tuples(person: User) -> None:
    @compiled
    def asked(user_id: int) -> QuerySet[User, tuple[str, str | None]]:
        return User.objects.filter(pk=user_id).values_list("username", "groups__name")

    assert asked(person.pk) == [("ada", None)]
    person.groups.add(Group.objects.create(name="engines"))
    assert asked(person.pk) == [("ada", "engines")]


def test_refuses_a_value_that_shapes_the_statement(person: User) -> None:
    @compiled
    def sliced(most: int) -> QuerySet[User]:
        return User.objects.all()[: abs(most)]

    with pytest.raises(ValueError, match="value 0"):
        sliced(1)
    assert User.objects.count() == 2
    assert person.pk


def test_refuses_rows_that_it_cannot_read() -> None:
    asked: Compiled[[], str] = compiled(lambda: User.objects.values_list("username", flat=True))

    with pytest.raises(TypeError, match="FlatValuesListIterable"):
        asked()


def test_refuses_a_value_that_stands_there_changed_as_well() -> None:
    @compiled
    def like(name: str) -> QuerySet[User]:
        return User.objects.filter(Q(username=name) | Q(username__icontains=name))

    with pytest.raises(ValueError, match="as it was given"):
        like("a")


def test_refuses_what_gives_nothing_and_what_it_would_leave_out() -> None:
    @compiled
    def nothing(name: str) -> QuerySet[User]:
        return User.objects.filter(username=name, pk__in=[])

    @compiled
    def with_groups(name: str) -> QuerySet[User]:
        return User.objects.filter(username=name).prefetch_related("groups")

    with pytest.raises(ValueError, match="gives nothing"):
        nothing("a")
    with pytest.raises(TypeError):
        with_groups("a")


def test_gives_no_column_that_was_not_asked_for(person: User) -> None:
    @compiled
    def names(name: str) -> QuerySet[User, tuple[str]]:
        return User.objects.filter(username=name).order_by("pk").distinct().values_list("last_name")

    assert names("ada") == [("Lovelace",)]
    assert person.pk


def test_refuses_too_few_and_too_many_values(person: User) -> None:
    asked: Any = compiled(_tokens)

    for values in (("phone",), ("phone", person.pk, 3)):
        with pytest.raises(TypeError, match="2 values"):
            asked(*values)
