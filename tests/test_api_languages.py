"""English and Simplified Chinese: every text that a person reads is translated; codes never change."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib.auth.models import User

from datasync.exceptions import error_classes
from datasync.models import CatalogFile
from tests.api import client_of, data_of, error_of, owner
from tests.test_api_submit import files

__all__ = ["files", "owner"]
PO = settings.LOCALE_PATHS[0] / "zh_Hans" / "LC_MESSAGES" / "django.po"
SOURCES = ("erp/api", "erp/models.py", "datasync/api", "datasync/choices.py", "datasync/models")
FUNCTIONS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2}
CHINESE: dict[str, Any] = {"HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    with PO.open("rb") as stream:
        return read_po(stream, locale="zh_Hans", domain="django", abort_invalid=True)


def texts_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            for argument in node.args[: FUNCTIONS[node.func.id]][:1]:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)


def test_every_text_is_translated(catalog: Catalog) -> None:
    paths = [path for source in SOURCES for path in _python_files(settings.BASE_DIR / source)]
    texts = {text for path in paths for text in texts_in(path)}
    for cls in error_classes().values():
        texts |= {" ".join((cls.__doc__ or "").split()), cls.recovery}
    missing = sorted(text for text in texts if (message := catalog.get(text)) is None or not message.string)
    assert len(texts) > 200
    assert missing == []


def _python_files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def test_translations_keep_their_parameters(catalog: Catalog) -> None:
    assert [(message.id, list(message.check())) for message in catalog if list(message.check())] == []


def test_an_expected_error(owner: User) -> None:
    client = client_of(owner)
    english = error_of(client.post("/api/data-sync/single", {"file_id": 404}), 404)
    chinese = error_of(client.post("/api/data-sync/single", {"file_id": 404}, **CHINESE), 404)
    assert english["detail"] == "There is no such file: 404."
    assert chinese["detail"] == "文件不存在：404。", "run “make messages”: the translations are not compiled"
    assert (english["code"], english["type"]) == (chinese["code"], chinese["type"])


def test_messages_and_validation(owner: User) -> None:
    client = client_of(owner)
    response = client.post("/api/data-sync/batch-all", {}, **CHINESE)
    assert response.json()["message"] == "没有待处理的文件。"
    assert response["Content-Language"] == "zh-hans"
    error = error_of(client.post("/api/data-sync/batch-all", {"owner": 1, "priority": 11}, **CHINESE), 400)
    assert error["fields"] == {"owner": "没有这个字段。"}
    error = error_of(client.post("/api/data-sync/batch-all", {"priority": 11}, **CHINESE), 400)
    assert error["fields"]["priority"] != "Ensure this value is less than or equal to 10."


def test_a_stored_error_and_a_state_follow_the_reader(owner: User, files: list[CatalogFile]) -> None:
    stored = {"code": "ENCRYPTED", "message": "stored", "params": {}, "recovery": "Correct the request."}
    CatalogFile.objects.filter(pk=files[0].pk).update(state="failed", last_error=stored)
    address = f"/api/data-sync/files/{files[0].pk}"
    client = client_of(owner)
    english, chinese = data_of(client.get(address)), data_of(client.get(address, **CHINESE))
    assert english["last_error"]["message"] == "The workbook is protected by a password."
    assert (english["status_label"], chinese["status_label"]) == ("failed", "失败")
    assert chinese["last_error"]["message"] == "工作簿受密码保护。"
    assert (english["status"], english["last_error"]["code"]) == (chinese["status"], chinese["last_error"]["code"])


def test_an_error_whose_code_is_no_longer_known(owner: User, files: list[CatalogFile]) -> None:
    for stored in ({"code": "GONE", "message": "as it was"}, {"code": "CORRUPT_FILE", "message": "as it was"}):
        CatalogFile.objects.filter(pk=files[0].pk).update(last_error=stored)
        shown = data_of(client_of(owner).get(f"/api/data-sync/files/{files[0].pk}"))
        assert shown["last_error"]["message"]


def test_a_language_that_is_not_offered_is_answered_in_english(owner: User) -> None:
    response = client_of(owner).get("/api/auth/me", HTTP_ACCEPT_LANGUAGE="xx-YY,;;q=nonsense")
    assert response.json()["message"] == "Done."
