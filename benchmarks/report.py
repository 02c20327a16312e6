"""Results as tables: for the terminal, and as the page docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.measure import Result, ratio

HEAD = """\
# Benchmarks

Written by `python -m benchmarks`; do not edit. Taken on {date}.
Contenders of one table ran in turns, in the same minutes. "Times edgemake" is the median of the
rounds' ratios.

"""


def page(results: Sequence[Result], machine: Mapping[str, str], versions: str, date: str) -> str:
    """The Markdown page."""
    facts = [*machine.items(), ("versions", versions)]
    parts = [HEAD.format(date=date) + "".join(f"- {name}: {value}\n" for name, value in facts)]
    parts.append("## Limits\n\n" + _table(_LIMITS, _limits(results)))
    parts += [f"## {r.title}\n\n{r.text}\n\n" + _table(_SERIES, _series(r)) for r in results]
    return "\n".join(parts)


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
