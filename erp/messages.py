"""Translations: what people write (``.po``) made into what the product reads (``.mo``), without tools of the system."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings


def compile_messages(folders: Iterable[Path]) -> list[Path]:
    """Compile the catalogues below the folders that are newer than what was made of them; give back what was made.

    A file appears by a rename: a process that starts meanwhile reads the old one or the new one.
    """
    made = []
    for folder in folders:
        for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
            target = source.with_suffix(".mo")
            if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
                continue
            aside = target.with_name(f".{target.name}.{os.getpid()}")
            with source.open("rb") as written, aside.open("wb") as compiled:
                write_mo(compiled, read_po(written))
            aside.rename(target)
            made.append(target)
    return made


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")
    compile_messages(settings.LOCALE_PATHS)
