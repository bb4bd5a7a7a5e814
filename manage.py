#!/usr/bin/env python
"""The command line of the project."""

import json
import os
import sys

from django.core.exceptions import ImproperlyConfigured

USAGE = 2


def main() -> None:
    """Run a management command. A setting that makes no sense is told in its sentence, without a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "erp.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings must be named first

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        if "--json" in sys.argv:
            told = {"code": "NOT_CONFIGURED", "detail": str(error), "recovery_suggestion": ""}
            sys.stdout.write(json.dumps({"error": told}, ensure_ascii=False, indent=2) + "\n")
        sys.stderr.write(f"{error}\n")
        sys.exit(USAGE)


if __name__ == "__main__":
    main()
