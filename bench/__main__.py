"""Run the benchmarks, or some of them: ``python -m bench [NAME …] [--rows N] [--repeat N] [--all] [--quick]``."""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench import machine, report, servers
from bench.cases import (
    api,
    cache,
    crowd,
    embedded,
    facts,
    fairness,
    files,
    fixed,
    growth,
    limiter,
    load,
    memory,
    peers,
    queue,
    remap,
    scale,
    submit,
)
from bench.report import RESULTS, Result
from bench.run import FULL_ROWS, Run

CASES: dict[str, Callable[[Run], Iterator[Result]]] = {
    "load": load.run,
    "peers": peers.run,
    "files": files.run,
    "fixed": fixed.run,
    "growth": growth.run,
    "sqlite": embedded.run,
    "memory": memory.run,
    "facts": facts.run,
    "remap": remap.run,
    "api": api.run,
    "cache": cache.run,
    "limiter": limiter.run,
    "submit": submit.run,
    "queue": queue.run,
    "crowd": crowd.run,
    "fairness": fairness.run,
    "scale": scale.run,
}
_QUICK = {"rows": 2_000, "repeat": 1, "growth_rows": 20_000, "load_seconds": 10}


def main(arguments: Sequence[str]) -> None:
    """Measure, print the table, and keep it when the run was complete and of full size."""
    options = _options(arguments)
    sizes = {name: getattr(options, name) for name in _QUICK if getattr(options, name)}
    sizes = (_QUICK if options.quick else {}) | sizes
    described = machine.facts()
    results: list[Result] = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        servers.postgres() as server,
        servers.redis() as broker,
    ):
        run = Run(Path(folder), server, broker, slow_peers=options.all, **sizes)
        for name in options.names or CASES:
            for result in CASES[name](run):
                results.append(result)
                run.say(f"  {result.what}: {result.product} {result.result} {result.target and f'({result.target})'}")
    sys.stdout.write(report.table(results, scaled_down=run.scaled_down) + "\n")
    if run.scaled_down or options.names:
        run.say(f"This run was scaled down or partial: {RESULTS.name} is left as it was.")
    else:
        report.write(results, facts=described, command=shlex.join(["python", "-m", "bench", *arguments]))
        run.say(f"Written to {RESULTS}.")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which of {', '.join(CASES)} (default: all)")
    parser.add_argument("--rows", type=int, help=f"rows of a large file; all else scales along (default {FULL_ROWS:,})")
    parser.add_argument("--growth-rows", type=int, help="rows stored before the growth benchmark (default 10,000,000)")
    parser.add_argument("--load-seconds", type=int, help="how long a hundred clients submit and poll (default 180)")
    parser.add_argument("--repeat", type=int, help="turns of each (default 3)")
    parser.add_argument("--all", action="store_true", help="peers without a target too")
    parser.add_argument("--quick", action="store_true", help="a small run that shows that everything works")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(CASES)
    if unknown:
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    main(sys.argv[1:])
