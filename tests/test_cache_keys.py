"""What lies in the cache: under which key, for how long, and what is not kept at all."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django_redis import get_redis_connection

from erp.caching.backend import cache_address
from erp.caching.cached import cache_result
from tests.cache_support import Counting, Keep, keep, shared_cache, use_cache

__all__ = ["keep", "shared_cache"]


def test_a_value_lies_as_json_under_its_kind_and_hash_for_its_time(shared_cache: str, keep: Keep) -> None:
    kept = keep(lambda: {"rows": [1, "ü"]}, tags=("a", "b"), ttl=40)
    assert kept() == kept() == {"rows": [1, "ü"]}
    redis = get_redis_connection("default")
    (key,) = redis.keys(f"erp:{kept.kind}:*")
    assert len(key.decode().rpartition(":")[2]) == 32
    value = json.loads(redis.get(key))
    assert value["data"] == {"rows": [1, "ü"]}
    assert value["versions"][:2] == [json.loads(token) for token in redis.mget("erp:tag:a", "erp:tag:b")]
    assert 0 < redis.ttl(key) <= 40
    assert redis.ttl("erp:tag:a") == -1


@pytest.mark.parametrize("text", [b"x", b"\xff", b"5", b"[]", b"null", b'{"data": 1}', b'{"versions": 1, "data": 1}'])
def test_what_somebody_else_wrote_there_counts_as_missing(shared_cache: str, keep: Keep, text: bytes) -> None:
    kept = keep(Counting(), tags=("a",))
    assert kept() == 1
    redis = get_redis_connection("default")
    (key,) = redis.keys(f"erp:{kept.kind}:*")
    redis.set(key, text)
    assert (kept(), kept()) == (2, 2)


@pytest.mark.parametrize("text", [b"x", b"\xff", b"0", b"[]", b"null", {"a": "hash"}])
def test_a_version_that_somebody_else_wrote_is_replaced(shared_cache: str, keep: Keep, text: Any) -> None:
    kept = keep(Counting(), tags=("a",))
    assert kept() == 1
    redis = get_redis_connection("default")
    redis.delete("erp:tag:a")
    redis.hset("erp:tag:a", mapping=text) if isinstance(text, dict) else redis.set("erp:tag:a", text)
    assert (kept(), kept()) == (2, 2)


def test_an_answer_of_another_shape_is_not_taken(
    shared_cache: str, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep(Counting())
    assert kept() == 1
    monkeypatch.setattr("erp.caching.cached.SHAPE", 0)
    assert kept() == 2


def test_other_arguments_are_another_answer(shared_cache: str, keep: Keep) -> None:
    asked: list[object] = []

    def answer(number: int, *, word: str) -> list[Any]:
        asked.append((number, word))
        return [number, word]

    kept = keep(answer, key=lambda number, *, word: {"n": number, "w": word})
    assert [kept(1, word="a"), kept(1, word="b"), kept(2, word="a"), kept(1, word="a")] == [
        [1, "a"], [1, "b"], [2, "a"], [1, "a"],
    ]  # fmt: skip
    assert len(asked) == 3


def test_where_the_key_is_none_nothing_is_kept(shared_cache: str, keep: Keep) -> None:
    computed = Counting()
    kept = keep(lambda word: [word, computed()], key=lambda word: None if word == "secret" else word)
    assert [kept("secret"), kept("secret")] == [["secret", 1], ["secret", 2]]
    assert get_redis_connection("default").keys(f"erp:{kept.kind}:*") == []


def test_each_caller_has_a_copy_of_its_own(shared_cache: str, keep: Keep) -> None:
    kept = keep(lambda: {"rows": [1]})
    for _ in range(3):
        mine = kept()
        assert mine == {"rows": [1]}
        mine["rows"].append(2)


@pytest.mark.parametrize("answer", [datetime.datetime.now(datetime.UTC), {1, 2}, float("nan"), b"x"])
def test_what_is_no_json_is_refused_at_once(shared_cache: str, keep: Keep, answer: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        keep(lambda: answer)()


def test_a_function_with_arguments_has_to_say_which_tell_its_answers_apart() -> None:
    with pytest.raises(TypeError, match="say by key"):
        cache_result(tags=())(lambda number: number)


def test_two_things_of_one_name_are_a_mistake(keep: Keep) -> None:
    kept = keep(lambda: 1)
    with pytest.raises(ValueError, match="Two things"):
        cache_result(tags=(), kind=kept.kind)(lambda: 2)


def test_after_its_time_it_is_computed_again(shared_cache: str, keep: Keep) -> None:
    kept = keep(Counting(), ttl=300)
    assert (kept(), kept()) == (1, 1)
    redis = get_redis_connection("default")
    (key,) = redis.keys(f"erp:{kept.kind}:*")
    redis.pexpire(key, 1)
    while redis.exists(key):
        pass
    assert kept() == 2


def test_the_cache_lies_in_a_redis_of_its_own_or_in_the_installations() -> None:
    redis, own = "redis://localhost:1/0", "rediss://:secret@cache:6379/0"
    assert cache_address("", otherwise=redis) == redis
    assert cache_address(own, otherwise=redis) == own
    assert cache_address("", otherwise="sentinel://one:26379") == ""
    assert cache_address("", otherwise="") == ""


def test_without_redis_a_process_keeps_things_for_seconds_only(settings: Any, keep: Keep) -> None:
    use_cache(settings, "")
    from django.core.cache import cache  # noqa: PLC0415 - the one of these settings

    kept = keep(Counting(), ttl=300)
    assert (kept(), kept()) == (1, 1)
    ends = [end for key, end in cache._expire_info.items() if f"erp:{kept.kind}:" in key]  # type: ignore[attr-defined]
    assert [0 < end - datetime.datetime.now().timestamp() <= 5 for end in ends] == [True]
