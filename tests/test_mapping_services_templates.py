"""Templates in the database: loaded, published, imported; an operator's edits are never overwritten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasync.access import EVERYTHING
from datasync.choices import TemplateOrigin, TemplateState
from datasync.exceptions import InvalidRequest, TemplateNotDraft
from datasync.mapping import loading, services
from datasync.mapping.selectors import templates_for
from datasync.mapping.store import shelf, to_template
from datasync.mapping.template import InvalidTemplate, Template
from datasync.mapping.template_file import builtin_templates, dump_template, load_templates
from datasync.models import HeaderTemplate, Platform

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded() -> None:
    services.load_builtin_templates()


def one_builtin() -> Template:
    return next(template for template in builtin_templates() if template.family.domain == "products")


def published(template: Template) -> HeaderTemplate:
    return HeaderTemplate.objects.get(
        platform_id=template.family.platform,
        source_platform_id=template.family.source_platform,
        domain=template.family.domain.value,
        granularity=template.family.granularity,
        variant=template.variant,
        state=TemplateState.PUBLISHED,
    )


def test_loading_makes_every_builtin_template_once() -> None:
    first = services.load_builtin_templates().counts["created"]
    assert first == len(builtin_templates()) > 20
    again = services.load_builtin_templates()
    assert again.counts == {"created": 0, "updated": 0, "unchanged": first, "kept": 0}
    assert Platform.objects.filter(code__in=loading.PLATFORMS).count() == len(loading.PLATFORMS)


def test_what_is_stored_is_what_was_loaded(loaded: None) -> None:
    assert sorted(shelf().templates, key=str) == sorted(builtin_templates(), key=str)


def test_a_changed_builtin_is_a_new_version_and_the_old_one_is_archived(
    loaded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = one_builtin()
    before = published(old)
    monkeypatch.setattr(loading, "builtin_templates", lambda: (replace(old, ordinal=not old.ordinal),))
    result = services.load_builtin_templates()
    assert (result.counts["updated"], result.counts["unchanged"]) == (1, 0)
    after = published(old)
    assert (after.version, after.ordinal) == (before.version + 1, not before.ordinal)
    before.refresh_from_db()
    assert before.state == TemplateState.ARCHIVED


def test_an_operators_version_is_left_unless_forced(loaded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    old = one_builtin()
    mine = services.new_version(replace(old, totals_on_every_line=True), origin=TemplateOrigin.OPERATOR, actor=None)
    services.publish(mine)
    monkeypatch.setattr(loading, "builtin_templates", lambda: (replace(old, ordinal=not old.ordinal),))
    assert services.load_builtin_templates().counts["kept"] == 1
    assert published(old).pk == mine.pk
    assert services.load_builtin_templates(force=True).counts["updated"] == 1
    assert published(old).version == mine.version + 1
    assert HeaderTemplate.objects.filter(pk=mine.pk, state=TemplateState.ARCHIVED).exists()


def test_what_an_operator_archived_stays_archived(loaded: None) -> None:
    row = published(one_builtin())
    services.archive(row)
    assert services.load_builtin_templates().counts["kept"] == 1
    assert row.state == TemplateState.ARCHIVED


def test_only_a_draft_can_be_published(loaded: None) -> None:
    with pytest.raises(TemplateNotDraft):
        services.publish(published(one_builtin()))


def test_a_file_of_a_template_is_imported_once(loaded: None, tmp_path: Path) -> None:
    old = one_builtin()
    path = tmp_path / "mine.toml"
    path.write_text(dump_template(replace(old, header_row=4)), encoding="utf-8")
    (first,) = services.import_templates(load_templates(path), publish_now=True, sight=EVERYTHING)
    assert first.row is not None
    assert first.row.version == 2
    (again,) = services.import_templates(load_templates(path), publish_now=True, sight=EVERYTHING)
    assert (again.action, again.row) == ("unchanged", first.row)
    assert [template.header_row for template in templates_for(old.family) if template.variant == old.variant] == [4]


def test_an_invalid_file_says_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[family]\nplatform = 'shopee'\n", encoding="utf-8")
    with pytest.raises(InvalidTemplate, match="variants"):
        services.validate_file(path)


def test_a_template_of_an_unknown_platform_is_refused(loaded: None, tmp_path: Path) -> None:
    old = one_builtin()
    path = tmp_path / "other.toml"
    family = replace(old.family, platform="nowhere")
    path.write_text(dump_template(replace(old, family=family)), encoding="utf-8")
    with pytest.raises(InvalidRequest, match="nowhere"):
        services.import_templates(load_templates(path), sight=EVERYTHING)


def test_templates_are_read_once_until_one_is_published(loaded: None) -> None:
    shelf()
    with CaptureQueriesContext(connection) as queries:
        held = shelf()
    assert len(queries) == 1
    row = published(one_builtin())
    services.archive(row)
    assert row.pk in held.by_id
    assert row.pk not in shelf().by_id
    assert to_template(row).family in shelf().by_family
