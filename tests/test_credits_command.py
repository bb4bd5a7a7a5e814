"""``manage.py credits``: what it does, says as JSON, and ends with."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, load_command_class

from datasync.management.base import ConsoleError, Exit, console_error
from ratelimits.management.commands.credits import Command
from ratelimits.models import CreditAccount, CreditEntry
from tests.credits_support import balance, give, ledger, let_pass, use
from tests.runs_support import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(db: None) -> User:
    return make_user()


def run(*arguments: str) -> tuple[str, Exit]:
    """What it prints and ends with."""
    command = Command(stdout=io.StringIO())
    call_command(command, *arguments)
    return command.stdout._out.getvalue(), command.exit_code  # type: ignore[attr-defined]


def document(*arguments: str, code: Exit = Exit.OK) -> Any:
    text, ended = run(*arguments, "--json")
    assert ended == code
    return json.loads(text)


def refused(*arguments: str) -> ConsoleError:
    with pytest.raises(CommandError) as raised:
        run(*arguments)
    told = console_error(raised.value)
    assert told is not None
    return told


def test_it_has_help_for_everything() -> None:
    parser = load_command_class("ratelimits", "credits").create_parser("manage.py", "credits")
    assert len(parser.description or "") > 20


def test_grant(ana: User) -> None:
    make_user("boss")
    told = ("grant", "ana", "100", "--note", "March", "--expires", "2100-01-01T00:00:00+00:00", "--user", "boss")
    (entry,) = document(*told, "--key", "march")
    assert (entry["username"], entry["kind"], entry["amount"], entry["balance_after"]) == ("ana", "grant", 100, 100)
    assert (entry["key"], entry["note"], entry["by"]) == ("grant:march", "March", "boss")
    assert entry["expires_at"].startswith("2100-01-01T00:00:00")
    assert document(*told, "--key", "march") == [entry]
    assert document(*told)[0]["balance_after"] == 200


@pytest.mark.parametrize(
    "arguments",
    [("ana", "0"), ("ana", "x"), ("ana", "5", "--expires", "soon"), ("ana", "5", "--expires", "2020-01-01"),
     ("nobody", "5"), ("", "5"), ("ana", "5", "--user", "nobody"), ("ana", "5", "--key", "x" * 195)],
)  # fmt: skip
def test_a_grant_that_is_wrong(ana: User, arguments: tuple[str, ...]) -> None:
    assert refused("grant", *arguments).returncode == Exit.USAGE
    assert not CreditEntry.objects.exists()


def test_a_key_that_was_used_for_another_grant(ana: User) -> None:
    run("grant", "ana", "5", "--key", "march")
    error = refused("grant", "ana", "6", "--key", "march")
    assert (error.code, error.returncode) == ("CREDIT_KEY_TAKEN", Exit.USAGE)


def test_balance_of_one_and_of_all(ana: User) -> None:
    give(ana, 10, days=1)
    give(make_user("bo"), 2500)
    one = document("balance", "ana")
    assert (one["username"], one["balance"], [end["amount"] for end in one["ends"]]) == ("ana", 10, [10])
    assert document("balance") == [{"username": "ana", "balance": 10}, {"username": "bo", "balance": 2500}]
    text, _code = run("balance")
    assert "2,500" in text
    assert "ana" in run("balance", "ana")[0]
    assert refused("balance", "nobody").returncode == Exit.USAGE


def test_balances_of_all_are_what_each_may_use(ana: User) -> None:
    let_pass(give(ana, 10, days=1))
    give(ana, 5)
    assert document("balance", "ana")["balance"] == 5
    assert document("balance") == [{"username": "ana", "balance": 5}]


def test_entries(ana: User) -> None:
    give(ana, 10)
    for _ in range(3):
        use(ana, 2, task="batch_1")
    assert [entry["amount"] for entry in document("entries", "ana", "--limit", "2")] == [-2, -2]
    (granted,) = document("entries", "ana", "--kind", "grant")
    assert (granted["amount"], granted["task_id"]) == (10, None)
    assert "batch_1" in run("entries", "ana")[0]
    assert refused("entries", "ana", "--limit", "0").returncode == Exit.USAGE


def test_refund(ana: User) -> None:
    give(ana, 10)
    use(ana, 4, task="batch_1")
    (entry,) = document("refund", "batch_1", "--note", "sorry")
    assert (entry["amount"], entry["note"], entry["balance_after"]) == (4, "sorry", 10)
    assert document("refund", "batch_1") == [entry]
    assert document("refund", "batch_2") == []
    assert run("refund", "batch_2") == ("Nothing was taken for this task.\n", Exit.OK)


def test_a_refund_with_a_note_that_is_too_long(ana: User) -> None:
    give(ana, 10)
    use(ana, 4, task="batch_1")
    assert refused("refund", "batch_1", "--note", "x" * 201).returncode == Exit.USAGE
    assert balance(ana) == 6


def test_expire(ana: User) -> None:
    bo = make_user("bo")
    let_pass(give(ana, 10, days=1), give(bo, 20, days=1))
    assert document("expire", "ana") == {"grants": 1, "credits": 10}
    assert document("expire") == {"grants": 1, "credits": 20}
    assert document("expire") == {"grants": 0, "credits": 0}
    assert ledger(bo)[-1] == ("expire", -20, balance(bo))


def test_it_passes_the_checks_that_a_shell_has_it_run(ana: User) -> None:
    call_command(Command(stdout=io.StringIO()), "check", skip_checks=False)


def test_check(ana: User) -> None:
    give(ana, 10)
    assert run("check") == ("Every balance is the sum of its entries.\n", Exit.OK)
    CreditAccount.objects.update(balance=11)
    wrong = {"username": "ana", "balance": 11, "entries": 10, "left": 10}
    assert document("check", code=Exit.REFUSED) == [wrong]
    text, code = run("check")
    assert "ana" in text
    assert code == Exit.REFUSED
