"""The page of a sweep: what its template names, from sweep.json."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from vision.compare_figures import COSTS
from vision.compare_groups import shown
from vision.compare_notes import listed
from vision.report_table import Cell, Column, number, table
from vision.report_units import plural
from vision.sweep_axes import as_number
from vision.sweep_figures import DELIVERED

Plain = Mapping[str, Any]

UP = "../../"
"""From the page's folder to artifacts/, where deliverables lie."""
REPORT = "report.html"
TONES = {DELIVERED: "good", "refused": "bad", "failed": "bad"}
"""What became of a point -> the badge's tone; any other is `look`."""
BESTS = (
    ("keypoints_map50_95", "Most accurate"),
    ("box_map50_95", "Most accurate"),
    ("latency_ms", "Fastest"),
    ("arena_kib", "Least arena"),
    ("file_kib", "Smallest file"),
)
"""Figure -> how the point that is best at it is called; the first of a name is told."""
ALWAYS = ("box_map50_95", "keypoints_map50_95", "box_drop", "keypoints_drop", *dict(COSTS))
"""Figures that the table shows where any point has them."""
VARYING = ("f1", "npu_percent", "int8_percent", "warnings")
"""Figures that it shows where points differ in them; sweep.csv has all."""
SHOWN = 12
"""Values of a key that are listed."""
UNITS = {"latency_ms": "ms", "arena_kib": "KiB", "file_kib": "KiB"}


def context(found: Plain) -> dict[str, Any]:
    """What the template names beside sweep.json's own fields and the charts."""
    return {
        "title": f"Sweep of {plural(len(found['points']), 'point')}",
        "told": [{"key": axis["key"], "values": values(axis)} for axis in found["axes"]],
        "counts": list(counts(found["points"])),
        "cards": list(cards(found)),
        "table": points_table(found),
        "troubles": list(troubles(found)),
    }


def counts(points: Sequence[Plain]) -> Iterator[Plain]:
    """How many points came to which end, and the badge's tone."""
    told: dict[str, int] = {}
    for point in points:
        told[point["outcome"]] = told.get(point["outcome"], 0) + 1
    for outcome in sorted(told, key=lambda one: one != DELIVERED):
        yield {"tone": TONES.get(outcome, "look"), "text": f"{told[outcome]:,} {outcome}"}


def values(axis: Plain) -> str:
    """What a key was given, in order; of very many the first, or the ends of numbers."""
    given = axis["values"]
    if len(given) <= SHOWN:
        return ", ".join(given)
    if axis["numbers"]:
        ordered = sorted(given, key=float)
        return f"{ordered[0]} to {ordered[-1]} ({len(given):,} values)"
    return f"{', '.join(given[:SHOWN])}, … ({len(given):,} values)"


def cards(found: Plain) -> Iterator[Plain]:
    """Which points are best at what people choose by."""
    columns = {column["key"]: column for column in found["columns"]}
    points = {point["point"]: point for point in found["points"]}
    told: set[str] = set()
    for key, title in BESTS:
        column = columns.get(key)
        if column is None or title in told or not column["best"]:
            continue
        told.add(title)
        best = sorted((points[one] for one in column["best"]), key=_accuracy, reverse=True)
        others = sorted(point["point"] for point in best[1:])
        yield {
            "title": title,
            "value": shown(best[0]["figures"][key], column["digits"]),
            "unit": UNITS.get(key, "mAP50-95"),
            "point": best[0]["point"],
            "words": words(best[0], found["axes"]),
            "others": listed([str(one) for one in others]) if others else "",
        }


def _accuracy(point: Plain) -> float:
    """Of points that cost the same the most accurate is told first."""
    figures = point["figures"]
    return float(figures.get("keypoints_map50_95", figures.get("box_map50_95", 0.0)))


def words(point: Plain, axes: Sequence[Plain]) -> str:
    """What tells a point from the others."""
    short = {axis["key"]: axis["short"] for axis in axes}
    return ", ".join(f"{short[key]}={value}" for key, value in point["values"].items())


def points_table(found: Plain) -> str:
    """A row a point, all that sorts and can be chosen by."""
    columns = [one for one in found["columns"] if _worth(one)]
    heads = [Column("#", number=True, about="the point's number")]
    heads += [Column(axis["short"], axis["numbers"], about=axis["key"]) for axis in found["axes"]]
    heads += [Column("outcome"), Column("report")]
    heads += [
        Column(one["label"], isinstance(_first(found, one["key"]), int | float)) for one in columns
    ]
    if found["charts"]:
        heads.append(Column("on the front of", about="no other point is as cheap and as accurate"))
    heads.append(Column("work, s", True, about="what its steps took when they were built"))
    rows = [list(_row(point, found, columns)) for point in found["points"]]
    ids = [f"point-{point['point']}" for point in found["points"]]
    return table("Every point; ★ is the best of its column", heads, rows, "points-table", ids)


def _worth(column: Plain) -> bool:
    return column["key"] in ALWAYS or (column["varies"] and column["key"] in VARYING)


def _first(found: Plain, key: str) -> Any:
    return next(one["figures"][key] for one in found["points"] if key in one["figures"])


def _row(point: Plain, found: Plain, columns: Sequence[Plain]) -> Iterator[Cell | str]:
    yield Cell(str(point["point"]), sort=float(point["point"]), strong=True)
    for axis in found["axes"]:
        value = point["values"].get(axis["key"], "")
        yield Cell(value, sort=as_number(value) if axis["numbers"] else None)
    yield _outcome(point)
    link = f"{UP}{quote(point['folder'])}/{REPORT}"
    yield Cell("open", link=link) if point["report"] else Cell("–")
    for column in columns:
        yield _figure(point, column)
    if found["charts"]:
        titles = {chart["cost"]: chart["label"].partition(",")[0] for chart in found["charts"]}
        yield ", ".join(titles[cost] for cost in point["fronts"])
    yield number(point["seconds"] if point["folder"] else None, 1)


def _outcome(point: Plain) -> Cell:
    if point["outcome"] == DELIVERED and point["at"]:
        return Cell(f"delivered, {point['at']} failed", tone="look")
    at = f" at {point['at']}" if point["outcome"] == "failed" else ""
    return Cell(f"{point['outcome']}{at}", tone=TONES.get(point["outcome"], "look"))


def _figure(point: Plain, column: Plain) -> Cell:
    value = point["figures"].get(column["key"])
    if value is None:
        return number(None)
    if not isinstance(value, int | float):
        return Cell(str(value))
    told = number(value, column["digits"])
    best = point["point"] in column["best"]
    return Cell(f"★ {told.text}" if best else told.text, sort=told.sort, strong=best)


def troubles(found: Plain) -> Iterator[Plain]:
    """What kept points from being delivered or measured; equal words of several are told once."""
    told: dict[tuple[str, str], list[Plain]] = {}
    for point in found["points"]:
        if point["message"]:
            told.setdefault((_outcome(point).text, point["message"]), []).append(point)
    for (outcome, message), points in told.items():
        numbers = listed([str(point["point"]) for point in points])
        yield {
            "title": f"{'Points' if len(points) > 1 else 'Point'} {numbers}: {outcome}",
            "words": words(points[0], found["axes"]) if len(points) == 1 else "",
            "message": message,
        }
