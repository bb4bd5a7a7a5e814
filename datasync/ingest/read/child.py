"""The reading process: answers requests on standard input until it is closed. Started by ``client``, never imported."""

from __future__ import annotations

import argparse
import os
import sys

from datasync.ingest.read.sandbox import UNCONFINED, confine


def main() -> None:
    """Confine the process, load the libraries once, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--memory-limit-bytes", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    options = parser.parse_args()
    try:
        confine(memory_limit_bytes=options.memory_limit_bytes, parent=options.parent)
    except OSError as error:
        print(f"The reading process cannot be confined: {error}", file=sys.stderr)
        raise SystemExit(UNCONFINED) from None
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the frames
    from datasync.ingest.read.serving import serve  # noqa: PLC0415 - loads the libraries, once the limits are set

    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
