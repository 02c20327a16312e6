"""`python -m benchmarks`: measure, print tables, and keep them in docs/benchmarks.md."""

from __future__ import annotations

import argparse
import datetime
import shutil
import sys
from collections.abc import Callable, Sequence

from benchmarks import (
    boards,
    calibration,
    cluster,
    evaluation,
    noop,
    overhead,
    parallel,
    peers,
    planning,
)
from benchmarks.machine import load, machine, versions
from benchmarks.measure import BenchmarkError, Result, say
from benchmarks.report import Taken, keep, kept, page, plain
from benchmarks.workplace import ROOT, Workplace, prepared
from edgemake.errors import UserError

PAGE = ROOT / "docs/benchmarks.md"
KEPT = ROOT / "benchmarks/taken.json"
PARTS: dict[str, Callable[[Workplace], Result]] = {
    "noop": noop.measure,
    "calibration": calibration.measure,
    "overhead": overhead.measure,
    "boards": boards.measure,
    "evaluation": evaluation.measure,
    "parallel": parallel.measure,
    "planning": planning.measure,
    "cluster": cluster.measure,
}
DEFAULT = "target=grove_v2"
NEEDS_PEERS = {"noop", "overhead"}


def main(arguments: Sequence[str]) -> int:
    """0: every limit is met; 1: one is missed; 2: it could not be measured."""
    parser = _parser()
    given = parser.parse_args(arguments).what
    overrides = [word for word in given if "=" in word] or [DEFAULT]
    named = [word for word in given if "=" not in word]
    if unknown := [name for name in named if name not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}; there are: {', '.join(PARTS)}")
    wanted = [name for name in PARTS if name in named or not named]
    busy = load()
    if busy > 0.5:
        say(f"other programs are running (load {busy:.1f}): figures will be worse than they are")
    try:
        work = prepared(overrides)
        results = [PARTS[name](work) for name in wanted]
    except (BenchmarkError, UserError) as error:
        sys.stderr.write(f"benchmarks: {error}\n")
        return 2
    environment = peers.installed() if NEEDS_PEERS & set(wanted) else None
    shutil.rmtree(work.folder, ignore_errors=True)
    sys.stdout.write(plain(results))
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    found = kept(KEPT)
    for name, result in zip(wanted, results, strict=True):
        peer = environment if name in NEEDS_PEERS else None
        found[name] = Taken(result, date, machine(), versions(peer), busy)
    keep(KEPT, found)
    PAGE.write_text(page([found[name] for name in PARTS if name in found]))
    say(f"kept in {PAGE.relative_to(ROOT)}")
    return 0 if all(figure.passed for result in results for figure in result.figures) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="Measures a chain that is already built (doit target=grove_v2), in a copy of it: "
        "nothing in the project is rebuilt or changed. The peers are installed once, into "
        ".benchmarks. All of it takes some forty minutes; let nothing else run. What is "
        "measured takes its place in docs/benchmarks.md.",
    )
    parser.add_argument(
        "what",
        nargs="*",
        metavar="PART or key=value",
        help=f"parts to measure, of {', '.join(PARTS)} (all); overrides of the chain ({DEFAULT})",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
