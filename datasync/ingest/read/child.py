"""The reading process: answers requests on standard input until it is closed. Started by ``client``, never imported."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module

from datasync.ingest.read.sandbox import confine

THREADS = 2


def main() -> None:
    """Confine the process, load the libraries once, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory-limit-bytes", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    options = parser.parse_args()
    os.environ.setdefault("POLARS_MAX_THREADS", str(THREADS))
    confine(memory_limit_bytes=options.memory_limit_bytes, parent=options.parent)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    serving = import_module("datasync.ingest.read.serving")  # the libraries come in after the limits
    serving.serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
