"""Translations are compiled where they are missing or out of date, and only there."""

from __future__ import annotations

import gettext
import os
from pathlib import Path

from erp.messages import compile_messages

PO = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\nmsgid "rows"\nmsgstr "%s"\n'


def test_a_catalogue_is_compiled_once_and_again_when_it_changes(tmp_path: Path) -> None:
    source = tmp_path / "zh_Hans" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    source.write_text(PO % "行", encoding="utf-8")
    (target,) = compile_messages([tmp_path])
    assert translated(target) == "行"
    assert compile_messages([tmp_path]) == []

    source.write_text(PO % "行数", encoding="utf-8")
    later = target.stat().st_mtime_ns + 1_000_000_000
    os.utime(source, ns=(later, later))
    assert compile_messages([tmp_path]) == [target]
    assert translated(target) == "行数"
    assert sorted(path.name for path in target.parent.iterdir()) == ["django.mo", "django.po"]


def translated(catalogue: Path) -> str:
    """What a compiled catalogue says for its one word."""
    with catalogue.open("rb") as compiled:
        return gettext.GNUTranslations(compiled).gettext("rows")
