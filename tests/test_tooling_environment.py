"""What can be set is what ``deploy/environment.example`` says can be set."""

from __future__ import annotations

import re
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
_READ = re.compile(r"environment\.(?:text|boolean|integer|choice|items)\(\s*\"([A-Z_]+)\"")
_SHOWN = re.compile(r"^#?([A-Z_]+)=", re.MULTILINE)


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    read = {
        name
        for room in ("erp", "datasync")
        for path in (BASE_DIR / room).rglob("*.py")
        for name in _READ.findall(path.read_text(encoding="utf-8"))
    }
    example = (BASE_DIR / "deploy" / "environment.example").read_text(encoding="utf-8")
    shown = {name.removesuffix("_FILE") for name in _SHOWN.findall(example)}
    assert read == shown
