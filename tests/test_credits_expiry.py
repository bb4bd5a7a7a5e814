"""Credits that end: what is left of the oldest grants goes at its time, and cannot be used after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from ratelimits.credits import services
from ratelimits.credits.exceptions import ExpiryPassed
from ratelimits.credits.selectors import available, standing_of
from tests.credits_support import balance, give, ledger, left, let_pass, use
from tests.runs_support import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def test_first_in_first_out(ana: User) -> None:
    first, second = give(ana, 100, days=1), give(ana, 100, days=2)
    give(ana, 100)
    use(ana, 130)
    assert left(ana) == [0, 70, 100]
    let_pass(first)
    assert services.expire() == services.Expired(grants=0, credits=0)
    let_pass(second)
    assert services.expire() == services.Expired(grants=1, credits=70)
    assert (balance(ana), left(ana)) == (100, [0, 0, 100])
    assert ledger(ana)[-1] == ("expire", -70, 100)


def test_an_older_grant_is_used_before_one_that_ends_sooner(ana: User) -> None:
    give(ana, 100)
    ending = give(ana, 100, days=1)
    use(ana, 60)
    let_pass(ending)
    services.expire()
    assert (balance(ana), left(ana)) == (40, [40, 0])


def test_each_ends_once(ana: User) -> None:
    let_pass(give(ana, 10, days=1), give(ana, 20, days=1))
    assert services.expire() == services.Expired(grants=2, credits=30)
    assert services.expire() == services.Expired(grants=0, credits=0)
    assert [kind for kind, _amount, _balance in ledger(ana)] == ["grant", "grant", "expire", "expire"]


def test_of_one_person_or_of_all(ana: User) -> None:
    bo = make_user("bo")
    let_pass(give(ana, 10, days=1), give(bo, 20, days=1))
    assert services.expire(ana).credits == 10
    assert (balance(ana), balance(bo)) == (0, 20)
    assert services.expire().credits == 20


def test_what_has_ended_cannot_be_used_even_before_it_is_entered(ana: User) -> None:
    ended = give(ana, 100, days=1)
    give(ana, 30)
    let_pass(ended)
    assert (balance(ana), available(ana)) == (130, 30)
    entry = use(ana, 50)
    assert (entry.amount, entry.uncovered) == (-30, 20)
    assert ledger(ana)[2:] == [("expire", -100, 30), ("consume", -30, 0)]


def test_what_ends_next_is_told(ana: User) -> None:
    give(ana, 5)
    later, sooner, ended = give(ana, 10, days=9), give(ana, 20, days=3), give(ana, 40, days=1)
    let_pass(ended)
    standing = standing_of(ana)
    assert (standing.balance, standing.required) == (35, False)
    assert [(end.amount, end.expires_at) for end in standing.ends] == [
        (20, sooner.expires_at), (10, later.expires_at)
    ]  # fmt: skip


def test_a_refund_is_given_back_to_the_credits_that_were_taken_and_ends_with_them(ana: User) -> None:
    """So that one credit without an end does not make a thousand others endless."""
    ending = give(ana, 999, days=1)
    give(ana, 10)
    use(ana, 1000, task="batch_1")
    refunded = services.refund("batch_1")
    assert refunded is not None
    assert (refunded.amount, refunded.expires_at, left(ana)) == (1000, None, [999, 10])
    let_pass(ending)
    assert services.expire(ana).credits == 999
    assert (balance(ana), left(ana)) == (10, [0, 10])


def test_a_refund_says_when_the_last_of_it_ends(ana: User) -> None:
    first = give(ana, 10, days=5)
    give(ana, 10, days=1)
    use(ana, 15, task="batch_1")
    refunded = services.refund("batch_1")
    assert refunded is not None
    assert refunded.expires_at == first.expires_at
    assert left(ana) == [10, 10]


def test_what_has_ended_before_it_is_given_back_expires_with_that(ana: User) -> None:
    ending = give(ana, 100, days=1)
    give(ana, 10)
    use(ana, 30, task="batch_1")
    use(ana, 75, task="batch_2")
    let_pass(ending)
    services.refund("batch_1")
    assert ledger(ana)[4:] == [("refund", 30, 35), ("expire", -30, 5)]
    services.refund("batch_2")
    assert ledger(ana)[6:] == [("refund", 75, 80), ("expire", -70, 10)]
    assert services.expire(ana).grants == 0
    assert left(ana) == [0, 10]


def test_what_was_left_of_it_has_expired_already(ana: User) -> None:
    ending = give(ana, 100, days=1)
    use(ana, 30, task="batch_1")
    let_pass(ending)
    services.refund("batch_1")
    assert ledger(ana)[2:] == [("expire", -70, 0), ("refund", 30, 30), ("expire", -30, 0)]


def test_a_grant_that_has_ended_may_be_repeated_and_no_new_one_made(ana: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    entry = services.grant(ana, amount=5, key="x", expires_at=soon)
    let_pass(entry)
    assert services.grant(ana, amount=5, key="x", expires_at=soon) == entry
    with pytest.raises(ExpiryPassed):
        services.grant(ana, amount=5, key="y", expires_at=timezone.now() - timedelta(hours=1))
