"""The variables that configure an installation, as ``deploy/environment.example`` documents them.

Nothing here knows Django: this module runs before the settings are read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from erp.supervisor import BASE_DIR

_SHOWN = re.compile(r"^#?([A-Z_]+)=", re.MULTILINE)
DOCUMENTED = frozenset(
    name.removesuffix("_FILE")
    for name in _SHOWN.findall((BASE_DIR / "deploy" / "environment.example").read_text(encoding="utf-8"))
)
CONFIGURING = DOCUMENTED | {f"{name}_FILE" for name in DOCUMENTED}


def without_configuration(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment as of somebody who configured nothing, whatever the developer has set."""
    return {name: value for name, value in environment.items() if name not in CONFIGURING}
