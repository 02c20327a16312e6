"""Results as tables: for the terminal, and as the page docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from benchmarks.measure import Result, ratio

HEAD = """\
# Benchmarks

Written by `python -m benchmarks`; do not edit. A part that is measured again takes the place of its
last figures. Contenders of one table ran in turns, in the same minutes. "Times edgemake" is the
median of the rounds' ratios.

"""


@dataclass(frozen=True)
class Taken:
    """A result, and what it was taken on."""

    result: Result
    date: str
    machine: dict[str, str]
    """Name -> value, for people."""
    versions: str
    load: float
    """How many other processes wanted a core before."""


def kept(path: Path) -> dict[str, Taken]:
    """Part -> what was last measured of it; nothing where nothing was kept."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Taken])
    except FileNotFoundError:
        return {}


def keep(path: Path, parts: Mapping[str, Taken]) -> None:
    """Write what `kept` reads."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(parts), indent=1) + b"\n")


def page(parts: Sequence[Taken]) -> str:
    """The Markdown page."""
    results = [taken.result for taken in parts]
    texts = [HEAD + "## Limits\n\n" + _table(_LIMITS, _limits(results))]
    for taken in parts:
        machine = ", ".join(f"{name} {value}" for name, value in taken.machine.items())
        where = f"{taken.date}, load before {taken.load:.1f}; {machine}; {taken.versions}"
        result = taken.result
        table = _table(_SERIES, _series(result))
        texts.append(f"## {result.title}\n\n{result.text}\n\n{table}\nTaken {where}.\n")
    return "\n".join(texts)


def plain(results: Sequence[Result]) -> str:
    """The same figures for a terminal."""
    parts = [_columns(_LIMITS, _limits(results))]
    parts += [f"{result.title}\n{_columns(_SERIES, _series(result))}" for result in results]
    return "\n\n".join(parts) + "\n"


_LIMITS = ("figure", "found", "limit", "")
_SERIES = ("", "runs", "minimum", "median", "times edgemake")


def _limits(results: Sequence[Result]) -> list[tuple[str, ...]]:
    return [(figure.name, *figure.words()) for result in results for figure in result.figures]


def _series(result: Result) -> list[tuple[str, ...]]:
    factor, ours = (1000 if result.unit == "ms" else 1), result.series[0]
    return [
        (
            series.name,
            str(len(series.seconds)),
            f"{series.least * factor:.3g} {result.unit}",
            f"{series.median * factor:.3g} {result.unit}",
            f"{ratio(series, ours):.2f}",
        )
        for series in result.series
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
