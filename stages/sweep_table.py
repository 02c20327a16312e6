"""What is printed of a sweep at its end, read from sweep.json: a row a point, in any order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edgemake.errors import UserError, did_you_mean
from vision.compare_groups import DASH, shown
from vision.compare_notes import listed
from vision.sweep_axes import axes, short_names
from vision.sweep_figures import COLUMNS, DELIVERED, RESERVED, SHORT, place_of

if TYPE_CHECKING:
    from rich.table import Table

MOST = 100
"""Rows printed; the rest stands in the files."""
UNITS = {
    "map": "50-95", "drop": "points", "latency": "ms", "arena": "KiB", "size": "KiB", "ran": "s",
}  # fmt: skip
"""Below the heads; a head's first line is a name for --sort."""

Plain = Mapping[str, Any]


def check(order: str, points: Sequence[Sequence[str]]) -> None:
    """Raises UserError where `order`, as it was given to --sort, names no column."""
    keys = [axis.key for axis in axes(points)]
    known = {*RESERVED, *keys, *short_names(keys, RESERVED).values()}
    name = order.removeprefix("-")
    if order and name not in known:
        words = [*SHORT, "ran", "point", "outcome", *keys]
        hint = did_you_mean(name, known) or f"; for instance {', '.join(words)}"
        raise UserError(f"--sort {order}: a sweep has no column {name!r}{hint}")


def lines(
    found: Plain, ran: Sequence[float], order: str = "", *, width: int | None = None
) -> Iterator[str]:
    """The points as text. `ran`: seconds of each that ran in this build; `order`: a column, with a
    '-' before it for the largest first. What has no value comes last."""
    from edgemake.text_table import printed, room

    width, terminal = room(width)
    heads = _heads(found, order)
    told = [point | {"ran": seconds} for point, seconds in zip(found["points"], ran, strict=True)]
    rows = ordered(told, _column(order.removeprefix("-"), found), last_first=order.startswith("-"))
    yield from printed(_table(heads, rows[:MOST], found), width, terminal)
    if len(rows) > MOST:
        yield f"and {len(rows) - MOST} more points"
    yield "* best of its column, where figures can be compared and are not all the same"
    for chart in found["charts"]:
        if len({point["x"] for point in chart["points"]}) > 1:
            front = listed(sorted(chart["front"], key=int))
            yield f"- Pareto front, {chart['accuracy']} against {chart['label']}: {front}"


def ordered(rows: Sequence[Plain], column: str, *, last_first: bool = False) -> list[Plain]:
    """Rows by a column; those without a value last in both directions."""
    if not column:
        return list(rows)
    known = [row for row in rows if _value(row, column) not in (None, "")]
    known.sort(key=lambda row: place_of(_value(row, column)), reverse=last_first)
    return [*known, *(row for row in rows if _value(row, column) in (None, ""))]


def _value(row: Plain, column: str) -> Any:
    if column in row["values"]:
        return row["values"][column]
    return row["figures"].get(column, row.get(column))


def _column(name: str, found: Plain) -> str:
    """The column, or the key of an axis, that a name of --sort means."""
    for axis in found["axes"]:
        if name in (axis["key"], axis["short"]):
            return str(axis["key"])
    there = {column["key"] for column in found["columns"]}
    columns = SHORT.get(name, (name,))
    return next((column for column in columns if column in there), columns[0])


def _heads(found: Plain, order: str) -> dict[str, str]:
    """Column -> head; the one that is sorted by is among them."""
    there = {column["key"] for column in found["columns"]}
    heads = {"point": "#"} | {axis["key"]: axis["short"] for axis in found["axes"]}
    heads["outcome"] = "outcome"
    for name, columns in SHORT.items():
        known = [column for column in columns if column in there]
        several = len(known) > 1
        for column in known:
            head = f"{column.partition('_')[0]} {name}" if several else name
            heads[column] = f"{head}\n{UNITS[name]}"
    heads["ran"] = f"ran\n{UNITS['ran']}"
    wanted = _column(order.removeprefix("-"), found)
    if wanted and wanted not in heads and wanted in COLUMNS:
        heads[wanted] = wanted.replace("_", "\n", 1)
    return heads


def _table(heads: Mapping[str, str], rows: Sequence[Plain], found: Plain) -> Table:
    from rich.text import Text

    from edgemake.text_table import bare_table

    words = {axis["key"] for axis in found["axes"] if not axis["numbers"]} | {"outcome"}
    columns = {column["key"]: column for column in found["columns"]}
    table = bare_table()
    for name, head in heads.items():
        table.add_column(Text(head), justify="left" if name in words else "right", overflow="fold")
    for row in rows:
        cells = [_cell(row, name, columns.get(name)) for name in heads]
        table.add_row(*(Text(text, style="bold" if "*" in text else "") for text in cells))
    return table


def _cell(row: Plain, name: str, column: Plain | None) -> str:
    if name == "outcome":
        return outcome(row)
    if name == "ran":
        return f"{row['ran']:,.1f}" if row["ran"] else DASH
    value = _value(row, name)
    if column is None:
        return DASH if value is None else str(value)
    return f"{shown(value, column['digits'])}{'*' if row['point'] in column['best'] else ' '}"


def outcome(row: Plain) -> str:
    """How a point ended, and at what."""
    if row["outcome"] == DELIVERED:
        return f"{DELIVERED}, {row['at']} failed" if row["at"] else DELIVERED
    between = ": " if row["outcome"] == "refused" else " at "
    return f"{row['outcome']}{between}{row['at']}" if row["at"] else str(row["outcome"])
