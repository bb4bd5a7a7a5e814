"""Load one file with one peer and print the seconds."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

MODULES = {
    "dlt": "dlt_merge",
    "pandas": "pandas_merge",
    "pandas-openpyxl": "pandas_openpyxl",
    "django-import-export": "import_export",
    "orm-loop": "orm_loop",
}


def main() -> None:
    """Run the peer named on the command line."""
    name, database, path = sys.argv[1:]
    module = importlib.import_module(f"bench.peers.{MODULES[name]}")
    sys.stdout.write(f"{module.load(Path(path), database)}\n")


if __name__ == "__main__":
    main()
