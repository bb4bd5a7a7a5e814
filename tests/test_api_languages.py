"""English and Simplified Chinese: every text that a person reads is translated; codes never change."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import translation
from django.utils.translation.template import templatize

from datasync.exceptions import SyncError
from datasync.models import CatalogFile
from ratelimits.events.models import RateLimitEvent
from tests.api import client_of, data_of, error_of, owner
from tests.test_api_submit import files

__all__ = ["files", "owner"]
ROOMS = ("erp", "datasync", "ratelimits")
CONTEXT = "\x04"
IN_TEMPLATE = re.compile(r"gettext\(u?'([^']+)'")
FUNCTIONS = {
    "_": 0,
    "gettext": 0,
    "gettext_lazy": 0,
    "gettext_noop": 0,
    "ngettext": 0,
    "pgettext": 1,
    "pgettext_lazy": 1,
}
"""Which argument is the text; one before it is its context."""
CHINESE: dict[str, Any] = {"HTTP_ACCEPT_LANGUAGE": "zh-CN,zh;q=0.9"}


@pytest.fixture(scope="module")
def catalogs() -> list[Catalog]:
    paths = [Path(folder) / "zh_Hans" / "LC_MESSAGES" / "django.po" for folder in settings.LOCALE_PATHS]
    return [_catalog(path) for path in paths]


def _catalog(path: Path) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream, locale="zh_Hans", domain="django", abort_invalid=True)


def texts_in(path: Path) -> Iterator[str]:
    """The texts to be translated; one with a context behind it, as gettext keys them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            told = node.args[: FUNCTIONS[node.func.id] + 1]
            if told and all(isinstance(argument, ast.Constant) for argument in told):
                yield CONTEXT.join(str(argument.value) for argument in told if isinstance(argument, ast.Constant))


def errors_below(cls: type[SyncError]) -> Iterator[type[SyncError]]:
    """An error and all that are kinds of it; some share the code of another, but not its words."""
    yield cls
    for kind in cls.__subclasses__():
        yield from errors_below(kind)


def test_every_text_is_translated(catalogs: list[Catalog]) -> None:
    texts = {text for room in ROOMS for path in (settings.BASE_DIR / room).rglob("*.py") for text in texts_in(path)}
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        texts |= set(IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8"))))
    for cls in errors_below(SyncError):
        texts |= {" ".join((cls.__doc__ or "").split()), cls.recovery}
    translated = {_key(message) for catalog in catalogs for message in catalog if message.string}
    assert len(texts) > 400
    assert sorted(texts - translated) == []


def _key(message: Message) -> str:
    """The English text, behind its context where it has one; of one with a plural the singular."""
    text = message.id[0] if isinstance(message.id, tuple) else message.id
    return CONTEXT.join(part for part in (message.context, str(text)) if part is not None)


def test_every_catalogue_is_one_that_is_used() -> None:
    """One that lies elsewhere is neither compiled nor read."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.po"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [settings.BASE_DIR / name for name in listed.stdout.split("\0") if name]
    used = [path for folder in settings.LOCALE_PATHS for path in Path(folder).rglob("*.po")]
    assert len(used) == len(settings.LOCALE_PATHS)
    assert sorted(found) == sorted(used)


def test_commands_and_console_are_translated_too() -> None:
    """Their texts are in a catalogue of their own."""
    with translation.override("zh-hans"):
        assert translation.gettext("No quarantined rows match.") == "没有符合条件的隔离行。"


def test_a_word_of_two_meanings_has_two_translations() -> None:
    """How often something happened is not when."""
    with translation.override("zh-hans"):
        assert str(RateLimitEvent._meta.get_field("times").verbose_name) == "次数"
        assert translation.gettext("times") == "时间"


def test_translations_keep_their_parameters(catalogs: list[Catalog]) -> None:
    messages = [message for catalog in catalogs for message in catalog]
    assert [(message.id, list(message.check())) for message in messages if list(message.check())] == []


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
