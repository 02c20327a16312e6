"""Models side by side: the rows, what may be compared, the fronts, and what must be said of it.

Plain values in, plain values out: what a page and a terminal show.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vision.compare_figures import SECTIONS, Entry, Figure, final, measured
from vision.compare_groups import Plain, best_of, charts, data_groups, passed, shown
from vision.compare_notes import cost_notes, data_notes, listed, runtimes

SCHEMA = 1
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def compared(names: Sequence[str], entries: Sequence[Entry]) -> Plain:
    """compare.json but for `differences`; its fields are explained in docs/compare.md.

    Raises KeyError, TypeError or ValueError for files that are not what they should be.
    """
    letters = LETTERS[: len(entries)]
    data = data_groups(letters, entries)
    return {
        "schema": SCHEMA,
        "made_by": "doit compare",
        "entries": [_entry(i, name, entries[i], data) for i, name in enumerate(names)],
        "data": data,
        "sections": list(_sections(entries, comparable=len(data) < 2)),
        "charts": list(charts(letters, entries, data)),
        "notes": list(_notes(entries, data)),
    }


def check(entry: Entry) -> None:
    """Raises KeyError, TypeError or ValueError for files that cannot be compared."""
    compared([""], [entry])
    if measured(entry):
        final(entry)["box"]["map50_95"]


def _entry(index: int, name: str, entry: Entry, data: Sequence[Plain]) -> Plain:
    model = entry["model"]
    letter = LETTERS[index]
    return {
        "letter": letter,
        "name": name,
        "target": model["target"]["name"],
        "title": model["target"]["title"],
        "task": model["task"],
        "passed": passed(entry),
        "data": next((i for i, group in enumerate(data) if letter in group["entries"]), None),
    }


def _sections(entries: Sequence[Entry], *, comparable: bool) -> Iterator[Plain]:
    for title, figures in SECTIONS:
        rows = [_row(figure, entries, comparable=comparable) for figure in figures]
        known = [row for row in rows if any(value is not None for value in row["values"])]
        if known:
            yield {"title": title, "rows": known}


def _row(figure: Figure, entries: Sequence[Entry], *, comparable: bool) -> Plain:
    values = [figure.of(entry) for entry in entries]
    usable = [value if passed(e) else None for value, e in zip(values, entries, strict=True)]
    best = best_of(usable, figure.best) if comparable or not figure.accuracy else []
    return {
        "key": figure.key,
        "label": figure.label,
        "values": values,
        "texts": [shown(value, figure.digits) for value in values],
        "best": best,
    }


def _notes(entries: Sequence[Entry], data: Sequence[Plain]) -> Iterator[str]:
    """What a reader must know of the figures, worst first."""
    yield from data_notes(data)
    pairs = dict(zip(LETTERS, entries, strict=False))
    counted = [letter for letter, entry in pairs.items() if measured(entry)]
    refused = [letter for letter, entry in pairs.items() if not passed(entry)]
    if refused:
        yield f"{listed(refused)}: the board would refuse the file, so it is best at nothing"
    for letter, entry in pairs.items():
        if letter not in counted:
            yield f"{letter}: {_unmeasured(entry)}"
    yield from cost_notes(pairs)
    yield from runtimes({letter: pairs[letter] for letter in counted})


def _unmeasured(entry: Entry) -> str:
    """Why there is no accuracy of int8, and what to do about it."""
    if entry["metrics"] is not None:
        return "the accuracy of int8 was not measured: evaluate.tiers left it out; null takes all"
    target = entry["model"]["target"]["name"]
    return (
        f"accuracy was not measured, there is no metrics.json; `doit target={target}` with the "
        "overrides of its build measures it"
    )
