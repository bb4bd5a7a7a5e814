"""Templates in use over HTTP: publish, archive, suggest, compare, export, import; waiting files look again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasync.catalog.services import catalogue_path
from datasync.choices import AuditAction, FileState
from datasync.exceptions import NoTemplate
from datasync.mapping import services
from datasync.mapping.rematch import MOST_AT_ONCE
from datasync.mapping.versions import exported, find_template
from datasync.models import AuditEntry, CatalogFile, HeaderTemplate
from tests.api import client_of, data_of, error_of, owner, staff
from tests.quarantine_rows import make_file
from tests.templates_support import draft, waiting

__all__ = ["owner", "staff"]
TEMPLATES = "/api/data-sync/templates"
SUGGEST, COMPARE, IMPORT = (f"{TEMPLATES}/{name}" for name in ("suggest", "compare", "import"))
RECHECK = "/api/data-sync/files/recheck"


@pytest.fixture(autouse=True)
def root(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_ROOTS, settings.GROWING_SECONDS = [tmp_path], 0
    return tmp_path


@pytest.fixture
def client(staff: User) -> APIClient:
    return client_of(staff)


@pytest.fixture
def unknown(root: Path, db: None) -> CatalogFile:
    """A Shopify export, for which no template comes along."""
    services.load_builtin_templates()
    path = root / "shopify_orders_daily_20260101_000000.csv"
    rows = "".join(f"#{number},2026-01-01 10:00:00 +0800,SKU-{number},2,10.50\n" for number in range(1001, 1021))
    path.write_text("Name,Created at,Lineitem sku,Lineitem quantity,Total\n" + rows)
    return catalogue_path(path)


def send(client: APIClient, content: bytes | str, **fields: Any) -> Any:
    content = content.encode() if isinstance(content, str) else content
    return client.post(IMPORT, {"file": SimpleUploadedFile("t.toml", content), **fields}, format="multipart")


def test_publishing_is_told_before_it_is_done(client: APIClient, root: Path, staff: User) -> None:
    old, file = services.publish(draft(header_row=7)), waiting(root)
    new = draft()
    CatalogFile.objects.filter(pk=file.pk).update(template=None, match={})
    address = f"{TEMPLATES}/{new.pk}/publish"
    planned = data_of(client.post(address, {"dry_run": True}, format="json"))
    assert (planned["dry_run"], planned["files"], planned["template"]["state"]) == (True, 1, "draft")
    done = data_of(client.post(address))
    assert done == planned | {
        "dry_run": False, "template": done["template"], "archived": done["archived"],
    }  # fmt: skip
    assert [one["id"] for one in done["archived"]] == [old.pk]
    assert done["template"]["state"] == "published"
    assert AuditEntry.objects.filter(action=AuditAction.TEMPLATE_PUBLISHED, actor=staff, template=new).exists()


def test_archiving_is_told_before_it_is_done(client: APIClient) -> None:
    row = services.publish(draft())
    make_file(template=row, match={"outcome": "exact"})
    address = f"{TEMPLATES}/{row.pk}/archive"
    planned = data_of(client.post(address, {"dry_run": True}, format="json"))
    assert (planned["pending_files"], planned["other_variants"], planned["template"]["state"]) == (1, 0, "published")
    assert data_of(client.post(address))["template"]["state"] == "archived"


def test_an_older_draft_is_a_conflict_that_says_what_to_do(client: APIClient) -> None:
    older, newer = draft(), draft()
    services.publish(newer)
    for body in ({"dry_run": True}, {}):
        error = error_of(client.post(f"{TEMPLATES}/{older.pk}/publish", body, format="json"), 409)
        assert error["code"] == "TEMPLATE_OUTDATED"
        assert "new version" in error["recovery_suggestion"]


@pytest.mark.parametrize("content", ["columns = " + "[" * 5000, "version = " + "9" * 5000])
def test_a_file_that_strains_the_reader_is_refused(client: APIClient, content: str) -> None:
    text = f"[family]\nplatform = 'shopee'\n[[variants]]\n{content}"
    assert error_of(send(client, text), 422)["code"] == "TEMPLATE_INVALID"


def test_a_variant_that_stands_there_twice_is_refused(client: APIClient) -> None:
    text = exported(find_template(draft().pk))[1]
    head, variant = text.split("[[variants]]")
    twice = f"{head}[[variants]]{variant}[[variants]]{variant.replace('version = 1', 'version = 2')}"
    for dry_run in ("true", "false"):
        error = error_of(send(client, twice, dry_run=dry_run), 422)
        assert (error["code"], "twice" in str(error)) == ("TEMPLATE_INVALID", True)
    assert HeaderTemplate.objects.count() == 1


@pytest.mark.parametrize("name", ["publish", "archive"])
@pytest.mark.parametrize("body", [{"dry_run": "yes"}, {"dry": True}])
def test_wrong_options_are_named(client: APIClient, name: str, body: dict[str, Any]) -> None:
    error = error_of(client.post(f"{TEMPLATES}/{draft().pk}/{name}", body, format="json"), 400)
    assert list(error["fields"]) == list(body)


def test_a_mapping_is_suggested_to_everybody_and_published_by_staff(
    client: APIClient, owner: User, unknown: CatalogFile
) -> None:
    given = data_of(client_of(owner).post(SUGGEST, {"file_id": unknown.pk}, format="json"))
    assert (given["hindrance"], given["template"]) == (None, None)
    assert {one["field"] for one in given["suggested_mapping"]["columns"]} >= {"order_id", "sku", "quantity"}
    body = {"file_id": unknown.pk, "publish": True}
    assert error_of(client_of(owner).post(SUGGEST, body, format="json"), 403)["code"] == "PERMISSION_DENIED"
    published = data_of(client.post(SUGGEST, body, format="json"))["template"]
    assert (published["state"], published["origin"]) == ("published", "suggested")


def test_a_suggestion_that_cannot_be_published(client: APIClient, unknown: CatalogFile, root: Path) -> None:
    body = {"file_id": unknown.pk, "publish": True}
    CatalogFile.objects.filter(pk=unknown.pk).update(granularity="")
    told = data_of(client.post(SUGGEST, {"file_id": unknown.pk}, format="json"))
    assert told["hindrance"]["code"] == "NEEDS_DESCRIPTION"
    assert error_of(client.post(SUGGEST, body, format="json"), 422)["code"] == "NEEDS_DESCRIPTION"
    CatalogFile.objects.filter(pk=unknown.pk).update(granularity="hourly", domain="inventory")
    assert error_of(client.post(SUGGEST, body, format="json"), 422)["code"] in {
        "TEMPLATE_INVALID", "KEY_COLUMN_MISSING",
    }  # fmt: skip
    (root / unknown.storage_name).unlink()
    assert error_of(client.post(SUGGEST, body, format="json"), 409)["code"] == "SOURCE_MISSING"


def test_a_file_in_which_nothing_can_be_a_header(
    client: APIClient, unknown: CatalogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: CatalogFile) -> None:
        raise NoTemplate

    monkeypatch.setattr(services, "suggest_for_file", fail)
    assert error_of(client.post(SUGGEST, {"file_id": unknown.pk}, format="json"), 422)["code"] == "NO_TEMPLATE"


def test_a_file_without_a_header_has_no_suggestion(client: APIClient, root: Path) -> None:
    (root / "blank.csv").write_text("\n \n\n")
    file = make_file("blank.csv", root=str(root))
    error = error_of(client.post(SUGGEST, {"file_id": file.pk}, format="json"), 422)
    assert error["code"] in {"NO_TEMPLATE", "EMPTY_FILE", "UNSUPPORTED_FORMAT"}


def test_versions_are_compared(client: APIClient) -> None:
    before, after = draft(), draft("Order ID", "SKU", "Pieces")
    given = data_of(client.post(COMPARE, {"template_id": before.pk, "other_id": after.pk}, format="json"))
    assert given["differences"]["added"] == ["Pieces"]
    assert given["differences"]["missing"] == ["Quantity"]
    assert (given["verdict"], given["same_values"]) == ("noted", False)


def test_a_version_is_compared_with_a_file(client: APIClient) -> None:
    file = make_file(header=["Order ID", "SKU", "Quantity", "<script>"])
    given = data_of(client.post(COMPARE, {"template_id": draft().pk, "file_id": file.pk}, format="json"))
    assert (given["verdict"], given["differences"]["added"]) == ("noted", ["<script>"])


def test_what_cannot_be_compared(client: APIClient) -> None:
    row, blank = draft(), make_file("blank.csv")
    gone = make_file("gone.csv", header=["a"], state=FileState.DELETED)
    for body, status, code in (
        ({"template_id": row.pk}, 400, "VALIDATION_ERROR"),
        ({"template_id": row.pk, "other_id": row.pk, "file_id": 1}, 400, "VALIDATION_ERROR"),
        ({"template_id": True, "other_id": row.pk}, 400, "VALIDATION_ERROR"),
        ({"template_id": 4242, "other_id": row.pk}, 404, "TEMPLATE_NOT_FOUND"),
        ({"template_id": row.pk, "other_id": 4242}, 404, "TEMPLATE_NOT_FOUND"),
        ({"template_id": row.pk, "file_id": 4242}, 404, "FILE_NOT_FOUND"),
        ({"template_id": row.pk, "file_id": gone.pk}, 404, "FILE_NOT_FOUND"),
        ({"template_id": row.pk, "file_id": blank.pk}, 422, "HEADER_UNKNOWN"),
    ):
        assert error_of(client.post(COMPARE, body, format="json"), status)["code"] == code
    assert error_of(client.post(SUGGEST, {"file_id": gone.pk}, format="json"), 404)["code"] == "FILE_NOT_FOUND"


def test_an_export_is_a_file_that_imports_again(client: APIClient) -> None:
    row = services.publish(draft())
    address = f"{TEMPLATES}/{row.pk}/export"
    response = client.get(address)
    assert response["Content-Type"] == "application/toml; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="shopee_shopee_orders_daily_default_v1.toml"'
    assert data_of(client.get(address, {"format": "json"}))["text"] == response.content.decode()
    assert error_of(client.get(address, {"format": "xlsx"}), 400)["code"] == "VALIDATION_ERROR"
    (same,) = data_of(send(client, response.content))
    assert (same["action"], same["template"]["id"]) == ("unchanged", row.pk)


def test_an_import_is_told_before_it_is_done(client: APIClient, staff: User) -> None:
    _name, text = exported(find_template(services.publish(draft()).pk))
    changed = text.replace("header_row = 0", "header_row = 5")
    (planned,) = data_of(send(client, changed, dry_run="true", publish="true"))
    assert (planned["action"], planned["template"]) == ("published", None)
    assert HeaderTemplate.objects.count() == 1
    (drafted,) = data_of(send(client, changed))
    assert (drafted["name"], drafted["action"]) == (planned["name"], "drafted")
    (published,) = data_of(send(client, changed, publish="true"))
    assert (published["template"]["state"], published["template"]["created_by"]) == ("published", "staff")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"\xff\xfe", 422, "TEMPLATE_INVALID"),
        (b"= = =", 422, "TEMPLATE_INVALID"),
        (b"x" * (1024 * 1024 + 1), 400, "VALIDATION_ERROR"),
    ],
)
def test_a_bad_file_says_why(client: APIClient, content: bytes, status: int, code: str) -> None:
    for dry_run in ("true", "false"):
        assert error_of(send(client, content, dry_run=dry_run), status)["code"] == code


def test_a_file_of_an_unknown_platform_or_without_a_key(client: APIClient) -> None:
    _name, text = exported(find_template(draft().pk))
    elsewhere = text.replace('platform = "shopee"', 'platform = "nowhere"')
    assert error_of(send(client, elsewhere), 400)["code"] == "VALIDATION_ERROR"
    keyless = text.replace('identity = ["order_id", "sku"]', 'identity = ["line_id"]')
    assert error_of(send(client, keyless), 422)["code"] == "KEY_COLUMN_MISSING"
    assert HeaderTemplate.objects.count() == 1


def test_waiting_files_look_again(client: APIClient, owner: User, root: Path) -> None:
    file = waiting(root)
    services.publish(draft())
    CatalogFile.objects.filter(pk=file.pk).update(template=None, match={}, state="template_update_required")
    planned = data_of(client_of(owner).post(RECHECK, {"dry_run": True}, format="json"))
    assert (planned["looked_at"], planned["files"][0]["file_id"]) == (1, file.pk)
    assert CatalogFile.objects.get(pk=file.pk).template is None
    assert data_of(client_of(owner).post(RECHECK, {"file_ids": [file.pk]}, format="json")) == planned
    assert CatalogFile.objects.get(pk=file.pk).template is not None


@pytest.mark.parametrize(
    "body",
    [
        {"file_ids": []},
        {"file_ids": [0]},
        {"file_ids": [1] * (MOST_AT_ONCE + 1)},
        {"domain": "x"},
        {"dry_run": 1},
        {"x": 1},
    ],
)
def test_a_wrong_recheck_names_the_field(client: APIClient, body: dict[str, Any]) -> None:
    error = error_of(client.post(RECHECK, body, format="json"), 400)
    assert next(iter(error["fields"])).split(".")[0] == next(iter(body))


@pytest.mark.parametrize(
    ("body", "name"), [({}, "file_id"), ({"file_id": "1"}, "file_id"), ({"file_id": 1, "x": 1}, "x")]
)
def test_a_wrong_request_for_a_suggestion_is_named(client: APIClient, body: dict[str, Any], name: str) -> None:
    error = error_of(client.post(SUGGEST, body, format="json"), 400)
    assert (error["code"], list(error["fields"])) == ("VALIDATION_ERROR", [name])


def test_a_suggestion_without_what_identifies_a_row_is_not_published(client: APIClient, root: Path) -> None:
    services.load_builtin_templates()
    path = root / "shopify_orders_daily_20260102_000000.csv"
    path.write_text("Created at,Lineitem quantity,Total\n" + "2026-01-01 10:00:00 +0800,2,10.50\n" * 20)
    body = {"file_id": catalogue_path(path).pk, "publish": True}
    assert error_of(client.post(SUGGEST, body, format="json"), 422)["code"] == "KEY_COLUMN_MISSING"


@pytest.mark.parametrize("act", ["publish", "new-version"])
def test_a_template_that_lost_its_key_column_goes_no_further(client: APIClient, act: str) -> None:
    row = draft()
    row.columns.filter(field__in=("order_id", "sku")).update(field="", required=False)
    error = error_of(client.post(f"{TEMPLATES}/{row.pk}/{act}", {}, format="json"), 422)
    assert error["code"] == "KEY_COLUMN_MISSING"
