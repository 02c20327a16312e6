"""The points of a sweep: what became of each, its figures, the fronts, and what must be said.

Plain values in, plain values out: what a page, a terminal and a CSV file show.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vision.compare_figures import SECTIONS, Entry, Figure, measured
from vision.compare_groups import Plain, best_of, charts, data_groups, passed
from vision.compare_notes import cost_notes, data_notes, listed, runtimes
from vision.sweep_axes import as_number, axes, short_names, values_of

SCHEMA = 1
FIGURES: Mapping[str, Figure] = {
    figure.key.replace(".", "_"): figure for _, figures in SECTIONS for figure in figures
}
"""Column -> the figure that stands in it."""
MEASURED_ON = {"measured_on": "dataset", "split": "split", "images": "images"}
"""Column -> field of metrics.json."""
FACTS = ("board", *MEASURED_ON)
ENDED = ("outcome", "at", "message", "folder", "seconds")
DELIVERED = "delivered"
COLUMNS = ("point", *ENDED, *FACTS, *FIGURES)
"""Columns that every sweep has; the keys that vary come beside them."""
SHORT: Mapping[str, tuple[str, ...]] = {
    "map": ("keypoints_map50_95", "box_map50_95"),
    "drop": ("keypoints_drop", "box_drop"),
    "latency": ("latency_ms",),
    "arena": ("arena_kib",),
    "size": ("file_kib",),
}
"""Names for people -> columns; the first that any point has is meant."""
RESERVED = (*COLUMNS, *SHORT, "ran")
"""Names that no key is shortened to."""


def swept(points: Sequence[Mapping[str, Any]], entries: Mapping[int, Entry]) -> Plain:
    """sweep.json; its fields are explained in docs/sweeps.md.

    `points`: `point` (overrides), `outcome`, `at`, `message`, `folder`, `report` and `seconds` of
    each. `entries`: place in `points` -> the files of those that have a model. Points are
    numbered from 1. Raises KeyError, TypeError or ValueError for files that are not what they
    should be.
    """
    labels = [str(place + 1) for place in entries]
    models = list(entries.values())
    data = data_groups(labels, models)
    gated = [label for label in labels if points[int(label) - 1]["outcome"] != DELIVERED]
    drawn = list(charts(labels, models, data, gated))
    rows = [_row(place, point, entries.get(place)) for place, point in enumerate(points)]
    _tell_groups(rows, data, drawn)
    found = axes([point["point"] for point in points])
    short = short_names([axis.key for axis in found], RESERVED)
    return {
        "schema": SCHEMA,
        "made_by": "doit -m",
        "axes": [
            {"key": a.key, "short": short[a.key], "values": list(a.values), "numbers": a.numbers}
            for a in found
        ],
        "points": rows,
        "columns": list(_columns(rows, comparable=len(data) < 2)),
        "data": data,
        "charts": drawn,
        "notes": list(_notes(rows, dict(zip(labels, models, strict=True)), data)),
    }


def _row(place: int, point: Mapping[str, Any], entry: Entry | None) -> Plain:
    figures = {name: figure.exact(entry) for name, figure in FIGURES.items()} if entry else {}
    metrics = (entry["metrics"] if entry else None) or {}
    return {
        "point": place + 1,
        "values": values_of(point["point"]),
        **{name: point[name] for name in (*ENDED, "report")},
        "board": entry["model"]["target"]["name"] if entry else None,
        **{name: metrics.get(told) for name, told in MEASURED_ON.items()},
        "data": None,
        "fronts": [],
        "figures": {name: value for name, value in figures.items() if value is not None},
        "passed": entry is not None and passed(entry) and point["outcome"] == DELIVERED,
    }


def _tell_groups(rows: Sequence[Plain], data: Sequence[Plain], drawn: Sequence[Plain]) -> None:
    """Writes into each row what it was measured on, and the costs whose front it is on."""
    for number, group in enumerate(data):
        for label in group["entries"]:
            rows[int(label) - 1]["data"] = number
    for chart in drawn:
        for label in chart["front"]:
            rows[int(label) - 1]["fronts"].append(chart["cost"])


def _columns(rows: Sequence[Plain], *, comparable: bool) -> Iterator[Plain]:
    """The figures that any point has, and which points are best at them."""
    for name, figure in FIGURES.items():
        values = [row["figures"].get(name) for row in rows]
        if all(value is None for value in values):
            continue
        usable = [
            _rounded(v, figure) if r["passed"] else None for v, r in zip(values, rows, strict=True)
        ]
        ranked = comparable or not figure.accuracy
        yield {
            "key": name,
            "label": figure.label,
            "digits": figure.digits,
            "good": figure.best,
            "best": [rows[i]["point"] for i in (best_of(usable, figure.best) if ranked else [])],
            "varies": len({_rounded(value, figure) for value in values if value is not None}) > 1,
        }


def _rounded(value: Any, figure: Figure) -> Any:
    """As it is shown: what looks the same is not better."""
    return round(value, figure.digits) if isinstance(value, float) else value


def _notes(
    rows: Sequence[Plain], pairs: Mapping[str, Entry], data: Sequence[Plain]
) -> Iterator[str]:
    """What a reader must know of the figures, worst first."""
    yield from data_notes(data)
    counted = {label: entry for label, entry in pairs.items() if measured(entry)}
    refused = [label for label, entry in pairs.items() if not passed(entry)]
    if refused:
        yield f"{listed(refused)}: the board would refuse the file, so it is best at nothing"
    if gated := [x for x in pairs if x not in refused and not rows[int(x) - 1]["passed"]]:
        yield f"{listed(gated)}: not delivered (a gate of yours), so it is best at nothing"
    if bare := [label for label in pairs if label not in counted]:
        yield f"{listed(bare)}: the accuracy of int8 was not measured"
    yield from _equal(rows)
    yield from cost_notes(pairs)
    yield from runtimes(counted)


def _equal(rows: Sequence[Plain]) -> Iterator[str]:
    """Points that came to the same deliverable: what they differ in changes nothing in it."""
    places: dict[str, list[str]] = {}
    for row in rows:
        if row["folder"]:
            places.setdefault(row["folder"], []).append(str(row["point"]))
    for labels in places.values():
        if len(labels) > 1:
            yield f"{listed(labels)}: the same deliverable; what they differ in is not part of it"


def table_csv(found: Mapping[str, Any]) -> str:
    """sweep.csv: a row a point, all figures as they were measured; no value is an empty field."""
    keys = [axis["key"] for axis in found["axes"]]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["point", *keys, *COLUMNS[1:]])
    for row in found["points"]:
        told = {name: row[name] for name in (*ENDED, *FACTS)} | row["figures"]
        told["seconds"] = row["seconds"] or None
        values = [row["values"].get(key, "") for key in keys]
        writer.writerow([row["point"], *values, *(told.get(name) for name in COLUMNS[1:])])
    return text.getvalue()


def place_of(value: Any) -> tuple[int, float, str]:
    """By this values are sorted: numbers before words, as numbers."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    number = as_number(str(value))
    return (0, number, "") if number is not None else (1, 0.0, str(value))
