"""However many use a person's credits at the same moment: never below zero, and every entry adds up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connections

from ratelimits.credits import services
from ratelimits.credits.charging import charge_task
from ratelimits.credits.exceptions import CreditKeyTaken
from ratelimits.models import CreditEntry
from tests.credits_support import balance, ended_task, give, ledger, left, let_pass
from tests.runs_support import make_user

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 50
T = TypeVar("T")


def at_once(act: Callable[[int], T]) -> list[T]:
    """What fifty threads get that start together."""
    start = threading.Barrier(AT_ONCE)

    def one(number: int) -> T:
        start.wait()
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(one, range(AT_ONCE)))


def test_fifty_use_more_than_there_is() -> None:
    ana = make_user()
    for _ in range(5):
        give(ana, 66)
    used = at_once(lambda number: services.consume(ana, amount=10, key=f"use:{number}"))
    entries = [entry for entry in used if entry is not None]
    assert (balance(ana), left(ana)) == (0, [0] * 5)
    assert sum(entry.amount for entry in entries) == -330
    assert sum(entry.uncovered for entry in entries) == 170
    assert min(after for _kind, _amount, after in ledger(ana)) == 0
    assert len(ledger(ana)) == 5 + AT_ONCE


def test_fifty_of_everything() -> None:
    ana = make_user()
    let_pass(give(ana, 1000, days=1))
    tasks = [ended_task(ana, inserted=7) for _ in range(10)]

    def act(number: int) -> None:
        task = tasks[number % 10]
        match number % 5:
            case 0:
                services.grant(ana, amount=20, key=f"gift:{number}")
            case 1:
                services.expire()
            case 2:
                services.refund(task.task_id)
            case _:
                charge_task(task.task_id)

    at_once(act)
    assert balance(ana) == sum(amount for _kind, amount, _after in ledger(ana)) >= 0
    assert CreditEntry.objects.filter(kind="expire").count() == 1
    assert CreditEntry.objects.filter(kind="grant").count() == 11


def test_fifty_of_the_same_are_one() -> None:
    ana = make_user()
    granted = at_once(lambda _number: services.grant(ana, amount=100, key="march").pk)
    assert len(set(granted)) == 1
    task = ended_task(ana, inserted=30)
    charged = at_once(lambda _number: charge_task(task.task_id))
    assert len({entry.pk for entry in charged if entry}) == 1
    assert ledger(ana) == [("grant", 100, 100), ("consume", -30, 70)]


def test_one_key_for_fifty_persons_is_one_persons() -> None:
    people = [make_user(f"person{number}") for number in range(AT_ONCE)]

    def act(number: int) -> bool:
        try:
            services.grant(people[number], amount=1, key="march")
        except CreditKeyTaken:
            return False
        return True

    assert at_once(act).count(True) == 1
    assert CreditEntry.objects.count() == 1
