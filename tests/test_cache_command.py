"""``manage.py cache``: status, clear and warm, for people and for machines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from datasync.management.base import ConsoleError, Exit
from erp.management.commands.cache import Command
from tests.cache_support import Counting, Keep, keep, own_redis, shared_cache
from tests.services import Server

__all__ = ["keep", "own_redis", "shared_cache"]
pytestmark = pytest.mark.django_db


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[dict[str, Any], Exit]:
    command = Command()
    call_command(command, *arguments, "--json")
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document, command.exit_code


def test_status(shared_cache: str, keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    kept = keep(lambda: 1, tags=("a",))
    kept()
    document, code = run(capsys, "status")
    assert (document["backend"], document["available"], code) == ("redis", True, Exit.OK)
    (kind,) = [one for one in document["kinds"] if one["kind"] == kept.kind]
    assert (kind["misses"], kind["hit_percent"]) == (1, 0.0)
    call_command("cache", "status")
    assert kept.kind in capsys.readouterr().out


@pytest.mark.services
def test_a_cache_that_is_away_is_an_exit_code(own_redis: Server, capsys: pytest.CaptureFixture[str]) -> None:
    own_redis.process.kill()
    own_redis.process.wait()
    document, code = run(capsys, "status")
    assert (document["available"], code) == (False, Exit.UNAVAILABLE)
    for action in ("clear", "warm"):
        with pytest.raises(ConsoleError) as refused:
            call_command("cache", action)
        assert (refused.value.code, refused.value.returncode) == ("CACHE_UNAVAILABLE", Exit.UNAVAILABLE)


def test_clear(shared_cache: str, keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = keep(Counting(), tags=("one",)), keep(Counting(), tags=("other",))
    one(), other()
    assert run(capsys, "clear", "--tag", "one") == ({"tag": "one"}, Exit.OK)
    assert (one(), other()) == (2, 1)
    call_command("cache", "clear")
    assert "everything" in capsys.readouterr().out
    assert (one(), other()) == (3, 2)


def test_a_tag_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConsoleError) as refused:
        call_command("cache", "clear", "--tag", "nothing")
    assert (refused.value.code, refused.value.returncode) == ("VALIDATION_ERROR", Exit.USAGE)


def test_warm(shared_cache: str, keep: Keep, capsys: pytest.CaptureFixture[str]) -> None:
    kept = keep(lambda: 1, warm=lambda: [{}])
    document, code = run(capsys, "warm")
    assert (document["kinds"][kept.kind], code) == (1, Exit.OK)
    call_command("cache", "warm")
    assert kept.kind in capsys.readouterr().out
