"""What is counted of the cache, for Prometheus and for people."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from datasync import models
from datasync.access import EVERYTHING
from datasync.api import cached
from datasync.api.requests.collection import AccountQuery
from erp.api.serializers import validated
from erp.caching import selectors, services
from erp.caching.exceptions import TagUnknown
from erp.caching.selectors import Kind
from erp.caching.statistics import statistics
from erp.caching.tags import renew
from tests.cache_support import Counting, Keep, keep, shared_cache, use_cache

__all__ = ["keep", "shared_cache"]


def standing_of(kind: str) -> Kind:
    (found,) = [one for one in selectors.standing().kinds if one.kind == kind]
    return found


def test_questions_are_counted_by_what_came_of_them(shared_cache: str, keep: Keep) -> None:
    kept = keep(lambda word: word, key=lambda word: word or None, tags=("a",))
    assert standing_of(kept.kind).hit_percent is None
    for word in ("x", "x", "x", "y", ""):
        kept(word)
    found = standing_of(kept.kind)
    assert (found.hits, found.misses, found.bypassed, found.errors) == (2, 2, 1, 0)
    assert (found.hit_percent, found.tags, found.ttl_seconds) == (50.0, ("a",), 300)
    assert found.asked_at is not None
    labels = {"kind": kept.kind, "outcome": "hit"}
    assert REGISTRY.get_sample_value("erp_cache_requests_total", labels) == 2


def test_counting_asks_redis_once_a_second_at_most(
    shared_cache: str, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = Counting()
    monkeypatch.setattr(statistics, "flush", flushed)
    kept = keep(lambda: 1)
    statistics._flushed_at = float("inf")
    for _ in range(5):
        kept()
    statistics._flushed_at = 0.0
    assert flushed.times == 0
    kept()
    assert flushed.times == 1


def test_changes_are_counted(shared_cache: str, keep: Keep) -> None:
    keep(lambda: 1, tags=("changing",))

    def counted() -> int:
        (tag,) = [one for one in selectors.standing().tags if one.tag == "changing"]
        return tag.invalidations

    before = counted()
    renew({"changing"})
    assert counted() == before + 1


def test_without_redis_the_numbers_are_those_of_the_process(settings: object, keep: Keep) -> None:
    use_cache(settings, "")
    kept = keep(lambda: 1)
    kept()
    kept()
    found = selectors.standing()
    assert (found.backend, found.shared, found.available) == ("process", False, True)
    assert (standing_of(kept.kind).hits, standing_of(kept.kind).ttl_seconds) == (1, 5)


def test_clearing_a_tag_leaves_the_others(shared_cache: str, keep: Keep) -> None:
    one, other = keep(Counting(), tags=("one",)), keep(Counting(), tags=("other",))
    one(), other()
    assert services.clear("one") == "one"
    assert (one(), other()) == (2, 1)
    assert services.clear() == "everything"
    assert (one(), other()) == (3, 2)
    with pytest.raises(TagUnknown, match="nothing of the kind"):
        services.clear("nothing of the kind")


@pytest.mark.django_db
def test_what_is_asked_for_most_is_computed_in_advance(shared_cache: str, keep: Keep) -> None:
    computed = Counting()
    kept = keep(lambda word: [word, computed()], key=lambda word: word, tags=("a",), warm=lambda: [{"word": "x"}])
    assert services.warm().kinds[kept.kind] == 1
    assert services.warm().kinds[kept.kind] == 0
    assert kept("x") == ["x", 1]


@pytest.mark.django_db
def test_the_clock_computes_only_what_somebody_asks_for(shared_cache: str, keep: Keep) -> None:
    def made() -> Counting:
        return Counting()

    wanted, other = keep(made(), warm=lambda: [{}]), keep(made(), warm=lambda: [{}])
    wanted()
    services.clear()
    kinds = services.warm_what_is_asked_for().kinds
    assert kinds[wanted.kind] == 1
    assert other.kind not in kinds
    assert wanted() == 2


def test_without_a_shared_cache_the_clock_does_nothing(settings: object, keep: Keep) -> None:
    use_cache(settings, "")
    keep(lambda: 1, warm=lambda: [{}])()
    assert services.warm_what_is_asked_for().kinds == {}


@pytest.mark.django_db(transaction=True)
def test_what_is_warmed_is_what_the_frontend_asks_for_first(shared_cache: str) -> None:
    models.Platform.objects.get_or_create(code="shopee", defaults={"name": "Shopee"})
    services.clear()
    assert set(services.warm().kinds.values()) == {1}
    before = standing_of("collection_accounts").hits
    cached.accounts(validated(AccountQuery, {}), sight=EVERYTHING)
    assert standing_of("collection_accounts").hits == before + 1
