"""The ledger: each entry once for its key, nothing ever changed, the balance always the sum and never negative."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.utils import timezone

from datasync.exceptions import InvalidRequest
from ratelimits.credits import services
from ratelimits.credits.exceptions import CreditKeyTaken, LedgerIsAppendOnly
from ratelimits.credits.selectors import mismatches
from ratelimits.models import CreditAccount, CreditEntry, CreditLot
from tests.credits_support import balance, give, ledger, left, use
from tests.runs_support import make_user

pytestmark = pytest.mark.django_db
LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def test_a_grant_adds(ana: User) -> None:
    boss = make_user("boss")
    entry = services.grant(ana, amount=100, key="march", note="March", expires_at=LATER, by=boss)
    entry.refresh_from_db()
    assert (entry.amount, entry.balance_after, entry.key, entry.note, entry.by) == (
        100,
        100,
        "grant:march",
        "March",
        "boss",
    )
    assert entry.expires_at == LATER
    assert abs((timezone.now() - entry.at).total_seconds()) < 60
    give(ana, 5)
    assert ledger(ana) == [("grant", 100, 100), ("grant", 5, 105)]
    assert (balance(ana), left(ana)) == (105, [100, 5])


def test_the_same_grant_again_is_the_same_entry(ana: User) -> None:
    asked: dict[str, Any] = {"amount": 100, "key": "march", "note": "March", "expires_at": LATER}
    first = services.grant(ana, **asked)
    use(ana, 30)
    assert services.grant(ana, **asked) == first
    assert ledger(ana) == [("grant", 100, 100), ("consume", -30, 70)]


@pytest.mark.parametrize(
    "other", [{"amount": 101}, {"note": "April"}, {"expires_at": None}, {"expires_at": LATER + timedelta(seconds=1)}]
)
def test_the_key_with_another_grant_is_refused(ana: User, other: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"amount": 100, "key": "march", "note": "March", "expires_at": LATER}
    services.grant(ana, **asked)
    with pytest.raises(CreditKeyTaken):
        services.grant(ana, **(asked | other))
    assert balance(ana) == 100


def test_the_key_for_another_person_is_refused(ana: User) -> None:
    bo = make_user("bo")
    services.grant(ana, amount=100, key="march")
    with pytest.raises(CreditKeyTaken):
        services.grant(bo, amount=100, key="march")
    assert not CreditEntry.objects.filter(user=bo).exists()


def test_a_key_of_another_kind_is_refused(ana: User) -> None:
    services.grant(ana, amount=100, key="x")
    with pytest.raises(CreditKeyTaken):
        services.consume(ana, amount=100, key="grant:x")


def test_use_takes_the_oldest_first(ana: User) -> None:
    for amount in (10, 20, 30):
        give(ana, amount)
    use(ana, 25)
    assert (balance(ana), left(ana)) == (35, [0, 5, 30])
    use(ana, 35)
    assert (balance(ana), left(ana)) == (0, [0, 0, 0])
    assert ledger(ana)[3:] == [("consume", -25, 35), ("consume", -35, 0)]


def test_what_the_balance_lacks_is_noted(ana: User) -> None:
    give(ana, 10)
    entry = services.consume(ana, amount=25, key="one", task="batch_1")
    assert entry is not None
    assert (entry.amount, entry.uncovered, entry.balance_after) == (-10, 15, 0)
    nothing = use(ana, 7)
    assert (nothing.amount, nothing.uncovered, nothing.balance_after) == (0, 7, 0)
    give(ana, 100)
    assert services.consume(ana, amount=25, key="one", task="batch_1") == entry
    assert balance(ana) == 100


def test_use_is_entered_once(ana: User) -> None:
    give(ana, 100)
    first = services.consume(ana, amount=30, key="one", task="batch_1")
    assert services.consume(ana, amount=30, key="one", task="batch_1") == first
    for other in ({"amount": 31}, {"task": "batch_2"}, {"note": "again"}):
        with pytest.raises(CreditKeyTaken):
            services.consume(ana, **({"amount": 30, "key": "one", "task": "batch_1"} | other))  # type: ignore[arg-type]
    assert balance(ana) == 70


def test_a_refund_gives_back_what_was_taken_for_a_task_once(ana: User) -> None:
    give(ana, 100)
    use(ana, 30, task="batch_1")
    use(ana, 20, task="batch_1")
    use(ana, 10, task="batch_2")
    entry = services.refund("batch_1", note="it failed")
    assert entry is not None
    assert (entry.kind, entry.amount, entry.task, entry.note, entry.key) == (
        "refund", 50, "batch_1", "it failed", "refund:batch_1"
    )  # fmt: skip
    assert services.refund("batch_1") == entry
    assert (balance(ana), left(ana)) == (90, [90])
    assert ledger(ana)[-1] == ("refund", 50, 90)


@pytest.mark.parametrize("task", ["batch_1", "batch_2", ""])
def test_nothing_is_given_back_where_nothing_was_taken(ana: User, task: str) -> None:
    give(ana, 10)
    use(ana, 10)
    use(ana, 30, task="batch_1")  # the balance has nothing
    give(ana, 10)
    use(ana, 5)
    assert services.refund(task) is None
    assert balance(ana) == 5


@pytest.mark.parametrize("amount", [0, -1, 10**12 + 1, True, "5", 5.0, None])
def test_amounts_are_whole_and_positive(ana: User, amount: Any) -> None:
    acts: tuple[Callable[..., Any], ...] = (services.grant, services.consume)
    for act in acts:
        with pytest.raises(InvalidRequest) as refused:
            act(ana, amount=amount, key="x")
        assert refused.value.params["field"] == "amount"
    assert not CreditAccount.objects.exists()


@pytest.mark.parametrize(
    ("told", "field"),
    [({"key": ""}, "key"), ({"key": "x" * 195}, "key"), ({"note": "x" * 201}, "note"), ({"note": "a\0b"}, "note")],
)
def test_texts_have_bounds(ana: User, told: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        services.grant(ana, **({"amount": 1, "key": "x"} | told))  # type: ignore[arg-type]
    assert refused.value.params["field"] == field


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({"key": ""}, "key"), ({"key": "x" * 201}, "key"), ({"key": "a\0b"}, "key"), ({"task": "x" * 65}, "task"),
        ({"note": "x" * 201}, "note"), ({"note": "a\0b"}, "note"),
    ],
)  # fmt: skip
def test_texts_of_a_use_have_bounds(ana: User, told: dict[str, str], field: str) -> None:
    give(ana, 10)
    with pytest.raises(InvalidRequest) as refused:
        services.consume(ana, **({"amount": 1, "key": "x"} | told))  # type: ignore[arg-type]
    assert refused.value.params["field"] == field
    assert balance(ana) == 10


@pytest.mark.parametrize(
    ("told", "field"),
    [({"task": "x" * 65}, "task"), ({"task": "a\0b"}, "task"), ({"note": "x" * 201}, "note"), ({"note": "\0"}, "note")],
)
def test_texts_of_a_refund_have_bounds(ana: User, told: dict[str, str], field: str) -> None:
    give(ana, 10)
    use(ana, 4, task="batch_1")
    with pytest.raises(InvalidRequest) as refused:
        services.refund(**({"task": "batch_1"} | told))
    assert refused.value.params["field"] == field
    assert balance(ana) == 6


def test_whoever_was_never_granted_any_is_not_charged(ana: User) -> None:
    assert services.consume(ana, amount=5, key="x") is None
    assert not CreditAccount.objects.exists()
    give(ana, 10)
    assert services.consume(ana, amount=5, key="x") is not None
    assert balance(ana) == 5


def test_credits_do_not_end_in_the_past(ana: User) -> None:
    with pytest.raises(InvalidRequest) as refused:
        services.grant(ana, amount=1, key="x", expires_at=timezone.now() - timedelta(seconds=5))
    assert refused.value.params["field"] == "expires_at"
    assert not CreditEntry.objects.exists()


def test_an_entry_never_changes_and_never_goes(ana: User) -> None:
    entry = give(ana, 10)
    entry.amount = 1_000_000
    acts: tuple[Callable[[], object], ...] = (
        entry.save,
        lambda: entry.save(update_fields=["amount"]),
        entry.delete,
        lambda: CreditEntry.objects.update(amount=5),
        lambda: CreditEntry.objects.filter(pk=entry.pk).delete(),
        lambda: CreditEntry.objects.bulk_update([entry], ["amount"]),
        lambda: CreditEntry.objects.bulk_create(
            [CreditEntry(user=ana, kind="grant", amount=99, balance_after=99, key=entry.key)],
            update_conflicts=True,
            update_fields=["amount"],
            unique_fields=["key"],
        ),
        lambda: CreditEntry.objects.bulk_create(
            [CreditEntry(user=ana, kind="grant", amount=99, balance_after=99, key=entry.key)],
            None, False, True, ["amount"], ["key"],
        ),
    )  # fmt: skip
    for act in acts:
        with pytest.raises(LedgerIsAppendOnly):
            act()
    assert ledger(ana) == [("grant", 10, 10)]


def test_an_entry_is_not_overwritten_under_its_number(ana: User) -> None:
    entry = give(ana, 10)
    with pytest.raises(IntegrityError):
        CreditEntry(pk=entry.pk, user=ana, kind="grant", amount=99, balance_after=99, key="y").save()


def test_the_database_refuses_a_balance_below_zero(ana: User) -> None:
    give(ana, 10)
    with pytest.raises(IntegrityError):
        CreditAccount.objects.update(balance=-1)


def test_the_database_refuses_an_entry_with_the_wrong_sign(ana: User) -> None:
    with pytest.raises(IntegrityError):
        CreditEntry.objects.create(user=ana, kind="consume", amount=5, balance_after=5, key="y")


def test_whoever_has_a_ledger_stays(ana: User) -> None:
    give(ana, 10)
    with pytest.raises(ProtectedError):
        ana.delete()


def test_a_ledger_that_somebody_wrote_to_is_found(ana: User) -> None:
    give(make_user("bo"), 10)
    give(ana, 10)
    assert mismatches() == []
    CreditAccount.objects.filter(user=ana).update(balance=11)
    (found,) = mismatches()
    assert (found.username, found.balance, found.entries, found.left) == ("ana", 11, 10, 10)
    CreditAccount.objects.filter(user=ana).update(balance=10)
    CreditLot.objects.filter(user=ana).update(remaining=9)
    assert [one.username for one in mismatches()] == ["ana"]
    CreditLot.objects.filter(user=ana).update(remaining=10)
    CreditEntry._base_manager.filter(user=ana).update(balance_after=9)
    assert [one.username for one in mismatches()] == ["ana"]
