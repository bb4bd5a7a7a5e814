"""Versions: numbered without gaps or doubles, one of a variant in use, what is published never changes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from datasync.access import EVERYTHING
from datasync.choices import AuditAction, TemplateOrigin, TemplateState
from datasync.exceptions import InvalidRequest, TemplateNotDraft, TemplateNotFound, TemplateOutdated
from datasync.mapping import services
from datasync.mapping.document import from_document, to_document
from datasync.mapping.store import to_template
from datasync.mapping.template import InvalidTemplate
from datasync.mapping.template_file import builtin_templates, read_templates
from datasync.mapping.versions import exported, find_template, history
from datasync.models import AuditEntry, HeaderTemplate
from tests.api import staff
from tests.templates_support import FAMILY, draft, template

__all__ = ["staff"]


def at_once(*calls: Callable[[], Any]) -> None:
    """Run calls in threads that start together."""
    barrier, failures = threading.Barrier(len(calls)), list[BaseException]()

    def run(call: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            call()
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.django_db(transaction=True)
def test_versions_made_at_once_have_numbers_of_their_own() -> None:
    first = draft()
    at_once(*[lambda: services.copy_as_draft(first.pk, actor=None)] * 6)
    assert sorted(HeaderTemplate.objects.values_list("version", flat=True)) == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.django_db(transaction=True)
def test_of_drafts_published_at_once_one_is_in_use() -> None:
    services.publish(draft())
    drafts = [draft(header_row=number) for number in range(1, 5)]
    refused = list[int]()

    def publish(row: HeaderTemplate) -> None:
        try:
            services.publish_draft(row.pk, sight=EVERYTHING)
        except TemplateOutdated:
            refused.append(row.pk)

    at_once(*[lambda row=row: publish(row) for row in drafts])
    states = dict(HeaderTemplate.objects.values_list("pk", "state"))
    assert [pk for pk, state in states.items() if state == TemplateState.PUBLISHED] == [drafts[-1].pk]
    assert sorted(pk for pk, state in states.items() if state == TemplateState.DRAFT) == sorted(refused)


@pytest.mark.django_db
def test_an_older_draft_does_not_replace_what_is_newer() -> None:
    older, newer = draft(header_row=1), draft(header_row=2)
    services.publish_draft(newer.pk, sight=EVERYTHING)
    for act in (services.publish_draft, services.publishing_of):
        with pytest.raises(TemplateOutdated, match=r"v1 .* is older than .* v2"):
            act(older.pk, sight=EVERYTHING)
    newest = services.copy_as_draft(older.pk, actor=None)
    services.publish_draft(newest.pk, sight=EVERYTHING)
    assert HeaderTemplate.objects.get(state=TemplateState.PUBLISHED).header_row == 1


@pytest.mark.django_db
def test_publishing_archives_and_is_written_down(staff: Any) -> None:
    old = services.publish(draft())
    new = draft(header_row=1)
    planned = services.publishing_of(new.pk, sight=EVERYTHING)
    assert [row.pk for row in planned.archived] == [old.pk]
    assert HeaderTemplate.objects.get(pk=old.pk).state == TemplateState.PUBLISHED
    done = services.publish_draft(new.pk, actor=staff, sight=EVERYTHING)
    assert [row.pk for row in done.archived] == [old.pk]
    assert HeaderTemplate.objects.get(pk=old.pk).state == TemplateState.ARCHIVED
    entry = AuditEntry.objects.filter(action=AuditAction.TEMPLATE_PUBLISHED).latest("pk")
    assert (entry.actor, entry.template_id, entry.detail["archived"]) == (staff, new.pk, [old.pk])


@pytest.mark.django_db
def test_archiving_is_written_down_once(staff: Any) -> None:
    row = services.publish(draft())
    for _ in range(2):
        services.archive_template(row.pk, actor=staff, sight=EVERYTHING)
    assert AuditEntry.objects.filter(action=AuditAction.TEMPLATE_ARCHIVED, template=row).count() == 1


@pytest.mark.django_db
def test_a_draft_changes_and_goes() -> None:
    row = draft()
    changed = services.replace_draft(row.pk, template("Order No.", "SKU", "Quantity", header_row=2), notes="why")
    assert (changed.pk, changed.version, changed.header_row, changed.notes) == (row.pk, 1, 2, "why")
    assert [column.header for column in changed.columns.all()] == ["Order No.", "SKU", "Quantity"]
    assert changed.fingerprint == to_template(changed).fingerprint
    services.delete_draft(row.pk)
    with pytest.raises(TemplateNotFound):
        services.delete_draft(row.pk)


@pytest.mark.django_db
def test_a_draft_that_moves_gets_the_next_number_there() -> None:
    draft(variant="other")
    row = draft()
    assert services.replace_draft(row.pk, template(variant="other")).version == 2


@pytest.mark.django_db
@pytest.mark.parametrize("archived", [False, True])
def test_what_was_published_never_changes(archived: bool) -> None:
    row = services.publish(draft())
    if archived:
        services.archive(row)
    before = to_template(find_template(row.pk))
    for act in (
        lambda: services.replace_draft(row.pk, template(header_row=3)),
        lambda: services.delete_draft(row.pk),
        lambda: services.publish_draft(row.pk, sight=EVERYTHING),
        lambda: services.publishing_of(row.pk, sight=EVERYTHING),
    ):
        with pytest.raises(TemplateNotDraft):
            act()
    assert to_template(find_template(row.pk)) == before


@pytest.mark.django_db
def test_a_copy_says_the_same_under_the_next_number() -> None:
    row = services.publish(draft(header_row=4))
    copy = services.copy_as_draft(row.pk, actor=None)
    assert (copy.version, copy.state, copy.origin) == (2, TemplateState.DRAFT, TemplateOrigin.OPERATOR)
    assert to_template(find_template(copy.pk)) == replace(to_template(find_template(row.pk)), version=2)
    assert [(one.version, one.state) for one in history(row)] == [(2, "draft"), (1, "published")]


@pytest.mark.django_db
def test_an_unknown_platform_is_refused_before_anything_is_written() -> None:
    draft()
    elsewhere = template(family=replace(FAMILY, platform="nowhere"))
    with pytest.raises(InvalidRequest, match="nowhere"):
        services.new_version(elsewhere, origin=TemplateOrigin.OPERATOR, actor=None)
    assert HeaderTemplate.objects.count() == 1


def test_documents_and_files_lose_nothing() -> None:
    for known in builtin_templates():
        assert replace(from_document(to_document(known)), version=known.version) == known


@pytest.mark.django_db
def test_an_export_with_odd_texts_is_imported_unchanged() -> None:
    odd = template('a "b" \\ \t\n', "\u2028=1+1", "=cmd|' /C calc'!A0\x7f<script>", variant="x/../y z")
    row = draft()
    services.replace_draft(row.pk, odd)
    name, text = exported(find_template(row.pk))
    assert name == "shopee_shopee_orders_daily_x-..-y-z_v1.toml"
    (again,) = read_templates(text.encode(), where="x")
    assert again == odd


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"variant": "v" * 65}, "longer than 64"),
        ({"variant": ""}, "no name"),
        ({"sheet": "s\0"}, "cannot be stored"),
        ({"header_row": 5000}, "out of range"),
        ({"data_row": 2**40}, "out of range"),
    ],
)
def test_what_no_database_could_hold_is_named(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidTemplate, match=says):
        services.new_version(template(**values), origin=TemplateOrigin.OPERATOR, actor=None)


@pytest.mark.parametrize(
    "line",
    [
        "identity = 3",
        "identity = [3]",
        "formats = 3",
        "rewrite = { a = 1 }",
        "based_on = ['x']",
        "columns = [{ header = 3 }]",
        "columns = [{ header = 'a', field = ['x'] }]",
        "columns = [{ header = 'a', aliases = [1] }]",
        "columns = [{ header = 'a', required = 'yes' }]",
        "columns = [{ header = 'Order Creation Date', field = 'ordered_at', format = '%Q %' }]",
        "columns = []",
        "granularities = []",
        "variant = 5",
        "version = true",
    ],
)
def test_a_file_of_other_types_is_invalid_and_no_bug(line: str) -> None:
    text = f"[family]\nplatform='shopee'\ndomain='orders'\n[[variants]]\nidentity=['order_id']\n{line}\n"
    text = text if not line.startswith("identity") else text.replace("identity=['order_id']\n", "")
    with pytest.raises(InvalidTemplate):
        read_templates(text.encode(), where="x")


@pytest.mark.parametrize(
    "value", ["[" * 5000, "{a=" * 5000, "9" * 5000, "0x" + "f" * 5000, "[[0x" + "f" * 5000 + "]]", "1e9999999999"]
)
@pytest.mark.parametrize("name", ["version", "columns", "header_row", "identity"])
def test_a_file_that_strains_the_reader_is_invalid_and_no_bug(name: str, value: str) -> None:
    told = f"[family]\nplatform='shopee'\ndomain='orders'\n[[variants]]\n{name} = {value}\n"
    with pytest.raises(InvalidTemplate):
        read_templates(told.encode(), where="x")


def test_words_that_are_replaced_by_longer_ones_do_not_grow_for_ever() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz" + "".join(map(chr, range(0x4E00, 0x4E60)))
    pairs = ", ".join(f"'{one}' = '{other * 2}'" for one, other in pairwise(letters))
    told = "[family]\nplatform='shopee'\ndomain='orders'\ngranularity='daily'\n[[variants]]\nidentity=['order_id']\n"
    with pytest.raises(InvalidTemplate, match="too long"):
        read_templates(f"{told}rewrite = {{ {pairs} }}\ncolumns = [{{ header = 'a' }}]".encode(), where="x")


def test_bytes_that_are_no_text_are_invalid() -> None:
    with pytest.raises(InvalidTemplate, match="cannot be read"):
        read_templates(b"\xff\xfe\x00", where="x.toml")
